//! Who might ask: the callers that a review wants to know about, each a condition on tokens.

use serde::Serialize;

use crate::home::{self, Terms};
use crate::space::{Formula, Leaves};
use crate::universe::PartId;

/// A kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Persona {
    /// The jobs that the role is for.
    Intended,
    /// Another organisation on the same issuer.
    Stranger,
    /// A stranger or a sibling whose name begins or ends like ours.
    Lookalike,
    /// The right names with other immutable ids: names can be given up and taken over.
    Squatter,
    /// Another repository of the organisation.
    Sibling,
    /// A pull request of the repository itself.
    PullRequest,
    /// Another branch of the repository.
    AnyBranch,
    /// A tag of the repository.
    Tag,
    /// A job of the repository in another environment.
    OtherEnvironment,
    /// A job of the repository, where the intended one runs, of another workflow; a reusable workflow may be called from there.
    OtherWorkflow,
    /// The intended job with a token that was made for somebody else.
    OtherAudience,
}

impl Persona {
    /// Every persona, in the order of the matrix.
    pub const ALL: [Self; 11] = [
        Self::Intended,
        Self::Stranger,
        Self::Lookalike,
        Self::Squatter,
        Self::Sibling,
        Self::PullRequest,
        Self::AnyBranch,
        Self::Tag,
        Self::OtherEnvironment,
        Self::OtherWorkflow,
        Self::OtherAudience,
    ];

    /// The name in output and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Stranger => "stranger",
            Self::Lookalike => "lookalike",
            Self::Squatter => "squatter",
            Self::Sibling => "sibling",
            Self::PullRequest => "pull-request",
            Self::AnyBranch => "any-branch",
            Self::Tag => "tag",
            Self::OtherEnvironment => "other-environment",
            Self::OtherWorkflow => "other-workflow",
            Self::OtherAudience => "other-audience",
        }
    }

    /// What it stands for, in a phrase.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Intended => "the job that the role is for",
            Self::Stranger => "another organisation on the same issuer",
            Self::Lookalike => "a name that begins or ends like ours",
            Self::Squatter => "the same names with other immutable ids",
            Self::Sibling => "another repository of the organisation",
            Self::PullRequest => "a pull request of the repository",
            Self::AnyBranch => "another branch of the repository",
            Self::Tag => "a tag of the repository",
            Self::OtherEnvironment => "another environment of the repository",
            Self::OtherWorkflow => "another workflow of the repository",
            Self::OtherAudience => "a token made for somebody else",
        }
    }

    /// Which tokens are this persona's; `None` where the issuer's tokens do not tell.
    pub(crate) fn formula(self, terms: &Terms<'_>, leaves: &mut Leaves) -> Option<Formula> {
        let places = terms.places;
        let organisation: Vec<_> =
            places.organisation_ids.iter().chain(&places.organisation_names).copied().collect();
        let repository: Vec<_> =
            places.repository_ids.iter().chain(&places.repository_names).copied().collect();
        let ours = terms.same(&organisation, leaves).and(terms.same(&repository, leaves));
        let names: Vec<_> =
            places.organisation_names.iter().chain(&places.repository_names).copied().collect();
        let ids: Vec<_> = places.organisation_ids.iter().chain(&places.repository_ids).copied().collect();
        match self {
            Self::Intended => {
                let place = match (&terms.home.environment, &terms.home.git_ref) {
                    (Some(environment), _) => home::is(places.environment, environment, leaves),
                    (None, Some(git_ref)) => terms.git_ref(git_ref, leaves),
                    (None, None) => None,
                };
                Some(ours.and(place.unwrap_or(Formula::TRUE)))
            }
            Self::Stranger => Self::outsider(terms, &organisation, leaves),
            Self::Lookalike => {
                let stranger = Self::outsider(terms, &organisation, leaves);
                let stranger =
                    stranger.and_then(|it| Some(it.and(terms.alike(&places.organisation_names, leaves)?)));
                let sibling = terms.other(&repository, leaves);
                let sibling = sibling.and_then(|it| {
                    let alike = terms.alike(&places.repository_names, leaves)?;
                    Some(Formula::All(vec![terms.same(&organisation, leaves), it, alike]))
                });
                match (stranger, sibling) {
                    (None, None) => None,
                    (stranger, sibling) => Some(Formula::Any(stranger.into_iter().chain(sibling).collect())),
                }
            }
            Self::Squatter => Some(terms.same(&names, leaves).and(terms.other(&ids, leaves)?)),
            Self::Sibling => {
                let same = terms.same(&organisation, leaves);
                let inside = Formula::Any(std::iter::once(same).chain(terms.ours(leaves)).collect());
                Some(inside.and(terms.other(&repository, leaves)?))
            }
            Self::PullRequest => {
                let environment = terms.unguarded(leaves);
                let asked = [Some(ours), Some(terms.pull_request(leaves)?), environment];
                Some(Formula::All(asked.into_iter().flatten().collect()))
            }
            Self::AnyBranch => {
                let home = terms.home.git_ref.as_deref()?;
                let other = terms.git_ref(home, leaves)?.negated();
                let branches = if home.starts_with("refs/heads/") { "refs/heads/" } else { "" };
                let branch = terms.git_ref_begins(branches, leaves)?;
                Some(Formula::All(vec![ours, other, branch, Self::outside(terms, leaves)]))
            }
            Self::Tag => {
                let tag = terms.git_ref_begins("refs/tags/", leaves)?;
                Some(Formula::All(vec![ours, tag, Self::outside(terms, leaves)]))
            }
            // Who names no context has none that others could differ from.
            Self::OtherEnvironment if terms.home.environment.is_none() && terms.has_contexts() => None,
            Self::OtherEnvironment => {
                let there = home::is_there(places.environment, leaves)?;
                let home = terms.home.environment.as_deref();
                let same = home.and_then(|home| home::is(places.environment, home, leaves));
                let other = same.map_or(Formula::TRUE, Formula::negated);
                Some(Formula::All(vec![ours, there, other]))
            }
            Self::OtherWorkflow => {
                let other = terms.other_workflow(leaves)?;
                Some(Self::Intended.formula(terms, leaves)?.and(other))
            }
            Self::OtherAudience => {
                let home = terms.home.audience.as_deref()?;
                let other = home::is(places.audience, home, leaves)?.negated();
                let intended = Self::Intended.formula(terms, leaves)?;
                Some(intended.and(other))
            }
        }
    }

    /// Of no organisation that is ours: of none that the estate names, else of another one than at home.
    fn outsider(terms: &Terms<'_>, organisation: &[PartId], leaves: &mut Leaves) -> Option<Formula> {
        match terms.ours(leaves) {
            Some(ours) => Some(ours.negated()),
            None => terms.other(organisation, leaves),
        }
    }

    /// On no ref that is known to be protected, held back by no environment, and no pull request.
    fn outside(terms: &Terms<'_>, leaves: &mut Leaves) -> Formula {
        let environment = terms.unguarded(leaves);
        let pull_request = terms.pull_request(leaves).map(Formula::negated);
        let protected = terms.protected(leaves).map(Formula::negated);
        Formula::All(environment.into_iter().chain(pull_request).chain(protected).collect())
    }
}
