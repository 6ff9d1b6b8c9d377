//! GitHub Actions: inputs of login actions, variables of steps and jobs, and the permission to have a token.

use daypass_pipelines::yaml::Node;
use daypass_pipelines::{Grants, Job, Permissions, Pipeline, Platform, Role as FileRole};

use super::recipe::{arn, audience, provider, sets, target};
use super::yaml::{Spot, before, block, find, is_shared, item_before, job, replace, scalar};
use super::{Case, Change, Edit, Rewriter};
use crate::Cloud;
use crate::plan::Role;

pub(super) struct GitHub;

/// What `read-all` stands for: the scopes that can be read.
const READ_ALL: [&str; 12] = [
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "issues",
    "packages",
    "pages",
    "pull-requests",
    "security-events",
    "statuses",
];

impl Rewriter for GitHub {
    fn platform(&self) -> Platform {
        Platform::GitHubActions
    }

    fn rewrite(&self, case: &Case<'_>) -> Result<Change, Vec<String>> {
        let pipeline = case.pipeline.ok_or_else(|| vec![case.instead()])?;
        if pipeline.role == FileRole::Action {
            return Err(vec![
                "a composite action has the token of the job that uses it: take the role's name as an input and log in with \
                 that"
                    .to_owned(),
            ]);
        }
        let mut change = Change::default();
        let spots = spots(case)?;
        let chosen = spots.iter().filter_map(|spot| spot.pair.value.as_str()).find(|value| chooses(value));
        if let Some(value) = chosen.filter(|_| case.credential.kind != "pypi-token") {
            return Err(vec![format!(
                "which of several credentials it is shows only in the run (`{value}`): give each a job or an environment of \
                 its own, so that each gets a role of its own"
            )]);
        }
        let mut rest = spots.as_slice();
        while let Some(first) = rest.first() {
            let together =
                rest.iter().take_while(|spot| spot.mapping.place.span == first.mapping.place.span).count();
            let (these, others) = rest.split_at(together);
            rest = others;
            change.edits.extend(mapping(case, these)?);
        }
        let mut jobs: Vec<&Job> = case.jobs.iter().map(|(job, _)| *job).collect();
        if jobs.is_empty() {
            jobs =
                pipeline.own_jobs().filter(|job| case.credential.job.as_ref() == Some(&job.path())).collect();
        }
        for job in jobs {
            if let Some(name) = sets(job, case.credential) {
                return Err(vec![format!(
                    "job `{}` has `{name}` in a script, which tools take in place of a role: take that out first",
                    job.path()
                )]);
            }
            let (edits, step) = permit(case, pipeline, job)?;
            change.edits.extend(edits);
            change.steps.extend(step);
        }
        if pipeline.role == FileRole::Callable {
            change.steps.push(
                "every workflow that calls this one must grant `id-token: write` to the call".to_owned(),
            );
        }
        if case.credential.kind == "pypi-token" {
            change.steps.push(
                "name this workflow as a trusted publisher in the project's settings on PyPI".to_owned(),
            );
        }
        Ok(change)
    }
}

/// Whether one expression of a value stands for now this secret, now that: by a condition, or by an index that is no text.
fn chooses(value: &str) -> bool {
    value.split("${{").skip(1).filter_map(|part| part.split_once("}}")).any(|(inner, _)| {
        let mut names: Vec<&str> = Vec::new();
        for (at, word) in inner.match_indices("secrets") {
            let after = inner.get(at.saturating_add(word.len())..).unwrap_or_default().trim_start();
            let name = match after.strip_prefix('[') {
                Some(index) => {
                    let Some(quoted) = index.trim_start().strip_prefix('\'') else { return true };
                    quoted.split('\'').next()
                }
                None => after.strip_prefix('.').and_then(|rest| {
                    rest.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).next()
                }),
            };
            names.extend(
                name.filter(|name| !name.eq_ignore_ascii_case("GITHUB_TOKEN") && !names.contains(name)),
            );
        }
        names.len() > 1
    })
}

/// The pairs that bind the credential, those of one mapping together.
fn spots<'a>(case: &Case<'a>) -> Result<Vec<Spot<'a>>, Vec<String>> {
    let mut spots = Vec::new();
    for place in &case.credential.places {
        let found = find(case, place);
        let found = found.ok_or_else(|| {
            vec![format!(
                "{place}: it is used in the middle of a script, or a call passes it on; {}",
                case.instead()
            )]
        })?;
        if is_shared(case.documents, found.pair.place().span) {
            return Err(vec![format!(
                "{place}: an alias repeats these lines elsewhere: write them out first"
            )]);
        }
        spots.push(found);
    }
    spots.sort_by_key(|spot| spot.pair.key.place.span);
    spots.dedup_by_key(|spot| spot.pair.key.place.span);
    Ok(spots)
}

/// The edits of one mapping, by what it is to the workflow.
fn mapping(case: &Case<'_>, spots: &[Spot<'_>]) -> Result<Vec<Edit>, Vec<String>> {
    let Some(first) = spots.first() else { return Ok(Vec::new()) };
    match first.path.iter().rev().nth(1).copied() {
        Some("with") => inputs(case, spots),
        Some("env") => variables(case, spots),
        _ => Err(vec![case.instead()]),
    }
}

/// Inputs of an action that logs in.
fn inputs(case: &Case<'_>, spots: &[Spot<'_>]) -> Result<Vec<Edit>, Vec<String>> {
    let Some(first) = spots.first() else { return Ok(Vec::new()) };
    let uses = first.item.and_then(|item| item.get("uses")).and_then(Node::as_str).unwrap_or_default();
    let action = uses.split('@').next().unwrap_or_default().to_lowercase();
    if action == "pypa/gh-action-pypi-publish" {
        let mut all = spots.to_vec();
        all.extend(sibling(first, "user"));
        return replace(case.text, &all, &[]);
    }
    let has = |name: &str| first.mapping.get(name).is_some();
    let mut spots = spots.to_vec();
    let lines = match action.as_str() {
        "aws-actions/configure-aws-credentials" => {
            if has("role-to-assume") {
                return Err(vec![
                    "the keys assume a role here: have that role trust the job's token, then take the keys out".to_owned(),
                ]);
            }
            vec![("role-to-assume", arn(case.role()?)?)]
        }
        "google-github-actions/auth" => {
            let role = case.role()?;
            let mut lines = vec![("workload_identity_provider", provider(role)?)];
            if !has("service_account") {
                lines.push(("service_account", target(role, "service_account")?.to_owned()));
            }
            lines
        }
        "azure/login" => {
            let role = case.role()?;
            let keys = [
                ("client-id", "client_id"),
                ("tenant-id", "tenant_id"),
                ("subscription-id", "subscription_id"),
            ];
            let mut lines = Vec::new();
            for (input, key) in keys.into_iter().filter(|(input, _)| !has(input)) {
                lines.push((input, target(role, key)?.to_owned()));
            }
            lines
        }
        "hashicorp/vault-action" => {
            let role = case.role()?;
            for name in ["method", "role", "roleId", "username", "path"] {
                let known = |spot: &Spot<'_>| spot.pair.key.as_str() == Some(name);
                if !spots.iter().any(known) {
                    spots.extend(sibling(first, name));
                }
            }
            spots.sort_by_key(|spot| spot.pair.key.place.span);
            let mut lines = vec![("method", "jwt".to_owned()), ("role", role.name.clone())];
            lines.extend(role.target.get("mount").map(|mount| ("path", mount.clone())));
            lines.push(("jwtGithubAudience", audience(role)?));
            lines
        }
        _ => return Err(vec![case.instead()]),
    };
    let lines: Vec<String> = lines.iter().map(|(name, value)| format!("{name}: {}", scalar(value))).collect();
    replace(case.text, &spots, &lines)
}

/// Another pair of the same mapping.
fn sibling<'a>(spot: &Spot<'a>, name: &str) -> Option<Spot<'a>> {
    let pair = spot.mapping.pair(name)?;
    Some(Spot { pair, ..spot.clone() })
}

/// Variables that tools read: they go, and a step logs in before the first that may need them.
fn variables(case: &Case<'_>, spots: &[Spot<'_>]) -> Result<Vec<Edit>, Vec<String>> {
    let Some(first) = spots.first() else { return Ok(Vec::new()) };
    if case.jobs.is_empty() {
        return Err(vec![case.instead()]);
    }
    let in_step = first.path.contains(&"steps");
    let mut edits = Vec::new();
    for (of, role) in &case.jobs {
        if has_login(of, role.cloud) {
            continue;
        }
        let node = job(case, of)?;
        let steps = node.get("steps").map(Node::items).unwrap_or_default();
        let item = if in_step { first.item } else { steps.iter().find(|step| step.get("run").is_some()) };
        let item = item.ok_or_else(|| vec![case.instead()])?;
        let lines = login(case, of, role, first)?;
        edits.push(item_before(case.text, item, &lines).ok_or_else(|| vec![case.instead()])?);
    }
    if case.credential.kind == "azure-client-secret" && first.mapping.get("ARM_CLIENT_SECRET").is_some() {
        // Terraform's provider asks for its token itself.
        edits.extend(replace(case.text, spots, &["ARM_USE_OIDC: 'true'".to_owned()])?);
    } else {
        edits.extend(replace(case.text, spots, &[])?);
    }
    Ok(edits)
}

/// Whether a step of the job logs in by workload identity already: what is bound besides would only shadow it.
fn has_login(job: &Job, cloud: Cloud) -> bool {
    let with = |action: &str, input: &str| job.steps_using(action).any(|step| step.input(input).is_some());
    match cloud {
        Cloud::Aws => with("aws-actions/configure-aws-credentials", "role-to-assume"),
        Cloud::Gcp => with("google-github-actions/auth", "workload_identity_provider"),
        Cloud::Azure => with("azure/login", "client-id") && !with("azure/login", "client-secret"),
        Cloud::Vault | Cloud::Daypass => false,
    }
}

/// The step that logs in.
fn login(case: &Case<'_>, job: &Job, role: &Role, spot: &Spot<'_>) -> Result<Vec<String>, Vec<String>> {
    match role.cloud {
        Cloud::Aws => {
            let names = ["AWS_REGION", "AWS_DEFAULT_REGION"];
            let near = names.iter().find_map(|name| spot.mapping.get(name)?.as_str().map(str::to_owned));
            let bound = || {
                let pipeline = case.pipeline.map_or(&[][..], |pipeline| pipeline.env.as_slice());
                let all = job.env.iter().chain(pipeline);
                names.iter().find(|name| all.clone().any(|it| it.name.as_str() == **name))
            };
            let region = near.or_else(|| bound().map(|name| format!("${{{{ env.{name} }}}}")));
            let region = region.ok_or_else(|| {
                vec![format!(
                    "no region is in the file: log in with `aws-actions/configure-aws-credentials` as `{}` in the region \
                     of the job, and take the keys out",
                    role.name
                )]
            })?;
            Ok(vec![
                "uses: aws-actions/configure-aws-credentials@v5".to_owned(),
                "with:".to_owned(),
                format!("  role-to-assume: {}", arn(role)?),
                format!("  aws-region: {}", scalar(&region)),
            ])
        }
        Cloud::Gcp => Ok(vec![
            "uses: google-github-actions/auth@v3".to_owned(),
            "with:".to_owned(),
            format!("  workload_identity_provider: {}", provider(role)?),
            format!("  service_account: {}", target(role, "service_account")?),
        ]),
        Cloud::Azure if spot.mapping.get("ARM_CLIENT_SECRET").is_some() => Ok(Vec::new()),
        Cloud::Azure | Cloud::Vault | Cloud::Daypass => Err(vec![case.instead()]),
    }
}

/// Lets a job have a token, with all the rights that it had. The second part is what a person has to look after.
fn permit(
    case: &Case<'_>,
    pipeline: &Pipeline,
    of: &Job,
) -> Result<(Option<Edit>, Option<String>), Vec<String>> {
    let given = of.permissions.as_ref().or(pipeline.permissions.as_ref());
    if given.is_some_and(|it| it.level("id-token").0 == "write") {
        return Ok((None, None));
    }
    if let Some(own) = &of.permissions {
        return Ok((Some(extend(case, own)?), None));
    }
    let node = job(case, of)?;
    let pair = node.pair("steps").or_else(|| node.pairs().first());
    let pair = pair.ok_or_else(|| vec![case.instead()])?;
    // A job's permissions take the place of the file's, so these are repeated.
    let (scopes, step) = match given.map(|it| &it.grants) {
        None => (
            vec!["contents: read".to_owned()],
            Some(format!(
                "job `{}` had the repository's default permissions and now has `contents: read`: add what else it needs",
                of.path()
            )),
        ),
        Some(grants) => (scopes(grants)?, None),
    };
    let mut lines = vec!["permissions:".to_owned(), "  id-token: write".to_owned()];
    lines.extend(scopes.iter().map(|scope| format!("  {scope}")));
    Ok((Some(before(case.text, pair, &lines)), step))
}

fn scopes(grants: &Grants) -> Result<Vec<String>, Vec<String>> {
    match grants {
        Grants::ReadAll => Ok(READ_ALL.iter().map(|scope| format!("{scope}: read")).collect()),
        Grants::WriteAll => Ok(Vec::new()),
        Grants::Scopes(scopes) => {
            let kept = scopes.iter().filter(|(name, _)| name.as_str() != "id-token");
            Ok(kept.map(|(name, level)| format!("{name}: {level}")).collect())
        }
        Grants::Unknown(text) => Err(vec![format!("add `id-token: write` to `permissions: {text}`")]),
    }
}

/// Adds the token to permissions that the job itself gives.
fn extend(case: &Case<'_>, own: &Permissions) -> Result<Edit, Vec<String>> {
    let by_hand = || vec![format!("{}: add `id-token: write` to the job's permissions", own.place)];
    if let Grants::Scopes(list) = &own.grants
        && let Some((_, level)) = list.iter().find(|(name, _)| name.as_str() == "id-token")
    {
        return Ok(Edit::replace(level.place.span, "write"));
    }
    let node = case.documents.iter().find_map(|root| root.at(own.place.span));
    let named = || find(case, &own.place).map(|spot| &spot.pair.value);
    let node = node.or_else(named).ok_or_else(by_hand)?;
    if is_shared(case.documents, node.place.span) {
        return Err(by_hand());
    }
    let lines = scopes(&own.grants)?;
    match node.pairs() {
        [first, ..] if block(case.text, node) => {
            Ok(before(case.text, first, &["id-token: write".to_owned()]))
        }
        [first, ..] => Ok(Edit::insert(first.key.place.span.start, "id-token: write, ")),
        // `permissions:` with nothing behind it has no bytes to replace.
        [] if node.place.span.start == node.place.span.end => Err(by_hand()),
        [] => {
            let all = std::iter::once("id-token: write".to_owned()).chain(lines).collect::<Vec<_>>();
            Ok(Edit::replace(node.place.span, format!("{{ {} }}", all.join(", "))))
        }
    }
}
