//! Spaces: which dimensions there are, and which values of each are told apart.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use daypass_claims::ClaimValue;
use daypass_trust::Context;
use daypass_trust::form::{Atom, JoinPart, Piece as PatternPiece, RequestKey, Test, Variable};

use super::class::{MOST_CLASSES, Probe, Reader, reached};
use super::language::{Language, Needs};
use super::texts::{self, Flat, FlatPiece};
use super::{Class, Dimension, Formula, Hints, Languages, Leaf, Leaves, Scope, Space, Subject, plausible};
use crate::automaton::{Alphabet, Cuts, Dfa, STATES, expression_cuts, expression_dfa};
use crate::universe::{Kind, Part, PartId, Universe};

/// What a caller may call its session (AWS `RoleSessionName`).
const SESSION_NAME: &str = r"[A-Za-z0-9_+=,.@-]{2,64}";
/// A domain this small is taken value by value.
const FEW: usize = 24;

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
    pub(crate) fn new(universe: &'u Universe, mut leaves: Leaves, context: Context, hints: &Hints) -> Self {
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
        let mut build = Dimensions::new(universe, &all, hints);
        let dimensions: Vec<Dimension> = subjects.iter().map(|subject| build.dimension(subject)).collect();
        let mut scopes: Vec<Scope> =
            (0..looks.len()).map(|leaf| build.scope(leaf, &rules, &dimensions)).collect();
        let (order, levels) = order(&scopes, dimensions.len());
        for scope in &mut scopes {
            let mut both: Vec<(usize, Vec<usize>)> =
                scope.support.drain(..).zip(scope.kinds.drain(..)).collect();
            both.sort_by_key(|(dimension, _)| levels.get(*dimension).copied());
            (scope.support, scope.kinds) = both.into_iter().unzip();
        }
        let unknowns = leaves.unknowns().to_vec();
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
            unknowns,
            languages: build.languages(&subjects),
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
        flats: texts::of_claim(universe, claim),
        request: None,
    }
}

fn looks_of_atom(atom: &Atom, universe: &Universe) -> Looks {
    let test = super::language::without_tags(&atom.test, universe);
    let mut looks = Looks { needs: Needs::of_test(&test), ..Looks::default() };
    match &atom.variable {
        Variable::Claim(path) | Variable::Unverified { claim: path, .. } => {
            looks.claim(path.claim.as_str(), universe);
            match texts::of_path(universe, path) {
                Some(flats) => looks.flats = flats,
                None if atom.test == Test::Present => {}
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
                Some(flats) => looks.flats = flats,
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
    hints: Hints,
    alphabet: Alphabet,
    languages: Vec<(Language, usize)>,
    dfas: Vec<Dfa>,
    /// Texts of domains, by expression.
    domains: HashMap<String, Dfa>,
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
    fn new(universe: &'a Universe, looks: &'a [&'a Looks], hints: &Hints) -> Self {
        let mut this = Self {
            universe,
            looks,
            hints: hints.clone(),
            alphabet: alphabet(universe, looks),
            languages: Vec::new(),
            dfas: Vec::new(),
            domains: HashMap::new(),
            probes: HashMap::new(),
            request_probes: HashMap::new(),
            own: vec![Vec::new(); looks.len()],
            failed: HashMap::new(),
        };
        for looks in looks {
            for language in &looks.needs.languages {
                this.hints.words.extend(language.literals());
            }
        }
        this.hints.words.dedup();
        for (at, looks) in this.looks.iter().enumerate() {
            for language in &looks.needs.languages {
                match this.dfa(language) {
                    Ok(dfa) => this.run(dfa, at, looks),
                    Err(why) => {
                        this.failed.insert(at, why);
                    }
                }
            }
        }
        this
    }

    fn dfa(&mut self, language: &Language) -> Result<usize, String> {
        if let Some((_, at)) = self.languages.iter().find(|(known, _)| known == language) {
            return Ok(*at);
        }
        let dfa = language.dfa(&self.alphabet).map_err(|error| error.to_string())?;
        let at = self.dfas.len();
        self.dfas.push(dfa);
        self.languages.push((language.clone(), at));
        Ok(at)
    }

    /// Runs a language over the texts that it is about, and notes from where it meets each part.
    fn run(&mut self, dfa: usize, place: usize, looks: &Looks) {
        if let Some(key) = &looks.request {
            let from = self.dfas.get(dfa).map_or(0, Dfa::start);
            let probe = Probe { dfa, from, escapes: Vec::new(), suffix: String::new(), last: true };
            let at = add(self.request_probes.entry(key.clone()).or_default(), probe);
            self.owns(place, Subject::Request(key.clone()), at);
            return;
        }
        for flat in &looks.flats {
            self.run_over(dfa, place, flat);
        }
    }

    fn owns(&mut self, place: usize, subject: Subject, probe: usize) {
        if let Some(own) = self.own.get_mut(place)
            && !own.contains(&(subject.clone(), probe))
        {
            own.push((subject, probe));
        }
    }

    fn run_over(&mut self, dfa: usize, place: usize, flat: &Flat) {
        let Some(start) = self.dfas.get(dfa).map(Dfa::start) else { return };
        let mut states = BTreeSet::from([start]);
        for (at, piece) in flat.iter().enumerate() {
            match piece {
                FlatPiece::Literal(text) => {
                    let Some(dfa) = self.dfas.get(dfa) else { return };
                    states = states.iter().map(|state| dfa.run(*state, text, &self.alphabet)).collect();
                }
                FlatPiece::Part { part, escapes } => {
                    let rest = flat.get(at.saturating_add(1)..).unwrap_or_default();
                    let (suffix, last) = match rest {
                        [] => (String::new(), true),
                        [FlatPiece::Literal(text)] => (text.clone(), true),
                        [FlatPiece::Literal(text), ..] => (text.clone(), false),
                        _ => (String::new(), false),
                    };
                    let domains = self.domains_of(*part);
                    let mut next = BTreeSet::new();
                    for from in &states {
                        let probe = Probe {
                            dfa,
                            from: *from,
                            escapes: escapes.clone(),
                            suffix: suffix.clone(),
                            last,
                        };
                        let at = add(self.probes.entry(*part).or_default(), probe);
                        self.owns(place, Subject::Part(*part), at);
                        let Some(dfa) = self.dfas.get(dfa) else { return };
                        for domain in &domains {
                            next.extend(reached(dfa, *from, escapes, domain, &self.alphabet));
                        }
                    }
                    states = next;
                }
            }
        }
    }

    /// The languages of a part's texts.
    fn domains_of(&mut self, part: PartId) -> Vec<Dfa> {
        let Some(part) = self.universe.part(part) else { return Vec::new() };
        let expressions: Vec<String> = part.kinds.iter().filter_map(Kind::text).collect();
        expressions.iter().filter_map(|expression| self.domain(expression)).collect()
    }

    fn domain(&mut self, expression: &str) -> Option<Dfa> {
        if let Some(known) = self.domains.get(expression) {
            return Some(known.clone());
        }
        let dfa = expression_dfa(expression, &self.alphabet, STATES).ok()?;
        self.domains.insert(expression.to_owned(), dfa.clone());
        Some(dfa)
    }

    /// What is needed to say of a text of which class it is, and of classes which texts they are.
    fn languages(self, subjects: &[Subject]) -> Languages {
        let probes = subjects.iter().map(|subject| match subject {
            Subject::Part(part) => self.probes.get(part).cloned().unwrap_or_default(),
            Subject::Request(key) => self.request_probes.get(key).cloned().unwrap_or_default(),
            Subject::Time => Vec::new(),
        });
        let probes = probes.collect();
        Languages { alphabet: self.alphabet, dfas: self.dfas, domains: self.domains, probes }
    }

    /// What a leaf depends on, given the rules of claims that it may look at.
    fn scope(&self, leaf: usize, rules: &[Looks], dimensions: &[Dimension]) -> Scope {
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
            scope.kinds.push(self.kinds(looks, &own, dimension));
            let inexact = dimension.inexact.iter().filter(|why| !scope.inexact.contains(why));
            let inexact: Vec<String> = inexact.cloned().collect();
            scope.inexact.extend(inexact);
        }
        scope
    }

    /// Which classes of a dimension are the same to a leaf: texts that none of its own probes tells apart.
    fn kinds(&self, looks: &Looks, own: &[usize], dimension: &Dimension) -> Vec<usize> {
        let each = || (0..dimension.classes.len()).collect();
        if !looks.needs.values.is_empty() || !looks.needs.inexact.is_empty() {
            return each();
        }
        let known = match &dimension.subject {
            Subject::Part(part) => self.probes.get(part),
            Subject::Request(key) => self.request_probes.get(key),
            Subject::Time => return each(),
        };
        let owned = own.iter().filter_map(|at| self.own.get(*at)).flatten();
        let owned = owned.filter(|(subject, _)| *subject == dimension.subject);
        let probes: BTreeSet<usize> = owned.map(|(_, probe)| *probe).collect();
        let probes: Vec<Probe> =
            probes.iter().filter_map(|at| known.and_then(|known| known.get(*at))).cloned().collect();
        let reader = Reader { alphabet: &self.alphabet, dfas: &self.dfas, probes: &probes };
        let mut kinds: HashMap<Result<Vec<u32>, usize>, usize> = HashMap::new();
        let mut kind = |(at, class): (usize, &Class)| {
            let key = match &class.value {
                Some(ClaimValue::String(text)) => Ok(reader.signature(text)),
                _ => Err(at),
            };
            let fresh = kinds.len();
            *kinds.entry(key).or_insert(fresh)
        };
        dimension.classes.iter().enumerate().map(&mut kind).collect()
    }

    fn dimension(&mut self, subject: &Subject) -> Dimension {
        let mut inexact: Vec<String> = Vec::new();
        let mut values: Vec<String> = Vec::new();
        let mut languages = 0_usize;
        for looks in self.looks {
            if looks.subjects.contains(subject) {
                values.extend(looks.needs.values.iter().cloned());
                languages = languages.saturating_add(looks.needs.languages.len());
            }
        }
        match subject {
            Subject::Part(id) => self.part(*id, &values, inexact),
            Subject::Request(RequestKey::SourceIp) => {
                if languages > 0 {
                    inexact.push("an address that is compared as text is not reasoned about".to_owned());
                }
                values.push("198.51.100.7".to_owned());
                plain(subject, values, inexact)
            }
            Subject::Time => {
                values.push("2026-11-23T12:00:00Z".to_owned());
                plain(subject, values, inexact)
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

    fn part(&mut self, id: PartId, values: &[String], mut inexact: Vec<String>) -> Dimension {
        let Some(part) = self.universe.part(id).cloned() else {
            return Dimension { subject: Subject::Part(id), classes: Vec::new(), inexact };
        };
        let probes = self.probes.get(&id).cloned().unwrap_or_default();
        let mut classes = Vec::new();
        for kind in &part.kinds {
            match kind {
                Kind::Text(expression) => {
                    classes.extend(self.texts(&part, expression, &probes, values, &mut inexact));
                }
                Kind::List(expression) => {
                    let items = self.texts(&part, expression, &probes, values, &mut inexact);
                    classes.extend(lists(&items, &mut inexact));
                }
                Kind::Flag => classes.extend([true, false].map(|flag| Class::only(flag.into()))),
                Kind::Integer => classes.extend(integers(&part, values)),
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
        let mut wanted = plausible::candidates(part, &self.hints);
        wanted.extend(values.iter().cloned());
        let reader = Reader { alphabet: &self.alphabet, dfas: &self.dfas, probes };
        let found = reader.classes(&domain, &wanted);
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
    values.dedup();
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

fn integers(part: &Part, values: &[String]) -> Vec<Class> {
    let usual = part.usual().cloned();
    let numbers = values.iter().filter_map(|value| value.parse::<i64>().ok()).map(ClaimValue::from);
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
fn alphabet(universe: &Universe, looks: &[&Looks]) -> Alphabet {
    let mut cuts = Cuts::default();
    for look in looks {
        for language in &look.needs.languages {
            // What there is no automaton for is said where it is built.
            language.cuts(&mut cuts).ok();
        }
        for flat in &look.flats {
            for piece in flat {
                match piece {
                    FlatPiece::Literal(text) => cuts.text(text),
                    FlatPiece::Part { part, escapes } => {
                        for (from, to) in escapes {
                            cuts.character(*from);
                            cuts.text(to);
                        }
                        for kind in universe.part(*part).into_iter().flat_map(|part| &part.kinds) {
                            if let Some(expression) = kind.text() {
                                expression_cuts(&expression, &mut cuts).ok();
                            }
                        }
                    }
                }
            }
        }
        if look.request.is_some() {
            expression_cuts(SESSION_NAME, &mut cuts).ok();
        }
    }
    Alphabet::new(&cuts)
}
