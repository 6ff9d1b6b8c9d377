//! What one platform's file must keep to beyond its schema.

use std::collections::HashSet;

use daypass_claims::{ClaimName, ClaimValue};

use crate::catalogue::unknown;
use crate::{CatalogueError, ClaimSpec, Fit, Platform, Presence, Slot, Variant};

/// Names are unique, references lead somewhere, every token can be minted.
pub(crate) fn check(platform: &Platform) -> Result<(), CatalogueError> {
    let file = platform.id.as_str();
    unique(file, "claim", platform.claims.iter().chain(&platform.parts).map(|spec| spec.name.as_str()))?;
    unique(file, "subject form", platform.subjects.iter().map(|form| form.name.as_str()))?;
    unique(file, "variant", platform.variants.iter().flat_map(Variant::names))?;
    if platform.variant("default").is_none() {
        return Err(CatalogueError::NoDefault { file: file.to_owned() });
    }
    references(platform)?;
    variants(platform)?;
    for spec in platform.claims.iter().chain(&platform.parts) {
        samples(file, spec)?;
    }
    let mut done = HashSet::new();
    for name in
        ["iss", "aud", "sub"].map(ClaimName::from).iter().chain(platform.claims.iter().map(|c| &c.name))
    {
        acyclic(platform, name, &mut done, &mut Vec::new())?;
    }
    Ok(())
}

/// The claims and parts that the value of `name` is made from.
pub(crate) fn ingredients<'p>(platform: &'p Platform, name: &str) -> Vec<&'p ClaimName> {
    match name {
        "iss" => {
            platform.issuer.forms.iter().flat_map(|form| form.pattern.slots().map(|(name, _)| name)).collect()
        }
        "aud" => {
            platform.audience.default.iter().flat_map(|template| template.slots().map(|s| &s.name)).collect()
        }
        "sub" => platform.subjects.iter().flat_map(|form| form.rules.names()).collect(),
        _ => platform.variable(name).into_iter().flat_map(|spec| spec.derive.names()).collect(),
    }
}

fn unique<'n>(
    file: &str,
    what: &'static str,
    names: impl Iterator<Item = &'n str>,
) -> Result<(), CatalogueError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(CatalogueError::Duplicate { file: file.to_owned(), what, name: name.to_owned() });
        }
    }
    Ok(())
}

fn references(platform: &Platform) -> Result<(), CatalogueError> {
    let exists = |place: &str, name: &ClaimName| match platform.variable(name.as_str()) {
        Some(_) => Ok(()),
        None => Err(unknown(&platform.id, place, "claim", name.as_str())),
    };
    for place in ["iss", "aud", "sub"] {
        ingredients(platform, place).into_iter().try_for_each(|name| exists(place, name))?;
    }
    for spec in platform.claims.iter().chain(&platform.parts) {
        spec.derive.names().try_for_each(|name| exists(spec.name.as_str(), name))?;
    }
    let slot = |place: &str, slot: &Slot| exists(place, &slot.name);
    platform.tenants.slots().try_for_each(|one| slot("tenants", one))?;
    platform.selectors.slots().try_for_each(|one| slot("selectors", one))?;
    platform.untrusted.iter().try_for_each(|trigger| exists("untrusted", &trigger.when.claim))?;
    let guards = platform.consistent.iter().flat_map(|it| it.when.iter().chain([&it.then]));
    guards.map(|guard| &guard.claim).try_for_each(|name| exists("consistent", name))
}

fn variants(platform: &Platform) -> Result<(), CatalogueError> {
    for variant in &platform.variants {
        let place = format!("variant `{}`", variant.name);
        if let Some(form) = variant.form.as_ref().filter(|form| platform.subject(form).is_none()) {
            return Err(unknown(&platform.id, &place, "subject form", form));
        }
        let issuer = |pattern: &&String| {
            platform.issuer.forms.iter().all(|form| form.pattern.as_str() != pattern.as_str())
        };
        if let Some(pattern) = variant.issuer.as_ref().filter(issuer) {
            return Err(unknown(&platform.id, &place, "issuer form", pattern));
        }
        let named = variant.null.iter().chain(&variant.with).chain(&variant.without);
        for name in named.chain(variant.set.keys()) {
            let spec = platform
                .variable(name.as_str())
                .ok_or_else(|| unknown(&platform.id, &place, "claim", name.as_str()))?;
            let value =
                if variant.null.contains(name) { Some(&ClaimValue::Null) } else { variant.set.get(name) };
            value.map_or(Ok(()), |value| sample(&platform.id, spec, value))?;
            if variant.with.contains(name) && spec.sample.is_none() && spec.derive.is_empty() {
                let (file, claim) = (platform.id.clone(), name.clone());
                return Err(CatalogueError::NoSample { file, claim });
            }
        }
    }
    Ok(())
}

fn samples(file: &str, spec: &ClaimSpec) -> Result<(), CatalogueError> {
    // What the minter sets itself needs no sample.
    const MINTED: [&str; 7] = ["iss", "sub", "aud", "iat", "exp", "nbf", "jti"];
    match &spec.sample {
        Some(value) => sample(file, spec, value),
        None if MINTED.contains(&spec.name.as_str())
            || spec.presence == Presence::Sometimes
            || !spec.derive.is_empty() =>
        {
            Ok(())
        }
        None => Err(CatalogueError::NoSample { file: file.to_owned(), claim: spec.name.clone() }),
    }
}

fn sample(file: &str, spec: &ClaimSpec, value: &ClaimValue) -> Result<(), CatalogueError> {
    let refuse = |expected: String| {
        Err(CatalogueError::Sample { file: file.to_owned(), claim: spec.name.clone(), expected })
    };
    if spec.fit(value) == Fit::Mismatch {
        return refuse(spec.expected());
    }
    let Some(text) = value.as_str() else { return Ok(()) };
    if !spec.shape.admits(text) {
        return refuse(format!("of shape `{}`", spec.shape.as_str()));
    }
    if !spec.values.is_empty() && !spec.values.iter().any(|known| known == text) {
        return refuse(format!("one of {}", spec.values.join(", ")));
    }
    Ok(())
}

fn acyclic(
    platform: &Platform,
    name: &ClaimName,
    done: &mut HashSet<ClaimName>,
    path: &mut Vec<ClaimName>,
) -> Result<(), CatalogueError> {
    if path.contains(name) {
        return Err(CatalogueError::Cycle { file: platform.id.clone(), claim: name.clone() });
    }
    if done.contains(name) {
        return Ok(());
    }
    path.push(name.clone());
    for ingredient in ingredients(platform, name.as_str()) {
        acyclic(platform, ingredient, done, path)?;
    }
    path.pop();
    done.insert(name.clone());
    Ok(())
}
