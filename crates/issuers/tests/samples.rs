//! The catalogue against sample tokens of the platforms.

use std::collections::{BTreeMap, HashSet};

use daypass_claims::{Audience, ClaimSet, ClaimValue, Issuer, Timestamp};
use daypass_issuers::{Fit, MintFacts, Piece, Platform, RenderError, Rule, SubjectForm, catalogue, classify};

use crate::reference::samples;

/// Which variant a sample is of, and the claims in which the two differ on purpose.
const VARIANTS: &[(&str, &str, &[&str])] = &[
    ("aws-sts-outbound.json", "default", &[]),
    ("azure-devops-pipeline-pr.json", "pull-request", &[]),
    ("azure-devops-pipeline.json", "default", &[]),
    ("azure-devops-service-connection-entra.json", "entra", &[]),
    ("azure-devops-service-connection-old.json", "names", &[]),
    ("bitbucket-custom-audiences.json", "default", &[]),
    ("bitbucket-deployment.json", "environment", &[]),
    ("bitbucket-step.json", "default", &[]),
    ("buddy.json", "europe", &[]),
    ("buildkite-aws.json", "aws", &[]),
    ("buildkite-default.json", "default", &[]),
    ("buildkite-subject-claim.json", "pipeline-id", &[]),
    ("buildkite-tag-nostep.json", "tag", &[]),
    ("circleci-custom-aud.json", "v1", &[]),
    ("circleci-fork-pr.json", "fork-pr", &[]),
    ("circleci-ssh-rerun.json", "ssh-rerun", &[]),
    ("circleci-v1.json", "v1", &[]),
    ("circleci-v2.json", "v2", &[]),
    ("cirrus-ci-pr.json", "pull-request", &[]),
    ("codefresh.json", "default", &[]),
    ("concourse.json", "default", &[]),
    ("depot-ci.json", "default", &[]),
    ("env0.json", "default", &[]),
    ("fly-io.json", "default", &[]),
    ("forgejo.json", "default", &[]),
    ("github-attacker-public-fork-owner.json", "immutable", &[]),
    ("github-branch-classic.json", "classic", &[]),
    ("github-branch-immutable.json", "immutable", &[]),
    ("github-custom-sub.json", "environment", &[]),
    ("github-enterprise-slug.json", "immutable", &[]),
    // Custom properties have other names in the running example.
    (
        "github-environment-reusable.json",
        "reusable-workflow",
        &["repo_property_tier", "repo_property_pci_compliant", "repo_property_regions"],
    ),
    ("github-ghe-com.json", "immutable", &[]),
    ("github-ghes.json", "classic", &[]),
    ("github-pull-request.json", "pull-request", &[]),
    ("github-tag.json", "tag", &[]),
    ("gitlab-branch.json", "default", &[]),
    ("gitlab-environment.json", "environment", &[]),
    ("gitlab-fork-mr-in-parent.json", "fork-merge-request", &[]),
    ("gitlab-project-id-sub.json", "project-id", &[]),
    ("gitlab-self-managed.json", "default", &[]),
    ("gitlab-tag.json", "tag", &[]),
    ("gitpod.json", "default", &[]),
    ("google-cloud.json", "default", &[]),
    ("harness.json", "pipeline", &[]),
    ("hcp-terraform-apply.json", "apply", &[]),
    ("hcp-terraform-module-test.json", "module-test", &[]),
    ("hcp-terraform-plan.json", "plan", &[]),
    ("jenkins.json", "default", &[]),
    ("kubernetes.json", "eks", &[]),
    ("pulumi-deployments.json", "update", &[]),
    // The sample has no times, without which a token is of no use.
    ("render.json", "default", &["iat", "exp"]),
    ("semaphore-pr.json", "pull-request", &[]),
    ("spacelift.json", "default", &[]),
    ("teamcity.json", "default", &[]),
    ("vercel.json", "team", &[]),
];

fn platform(id: &str) -> &'static Platform {
    catalogue().platform(id).unwrap()
}

#[test]
fn samples_hold_what_the_catalogue_expects() {
    for (file, id, token) in samples() {
        let classified = classify(platform(&id), &token);
        let mismatches: Vec<&str> = classified.mismatches().map(|claim| claim.name.as_str()).collect();
        assert_eq!(mismatches, [""; 0], "{file}");
        let unknown: Vec<&str> = classified.unknown().map(|claim| claim.name.as_str()).collect();
        assert_eq!(unknown, [""; 0], "{file}");
        let missing: Vec<&str> = classified.missing.iter().map(|spec| spec.name.as_str()).collect();
        assert_eq!(missing, [""; 0], "{file}");
        for claim in &classified.claims {
            // env0's samples abbreviate ids.
            let abbreviated = id == "env0" && claim.name.as_str().ends_with("Id");
            let spec = claim.spec.unwrap();
            let text = claim.value.as_str().filter(|_| !abbreviated && claim.fit == Fit::Fits);
            assert!(text.is_none_or(|text| spec.shape.admits(text)), "{file}: {} {:?}", claim.name, text);
            let known = |text: &str| spec.values.is_empty() || spec.values.iter().any(|value| value == text);
            assert!(text.is_none_or(known), "{file}: {} {:?}", claim.name, text);
        }
    }
}

#[test]
fn minted_tokens_have_the_claims_and_types_of_the_samples() {
    let mut seen = HashSet::new();
    for (file, id, sample) in samples() {
        let (_, variant, differences) = VARIANTS.iter().find(|(known, ..)| *known == file).unwrap();
        seen.insert(file.clone());
        let platform = platform(&id);
        let text = sample.get("aud").is_some_and(|aud| aud.as_str().is_some());
        let own = platform.audience.default.is_some() && text;
        let asked = sample.audiences().unwrap_or_default().into_iter().filter(|_| !own);
        let audiences: Vec<Audience> = asked.map(|text| Audience::parse(text).unwrap()).collect();
        let now = Timestamp::from_secs(1_790_000_000);
        let facts = MintFacts { issuer: None, audiences: &audiences, now, lifetime: None, token_id: "x" };
        let minted = platform.compose(Some(variant), &[], &facts).unwrap();
        let kinds = |token: &ClaimSet| -> BTreeMap<String, &'static str> {
            let claims = token.iter().filter(|(name, _)| !differences.contains(&name.as_str()));
            claims.map(|(name, value)| (name.as_str().to_owned(), value.kind())).collect()
        };
        assert_eq!(kinds(&minted), kinds(&sample), "{file} {variant}");
    }
    assert!(seen.is_empty() || seen.len() == VARIANTS.len(), "{} of {}", seen.len(), VARIANTS.len());
}

#[test]
fn the_issuer_of_a_sample_leads_to_its_platform_and_agrees_with_its_claims() {
    for (file, id, token) in samples() {
        let issuer = Issuer::parse(token.get("iss").and_then(ClaimValue::as_str).unwrap()).unwrap();
        let found = catalogue().platforms_of(&issuer);
        let one =
            found.iter().find(|one| one.platform.id == id).unwrap_or_else(|| panic!("{file}: {issuer}"));
        for (name, captured) in &one.captures {
            let claim = token.get(name.as_str()).filter(|_| one.platform.part(name.as_str()).is_none());
            assert!(claim.is_none_or(|value| value.as_str() == Some(captured)), "{file}: {name}");
        }
    }
}

#[test]
fn subjects_of_samples_are_made_of_their_other_claims() {
    for (file, id, token) in samples() {
        let platform = platform(&id);
        let sub = token.get("sub").and_then(ClaimValue::as_str).unwrap();
        let understood = platform.subjects.iter().any(|form| Reading::of(platform, &token).reads(form, sub));
        // The one that an administrator has changed into no usual form.
        let custom = file == "github-custom-sub.json";
        assert_ne!(understood, custom, "{file}: {sub}");
        assert!(!custom || platform.custom_subject.is_some());
    }
}

#[test]
fn what_follows_from_other_claims_follows_in_samples() {
    for (file, id, token) in samples() {
        for spec in &platform(&id).claims {
            // A reusable workflow is another repository's, and a fork's merge request is another project's.
            let other = file.starts_with("github-") && spec.name.as_str().starts_with("job_workflow_")
                || file == "gitlab-fork-mr-in-parent.json";
            let Some(found) = token.get(spec.name.as_str()).filter(|_| !other) else { continue };
            match spec.derive.render(&Vec::new(), |name| token.get(name)) {
                // A part that the token does not show.
                None | Some(Err(RenderError::Absent(_))) => {}
                Some(result) => {
                    let text = result.unwrap();
                    let same = found.as_str() == Some(&text) || found.to_string() == text;
                    assert!(same, "{file}: {} is {found}, not {text}", spec.name);
                }
            }
        }
    }
}

/// Reads a subject the way a prover does: claims are known, parts can be anything of their shape.
struct Reading<'t> {
    platform: &'t Platform,
    token: &'t ClaimSet,
    parts: BTreeMap<String, String>,
}

impl<'t> Reading<'t> {
    fn of(platform: &'t Platform, token: &'t ClaimSet) -> Self {
        let issuer = Issuer::parse(token.get("iss").and_then(ClaimValue::as_str).unwrap()).unwrap();
        let captures = platform.issuer.forms.iter().find_map(|form| form.pattern.matches(&issuer));
        let parts =
            captures.unwrap_or_default().into_iter().map(|(name, text)| (name.as_str().to_owned(), text));
        Self { platform, token, parts: parts.collect() }
    }

    fn is_part(&self, name: &str) -> bool {
        self.platform.part(name).is_some()
    }

    fn reads(mut self, form: &SubjectForm, sub: &str) -> bool {
        let guarded_by_part = |rule: &Rule| rule.when.iter().any(|guard| self.is_part(guard.claim.as_str()));
        let applies = |rule: &&Rule| {
            rule.when.iter().all(|guard| {
                self.is_part(guard.claim.as_str()) || guard.holds(self.token.get(guard.claim.as_str()))
            })
        };
        let mut rules = Vec::new();
        for rule in form.rules.0.iter().filter(applies) {
            rules.push(rule);
            if !guarded_by_part(rule) {
                break;
            }
        }
        rules.into_iter().any(|rule| self.pieces(form, rule.template.pieces(), sub))
    }

    fn pieces(&mut self, form: &SubjectForm, pieces: &[Piece], text: &str) -> bool {
        let Some((piece, rest)) = pieces.split_first() else { return text.is_empty() };
        let known = match piece {
            Piece::Literal(literal) => Some(literal.clone()),
            Piece::Slot(slot) if !self.is_part(slot.name.as_str()) => {
                let value = slot.take(self.token.get(slot.name.as_str())).unwrap();
                if value.is_none() && !slot.optional {
                    return false;
                }
                Some(escaped(form, &value.unwrap_or_default()))
            }
            Piece::Slot(slot) => self.parts.get(slot.name.as_str()).cloned(),
        };
        if let Some(known) = known {
            return text.strip_prefix(known.as_str()).is_some_and(|text| self.pieces(form, rest, text));
        }
        let Piece::Slot(slot) = piece else { return false };
        let shape = self.platform.part(slot.name.as_str()).unwrap().shape;
        let ends: Vec<usize> = text.char_indices().map(|(end, _)| end).chain([text.len()]).collect();
        ends.into_iter().rev().any(|end| {
            let (value, after) = text.split_at(end);
            self.parts.insert(slot.name.as_str().to_owned(), value.to_owned());
            let reads =
                (shape.admits(value) || slot.optional && value.is_empty()) && self.pieces(form, rest, after);
            if !reads {
                self.parts.remove(slot.name.as_str());
            }
            reads
        })
    }
}

fn escaped(form: &SubjectForm, value: &str) -> String {
    form.escapes.iter().fold(value.to_owned(), |text, (from, to)| text.replace(*from, to))
}
