//! What an estate knows of repositories, in the claims of their platforms.

use daypass_claims::ClaimName;
use daypass_issuers::{Slot, catalogue};
use daypass_pipelines::{Platform, RepositoryFacts};
use daypass_prove::Estate;

use super::Repository;

/// A repository that was checked out to a folder, with what the estate knows of the one of that name.
pub(super) fn repository(path: String, platform: Platform, estate: &Estate) -> Repository {
    let mut repository =
        Repository { path, platform, issuer: None, subjects: None, facts: RepositoryFacts::default() };
    let Some(known) = platform.catalogue_id().and_then(|id| catalogue().platform(id)) else {
        return repository;
    };
    let here = estate.repositories().iter().filter(|it| it.platform == known.id && !it.retired);
    let folder = last(&repository.path);
    // At the top, the folder has no name that would tell; it is whatever repository there is.
    let mut same = here.filter(|it| folder.is_empty() || last(&it.name).eq_ignore_ascii_case(folder));
    let (Some(found), None) = (same.next(), same.next()) else { return repository };
    let owner = found.name.split_once('/').map(|(owner, _)| owner);
    let organisation = estate
        .organisations()
        .iter()
        .find(|it| it.platform == known.id && owner.is_none_or(|owner| it.name.eq_ignore_ascii_case(owner)));
    let tenants = &known.tenants;
    for (slots, value) in [
        (&tenants.organisation, organisation.and_then(|it| it.id.as_ref())),
        (&tenants.organisation_names, organisation.map(|it| &it.name)),
        (&tenants.repository, found.id.as_ref()),
        (&tenants.repository_names, Some(&found.name)),
    ] {
        let whole = |slot: &&Slot| slot.filter.is_none() && known.variable(slot.name.as_str()).is_some();
        for (slot, value) in slots.iter().filter(whole).zip(value.into_iter().cycle()) {
            repository
                .facts
                .claims
                .entry(ClaimName::from(slot.name.as_str()))
                .or_insert_with(|| value.clone());
        }
    }
    if let Some([form]) = found.subjects.as_deref() {
        repository.subjects = known.subject(form).map(|form| form.name.clone());
    }
    repository
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
