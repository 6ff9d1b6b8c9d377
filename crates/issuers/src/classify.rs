use daypass_claims::{ClaimName, ClaimSet, ClaimValue};

use crate::{ClaimSpec, Fit, Platform, Presence};

/// A token's claims beside what the catalogue expects of the platform.
#[derive(Clone, Debug)]
pub struct Classified<'c> {
    /// Every claim of the token, in name order.
    pub claims: Vec<ClassifiedClaim<'c>>,
    /// Claims that every token of the platform has and this one lacks.
    pub missing: Vec<&'c ClaimSpec>,
}

/// One claim of a token beside what the catalogue expects.
#[derive(Clone, Debug)]
pub struct ClassifiedClaim<'c> {
    /// Its name.
    pub name: &'c ClaimName,
    /// Its value.
    pub value: &'c ClaimValue,
    /// What is known about it; `None` for a claim that the catalogue has never heard of.
    pub spec: Option<&'c ClaimSpec>,
    /// Whether the value is of a type that the platform writes. An unknown claim is taken as it is.
    pub fit: Fit,
}

impl ClassifiedClaim<'_> {
    /// Whether the value is known to survive renames and never to be given to something else.
    pub fn is_immutable(&self) -> bool {
        self.spec.is_some_and(|spec| spec.immutable)
    }

    /// Whether someone less trusted may have picked the value. That is assumed of unknown claims.
    pub fn is_attacker_influenced(&self) -> bool {
        self.spec.is_none_or(|spec| spec.attacker_influenced)
    }
}

impl Classified<'_> {
    /// The claims that the catalogue does not know.
    pub fn unknown(&self) -> impl Iterator<Item = &ClassifiedClaim<'_>> {
        self.claims.iter().filter(|claim| claim.spec.is_none())
    }

    /// The claims with values that the platform does not write.
    pub fn mismatches(&self) -> impl Iterator<Item = &ClassifiedClaim<'_>> {
        self.claims.iter().filter(|claim| claim.fit == Fit::Mismatch)
    }
}

/// Sets a token's claims beside what the catalogue expects of the platform. Nothing is dropped or converted.
pub fn classify<'c>(platform: &'c Platform, claims: &'c ClaimSet) -> Classified<'c> {
    let known = claims.iter().map(|(name, value)| {
        let spec = platform.claims.get(name.as_str());
        ClassifiedClaim { name, value, spec, fit: spec.map_or(Fit::Fits, |spec| spec.fit(value)) }
    });
    let lacks = |spec: &&ClaimSpec| {
        spec.presence == Presence::Always && spec.wildcard().is_none() && !claims.contains(spec.name.as_str())
    };
    Classified { claims: known.collect(), missing: platform.claims.iter().filter(lacks).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn names<'a>(claims: impl Iterator<Item = &'a ClassifiedClaim<'a>>) -> Vec<&'a str> {
        claims.map(|claim| claim.name.as_str()).collect()
    }

    #[test]
    fn every_claim_is_kept_and_marked() {
        let platform = catalogue().platform("github-actions").unwrap();
        let claims = ClaimSet::from_json(
            br#"{"repository_id":2002,"ref":"refs/heads/main","ref_protected":"true","repo_property_tier":"1","x":1}"#,
        )
        .unwrap();
        let classified = classify(platform, &claims);
        assert_eq!(classified.claims.len(), 5);
        assert_eq!(names(classified.unknown()), ["x"]);
        assert_eq!(names(classified.mismatches()), ["repository_id"]);
        let claim = |name: &str| classified.claims.iter().find(|claim| claim.name.as_str() == name).unwrap();
        assert_eq!(claim("ref_protected").fit, Fit::StringifiedBoolean(true));
        assert!(claim("repository_id").is_immutable());
        assert!(claim("ref").is_attacker_influenced());
        assert_eq!(claim("repository_id").spec.unwrap().expected(), "a string");
        assert!(claim("x").is_attacker_influenced() && !claim("x").is_immutable());
    }

    #[test]
    fn what_every_token_has_is_missed() {
        let platform = catalogue().platform("buildkite").unwrap();
        let claims =
            ClaimSet::from_json(br#"{"iss":"https://agent.buildkite.com","step_key":null}"#).unwrap();
        let classified = classify(platform, &claims);
        assert_eq!(classified.mismatches().count(), 0);
        let missing: Vec<&str> = classified.missing.iter().map(|spec| spec.name.as_str()).collect();
        assert!(missing.contains(&"sub") && missing.contains(&"pipeline_slug"));
        assert!(!missing.contains(&"pipeline_id"), "an optional claim is not missed");
    }
}
