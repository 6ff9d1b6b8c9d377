//! Spaces: which dimensions there are, and which values of each are told apart.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use daypass_claims::ClaimValue;
use daypass_trust::Context;
use daypass_trust::form::{Atom, JoinPart, Piece as PatternPiece, Reading, RequestKey, Test, Variable};

use super::class::{MOST_CLASSES, Probe, Reader, Signature, reached};
use super::language::{Language, Needs};
use super::plausible::{Candidates, Own};
use super::texts::{self, Escapes, Flat, FlatPiece, Forms};
use super::values::Thresholds;
use super::{Class, Dimension, Formula, Hints, Languages, Leaf, Leaves, Scope, Space, Subject};
use crate::Cache;
use crate::automaton::{Alphabet, Cuts, Dfa, DfaState, Symbol};
use crate::universe::{Kind, Part, PartId, Universe};

/// What a caller may call its session (AWS `RoleSessionName`).
const SESSION_NAME: &str = r"[A-Za-z0-9_+=,.@-]{2,64}";
/// A domain this small is taken value by value.
const FEW: usize = 24;
/// The most states that a language may stand in before a part.
const MOST_STATES: usize = 256;

/// What one leaf depends on.
#[derive(Default)]
struct Looks {
    subjects: Vec<Subject>,
    claims: Vec<String>,
    needs: Needs,
    /// Every text that its languages are run over; none where it looks at no text of the token.
    flats: Vec<Flat>,
    /// A request key whose text its languages are run over.
    request: Option<RequestKey>,
}

impl<'u> Space<'u> {
    /// The tokens of a universe as far as these leaves tell them apart.
    pub(crate) fn new(
        universe: &'u Universe,
        mut leaves: Leaves,
        context: Context,
        hints: &Hints,
        cache: &Cache,
    ) -> Self {
        let holds = Formula::All(
            universe
                .consistent()
                .iter()
                .map(|it| {
                    let when = it.when.iter().map(|guard| leaves.guard(guard)).collect();
                    let then = leaves.guard(&it.then);
                    Formula::Any(vec![Formula::All(when).negated(), then])
                })
                .collect(),
        );
        let looks: Vec<Looks> = leaves.all().iter().map(|leaf| looks(leaf, universe)).collect();
        // Guards of the rules that claims follow from tell values apart as well.
        let rules = guards_of(universe, &looks);
        let mut subjects: Vec<Subject> = Vec::new();
        for subject in looks.iter().chain(&rules).flat_map(|looks| &looks.subjects) {
            if !subjects.contains(subject) {
                subjects.push(subject.clone());
            }
        }
        let all: Vec<&Looks> = looks.iter().chain(&rules).collect();
        let mut build = Dimensions::new(universe, &all, hints, cache);
        let dimensions: Vec<Dimension> = subjects.iter().map(|subject| build.dimension(subject)).collect();
        let signatures: Vec<Vec<Option<Signature>>> =
            dimensions.iter().map(|dimension| build.signatures(dimension)).collect();
        let mut scopes: Vec<Scope> =
            (0..looks.len()).map(|leaf| build.scope(leaf, &rules, &dimensions, &signatures)).collect();
        let (order, levels) = order(&scopes, dimensions.len());
        for scope in &mut scopes {
            let mut both: Vec<(usize, Vec<usize>)> =
                scope.support.drain(..).zip(scope.kinds.drain(..)).collect();
            both.sort_by_key(|(dimension, _)| levels.get(*dimension).copied());
            (scope.support, scope.kinds) = both.into_iter().unzip();
        }
        let context = context.issuer(universe.issuer().clone()).with(RequestKey::SecureTransport, true);
        Self {
            universe,
            leaves: leaves.all().to_vec(),
            scopes,
            dimensions,
            order,
            levels,
            holds,
            context,
            languages: build.languages(&subjects, signatures),
            diagrams: RefCell::default(),
            leaf_diagrams: RefCell::default(),
        }
    }
}

/// The order in which dimensions are asked about, those of most leaves first; and the place of each in it.
fn order(scopes: &[Scope], dimensions: usize) -> (Vec<usize>, Vec<usize>) {
    let mut uses = vec![0_usize; dimensions];
    for dimension in scopes.iter().flat_map(|scope| &scope.support) {
        if let Some(count) = uses.get_mut(*dimension) {
            *count = count.saturating_add(1);
        }
    }
    let mut order: Vec<usize> = (0..dimensions).collect();
    order.sort_by_key(|dimension| (std::cmp::Reverse(uses.get(*dimension).copied()), *dimension));
    let mut levels = vec![0; dimensions];
    for (level, dimension) in order.iter().enumerate() {
        if let Some(slot) = levels.get_mut(*dimension) {
            *slot = level;
        }
    }
    (order, levels)
}

fn looks(leaf: &Leaf, universe: &Universe) -> Looks {
    match leaf {
        Leaf::Atom(atom) => looks_of_atom(atom, universe),
        Leaf::Audience(audiences) => looks_of_claim("aud", Needs::of_audiences(audiences), universe),
        Leaf::Part(part, patterns) => Looks {
            subjects: vec![Subject::Part(*part)],
            needs: Needs::of_patterns(patterns),
            flats: vec![vec![FlatPiece::Part { part: *part, escapes: Vec::new() }]],
            ..Looks::default()
        },
        Leaf::Guard(guard) => looks_of_claim(guard.claim.as_str(), Needs::of_guard(guard), universe),
    }
}

fn looks_of_claim(claim: &str, needs: Needs, universe: &Universe) -> Looks {
    Looks {
        subjects: universe.parts_of(claim).into_iter().map(Subject::Part).collect(),
        claims: vec![claim.to_owned()],
        needs,
        ..Looks::default()
    }
    .over(texts::of_claim(universe, claim), claim)
}

fn looks_of_atom(atom: &Atom, universe: &Universe) -> Looks {
    let test = super::language::without_tags(&atom.test, universe);
    let mut looks = Looks { needs: Needs::of_test(&test, atom.reading), ..Looks::default() };
    let strict = matches!(atom.reading, Reading::Strict | Reading::Vault);
    if strict && universe.platform().is_none() && asks_for_a_type(&test) {
        looks.needs.inexact.push(format!("nothing is known about the types of `{}`", atom.variable));
    }
    match &atom.variable {
        Variable::Claim(path) | Variable::Unverified { claim: path, .. } => {
            looks.claim(path.claim.as_str(), universe);
            match texts::of_path(universe, path) {
                Some(forms) => looks = looks.over(forms, path.claim.as_str()),
                None if atom.test == Test::Present || texts::leads_nowhere(universe, path) => {}
                None => looks
                    .needs
                    .inexact
                    .push(format!("`{path}` is a piece of a claim that is not taken apart")),
            }
        }
        Variable::Joined(parts) => {
            for part in parts {
                if let JoinPart::Claim(path) = part {
                    looks.claim(path.claim.as_str(), universe);
                }
            }
            match texts::of_join(universe, parts) {
                Some(forms) => looks = looks.over(forms, "a text of several claims"),
                None => looks.needs.inexact.push("a piece of a claim is not taken apart".to_owned()),
            }
        }
        Variable::Request(key) => looks.request(key),
        Variable::Never { .. } => {}
    }
    for variable in variables_of(&test) {
        match variable {
            Variable::Claim(path) | Variable::Unverified { claim: path, .. } => {
                looks.claim(path.claim.as_str(), universe);
            }
            Variable::Request(key) => looks.request(key),
            Variable::Joined(_) | Variable::Never { .. } => {}
        }
    }
    looks
}

impl Looks {
    /// Over all forms of a text.
    fn over(mut self, forms: Forms, text: &str) -> Self {
        if forms.cut_short {
            self.needs.inexact.push(format!("`{text}` is put together in too many ways to go through"));
        }
        self.flats = forms.flats;
        self
    }

    fn claim(&mut self, claim: &str, universe: &Universe) {
        self.claims.push(claim.to_owned());
        self.subjects.extend(universe.parts_of(claim).into_iter().map(Subject::Part));
    }

    fn request(&mut self, key: &RequestKey) {
        let subject = match key {
            RequestKey::SessionName | RequestKey::SourceIp | RequestKey::UserAgent => {
                Subject::Request(key.clone())
            }
            RequestKey::CurrentTime | RequestKey::EpochTime => Subject::Time,
            // They follow from the token, or are what they are.
            _ => return,
        };
        self.subjects.push(subject);
        self.request = Some(key.clone());
    }
}

/// Whether a test asks for something that is no text.
fn asks_for_a_type(test: &Test) -> bool {
    match test {
        Test::Number(..) | Test::Bool(_) => true,
        Test::OneOf(tests) => tests.iter().any(asks_for_a_type),
        Test::Not(inner) => asks_for_a_type(inner),
        _ => false,
    }
}

/// The variables that a test's patterns name.
fn variables_of(test: &Test) -> Vec<&Variable> {
    match test {
        Test::Text { pattern, .. } => pattern.pieces.iter().filter_map(variable_of).collect(),
        Test::Arn(parts) => parts.iter().flat_map(|part| &part.pieces).filter_map(variable_of).collect(),
        Test::OneOf(tests) => tests.iter().flat_map(variables_of).collect(),
        Test::Not(inner) => variables_of(inner),
        _ => Vec::new(),
    }
}

const fn variable_of(piece: &PatternPiece) -> Option<&Variable> {
    match piece {
        PatternPiece::Variable(variable, _) => Some(variable),
        _ => None,
    }
}

/// What the rules of the claims at hand look at.
fn guards_of(universe: &Universe, looks: &[Looks]) -> Vec<Looks> {
    let claims: Vec<String> = looks.iter().flat_map(|looks| looks.claims.clone()).collect();
    let guards = claims_under(universe, &claims).into_iter();
    let guards = guards.flat_map(|claim| universe.guards_of(&claim).cloned().collect::<Vec<_>>());
    let looks = guards.map(|guard| looks_of_claim(guard.claim.as_str(), Needs::of_guard(&guard), universe));
    looks.collect()
}

/// The claims, and those that they follow from or that decide how.
fn claims_under(universe: &Universe, claims: &[String]) -> BTreeSet<String> {
    let mut open = claims.to_vec();
    let mut seen = BTreeSet::new();
    while let Some(claim) = open.pop() {
        if seen.insert(claim.clone()) {
            open.extend(universe.guards_of(&claim).map(|guard| guard.claim.to_string()));
            open.extend(universe.claims_in(&claim));
        }
    }
    seen
}

/// Adds a probe, once; its place.
fn add(probes: &mut Vec<Probe>, probe: Probe) -> usize {
    probes.iter().position(|known| *known == probe).unwrap_or_else(|| {
        probes.push(probe);
        probes.len().saturating_sub(1)
    })
}

/// What is needed to build dimensions.
struct Dimensions<'a> {
    universe: &'a Universe,
    looks: &'a [&'a Looks],
    cache: &'a Cache,
    /// Texts to try for the classes of every part.
    candidates: Candidates,
    alphabet: Alphabet,
    languages: HashMap<Language, usize>,
    /// By language and how characters are written: the language as it reads them.
    reading: HashMap<(usize, Escapes), usize>,
    dfas: Vec<Dfa>,
    /// Texts of domains, by expression.
    domains: HashMap<String, Rc<Dfa>>,
    /// By language as it reads, part and states before it: the states after it. Forms of a text begin alike.
    ends: HashMap<(usize, PartId, BTreeSet<DfaState>), BTreeSet<DfaState>>,
    /// By part: the probes that run over it.
    probes: HashMap<PartId, Vec<Probe>>,
    /// By request key.
    request_probes: HashMap<RequestKey, Vec<Probe>>,
    /// By looks: which of the probes are its own, by subject.
    own: Vec<Vec<(Subject, usize)>>,
    /// Languages that there is no automaton for, by looks, and why.
    failed: HashMap<usize, String>,
}

impl<'a> Dimensions<'a> {
    fn new(universe: &'a Universe, looks: &'a [&'a Looks], hints: &Hints, cache: &'a Cache) -> Self {
        let alphabet = alphabet(universe, looks, cache);
        let mut hints = hints.clone();
        for language in looks.iter().flat_map(|looks| &looks.needs.languages) {
            hints.words.extend(language.literals());
        }
        let mut this = Self {
            universe,
            looks,
            cache,
            candidates: Candidates::new(&hints, &alphabet),
            alphabet,
            languages: HashMap::new(),
            reading: HashMap::new(),
            dfas: Vec::new(),
            domains: HashMap::new(),
            ends: HashMap::new(),
            probes: HashMap::new(),
            request_probes: HashMap::new(),
            own: vec![Vec::new(); looks.len()],
            failed: HashMap::new(),
        };
        for (at, looks) in this.looks.iter().enumerate() {
            for language in &looks.needs.languages {
                if let Err(why) = this.dfa(language).and_then(|dfa| this.run(dfa, at, looks)) {
                    this.failed.insert(at, why);
                }
            }
        }
        this
    }

    fn dfa(&mut self, language: &Language) -> Result<usize, String> {
        if let Some(at) = self.languages.get(language) {
            return Ok(*at);
        }
        let machine = self.cache.language(language).map_err(|error| error.to_string())?;
        let at = self.dfas.len();
        self.dfas.push(machine.over(&self.alphabet));
        self.languages.insert(language.clone(), at);
        Ok(at)
    }

    /// The language as it reads values whose characters are written differently.
    fn reading(&mut self, dfa: usize, escapes: &Escapes) -> usize {
        if escapes.is_empty() {
            return dfa;
        }
        if let Some(at) = self.reading.get(&(dfa, escapes.clone())) {
            return *at;
        }
        let written: Vec<(Symbol, &str)> =
            escapes.iter().map(|(from, to)| (self.alphabet.symbol(*from), to.as_str())).collect();
        let Some(read) = self.dfas.get(dfa).map(|dfa| dfa.reading(&written, &self.alphabet)) else {
            return dfa;
        };
        let at = self.dfas.len();
        self.dfas.push(read);
        self.reading.insert((dfa, escapes.clone()), at);
        at
    }

    /// Runs a language over the texts that it is about, and notes from where it meets each part.
    fn run(&mut self, dfa: usize, place: usize, looks: &Looks) -> Result<(), String> {
        if let Some(key) = &looks.request {
            let probe = Probe { dfa, read: dfa, from: Dfa::START, suffix: String::new(), last: true };
            let at = add(self.request_probes.entry(key.clone()).or_default(), probe);
            self.owns(place, Subject::Request(key.clone()), at);
            return Ok(());
        }
        looks.flats.iter().try_for_each(|flat| self.run_over(dfa, place, flat))
    }

    fn owns(&mut self, place: usize, subject: Subject, probe: usize) {
        if let Some(own) = self.own.get_mut(place)
            && !own.contains(&(subject.clone(), probe))
        {
            own.push((subject, probe));
        }
    }

    fn run_over(&mut self, dfa: usize, place: usize, flat: &Flat) -> Result<(), String> {
        let mut states = BTreeSet::from([Dfa::START]);
        for (at, piece) in flat.iter().enumerate() {
            if let FlatPiece::Literal(text) = piece
                && let Some(dfa) = self.dfas.get(dfa)
            {
                states = states.iter().map(|state| dfa.run(*state, text, &self.alphabet)).collect();
            }
            let FlatPiece::Part { part, escapes } = piece else { continue };
            let rest = flat.get(at.saturating_add(1)..).unwrap_or_default();
            let (suffix, last) = match rest {
                [] => ("", true),
                [FlatPiece::Literal(text)] => (text.as_str(), true),
                [FlatPiece::Literal(text), ..] => (text.as_str(), false),
                _ => ("", false),
            };
            let read = self.reading(dfa, escapes);
            // Where nothing leads out, all values are the same.
            let open = |state: &DfaState| self.dfas.get(dfa).is_some_and(|dfa| !dfa.is_final(*state));
            let from: Vec<DfaState> = states.iter().copied().filter(open).collect();
            for from in from {
                let probe = Probe { dfa, read, from, suffix: suffix.to_owned(), last };
                let at = add(self.probes.entry(*part).or_default(), probe);
                self.owns(place, Subject::Part(*part), at);
            }
            states = self.reached(read, *part, states);
            if states.len() > MOST_STATES {
                return Err("a pattern can be gone through in too many ways".to_owned());
            }
        }
        Ok(())
    }

    /// Where values of a part lead a language, as it reads them, from some states.
    fn reached(&mut self, read: usize, part: PartId, from: BTreeSet<DfaState>) -> BTreeSet<DfaState> {
        let key = (read, part, from);
        if let Some(known) = self.ends.get(&key) {
            return known.clone();
        }
        let domains = self.domains_of(part);
        let Some(dfa) = self.dfas.get(read) else { return BTreeSet::new() };
        let ends: BTreeSet<DfaState> =
            domains.iter().flat_map(|domain| reached(dfa, &key.2, domain, &self.alphabet)).collect();
        self.ends.insert(key, ends.clone());
        ends
    }

    /// The languages of a part's texts.
    fn domains_of(&mut self, part: PartId) -> Vec<Rc<Dfa>> {
        let Some(part) = self.universe.part(part) else { return Vec::new() };
        part.kinds.iter().filter_map(Kind::text).filter_map(|expression| self.domain(expression)).collect()
    }

    fn domain(&mut self, expression: &str) -> Option<Rc<Dfa>> {
        if let Some(known) = self.domains.get(expression) {
            return Some(Rc::clone(known));
        }
        let dfa = Rc::new(self.cache.whole(expression).ok()?.over(&self.alphabet));
        self.domains.insert(expression.to_owned(), Rc::clone(&dfa));
        Some(dfa)
    }

    /// What is needed to say of a text of which class it is, and of classes which texts they are.
    fn languages(self, subjects: &[Subject], signatures: Vec<Vec<Option<Signature>>>) -> Languages {
        let probes = subjects.iter().map(|subject| self.probes_of(subject).to_vec()).collect();
        Languages { alphabet: self.alphabet, dfas: self.dfas, domains: self.domains, probes, signatures }
    }

    /// The probes that run over something.
    fn probes_of(&self, subject: &Subject) -> &[Probe] {
        let probes = match subject {
            Subject::Part(part) => self.probes.get(part),
            Subject::Request(key) => self.request_probes.get(key),
            Subject::Time => None,
        };
        probes.map_or(&[], Vec::as_slice)
    }

    /// What the probes say of each class of a dimension; nothing of what is no text.
    fn signatures(&self, dimension: &Dimension) -> Vec<Option<Signature>> {
        let probes = self.probes_of(&dimension.subject);
        let reader = Reader { alphabet: &self.alphabet, dfas: &self.dfas, probes };
        let text = |class: &Class| class.value.as_ref().and_then(|value| value.as_str().map(str::to_owned));
        dimension.classes.iter().map(|class| text(class).map(|text| reader.signature(&text))).collect()
    }

    /// What a leaf depends on, given the rules of claims that it may look at.
    fn scope(
        &self,
        leaf: usize,
        rules: &[Looks],
        dimensions: &[Dimension],
        signatures: &[Vec<Option<Signature>>],
    ) -> Scope {
        let Some(looks) = self.looks.get(leaf).copied() else { return Scope::default() };
        let mut scope = Scope { claims: looks.claims.clone(), ..Scope::default() };
        scope.inexact.clone_from(&looks.needs.inexact);
        scope.inexact.extend(self.failed.get(&leaf).cloned());
        // Whatever decides which rule a claim follows from tells values apart for the leaf, too.
        let guarding = claims_under(self.universe, &looks.claims);
        let first = self.looks.len().saturating_sub(rules.len());
        let guards = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.claims.first().is_some_and(|claim| guarding.contains(claim)));
        let own: Vec<usize> =
            std::iter::once(leaf).chain(guards.map(|(at, _)| first.saturating_add(at))).collect();
        for (at, dimension) in dimensions.iter().enumerate() {
            if !looks.subjects.contains(&dimension.subject) {
                continue;
            }
            scope.support.push(at);
            let signatures = signatures.get(at).map_or(&[][..], Vec::as_slice);
            scope.kinds.push(self.kinds(looks, &own, dimension, signatures));
            let inexact = dimension.inexact.iter().filter(|why| !scope.inexact.contains(why));
            let inexact: Vec<String> = inexact.cloned().collect();
            scope.inexact.extend(inexact);
        }
        scope
    }

    /// Which classes of a dimension are the same to a leaf: texts that none of its own probes tells apart.
    fn kinds(
        &self,
        looks: &Looks,
        own: &[usize],
        dimension: &Dimension,
        signatures: &[Option<Signature>],
    ) -> Vec<usize> {
        let failed = own.iter().any(|at| self.failed.contains_key(at));
        let no_text = failed || !looks.needs.values.is_empty() || !looks.needs.inexact.is_empty();
        if no_text || dimension.subject == Subject::Time {
            return (0..dimension.classes.len()).collect();
        }
        let owned = own.iter().filter_map(|at| self.own.get(*at)).flatten();
        let owned = owned.filter(|(subject, _)| *subject == dimension.subject);
        let probes: BTreeSet<usize> = owned.map(|(_, probe)| *probe).collect();
        let mut kinds: HashMap<Result<Signature, usize>, usize> = HashMap::new();
        let mut kind = |(at, signature): (usize, &Option<Signature>)| {
            let said = |signature: &Signature| {
                probes.iter().filter_map(|probe| signature.get(*probe).copied()).collect()
            };
            let fresh = kinds.len();
            *kinds.entry(signature.as_ref().map(said).ok_or(at)).or_insert(fresh)
        };
        signatures.iter().enumerate().map(&mut kind).collect()
    }

    fn dimension(&mut self, subject: &Subject) -> Dimension {
        let mut inexact: Vec<String> = Vec::new();
        let mut values = Thresholds::default();
        let mut languages = 0_usize;
        for looks in self.looks {
            if looks.subjects.contains(subject) {
                values.append(&looks.needs.values);
                languages = languages.saturating_add(looks.needs.languages.len());
            }
        }
        match subject {
            Subject::Part(id) => self.part(*id, &values, inexact),
            Subject::Request(RequestKey::SourceIp) => {
                if languages > 0 {
                    inexact.push("an address that is compared as text is not reasoned about".to_owned());
                }
                // One of each version that is in no network, where there is one.
                values.others.extend(["198.51.100.7".to_owned(), "2001:db8::7".to_owned()]);
                plain(subject, values.others, inexact)
            }
            Subject::Time => {
                let mut times = values.times();
                times.push("2026-11-23T12:00:00Z".to_owned());
                plain(subject, times, inexact)
            }
            Subject::Request(key) => self.request(key, inexact),
        }
    }

    /// The values of something that the sender of the request chooses as text.
    fn request(&mut self, key: &RequestKey, mut inexact: Vec<String>) -> Dimension {
        let expression = expression_of(key);
        let usual = if *key == RequestKey::SessionName { "ci" } else { "aws-cli/1" };
        let part = Part::text(key.name(), expression, Some(usual.to_owned()));
        let probes = self.request_probes.get(key).cloned().unwrap_or_default();
        let classes = self.texts(&part, expression, &probes, &[], &mut inexact);
        Dimension { subject: Subject::Request(key.clone()), classes, inexact }
    }

    fn part(&mut self, id: PartId, thresholds: &Thresholds, mut inexact: Vec<String>) -> Dimension {
        let Some(part) = self.universe.part(id).cloned() else {
            return Dimension { subject: Subject::Part(id), classes: Vec::new(), inexact };
        };
        let probes = self.probes.get(&id).cloned().unwrap_or_default();
        let values = thresholds.texts();
        let mut classes = Vec::new();
        for kind in &part.kinds {
            match kind {
                Kind::Text(expression) => {
                    classes.extend(self.texts(&part, expression, &probes, &values, &mut inexact));
                }
                Kind::List(expression) => {
                    let items = self.texts(&part, expression, &probes, &values, &mut inexact);
                    classes.extend(lists(&items, &mut inexact));
                }
                Kind::Flag => classes.extend([true, false].map(|flag| Class::only(flag.into()))),
                Kind::Integer => classes.extend(integers(&part, &thresholds.integers())),
                Kind::Null => classes.push(Class::only(ClaimValue::Null)),
                Kind::Opaque(value) => {
                    inexact.push(format!("what `{}` can be is not known", part.name));
                    classes.push(Class { value: Some(value.clone()), only: false });
                }
            }
        }
        if part.optional {
            classes.push(Class { value: None, only: true });
            // A claim that only some tokens have is absent from the usual one.
            if part.usual().is_none() {
                classes.rotate_right(1);
            }
        }
        Dimension { subject: Subject::Part(id), classes, inexact }
    }

    /// The texts of a language that the probes tell apart.
    fn texts(
        &mut self,
        part: &Part,
        expression: &str,
        probes: &[Probe],
        values: &[String],
        inexact: &mut Vec<String>,
    ) -> Vec<Class> {
        let Some(domain) = self.domain(expression) else {
            inexact.push(format!("what `{}` can be is too much to reason about", part.name));
            return Vec::new();
        };
        let few = domain.few(&self.alphabet, FEW);
        if let Some(all) = few {
            return all.into_iter().map(|text| Class::only(ClaimValue::String(text))).collect();
        }
        let own = Own::new(part, values, &self.alphabet);
        let reader = Reader { alphabet: &self.alphabet, dfas: &self.dfas, probes };
        let found = reader.classes(&domain, self.candidates.of(&own));
        if found.cut_short {
            inexact.push(format!("`{}` falls into more than {MOST_CLASSES} classes", part.name));
        }
        let mut classes: Vec<Class> = Vec::new();
        for class in found.classes {
            classes.push(Class { value: Some(ClaimValue::String(class.text)), only: class.only });
        }
        // Numbers, times and the like: their values are told apart by something other than a language.
        let further = values.iter().filter(|value| domain.contains(value, &self.alphabet));
        for value in further {
            let value = Some(ClaimValue::String(value.clone()));
            if !classes.iter().any(|class| class.value == value) {
                classes.push(Class { value, only: true });
            }
        }
        if !values.is_empty() && !probes.is_empty() {
            inexact.push(format!("`{}` is compared as text and otherwise", part.name));
        }
        classes
    }
}

/// What something that the sender of the request chooses as text can be.
pub(crate) const fn expression_of(key: &RequestKey) -> &'static str {
    match key {
        RequestKey::SessionName => SESSION_NAME,
        _ => "(?s:.*)",
    }
}

/// One class for each value.
fn plain(subject: &Subject, mut values: Vec<String>, inexact: Vec<String>) -> Dimension {
    let mut seen = BTreeSet::new();
    values.retain(|value| seen.insert(value.clone()));
    let classes =
        values.into_iter().map(|value| Class { value: Some(ClaimValue::String(value)), only: false });
    Dimension { subject: subject.clone(), classes: classes.collect(), inexact }
}

/// Lists of items: none, and every choice of classes of items.
fn lists(items: &[Class], inexact: &mut Vec<String>) -> Vec<Class> {
    const MOST_ITEMS: usize = 6;
    if items.len() > MOST_ITEMS {
        inexact.push("a list has items of many classes".to_owned());
    }
    let few: Vec<&Class> = items.iter().take(MOST_ITEMS).collect();
    let mut lists: Vec<Class> = (0_u32..1 << few.len())
        .map(|bits| {
            let chosen = few.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
            let values: Vec<ClaimValue> = chosen.filter_map(|(_, class)| class.value.clone()).collect();
            let only = values.is_empty();
            Class { value: Some(ClaimValue::Array(values)), only }
        })
        .collect();
    // One item of the usual class is the usual list.
    if lists.len() > 1 {
        lists.swap(0, 1);
    }
    lists
}

fn integers(part: &Part, values: &[i64]) -> Vec<Class> {
    let usual = part.usual().cloned();
    let numbers = values.iter().copied().map(ClaimValue::from);
    let mut found: Vec<ClaimValue> = Vec::new();
    for value in usual.into_iter().filter(|value| value.as_str().is_none()).chain(numbers) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    if found.is_empty() {
        found.push(ClaimValue::from(1_i64));
    }
    found.into_iter().map(|value| Class { value: Some(value), only: false }).collect()
}

impl Class {
    const fn only(value: ClaimValue) -> Self {
        Self { value: Some(value), only: true }
    }
}

/// The coarsest alphabet for everything at hand.
fn alphabet(universe: &Universe, looks: &[&Looks], cache: &Cache) -> Alphabet {
    let mut cuts = Cuts::default();
    let mut domains: BTreeSet<&str> = BTreeSet::new();
    // What there is no automaton for is said where it is asked for.
    for look in looks {
        for machine in look.needs.languages.iter().filter_map(|language| cache.language(language).ok()) {
            machine.cut(&mut cuts);
        }
        for piece in look.flats.iter().flatten() {
            match piece {
                FlatPiece::Literal(text) => cuts.text(text),
                FlatPiece::Part { part, escapes } => {
                    for (from, to) in escapes {
                        cuts.character(*from);
                        cuts.text(to);
                    }
                    let kinds = universe.part(*part).into_iter().flat_map(|part| &part.kinds);
                    domains.extend(kinds.filter_map(Kind::text));
                }
            }
        }
        if look.request.is_some() {
            domains.insert(SESSION_NAME);
        }
    }
    for machine in domains.into_iter().filter_map(|expression| cache.whole(expression).ok()) {
        machine.cut(&mut cuts);
    }
    Alphabet::new(&cuts)
}
