//! The engine: finds policies and pipelines, has each looked at, and puts together what was found.
//!
//! [`check`] does it all in one thread. Whoever has more cores calls [`gather`], [`Work::policy`] and [`Work::pipeline`] for each
//! item wherever they like, and [`Work::finish`].

use std::collections::BTreeMap;

use daypass_pipelines::yaml::YamlError;
use daypass_pipelines::{Pipeline, Platform, Role as FileRole};
use daypass_sources::{EntryKind, FILE_LIMIT, FileTree, Found, FoundPolicy, find};
use daypass_trust::Dialect;
use daypass_trust::dialect::Compiled;
use daypass_trust::dialect::vault;
use daypass_trust::document::{Location, Problem, Source, Span};
use daypass_trust::form::Policy;

use crate::pipeline_view::{PipelineView, Surroundings};
use crate::report::{Report, Row};
use crate::review::Trust;
use crate::roles::Role;
use crate::rules::{RULES, refused};
use crate::view::{View, surroundings, take_issuers_from_keys};
use crate::{Confidence, Finding, Options, ignore};

/// Folders that hold other people's code, or what was made from one's own.
const SKIPPED: [&str; 7] =
    [".git", ".hg", ".terraform", ".terragrunt-cache", "node_modules", "target", "vendor"];
/// How deep folders are followed.
const DEPTH_LIMIT: usize = 64;
/// The largest pipeline file that is read, in bytes.
const PIPELINE_LIMIT: usize = 4 * 1_024 * 1_024;

/// What there is to look at.
#[derive(Debug, Default)]
pub struct Work {
    found: Found,
    pipelines: Vec<String>,
}

/// What looking at one policy or pipeline came to.
#[derive(Debug, Default)]
pub struct Checked {
    findings: Vec<Finding>,
    row: Option<Row>,
    /// The policy, by its index in the work.
    policy: Option<(usize, Policy)>,
    prover: daypass_prove::Options,
    problems: Vec<Problem>,
    source: Option<Source>,
    is_pipeline: bool,
}

/// Checks files and folders.
pub fn check(tree: &dyn FileTree, paths: &[&str], options: &Options) -> Report {
    let work = gather(tree, paths);
    let policies = (0..work.policies()).map(|index| work.policy(index, options));
    let mut checked: Vec<Checked> = policies.collect();
    checked.extend((0..work.pipelines()).map(|index| work.pipeline(index, tree)));
    work.finish(checked)
}

/// Finds what there is to look at.
pub fn gather(tree: &dyn FileTree, paths: &[&str]) -> Work {
    let mut pipelines = Vec::new();
    for path in paths {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        let path = if path == "." { "" } else { path };
        walk(tree, path, 0, &mut pipelines);
    }
    pipelines.sort();
    pipelines.dedup();
    Work { found: find(paths, tree), pipelines }
}

fn walk(tree: &dyn FileTree, path: &str, depth: usize, pipelines: &mut Vec<String>) {
    let Ok(mut entries) = tree.list(path) else {
        if may_be_pipeline(path) {
            pipelines.push(path.to_owned());
        }
        return;
    };
    if depth >= DEPTH_LIMIT {
        return;
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    for entry in entries {
        let inner = if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
        match entry.kind {
            EntryKind::Folder if SKIPPED.contains(&entry.name.as_str()) => {}
            EntryKind::Folder => walk(tree, &inner, depth.saturating_add(1), pipelines),
            EntryKind::File if may_be_pipeline(&inner) => pipelines.push(inner),
            EntryKind::File => {}
        }
    }
}

/// Whether a file's name is like that of a pipeline. Its content has the last word.
fn may_be_pipeline(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "yml" | "yaml" | "groovy" | "jenkinsfile") || name.starts_with("jenkinsfile")
}

impl Work {
    /// How many policies there are.
    pub fn policies(&self) -> usize {
        self.found.policies.len()
    }

    /// How many files may be pipelines.
    pub fn pipelines(&self) -> usize {
        self.pipelines.len()
    }

    /// Looks at one policy.
    pub fn policy(&self, index: usize, options: &Options) -> Checked {
        let Some(found) = self.found.policies.get(index) else { return Checked::default() };
        let source = Some(found.source.clone());
        let mut compiled = match found.compile() {
            Ok(compiled) => compiled,
            Err(error) => return Checked { findings: refused(found, &error), source, ..Checked::default() },
        };
        let taken = take_issuers_from_keys(&mut compiled.policy);
        let view = View::of(found, &compiled, options, taken.as_ref());
        let mut findings = by_rules(&view);
        if is_undecided(&view) {
            findings = where_the_server_is_lenient(found, options).unwrap_or(findings);
        }
        let row = Row {
            role: found.role.clone(),
            dialect: found.dialect.as_str(),
            location: found.location.clone(),
            dead: view.dead.clone(),
            personas: view.personas.clone(),
        };
        let prover = view.prover.clone();
        Checked {
            findings,
            row: Some(row),
            policy: Some((index, compiled.policy)),
            prover,
            source,
            ..Checked::default()
        }
    }

    /// Looks at one file that may be a pipeline.
    pub fn pipeline(&self, index: usize, tree: &dyn FileTree) -> Checked {
        let Some(path) = self.pipelines.get(index) else { return Checked::default() };
        let limit = PIPELINE_LIMIT.min(FILE_LIMIT);
        let bytes = match tree.read(path, limit) {
            Ok(bytes) => bytes,
            Err(error) => {
                let problem =
                    Problem::new(&Source::new(path.as_str(), ""), Span::default(), error.to_string());
                return Checked { problems: vec![problem], ..Checked::default() };
            }
        };
        let Some(platform) = daypass_pipelines::recognise(path, &bytes) else { return Checked::default() };
        if platform == Platform::Terraform {
            return Checked::default();
        }
        let source = Source::new(path.as_str(), String::from_utf8_lossy(&bytes).into_owned());
        match daypass_pipelines::read_as(platform, path, &bytes, &Surroundings { tree, path }) {
            Ok(pipeline) => Checked {
                findings: of_pipeline(&pipeline, &source),
                source: Some(source),
                is_pipeline: true,
                ..Checked::default()
            },
            Err(error) => {
                Checked { problems: unreadable(&source, &error), source: Some(source), ..Checked::default() }
            }
        }
    }

    /// The policies that can be compiled, with what the prover is to know of each.
    pub(crate) fn trusts(&self, options: &Options) -> Vec<Trust<'_>> {
        let compiled = self.found.policies.iter().filter_map(|found| Some((found, found.compile().ok()?)));
        let trust = |(found, compiled): (_, Compiled)| {
            let (prover, _) = surroundings(found, &compiled, options);
            Trust { found, policy: compiled.policy, prover }
        };
        compiled.map(trust).collect()
    }

    /// The line that the role of a finding is declared on, if it is in the same file.
    fn declared(&self, finding: &Finding) -> Option<usize> {
        let places = self.found.policies.iter().filter(|it| it.role == finding.role).map(|it| &it.location);
        places.into_iter().find(|place| place.file == finding.file).map(|place| place.line)
    }

    /// Puts together what was found, in the order of the files.
    pub fn finish(&self, checked: Vec<Checked>) -> Report {
        let mut report = Report {
            policies: self.found.policies.len(),
            unresolved: self.found.unresolved.clone(),
            problems: self.found.problems.clone(),
            ..Report::default()
        };
        let roles: Vec<Role<'_>> = checked
            .iter()
            .filter_map(|one| {
                let (index, policy) = one.policy.as_ref()?;
                Some(Role { found: self.found.policies.get(*index)?, policy, options: &one.prover })
            })
            .collect();
        report.findings.extend(RULES.iter().flat_map(|rule| rule.on_roles(&roles)));
        for one in checked {
            report.findings.extend(one.findings);
            report.matrix.extend(one.row);
            report.problems.extend(one.problems);
            report.pipelines = report.pipelines.saturating_add(usize::from(one.is_pipeline));
            if let Some(source) = one.source {
                report.sources.insert(source.name().into(), source);
            }
        }
        let sources: Vec<Source> = report.sources.values().cloned().collect();
        ignore::apply(&mut report, &sources, &|finding| self.declared(finding));
        report.findings.sort_by(|a, b| {
            let place = |it: &Finding| (it.file.clone(), it.line, it.column);
            (place(a), a.rule, &a.role).cmp(&(place(b), b.rule, &b.role))
        });
        number(&mut report.findings);
        report.matrix.sort_by(|a, b| (&a.location, &a.role).cmp(&(&b.location, &b.role)));
        report.problems.sort_by(|a, b| (&a.location, &a.message).cmp(&(&b.location, &b.message)));
        // A file that is named may be read as a policy and as a pipeline, and stumbled over twice.
        report.problems.dedup_by(|two, one| one.location == two.location);
        let Report { findings, problems, sources, .. } = &mut report;
        sources.retain(|name, _| {
            findings.iter().any(|it| it.file == *name) || problems.iter().any(|it| it.location.file == *name)
        });
        report
    }
}

/// Findings that have all else in common are told apart by their order.
fn number(findings: &mut [Finding]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for finding in findings {
        let count = seen.entry(finding.fingerprint.clone()).or_default();
        *count = count.saturating_add(1);
        if *count > 1 {
            finding.fingerprint.push_str(&format!("#{count}"));
        }
    }
}

fn of_pipeline(pipeline: &Pipeline, source: &Source) -> Vec<Finding> {
    // Steps that other files use are judged where they are used.
    if pipeline.role == FileRole::Action {
        return Vec::new();
    }
    let view = PipelineView { pipeline, source };
    RULES.iter().flat_map(|rule| rule.on_pipeline(&view)).collect()
}

fn unreadable(source: &Source, error: &daypass_pipelines::ReadError) -> Vec<Problem> {
    use daypass_pipelines::ReadError;
    let (location, message) = match error {
        ReadError::NotAPipeline(_) => return Vec::new(),
        ReadError::Yaml(error) => {
            let (place, text) = (yaml_place(error, source), error.to_string());
            // The place is said once, by whoever shows the problem.
            let said = [format!("{place}: "), format!("{}: ", place.file)];
            let text = said.iter().find_map(|said| text.strip_prefix(said.as_str())).unwrap_or(&text);
            (place, text.to_owned())
        }
        ReadError::NotAMapping(location) => (location.clone(), "a pipeline is a mapping".to_owned()),
    };
    let problem = Problem::new(source, Span::default(), message);
    vec![Problem { location, ..problem }]
}

/// Where a YAML reader gave up.
fn yaml_place(error: &YamlError, source: &Source) -> Location {
    match error {
        YamlError::TooLarge { .. } => source.locate(0),
        YamlError::NotUtf8(at)
        | YamlError::Cycle(at)
        | YamlError::Syntax { at, .. }
        | YamlError::TooDeep { at, .. }
        | YamlError::TooMany { at, .. } => at.clone(),
    }
}

fn by_rules(view: &View<'_>) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| rule.on_policy(view)).collect()
}

fn is_undecided(view: &View<'_>) -> bool {
    view.dead.as_ref().is_some_and(|dead| dead.answer == daypass_prove::Verdict::Unknown)
}

/// What is found about a role of Vault that leaves to the server whether a token may have any audience, if the server lets it.
fn where_the_server_is_lenient(found: &FoundPolicy, options: &Options) -> Option<Vec<Finding>> {
    if found.dialect != Dialect::Vault || found.options.vault.is_some() {
        return None;
    }
    let mut lenient = found.clone();
    lenient.options.vault = Some(vault::Server::VaultBefore117);
    let compiled = lenient.compile().ok()?;
    let view = View::of(&lenient, &compiled, options, None);
    let mut findings = by_rules(&view);
    for finding in &mut findings {
        finding.confidence = finding.confidence.min(Confidence::Medium);
        finding.why.push(
            "Vault before 1.17 and OpenBao let a token of any audience use a role without `bound_audiences`; \
             Vault from 1.17 refuses it"
                .to_owned(),
        );
    }
    view.is_open().then_some(findings)
}
