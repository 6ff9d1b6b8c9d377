use std::time::Duration;

use daypass_migrate::plan::{Planned, draw};
use daypass_migrate::retire::{Evidence, Reason, Retirement, Use, retire};
use daypass_migrate::{Plan, Survey, status};
use daypass_trust::document::Source;

use crate::estate::{GITHUB_FILE, filled_text, id, survey, survey_of};

/// The same answer about everything.
struct Said {
    usage: Option<Use>,
    runs: Option<u64>,
}

impl Evidence for Said {
    fn usage(&self, _credential: &Planned) -> Option<Use> {
        self.usage.clone()
    }

    fn runs(&self, _role: &str, _file: &str, _job: &str) -> Option<u64> {
        self.runs
    }
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

fn quiet() -> Said {
    Said { usage: Some(Use::Unused { window: days(31), gaps: Vec::new() }), runs: Some(9) }
}

fn plan(state: &str) -> Plan {
    let text = filled_text(&survey()).replace("state = \"planned\"", &format!("state = \"{state}\""));
    Plan::parse(&Source::new("p", text.as_str())).unwrap()
}

/// The reasons about the staging key.
fn why(plan: &Plan, survey_now: &Survey, evidence: &Said) -> Vec<Reason> {
    let id = id(&survey(), "STAGING_KEY");
    let judged = retire(plan, survey_now, evidence);
    judged.refused.into_iter().find(|it| it.credential == id).map(|it| it.why).unwrap_or_default()
}

fn moved() -> Survey {
    survey_of(&[(GITHUB_FILE, "on: push\njobs:\n  staging:\n    runs-on: x\n    steps:\n      - run: x\n")])
}

#[test]
fn what_nothing_keeps_may_go() {
    let judged = retire(&plan("cut-over"), &moved(), &quiet());
    let staging = id(&survey(), "STAGING_KEY");
    let removal = judged.granted.iter().find(|it| it.credential == staging).unwrap();
    assert!(removal.steps[0].contains("--status Inactive") && removal.rollback.contains("--status Active"));
    assert!(removal.steps[1].contains("STAGING_KEY"));
    let npm = id(&survey(), "NPM_TOKEN");
    assert!(judged.refused.iter().any(|it| it.credential == npm), "nothing shows that it was replaced");
}

#[test]
fn every_reason_to_keep_it() {
    let cut = plan("cut-over");
    let with = |usage: Use| Said { usage: Some(usage), ..quiet() };
    let said = |reasons: Vec<Reason>| reasons.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        said(why(&plan("planned"), &moved(), &quiet())),
        ["its jobs are not cut over (state `planned`)"]
    );
    assert_eq!(
        said(why(&cut, &survey(), &quiet())),
        ["shop/.github/workflows/deploy.yml:22 still binds it, and what is bound is used in place of a role"]
    );
    assert_eq!(
        said(why(&cut, &moved(), &Said { runs: Some(2), ..quiet() })),
        ["job `staging` obtained `aws-s3-write-shop-staging` in 2 runs, 5 are asked for"]
    );
    assert_eq!(
        said(why(&cut, &moved(), &Said { runs: None, ..quiet() })),
        ["there is no evidence of job `staging` obtaining `aws-s3-write-shop-staging`"]
    );
    assert_eq!(
        said(why(&cut, &moved(), &with(Use::Used { last: "on 2026-11-20 by a laptop".into() }))),
        ["it was used since cut-over: on 2026-11-20 by a laptop"]
    );
    assert_eq!(
        said(why(
            &cut,
            &moved(),
            &with(Use::Unused { window: days(7), gaps: vec!["data events of S3".into()] })
        )),
        [
            "no use was seen, but the log does not cover data events of S3",
            "no use was seen in 7d, and 30d without one are asked for"
        ]
    );
    assert_eq!(
        said(why(&cut, &moved(), &with(Use::Unknown { why: "no trail".into() }))),
        ["whether it is used cannot be told: no trail"]
    );
    assert_eq!(
        said(why(&cut, &moved(), &Said { usage: None, ..quiet() })),
        ["there is no evidence about its use"]
    );
    let without: String = filled_text(&survey())
        .replace("state = \"planned\"", "state = \"cut-over\"")
        .replace("role = \"aws-s3-write-shop-staging\"\n", "");
    let without = Plan::parse(&Source::new("p", without.as_str())).unwrap();
    assert_eq!(said(why(&without, &moved(), &quiet())), ["job `staging` has no role to use instead"]);
}

/// A file that nobody can read may well bind it still.
#[test]
fn what_cannot_be_read_is_not_gone() {
    let cut = plan("cut-over");
    for missed in [GITHUB_FILE, "shop", ""] {
        let mut survey = moved();
        survey.miss(missed);
        let said: Vec<String> = why(&cut, &survey, &quiet()).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            ["`shop/.github/workflows/deploy.yml` could not be read: whether it still binds it is not known"]
        );
    }
    let mut survey = moved();
    survey.miss("shop/.github/workflows/dep");
    assert_eq!(why(&cut, &survey, &quiet()), []);
    // Nor does a plan that is drawn again take it for gone.
    let before = Source::new("p", filled_text(&self::survey()));
    let again = |survey: &Survey| draw(survey, Some(&before), None).unwrap().text;
    assert!(again(&moved()).contains("present = false"));
    let mut survey = moved();
    survey.miss("");
    assert!(!again(&survey).contains("present = false"));
}

#[test]
fn what_is_retired_or_kept_is_left_alone() {
    assert_eq!(retire(&plan("retired"), &moved(), &quiet()), Retirement::default());
}

#[test]
fn the_burn_down_counts_and_says_what_is_next() {
    let before = status(&plan("planned"), &survey(), &quiet());
    assert_eq!((before.total.planned, before.total.left(), before.total.ready), (4, 4, 0));
    assert_eq!(before.next.len(), 1, "staging is first: {:?}", before.next);
    assert_eq!((before.next[0].wave, before.next[0].what.as_str()), (2, "move its jobs to their roles"));
    let cut = status(&plan("cut-over"), &moved(), &quiet());
    assert_eq!(cut.total.ready, 3);
    assert_eq!(cut.next[0].what, "retire it");
    assert_eq!(cut.clouds["aws"].cut_over, 3);
    let stuck = status(&plan("cut-over"), &survey(), &quiet());
    assert!(stuck.next[0].what.contains("still binds it"));
    let done = status(&plan("retired"), &moved(), &quiet());
    assert_eq!((done.total.retired, done.total.left(), done.next.len()), (4, 0, 0));
    assert_eq!(done.waves.keys().copied().collect::<Vec<_>>(), [2, 3]);
}
