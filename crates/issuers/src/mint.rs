//! Composing the claims of a token as a platform would mint it, for development and rehearsal.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use daypass_claims::{Audience, ClaimName, ClaimSet, ClaimValue, Issuer, Number, Timestamp};

use crate::check::ingredients;
use crate::pattern::Captures;
use crate::{
    AudienceChoice, ClaimSpec, ClaimType, InstantiateError, Platform, Presence, RenderError, Slot, Variant,
};

/// What a token's claims follow from besides the job: who mints it, for whom, when.
#[derive(Clone, Copy, Debug)]
pub struct MintFacts<'a> {
    /// The issuer, where it is not to follow from the claims. If it has a form of the platform, the claims that
    /// it names follow from it instead.
    pub issuer: Option<&'a Issuer>,
    /// What the job asks for as audience; empty for the platform's default.
    pub audiences: &'a [Audience],
    /// The time of issue.
    pub now: Timestamp,
    /// From issue to expiry; the platform's usual lifetime (five minutes where unknown) if not given.
    pub lifetime: Option<Duration>,
    /// The token's id, for platforms that mint one.
    pub token_id: &'a str,
}

/// A claim or part that is to be other than in the variant.
#[derive(Clone, Debug, PartialEq)]
pub enum Override {
    /// It has this value, whatever the platform would write.
    Set(ClaimValue),
    /// It is absent.
    Remove,
}

/// Why no token can be composed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The platform has no such variant.
    #[error("{platform} has no variant `{variant}` (known: {known})")]
    UnknownVariant {
        /// The platform's id.
        platform: String,
        /// The name that was asked for.
        variant: String,
        /// The names there are.
        known: String,
    },
    /// A claim follows from another that is absent or of the wrong form.
    #[error("`{claim}` cannot be made: {source}")]
    Render {
        /// The claim.
        claim: ClaimName,
        /// What its template lacks.
        source: RenderError,
    },
    /// A claim that is a number follows from something that is none.
    #[error("`{claim}` is a whole number and cannot be `{text}`")]
    NotInteger {
        /// The claim.
        claim: ClaimName,
        /// What it would be.
        text: String,
    },
    /// No rule of the subject's form applies to these claims.
    #[error("no subject of form `{form}` has these claims")]
    NoSubject {
        /// The form.
        form: String,
    },
    /// The issuer's URL cannot be made from the claims.
    #[error(transparent)]
    Issuer(#[from] InstantiateError),
    /// The platform has no default audience and none was asked for.
    #[error("{platform} has no default audience: name one")]
    NoAudience {
        /// The platform's id.
        platform: String,
    },
    /// Jobs cannot choose the audience on this platform.
    #[error("{platform} always mints for `{fixed}`; a job cannot ask for `{asked}`")]
    FixedAudience {
        /// The platform's id.
        platform: String,
        /// What it always is.
        fixed: String,
        /// What was asked for.
        asked: String,
    },
    /// The platform's tokens have one audience, and several were asked for.
    #[error("{platform} mints for one audience, {count} were asked for")]
    OneAudience {
        /// The platform's id.
        platform: String,
        /// How many were asked for.
        count: usize,
    },
}

impl Platform {
    /// The claims of one of the platform's tokens.
    ///
    /// A variant gives the job (`default` if none is named); `overrides` change claims and parts, and what follows
    /// from them follows unless it is overridden too: with another `repository`, GitHub's `repository_owner` and
    /// `sub` are other ones as well. Anything can be overridden, `exp` and `sub` among them, so tokens can be made
    /// that the platform would never mint.
    pub fn compose(
        &self,
        variant: Option<&str>,
        overrides: &[(ClaimName, Override)],
        facts: &MintFacts<'_>,
    ) -> Result<ClaimSet, ComposeError> {
        let name = variant.unwrap_or("default");
        let variant = self.variant(name).ok_or_else(|| ComposeError::UnknownVariant {
            platform: self.id.clone(),
            variant: name.to_owned(),
            known: self.variants.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        let form = facts
            .issuer
            .and_then(|issuer| self.issuer.forms.iter().find_map(|form| form.pattern.matches(issuer)));
        let mut minting = Minting {
            platform: self,
            variant,
            overrides: overrides.iter().map(|(name, change)| (name, change)).collect(),
            captures: form.unwrap_or_default(),
            facts,
            settled: HashSet::new(),
            claims: ClaimSet::new(),
            parts: ClaimSet::new(),
        };
        for spec in &self.claims {
            if spec.wildcard().is_none() {
                minting.settle(&spec.name)?;
            }
        }
        // Neither need be in the list above: a wildcard describes them, or nothing does.
        for name in variant.set.keys().chain(overrides.iter().map(|(name, _)| name)) {
            minting.settle(name)?;
        }
        Ok(minting.claims)
    }
}

/// A token in the making. Claims are settled on demand, each after those it follows from; the catalogue's check
/// has made sure that this ends.
struct Minting<'a> {
    platform: &'a Platform,
    variant: &'a Variant,
    overrides: BTreeMap<&'a ClaimName, &'a Override>,
    captures: Captures,
    facts: &'a MintFacts<'a>,
    settled: HashSet<ClaimName>,
    claims: ClaimSet,
    parts: ClaimSet,
}

impl Minting<'_> {
    fn settle(&mut self, name: &ClaimName) -> Result<(), ComposeError> {
        if !self.settled.insert(name.clone()) {
            return Ok(());
        }
        let value = match self.overrides.get(name) {
            Some(Override::Set(value)) => Some(value.clone()),
            Some(Override::Remove) => None,
            None => self.value_of(name)?,
        };
        if let Some(value) = value {
            let set =
                if self.platform.part(name.as_str()).is_some() { &mut self.parts } else { &mut self.claims };
            set.insert(name.clone(), value);
        }
        Ok(())
    }

    fn value_of(&mut self, name: &ClaimName) -> Result<Option<ClaimValue>, ComposeError> {
        let Some(spec) = self.platform.variable(name.as_str()) else { return Ok(None) };
        if self.variant.without.contains(name) {
            return Ok(None);
        }
        match name.as_str() {
            "iss" => return self.issuer().map(Some),
            "aud" => return self.audience(spec),
            "sub" => return self.subject(),
            _ => {}
        }
        if let Some((_, captured)) = self.captures.iter().find(|(slot, _)| slot == name) {
            return Ok(Some(ClaimValue::from(captured.as_str())));
        }
        if self.variant.null.contains(name) {
            return Ok(Some(ClaimValue::Null));
        }
        if let Some(value) = self.variant.set.get(name) {
            return Ok(Some(value.clone()));
        }
        if spec.presence == Presence::Sometimes && !self.variant.with.contains(name) {
            return Ok(None);
        }
        match name.as_str() {
            "iat" => Ok(Some(seconds(self.facts.now.as_secs()))),
            "exp" => Ok(Some(seconds((self.facts.now + self.lifetime()).as_secs()))),
            "nbf" => {
                let offset = self.platform.lifetime.not_before;
                Ok(Some(seconds(self.facts.now.as_secs().saturating_add(offset))))
            }
            "jti" => Ok(Some(ClaimValue::from(self.facts.token_id))),
            _ => self.derived(spec),
        }
    }

    fn derived(&mut self, spec: &ClaimSpec) -> Result<Option<ClaimValue>, ComposeError> {
        self.settle_ingredients(spec.name.as_str())?;
        let Some(text) = spec.derive.render(&vec![], |name| self.get(name)) else {
            return Ok(spec.sample.clone());
        };
        let text = text.map_err(|source| ComposeError::Render { claim: spec.name.clone(), source })?;
        if spec.types.first() != Some(&ClaimType::Integer) {
            return Ok(Some(ClaimValue::from(text)));
        }
        let number: Result<i64, _> = text.parse();
        number
            .map(|number| Some(seconds(number)))
            .map_err(|_| ComposeError::NotInteger { claim: spec.name.clone(), text })
    }

    fn issuer(&mut self) -> Result<ClaimValue, ComposeError> {
        if let Some(issuer) = self.facts.issuer {
            return Ok(ClaimValue::from(issuer.as_str()));
        }
        let wanted = |pattern: &str| self.variant.issuer.as_deref().is_none_or(|wanted| wanted == pattern);
        let mut forms = self.platform.issuer.forms.iter();
        let Some(form) = forms.find(|form| wanted(form.pattern.as_str())) else {
            return Ok(ClaimValue::Null);
        };
        form.pattern.slots().try_for_each(|(name, _)| self.settle(name))?;
        let issuer = form.pattern.instantiate(|name| {
            let whole = Slot { name: name.clone(), filter: None, optional: false };
            whole.take(self.get(name.as_str())).ok().flatten()
        })?;
        Ok(ClaimValue::from(issuer.as_str()))
    }

    fn audience(&mut self, spec: &ClaimSpec) -> Result<Option<ClaimValue>, ComposeError> {
        let platform = self.platform;
        let asked: Vec<&str> = self.facts.audiences.iter().map(Audience::as_str).collect();
        let fixed = platform.audience.choice == AudienceChoice::Fixed;
        let mut all: Vec<String> = Vec::new();
        if let Some(template) = &platform.audience.default
            && (asked.is_empty() || fixed || platform.audience.keeps_default)
        {
            self.settle_ingredients("aud")?;
            let default = template
                .render(&vec![], |name| self.get(name))
                .map_err(|source| ComposeError::Render { claim: spec.name.clone(), source })?;
            if let Some(other) = asked.iter().find(|asked| fixed && **asked != default) {
                let (platform, asked) = (platform.id.clone(), (*other).to_owned());
                return Err(ComposeError::FixedAudience { platform, fixed: default, asked });
            }
            all.push(default);
        }
        for audience in asked {
            if !all.iter().any(|one| one == audience) {
                all.push(audience.to_owned());
            }
        }
        let may_be = |one| spec.types.contains(&one);
        match all.as_slice() {
            [] if spec.presence == Presence::Always => {
                Err(ComposeError::NoAudience { platform: platform.id.clone() })
            }
            [] => Ok(None),
            [one] if may_be(ClaimType::String) => Ok(Some(ClaimValue::from(one.as_str()))),
            _ if may_be(ClaimType::Strings) => Ok(Some(ClaimValue::from(all))),
            _ => Err(ComposeError::OneAudience { platform: platform.id.clone(), count: all.len() }),
        }
    }

    fn subject(&mut self) -> Result<Option<ClaimValue>, ComposeError> {
        let form = match &self.variant.form {
            Some(name) => self.platform.subject(name),
            None => self.platform.subjects.first(),
        };
        let Some(form) = form else { return Ok(None) };
        form.rules.names().try_for_each(|name| self.settle(name))?;
        match form.render(|name| self.get(name)) {
            Some(Ok(text)) => Ok(Some(ClaimValue::from(text))),
            Some(Err(source)) => Err(ComposeError::Render { claim: ClaimName::from("sub"), source }),
            None => Err(ComposeError::NoSubject { form: form.name.clone() }),
        }
    }

    fn settle_ingredients(&mut self, name: &str) -> Result<(), ComposeError> {
        ingredients(self.platform, name).into_iter().try_for_each(|name| self.settle(name))
    }

    fn get(&self, name: &str) -> Option<&ClaimValue> {
        self.claims.get(name).or_else(|| self.parts.get(name))
    }

    fn lifetime(&self) -> Duration {
        const UNKNOWN: u64 = 300;
        let usual = self.platform.lifetime.seconds.unwrap_or(UNKNOWN);
        self.facts.lifetime.unwrap_or(Duration::from_secs(usual))
    }
}

fn seconds(value: i64) -> ClaimValue {
    ClaimValue::Number(Number::Integer(value.into()))
}

#[cfg(test)]
mod tests;
