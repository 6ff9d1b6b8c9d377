//! Universes from the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use daypass_claims::{ClaimName, ClaimValue, Issuer};
use daypass_issuers::{
    ClaimSpec, ClaimType, Filter, Identifies, Piece, Platform, Presence, Rule, Rules, Shape, Slot,
    SubjectForm, Template, catalogue,
};

use super::{Consistency, Kind, Model, Part, PartId, TextPiece, TextRule, Universe};

/// One name of a path.
const NAME: &str = Shape::Name.regex();
/// Any text.
const ANY: &str = "(?s:.*)";

/// Why there is no universe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UniverseError {
    /// The platform has no subject of that form.
    #[error("{platform} has no subject of the form `{form}`")]
    NoForm {
        /// The platform.
        platform: String,
        /// The form.
        form: String,
    },
}

impl Universe {
    /// Every universe of an issuer's tokens: one for each form that its subjects take. An issuer that the catalogue does not
    /// know can mint anything.
    pub fn of(issuer: &Issuer) -> Vec<Self> {
        let platforms = catalogue().platforms_of(issuer);
        if platforms.is_empty() {
            return vec![Self::unknown(issuer)];
        }
        platforms.iter().flat_map(|found| Self::of_platform(issuer, found.platform)).collect()
    }

    /// The universes of an issuer that is this platform's.
    pub fn of_platform(issuer: &Issuer, platform: &'static Platform) -> Vec<Self> {
        if platform.subjects.is_empty() {
            return vec![Builder::new(issuer, platform).finish(None)];
        }
        platform.subjects.iter().map(|form| Builder::new(issuer, platform).finish(Some(form))).collect()
    }

    /// The universe in which subjects have this form.
    pub fn of_form(issuer: &Issuer, platform: &'static Platform, form: &str) -> Result<Self, UniverseError> {
        let subject = platform
            .subject(form)
            .ok_or_else(|| UniverseError::NoForm { platform: platform.id.clone(), form: form.to_owned() })?;
        Ok(Builder::new(issuer, platform).finish(Some(subject)))
    }

    /// The universe in which an organisation has its subjects made of these claims, as far as the platform lets it.
    pub(crate) fn customised(issuer: &Issuer, platform: &'static Platform, keys: &[String]) -> Option<Self> {
        platform.custom_subject.as_ref()?;
        let usual = platform.subjects.first()?;
        let mut universe = Builder::new(issuer, platform).finish(Some(usual));
        let mut pieces = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let name = ClaimName::from(key.as_str());
            let separator = if at == 0 { "" } else { ":" };
            pieces.push(TextPiece::Literal(format!("{separator}{key}:")));
            match universe.models.get(&name)? {
                Model::Part(part) => pieces.push(TextPiece::Part(*part)),
                Model::Rules(_) => pieces.push(TextPiece::Claim(name)),
                Model::Fixed(value) => pieces.push(TextPiece::Literal(plain(value))),
            }
        }
        let rule = TextRule { when: Vec::new(), pieces, escapes: usual.escapes.clone() };
        universe.models.insert(ClaimName::from("sub"), Model::Rules(vec![rule]));
        universe.form = Some(format!("customised: {}", keys.join(", ")));
        Some(universe)
    }

    /// The universe of an issuer that nothing is known about.
    pub(crate) fn unknown(issuer: &Issuer) -> Self {
        let mut models = BTreeMap::new();
        models.insert(ClaimName::from("iss"), Model::Fixed(ClaimValue::from(issuer.as_str())));
        Self {
            issuer: issuer.clone(),
            platform: None,
            form: None,
            parts: Vec::new(),
            models,
            consistent: Vec::new(),
            remarks: vec![format!(
                "nothing is known about what {issuer} mints: any claim may have any value"
            )],
        }
    }

    /// Adds a claim of which nothing is known: absent, or any text.
    pub(crate) fn admit_claim(&mut self, name: &str) {
        if self.models.contains_key(name) {
            return;
        }
        let id = PartId(self.parts.len());
        let sample = Some(ClaimValue::from("x"));
        let kinds = vec![Kind::Text(ANY.to_owned())];
        // What is compared with a claim cannot be told from a claim that is not there unless it may be absent.
        let part = Part {
            name: name.to_owned(),
            kinds,
            optional: true,
            rare: true,
            identifies: Identifies::Other,
            sample,
        };
        self.parts.push(part);
        self.models.insert(ClaimName::from(name), Model::Part(id));
    }
}

struct Builder {
    issuer: Issuer,
    platform: &'static Platform,
    parts: Vec<Part>,
    models: BTreeMap<ClaimName, Model>,
    remarks: Vec<String>,
    building: BTreeSet<ClaimName>,
}

impl Builder {
    fn new(issuer: &Issuer, platform: &'static Platform) -> Self {
        Self {
            issuer: issuer.clone(),
            platform,
            parts: Vec::new(),
            models: BTreeMap::new(),
            remarks: Vec::new(),
            building: BTreeSet::new(),
        }
    }

    fn finish(mut self, form: Option<&'static SubjectForm>) -> Universe {
        self.models.insert(ClaimName::from("iss"), Model::Fixed(ClaimValue::from(self.issuer.as_str())));
        // What the issuer's URL says is not open any more.
        let form_of_issuer = self.platform.issuer.form_of(&self.issuer);
        for (claim, text) in
            form_of_issuer.and_then(|it| it.pattern.matches(&self.issuer)).unwrap_or_default()
        {
            self.models.insert(claim.clone(), Model::Fixed(ClaimValue::from(text.as_str())));
        }
        for claim in &self.platform.claims {
            if claim.wildcard().is_none() && claim.name.as_str() != "sub" {
                self.settle(&claim.name);
            }
        }
        match form {
            Some(form) => {
                let rules = self.rules(&form.rules, &form.escapes);
                self.models.insert(ClaimName::from("sub"), Model::Rules(rules));
            }
            None => {
                self.remarks
                    .push(format!("the form of {}'s subjects is not established", self.platform.name));
                self.free(&ClaimName::from("sub"), None);
            }
        }
        let consistent = self.platform.consistent.iter();
        let consistent =
            consistent.map(|it| Consistency { when: it.when.clone(), then: it.then.clone() }).collect();
        Universe {
            issuer: self.issuer,
            platform: Some(self.platform),
            form: form.map(|form| form.name.clone()),
            parts: self.parts,
            models: self.models,
            consistent,
            remarks: self.remarks,
        }
    }

    /// Makes the model of a claim or part of the catalogue, after those it follows from.
    fn settle(&mut self, name: &ClaimName) {
        if self.models.contains_key(name) || !self.building.insert(name.clone()) {
            return;
        }
        let Some(spec) = self.platform.variable(name.as_str()) else { return };
        let varies = self.platform.variants.iter().any(|variant| variant.set.contains_key(name));
        let follows = !spec.derive.is_empty() && !varies;
        if follows && !is_time(name.as_str()) {
            let rules = self.rules(&spec.derive, &[]);
            self.models.insert(name.clone(), Model::Rules(rules));
        } else {
            self.free(name, Some(spec));
        }
    }

    /// A claim that can be chosen on its own.
    fn free(&mut self, name: &ClaimName, spec: Option<&ClaimSpec>) {
        let Some(spec) = spec else {
            let id = self.add(Part::text(name.as_str(), ANY, None));
            self.models.insert(name.clone(), Model::Part(id));
            return;
        };
        let only_text = spec.types.iter().all(|one| matches!(one, ClaimType::String));
        let always = spec.presence != Presence::Sometimes;
        if only_text && always && self.split(name, spec) {
            return;
        }
        let id = self.add(Part {
            name: name.to_string(),
            kinds: kinds(spec, self.platform),
            optional: spec.presence != Presence::Always,
            rare: spec.presence == Presence::Sometimes,
            identifies: spec.identifies,
            sample: spec.sample.clone().or_else(|| default_audience(spec)),
        });
        self.models.insert(name.clone(), Model::Part(id));
    }

    /// Splits a claim that other claims take pieces of.
    fn split(&mut self, name: &ClaimName, spec: &ClaimSpec) -> bool {
        let sample = spec.sample.as_ref().and_then(ClaimValue::as_str).unwrap_or_default().to_owned();
        let pieces = match spec.shape {
            Shape::OwnerName => {
                let (owner, repository) = sample.split_once('/').unwrap_or(("acme", "app"));
                let owner = self.add(
                    Part::text(format!("{name}#0"), NAME, Some(owner.to_owned()))
                        .naming(Identifies::Organisation),
                );
                let repository = self.add(
                    Part::text(format!("{name}#1"), NAME, Some(repository.to_owned()))
                        .naming(Identifies::Repository),
                );
                vec![TextPiece::Part(owner), TextPiece::Literal("/".to_owned()), TextPiece::Part(repository)]
            }
            Shape::GroupPath => {
                let (groups, project) = sample.rsplit_once('/').unwrap_or(("acme", "app"));
                let (top, below) = groups
                    .split_once('/')
                    .map_or((groups, String::new()), |(top, below)| (top, format!("/{below}")));
                let top = self.add(
                    Part::text(format!("{name}#0"), NAME, Some(top.to_owned()))
                        .naming(Identifies::Organisation),
                );
                let below =
                    self.add(Part::text(format!("{name}#groups"), format!("(?:/{NAME})*"), Some(below)));
                let project = self.add(
                    Part::text(format!("{name}#last"), NAME, Some(project.to_owned()))
                        .naming(Identifies::Repository),
                );
                vec![
                    TextPiece::Part(top),
                    TextPiece::Part(below),
                    TextPiece::Literal("/".to_owned()),
                    TextPiece::Part(project),
                ]
            }
            Shape::BracedUuid => {
                let inner = sample.trim_matches(['{', '}']).to_owned();
                let language = Shape::Uuid.regex();
                let id = self.add(
                    Part::text(format!("{name}#unbraced"), language, Some(inner)).naming(spec.identifies),
                );
                vec![
                    TextPiece::Literal("{".to_owned()),
                    TextPiece::Part(id),
                    TextPiece::Literal("}".to_owned()),
                ]
            }
            _ => return false,
        };
        self.models.insert(name.clone(), Model::Rules(vec![unguarded(pieces)]));
        true
    }

    fn add(&mut self, part: Part) -> PartId {
        self.parts.push(part);
        PartId(self.parts.len().saturating_sub(1))
    }

    fn rules(&mut self, rules: &Rules, escapes: &[(char, String)]) -> Vec<TextRule> {
        for name in rules.names() {
            self.settle(name);
        }
        rules.0.iter().map(|rule| self.rule(rule, escapes)).collect()
    }

    fn rule(&mut self, rule: &Rule, escapes: &[(char, String)]) -> TextRule {
        let pieces = self.pieces(&rule.template);
        TextRule { when: rule.when.clone(), pieces, escapes: escapes.to_vec() }
    }

    fn pieces(&mut self, template: &Template) -> Vec<TextPiece> {
        let pieces = template.pieces().iter().flat_map(|piece| match piece {
            Piece::Literal(literal) => vec![TextPiece::Literal(literal.clone())],
            Piece::Slot(slot) => self.slot(slot),
        });
        pieces.collect()
    }

    /// What a slot takes from a claim.
    fn slot(&mut self, slot: &Slot) -> Vec<TextPiece> {
        let model = self.models.get(&slot.name).cloned();
        match (&slot.filter, model) {
            (None, Some(Model::Part(id))) if slot.optional => vec![TextPiece::OptionalPart(id)],
            (None, Some(Model::Part(id))) => vec![TextPiece::Part(id)],
            (None, Some(Model::Fixed(value))) => vec![TextPiece::Literal(plain(&value))],
            (None, Some(Model::Rules(_))) => vec![TextPiece::Claim(slot.name.clone())],
            (Some(filter), Some(Model::Fixed(value))) => {
                let whole = Slot { name: slot.name.clone(), filter: Some(filter.clone()), optional: true };
                let taken = whole.take(Some(&value)).ok().flatten().unwrap_or_default();
                vec![TextPiece::Literal(taken)]
            }
            (Some(filter), Some(Model::Rules(rules))) => match taken(filter, &rules) {
                Some(pieces) => pieces,
                None => self.apart(slot),
            },
            (Some(Filter::At(path)), Some(Model::Part(_))) => {
                vec![TextPiece::Part(self.member(&slot.name, path))]
            }
            (Some(_), Some(Model::Part(_))) | (_, None) => self.apart(slot),
        }
    }

    /// A member of an object, as a part of its own.
    fn member(&mut self, name: &ClaimName, path: &[String]) -> PartId {
        let label = format!("{name}/{}", path.join("/"));
        if let Some(at) = self.parts.iter().position(|part| part.name == label) {
            return PartId(at);
        }
        let spec = self.platform.variable(name.as_str());
        let whole = Slot { name: name.clone(), filter: Some(Filter::At(path.to_vec())), optional: true };
        let sample = spec.and_then(|spec| whole.take(spec.sample.as_ref()).ok().flatten());
        self.remarks.push(format!("`{name}` and what follows from it are not held together"));
        self.add(Part::text(label, NAME, sample))
    }

    /// A piece that cannot be taken from a part: a part of its own, which is then not held to the claim it comes from.
    fn apart(&mut self, slot: &Slot) -> Vec<TextPiece> {
        let label = slot.to_string();
        if let Some(at) = self.parts.iter().position(|part| part.name == label) {
            return vec![TextPiece::Part(PartId(at))];
        }
        self.remarks.push(format!("`{label}` and the claim it is taken from are not held together"));
        vec![TextPiece::Part(self.add(Part::text(label, ANY, None)))]
    }
}

/// What tokens are addressed to where nothing else is said.
fn default_audience(spec: &ClaimSpec) -> Option<ClaimValue> {
    let is_audience = spec.identifies == Identifies::Audience && spec.name.as_str() == "aud";
    is_audience.then(|| ClaimValue::from("sts.amazonaws.com"))
}

fn unguarded(pieces: Vec<TextPiece>) -> TextRule {
    TextRule { when: Vec::new(), pieces, escapes: Vec::new() }
}

/// The pieces of a split claim that a filter takes.
fn taken(filter: &Filter, rules: &[TextRule]) -> Option<Vec<TextPiece>> {
    let [TextRule { pieces, .. }] = rules else { return None };
    let slash = TextPiece::Literal("/".to_owned());
    match (filter, pieces.as_slice()) {
        (Filter::Segment(0), [first @ TextPiece::Part(_), ..]) => Some(vec![first.clone()]),
        (Filter::Segment(1), [_, middle, last @ TextPiece::Part(_)]) if *middle == slash => {
            Some(vec![last.clone()])
        }
        (Filter::Parent, [parent @ .., middle, TextPiece::Part(_)]) if *middle == slash => {
            Some(parent.to_vec())
        }
        (Filter::Unbraced, [TextPiece::Literal(_), inner @ TextPiece::Part(_), TextPiece::Literal(_)]) => {
            Some(vec![inner.clone()])
        }
        _ => None,
    }
}

fn plain(value: &ClaimValue) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_time(name: &str) -> bool {
    matches!(name, "iat" | "exp" | "nbf")
}

/// What a claim can be.
fn kinds(spec: &ClaimSpec, platform: &Platform) -> Vec<Kind> {
    let text = || {
        if !spec.values.is_empty() {
            let values: Vec<String> = spec.values.iter().map(|value| regex_syntax::escape(value)).collect();
            return values.join("|");
        }
        // A claim that varies and otherwise follows from others has the form of what it follows from.
        spec.derive
            .0
            .first()
            .filter(|_| spec.shape == Shape::Text)
            .map_or_else(|| spec.shape.regex().to_owned(), |rule| template_language(&rule.template, platform))
    };
    let kind = |one: &ClaimType| match one {
        ClaimType::String => Kind::Text(text()),
        ClaimType::BooleanString => Kind::Text("true|false".to_owned()),
        ClaimType::Integer => Kind::Integer,
        ClaimType::Boolean => Kind::Flag,
        ClaimType::Strings => Kind::List(spec.shape.regex().to_owned()),
        ClaimType::Null => Kind::Null,
        ClaimType::Any => Kind::Text(ANY.to_owned()),
        ClaimType::Object | ClaimType::Objects => {
            Kind::Opaque(spec.sample.clone().unwrap_or(ClaimValue::Null))
        }
    };
    spec.types.iter().map(kind).collect()
}

/// Every text of a template's form, its slots filled in independently.
fn template_language(template: &Template, platform: &Platform) -> String {
    let pieces = template.pieces().iter().map(|piece| match piece {
        Piece::Literal(literal) => regex_syntax::escape(literal),
        Piece::Slot(slot) => {
            let spec = platform.variable(slot.name.as_str());
            match (spec, &slot.filter) {
                (Some(spec), None) if spec.shape != Shape::Text => format!("(?:{})", spec.shape.regex()),
                (Some(spec), None) => match spec.derive.0.first() {
                    Some(rule) => template_language(&rule.template, platform),
                    None => r"[^\s\p{Cc}]+".to_owned(),
                },
                _ => NAME.to_owned(),
            }
        }
    });
    pieces.collect()
}
