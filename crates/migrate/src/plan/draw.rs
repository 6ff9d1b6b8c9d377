//! Drawing up a plan from what was found, and bringing an existing one up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use daypass_pipelines::inventory::{Credential, Federation, kind};
use daypass_pipelines::{Job, Platform};
use daypass_trust::document::{Source, Span};

use super::environment::{Stage, stages};
use super::privilege::{Account, Privileges, accesses, slug};
use super::{FILE_NAME, Grade, Group, Plan, PlanError, Planned, Role, State, Use, facts, write};
use crate::{Cloud, Survey};

/// A plan that was drawn up or brought up to date.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The file's new text.
    pub text: String,
    /// What it says.
    pub plan: Plan,
    /// What its readers should know: new findings that disagree with what is written, credentials that came back.
    pub notes: Vec<String>,
}

/// What is taken of a name: IAM's 64 characters, less the number of a role that is split or has a namesake.
const LONGEST_NAME: usize = 59;
/// A session lasts an hour unless the plan says otherwise: what AWS, GCP and Vault grant without being asked.
const SESSION: Duration = Duration::from_secs(3600);

/// Draws up a plan. What an existing one says stays; what is new is added, and what is gone is marked.
///
/// To have a group, role or wave worked out anew, take its line out and draw again.
pub fn draw(
    survey: &Survey,
    existing: Option<&Source>,
    account: Option<&Account>,
) -> Result<Drawn, PlanError> {
    let before = existing.map(Plan::parse).transpose()?;
    let mut notes = Vec::new();
    let proposal = propose(survey, before.as_ref(), account, &mut notes);
    let text =
        write::merged(existing.map(Source::text), before.as_ref(), &proposal, |file| survey.is_unread(file));
    let plan = Plan::parse(&Source::new(existing.map_or(FILE_NAME, Source::name), text.as_str()))?;
    if let Some(before) = &before {
        compare(before, &proposal, &mut notes);
    }
    Ok(Drawn { text, plan, notes })
}

/// A finding with what was worked out about it.
struct Item<'s> {
    credential: &'s Credential,
    privileges: Privileges,
    /// Its jobs, each with the environments that it deploys to.
    jobs: Vec<(String, BTreeSet<Stage>)>,
    repository: String,
}

fn propose(
    survey: &Survey,
    before: Option<&Plan>,
    account: Option<&Account>,
    notes: &mut Vec<String>,
) -> Plan {
    let mut plan = Plan { paths: survey.paths().to_vec(), ..Plan::default() };
    for pipeline in survey.pipelines() {
        let path = folder(&pipeline.file, pipeline.platform);
        if !plan.repositories.iter().any(|it| it.path == path) {
            plan.repositories.push(facts::repository(path, pipeline.platform, survey.estate()));
        }
    }
    let items: Vec<Item<'_>> =
        survey.credentials().iter().map(|one| item(survey, one, before, account, notes)).collect();
    let grouped = group(&items, &mut plan.groups);
    for (item, group) in items.iter().zip(&grouped) {
        let mut uses = Vec::new();
        let cloud = item.credential.cloud.parse::<Cloud>().ok().filter(|_| federated(item.credential));
        for (job, stages) in &item.jobs {
            for stage in stages {
                let role = cloud.zip(group.as_deref()).and_then(|(cloud, group)| {
                    let known = plan.groups.iter().find(|it| it.name == group)?;
                    let first = equal(&items, &grouped, item, group);
                    Some(role(&mut plan.roles, first, item, known, cloud, stage))
                });
                let one = Use { job: job.clone(), role };
                if !uses.contains(&one) {
                    uses.push(one);
                }
            }
        }
        plan.credentials.push(planned(item.credential, before, group.clone(), uses));
    }
    plan.roles.sort_by(|one, two| (one.wave, &one.name).cmp(&(two.wave, &two.name)));
    plan
}

fn planned(credential: &Credential, before: Option<&Plan>, group: Option<String>, uses: Vec<Use>) -> Planned {
    let known = before.and_then(|plan| plan.credential(&credential.id));
    let kept = !federated(credential);
    Planned {
        id: credential.id.clone(),
        kind: credential.kind.to_owned(),
        cloud: credential.cloud.to_owned(),
        file: credential.file.to_string(),
        line: u64::try_from(credential.line).unwrap_or(u64::MAX),
        source: credential.source.clone(),
        confidence: credential.confidence,
        principal: known.and_then(|it| it.principal.clone()).or_else(|| credential.user.clone()),
        key: known.and_then(|it| it.key.clone()),
        group,
        uses,
        state: if kept { State::Kept } else { State::Planned },
        why: kept.then(|| credential.replacement.to_owned()),
        present: true,
        evidence: None,
        span: Span::default(),
    }
}

/// Whether anything replaces it.
fn federated(credential: &Credential) -> bool {
    kind(credential.kind).is_some_and(|kind| kind.federation == Federation::Known)
}

fn item<'s>(
    survey: &'s Survey,
    credential: &'s Credential,
    before: Option<&Plan>,
    account: Option<&Account>,
    notes: &mut Vec<String>,
) -> Item<'s> {
    let seeing: Vec<&Job> = survey.jobs_of(credential).map(|(_, job)| job).collect();
    // Every job of a file may see a credential that only some of them need.
    let needs = |job: &&&Job| !accesses(job, credential.cloud).is_empty();
    let active: Vec<&Job> = seeing.iter().filter(needs).copied().collect();
    let jobs = if credential.job.is_none() && !active.is_empty() { active } else { seeing };
    let principal = before.and_then(|plan| plan.credential(&credential.id)?.principal.as_deref());
    let certain = principal.zip(account).and_then(|(principal, account)| {
        let found = account.find(principal);
        if found.is_none() {
            notes.push(format!(
                "{}: the account's details have no principal `{principal}`, or several of that name",
                credential.id
            ));
        }
        found
    });
    let privileges = match certain {
        Some((arn, permissions)) => {
            let why = permissions.unknown.iter();
            notes.extend(
                why.map(|why| format!("{}: what `{arn}` may do is not all known: {why}", credential.id)),
            );
            Privileges::Certain { principal: arn.to_owned(), permissions: permissions.clone() }
        }
        None => {
            let mut all = BTreeMap::new();
            for (service, access) in jobs.iter().flat_map(|job| accesses(job, credential.cloud)) {
                let known = all.entry(service).or_insert(access);
                *known = (*known).max(access);
            }
            Privileges::Inferred(all)
        }
    };
    let jobs = jobs.into_iter().map(|job| (job.path(), stages(credential, job))).collect();
    Item { credential, privileges, jobs, repository: folder(&credential.file, credential.platform) }
}

/// The group of each item: the first whose widest member covers it, of the same cloud. Administrators stay among themselves.
fn group(items: &[Item<'_>], groups: &mut Vec<Group>) -> Vec<Option<String>> {
    // The widest come first: those that cover the most others.
    let covered = |item: &Item<'_>| {
        let below = items.iter().filter(|other| {
            other.credential.cloud == item.credential.cloud && item.privileges.cover(&other.privileges)
        });
        (below.count(), item.privileges.breadth())
    };
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_cached_key(|at| std::cmp::Reverse(items.get(*at).map_or((0, 0), covered)));
    let mut widest: Vec<&Item<'_>> = Vec::new();
    let mut names = vec![None; items.len()];
    for at in order {
        let Some(item) = items.get(at).filter(|it| federated(it.credential)) else { continue };
        let fits = |wide: &&Item<'_>| {
            let admin = wide.privileges.is_admin();
            wide.credential.cloud == item.credential.cloud
                && admin == item.privileges.is_admin()
                && wide.privileges.cover(&item.privileges)
                && (!admin || item.privileges.cover(&wide.privileges))
        };
        let index = widest.iter().position(fits).unwrap_or_else(|| {
            widest.push(item);
            groups.push(new_group(item, groups));
            widest.len().saturating_sub(1)
        });
        if let (Some(name), Some(group)) = (names.get_mut(at), groups.get(index)) {
            *name = Some(group.name.clone());
        }
    }
    groups.sort_by(|one, two| one.name.cmp(&two.name));
    names
}

fn new_group(item: &Item<'_>, groups: &[Group]) -> Group {
    let cloud = item.credential.cloud;
    let admin = item.privileges.is_admin();
    let brief = match &item.privileges {
        Privileges::Certain { .. } => item.privileges.label(),
        // Kinds that only one registry takes need no more words.
        Privileges::Inferred(none) if none.is_empty() && cloud.parse::<Cloud>().is_err() => String::new(),
        Privileges::Inferred(_) => item.privileges.label(),
    };
    let name = slug(&format!("{cloud}-{brief}{}", if admin { "-admin" } else { "" }));
    Group {
        name: unused(&name, |name| groups.iter().any(|it| it.name == name)),
        cloud: cloud.to_owned(),
        grade: item.privileges.grade(),
        admin,
        permits: item.privileges.permits(),
    }
}

/// The first item of a group that can do exactly what another one can: they share their roles.
fn equal<'i>(
    items: &'i [Item<'i>],
    grouped: &[Option<String>],
    item: &'i Item<'i>,
    group: &str,
) -> &'i Item<'i> {
    let of_group = items.iter().zip(grouped).filter(|(_, name)| name.as_deref() == Some(group));
    let mut same = of_group
        .map(|(other, _)| other)
        .filter(|other| other.privileges.cover(&item.privileges) && item.privileges.cover(&other.privileges));
    same.next().unwrap_or(item)
}

/// The role of a group in an environment, made if there is none. It is called after `first`, whose equal the item is.
///
/// A role has the privileges of its own credentials and no more, even where its group has wider ones. What is only inferred,
/// and whatever administers, is not shared between repositories.
fn role(
    roles: &mut Vec<Role>,
    first: &Item<'_>,
    item: &Item<'_>,
    group: &Group,
    cloud: Cloud,
    stage: &Stage,
) -> String {
    let shared = group.grade == Grade::Certain && !group.admin;
    let mut words = vec![cloud.as_str().to_owned(), first.privileges.label()];
    if !shared {
        words.push(item.repository.rsplit('/').next().unwrap_or_default().to_owned());
    }
    words.extend(stage.name.clone());
    words.retain(|word| !word.is_empty());
    let name: String = slug(&words.join("-")).chars().take(LONGEST_NAME).collect();
    let name = name.trim_end_matches('-').to_owned();
    let principal = match &item.privileges {
        Privileges::Certain { principal, .. } => Some(principal.clone()),
        Privileges::Inferred(_) => None,
    };
    let same = |it: &&mut Role| {
        is_numbered(&it.name, &name) && it.group == group.name && it.environment == stage.name
    };
    if let Some(known) = roles.iter_mut().find(same) {
        if let Some(principal) = principal.filter(|it| !known.principals.contains(it)) {
            known.principals.push(principal);
        }
        return known.name.clone();
    }
    let name = unused(&name, |name| roles.iter().any(|it| it.name == name));
    roles.push(Role {
        name: name.clone(),
        cloud,
        group: group.name.clone(),
        environment: stage.name.clone(),
        wave: stage.wave,
        session: SESSION,
        principals: principal.into_iter().collect(),
        target: BTreeMap::new(),
        span: Span::default(),
    });
    name
}

/// Whether a name is another one, or that one with a number behind it.
fn is_numbered(name: &str, of: &str) -> bool {
    name.strip_prefix(of).is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok())
    })
}

/// The name, with a number behind it where it is taken.
fn unused(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2_u32;
    while taken(&candidate) {
        candidate = format!("{name}-{number}");
        number = number.saturating_add(1);
    }
    candidate
}

/// The folder that a repository was checked out to, as the platform's own place in it tells.
fn folder(file: &str, platform: Platform) -> String {
    let marks: &[&str] = match platform {
        Platform::GitHubActions => &[".github/", ".forgejo/", ".gitea/"],
        Platform::CircleCi => &[".circleci/"],
        Platform::Buildkite => &[".buildkite/", "buildkite/"],
        Platform::GitLab => &[".gitlab/", "ci/"],
        Platform::AzurePipelines => &[".azure-pipelines/", ".azuredevops/", ".pipelines/", "ci/"],
        Platform::Bitbucket | Platform::Jenkins | Platform::Terraform => &[],
    };
    for mark in marks {
        if file.starts_with(mark) {
            return String::new();
        }
        if let Some((folder, _)) = file.split_once(&format!("/{mark}")) {
            return folder.to_owned();
        }
    }
    file.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned())
}

/// What was worked out that differs from what is written.
fn compare(before: &Plan, proposal: &Plan, notes: &mut Vec<String>) {
    for new in &proposal.credentials {
        let Some(old) = before.credential(&new.id) else { continue };
        if old.state == State::Retired {
            notes
                .push(format!("{}: it is retired in the plan, and {}:{} has it", new.id, new.file, new.line));
        }
        let grade = |plan: &Plan, name: &Option<String>| plan.group(name.as_deref()?).map(|it| it.grade);
        let learnt = grade(before, &old.group) == Some(Grade::Inferred)
            && grade(proposal, &new.group) == Some(Grade::Certain);
        if let (true, Some(group)) = (learnt, &new.group) {
            notes.push(format!(
                "{}: by the account's policies it belongs to group `{group}`; take its `group` and `use` out of the plan \
                 to have it moved there",
                new.id
            ));
        }
    }
    let left = before.roles.iter().filter(|role| before.jobs_of(&role.name).next().is_none());
    notes.extend(left.map(|role| format!("role `{}`: no job is to assume it", role.name)));
}
