//! What an estate knows of repositories, in the claims of their platforms.

use daypass_claims::ClaimName;
use daypass_issuers::catalogue;
use daypass_pipelines::{Platform, RepositoryFacts};
use daypass_prove::Estate;
use daypass_prove::estate::Organisation;

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
    let organisation = organisation(estate, &known.id, &found.name);
    let tenants = &known.tenants;
    for (slots, value) in [
        (&tenants.organisation, organisation.and_then(|it| it.id.as_ref())),
        (&tenants.organisation_names, organisation.map(|it| &it.name)),
        (&tenants.repository, found.id.as_ref()),
        (&tenants.repository_names, Some(&found.name)),
    ] {
        // The first claim of each list is the one of that name; the others stand for more: an enterprise, an address.
        let slot = slots.iter().find(|slot| slot.filter.is_none());
        if let (Some(slot), Some(value)) = (slot, value) {
            repository.facts.claims.insert(ClaimName::from(slot.name.as_str()), value.clone());
        }
    }
    if let Some([form]) = found.subjects.as_deref() {
        repository.subjects = known.subject(form).map(|form| form.name.clone());
    }
    repository
}

/// The organisation whose name stands in the repository's, or the only one there is.
fn organisation<'e>(estate: &'e Estate, platform: &str, repository: &str) -> Option<&'e Organisation> {
    let all = || estate.organisations().iter().filter(|it| it.platform == platform);
    let named = all().find(|it| repository.split('/').any(|part| part.eq_ignore_ascii_case(&it.name)));
    named.or_else(|| all().next().filter(|_| all().count() == 1))
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
