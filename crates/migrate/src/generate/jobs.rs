//! The tokens that a role is for: those that its jobs can mint, less those that nobody would want it to admit.

use std::collections::BTreeMap;

use daypass_claims::{ClaimName, ClaimValue, Issuer};
use daypass_issuers::{AudienceChoice, Mintable, Platform, Slot, Test, TriggerKind, ValueSet, catalogue};
use daypass_pipelines::{IdToken, matches, mintable};
use daypass_prove::Estate;
use daypass_prove::estate::Repository as Known;

use super::GeneratedRole;
use crate::plan::{Repository, Role};
use crate::{Cloud, Plan, Survey};

/// The tokens of a role's jobs.
pub(super) struct Tokens {
    pub(super) mintable: Vec<Mintable>,
    /// Who mints each of them.
    pub(super) issuers: Vec<Issuer>,
    pub(super) audience: String,
    /// What the plan knows of the repositories.
    pub(super) estate: Estate,
}

/// Gathers them. What is left out and what stands in the way is said in the outcome.
pub(super) fn of(
    plan: &Plan,
    survey: &Survey,
    role: &Role,
    cloud: Cloud,
    outcome: &mut GeneratedRole,
) -> Tokens {
    let mut tokens = Tokens {
        mintable: Vec::new(),
        issuers: Vec::new(),
        audience: String::new(),
        estate: Estate::default(),
    };
    let mut known = Vec::new();
    let mut jobs: Vec<(&str, &str)> = plan.jobs_of(&role.name).collect();
    jobs.sort_unstable();
    jobs.dedup();
    if jobs.is_empty() {
        outcome.refused.push("no job is to assume it".to_owned());
    }
    outcome.refused.extend(shared_pool(plan, role).filter(|_| cloud == Cloud::Gcp));
    for (file, job) in jobs {
        match job_tokens(plan, survey, role, cloud, (file, job), outcome) {
            Ok(found) => {
                known.extend(found.repository);
                for (issuer, audience, one) in found.tokens {
                    if tokens.audience.is_empty() {
                        tokens.audience = audience;
                    } else if tokens.audience != audience {
                        outcome.refused.push(format!(
                            "its jobs' tokens have different audiences (`{}`, `{audience}`): plan a role for each",
                            tokens.audience
                        ));
                    }
                    tokens.mintable.push(one);
                    tokens.issuers.push(issuer);
                }
            }
            Err(why) => outcome.refused.push(format!("{file}: job `{job}`: {why}")),
        }
    }
    outcome.refused.dedup();
    tokens.estate = Estate::new(Vec::new(), known, Vec::new());
    tokens
}

/// Another role in the same pool of Google Cloud: each would admit the other's jobs, whatever the conditions of their providers.
fn shared_pool(plan: &Plan, role: &Role) -> Option<String> {
    let pool = |role: &Role| {
        let said = |key: &str| role.target.get(key).filter(|_| role.cloud == Cloud::Gcp).cloned();
        said("project_number").zip(said("pool"))
    };
    let (number, own) = pool(role)?;
    let same = |other: &&Role| {
        other.name != role.name && pool(other).as_ref() == Some(&(number.clone(), own.clone()))
    };
    let other = plan.roles.iter().find(same)?;
    Some(format!(
        "role `{}` has the pool `{own}` too, and a binding admits the identities of every provider of a pool: give each role a \
         `pool` of its own in the plan (`target`)",
        other.name
    ))
}

struct JobTokens {
    tokens: Vec<(Issuer, String, Mintable)>,
    repository: Option<Known>,
}

fn job_tokens(
    plan: &Plan,
    survey: &Survey,
    role: &Role,
    cloud: Cloud,
    (file, job): (&str, &str),
    outcome: &mut GeneratedRole,
) -> Result<JobTokens, String> {
    let pipeline = survey.pipelines().iter().find(|it| *it.file == *file);
    let pipeline = pipeline.ok_or("the file was not read")?;
    let platform = pipeline.platform.catalogue_id().and_then(|id| catalogue().platform(id));
    let platform = platform.ok_or("its platform's jobs have no tokens")?;
    let repository = plan.repository(file).ok_or("the plan has no [[repository]] for it")?;
    tenancy(platform, repository, outcome)?;
    let issuer = issuer(platform, repository)?;
    let audience = audience(plan, platform, repository, role, cloud)?;
    let mut tokens = Vec::new();
    // The rewritten job may have a token, whatever it may have today.
    let mut rewritten = pipeline.clone();
    for one in rewritten.jobs.iter_mut().filter(|one| one.path() == job) {
        one.id_token = IdToken::Always;
    }
    let of_job = mintable(&rewritten, &repository.facts).into_iter().filter(|one| one.job == job);
    for mut one in of_job {
        let place = format!("{file}: job `{job}` on `{}`", one.trigger);
        if is_untrusted(platform, &one) {
            outcome.left_out.push(format!("{place}: whoever opens a request would get in"));
            continue;
        }
        match within(platform, role, &mut one)? {
            Within::Elsewhere => continue,
            Within::Environment => {}
            Within::Ref => {
                if let Some(why) = any_branch(platform, &one) {
                    return Err(why);
                }
            }
        }
        // It is what the job asks for, or what all of its platform's tokens have.
        if platform.audience.choice == AudienceChoice::Job || platform.audience.default.is_some() {
            one.audiences = ValueSet::exactly(audience.clone());
        }
        tokens.push((issuer.clone(), audience.clone(), one));
    }
    Ok(JobTokens { tokens, repository: known(platform, repository) })
}

/// Whose tokens these are must be said: without it trust would be in whoever comes.
fn tenancy(platform: &Platform, repository: &Repository, outcome: &mut GeneratedRole) -> Result<(), String> {
    let has = |slots: &[Slot]| slots.iter().any(|slot| repository.facts.claims.contains_key(&slot.name));
    let tenants = &platform.tenants;
    let list = |slots: &[Slot]| -> String {
        slots.iter().map(|slot| format!("`{}`", slot.name)).collect::<Vec<_>>().join(" or ")
    };
    if !has(&tenants.repository) && !has(&tenants.repository_names) {
        return Err(format!(
            "give [[repository]] `{}` its {} in the plan (`claims`)",
            repository.path,
            list(if tenants.repository.is_empty() { &tenants.repository_names } else { &tenants.repository })
        ));
    }
    let ids = [&tenants.repository, &tenants.organisation];
    for ids in ids.into_iter().filter(|ids| !ids.is_empty() && !has(ids)) {
        let remark = format!(
            "[[repository]] `{}` has no {} in the plan: a name can be given up and taken over, an id cannot",
            repository.path,
            list(ids)
        );
        if !outcome.remarks.contains(&remark) {
            outcome.remarks.push(remark);
        }
    }
    Ok(())
}

fn issuer(platform: &Platform, repository: &Repository) -> Result<Issuer, String> {
    if let Some(issuer) = &repository.issuer {
        return Ok(issuer.clone());
    }
    let form = platform.issuer.forms.first().ok_or("its platform's issuer is not known")?;
    let value = |name: &ClaimName| repository.facts.claims.get(name).cloned();
    form.pattern.instantiate(value).map_err(|error| {
        format!("{error}: give [[repository]] `{}` that claim, or its `issuer`, in the plan", repository.path)
    })
}

/// The audience of the job's token: what it will ask for, or what the platform always writes. In front of another cloud the
/// exchange takes the token that the job has for that cloud, unless the plan says what it is to be addressed as.
fn audience(
    plan: &Plan,
    platform: &Platform,
    repository: &Repository,
    role: &Role,
    cloud: Cloud,
) -> Result<String, String> {
    let fixed =
        platform.audience.default.as_ref().filter(|_| platform.audience.choice != AudienceChoice::Job);
    if let Some(template) = fixed {
        let claims: BTreeMap<String, ClaimValue> = repository
            .facts
            .claims
            .iter()
            .map(|(name, value)| (name.to_string(), ClaimValue::from(value.as_str())))
            .collect();
        return template.render(&Vec::new(), |name| claims.get(name)).map_err(|error| {
            format!(
                "its tokens' audience: {error}: give [[repository]] `{}` that claim in the plan",
                repository.path
            )
        });
    }
    let exchange = plan.targets.get(&Cloud::Daypass).filter(|_| cloud == Cloud::Daypass);
    match exchange.and_then(|target| target.get("audience")) {
        Some(audience) => Ok(audience.clone()),
        None => at_its_cloud(role),
    }
}

/// Whom a role's own cloud wants tokens to be addressed to.
pub(super) fn at_its_cloud(role: &Role) -> Result<String, String> {
    if let Some(audience) = role.target.get("audience") {
        return Ok(audience.clone());
    }
    let said = |key: &str| role.target.get(key).map(String::as_str);
    match role.cloud {
        Cloud::Gcp => match (said("project_number"), said("pool"), said("provider")) {
            (Some(number), Some(pool), Some(provider)) => Ok(format!(
                "https://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{pool}/providers/{provider}"
            )),
            _ => Err(format!(
                "give role `{}` its `project_number`, `pool` and `provider` in the plan (`target`)",
                role.name
            )),
        },
        Cloud::Vault if said("address").is_some() => Ok(said("address").unwrap_or_default().to_owned()),
        cloud => cloud
            .usual_audience()
            .map(str::to_owned)
            .ok_or_else(|| format!("give role `{}` its `audience` in the plan (`target`)", role.name)),
    }
}

/// How a job's tokens show where it deploys to.
enum Within {
    /// By an environment.
    Environment,
    /// By nothing but their ref.
    Ref,
    /// The environment is another role's.
    Elsewhere,
}

fn within(platform: &Platform, role: &Role, one: &mut Mintable) -> Result<Within, String> {
    let Some(slot) = &platform.selectors.environment else { return Ok(Within::Ref) };
    match one.claims.get(&slot.name) {
        None | Some(ValueSet::Absent | ValueSet::Any) => Ok(Within::Ref),
        Some(ValueSet::Exactly(names)) => match &role.environment {
            Some(environment) if names.len() > 1 => {
                if !names.contains(environment) {
                    return Ok(Within::Elsewhere);
                }
                one.claims.insert(slot.name.clone(), ValueSet::exactly(environment.clone()));
                Ok(Within::Environment)
            }
            _ => Ok(Within::Environment),
        },
        Some(other) => Err(format!("which environment it deploys to is not known: {other}")),
    }
}

/// Set off by a pull request, or by anyone at all.
fn is_untrusted(platform: &Platform, one: &Mintable) -> bool {
    platform.untrusted.iter().filter(|it| it.kind != TriggerKind::Interactive).any(|trigger| {
        let Some(set) = one.claims.get(&trigger.when.claim) else { return false };
        match (&trigger.when.test, set) {
            (Test::OneOf(values), ValueSet::Exactly(found)) => {
                !found.is_empty()
                    && found.iter().all(|text| values.iter().any(|it| it.as_str() == Some(text)))
            }
            (Test::Prefix(prefix), ValueSet::Exactly(found)) => {
                !found.is_empty() && found.iter().all(|text| text.starts_with(prefix.as_str()))
            }
            (Test::Prefix(prefix), ValueSet::Matching(pattern)) => {
                pattern.written.starts_with(prefix.as_str())
            }
            _ => false,
        }
    })
}

/// Why a job on any branch is bound by nothing: whoever can push would get in.
fn any_branch(platform: &Platform, one: &Mintable) -> Option<String> {
    let slot = platform.selectors.git_ref.as_ref()?;
    let set = one.claims.get(&slot.name)?;
    let open = |prefix: &str| {
        ["daypass-one", "daypass/other"]
            .iter()
            .all(|name| set.contains(Some(&format!("{prefix}{name}")), &matches) == Some(true))
    };
    (open("refs/heads/") || open("")).then(|| {
        format!(
            "it runs on every branch (`{}`): give it an environment, or say on which branches it runs",
            one.trigger
        )
    })
}

/// What the proofs are to know of the repository.
fn known(platform: &Platform, repository: &Repository) -> Option<Known> {
    let claim = |slots: &[Slot]| {
        slots
            .iter()
            .find_map(|slot| repository.facts.claims.get(&slot.name).filter(|_| slot.filter.is_none()))
            .cloned()
    };
    Some(Known {
        platform: platform.id.clone(),
        name: claim(&platform.tenants.repository_names)?,
        id: claim(&platform.tenants.repository),
        subjects: repository.subjects.as_ref().map(|form| vec![form.clone()]),
        protected_refs: None,
        protected_environments: None,
        retired: false,
    })
}
