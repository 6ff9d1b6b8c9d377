//! Jenkinsfiles, declarative ones first of all: a stage is a job.
//!
//! Groovy is a programming language and is not run here. What is read is text: balanced braces of `stage`,
//! `environment`, `agent`, `withCredentials` and the like, with strings and comments skipped. A credential that a script
//! computes, or that a shared library fetches, is not seen.

use std::sync::Arc;

use daypass_issuers::ValueSet;
use daypass_trust::document::Span;

use crate::condition::glob;
use crate::{
    Condition, Fact, IdToken, Image, Job, Note, Pipeline, Place, Platform, Role, Runner, Scope, Step, Style,
    Text, Trigger, Uses, Variable, Who,
};

/// Blocks within blocks.
const DEPTH: usize = 64;
/// Bytes of a file, and blocks in it.
const BYTES: usize = 1024 * 1024;
const BLOCKS: usize = 20_000;

/// Reads a Jenkinsfile. Nothing in it is an error: what is not recognised is left out.
pub(crate) fn read(file: &Arc<str>, text: &str) -> Pipeline {
    let cut = text.len().min(BYTES);
    let text = text.get(..cut).or_else(|| text.get(..cut.saturating_sub(3))).unwrap_or_default();
    let source = Source { file, text, lines: line_starts(text) };
    let mut blocks = Vec::new();
    let mut scanner = Scanner { text, at: 0, count: 0 };
    scanner.blocks(&mut blocks, 0);
    let mut reader = Reader { source: &source, jobs: Vec::new(), env: Vec::new(), notes: Vec::new() };
    reader.block_list(&blocks, None, &Condition::Always);
    if !text.contains("pipeline") && text.contains("node") {
        let what = "a scripted pipeline is a program: only its plain calls are read".to_owned();
        reader.notes.push(Note { place: source.place(Span::new(0, 0)), what });
    }
    let whole = source.place(Span::new(0, text.len()));
    if reader.jobs.is_empty() {
        let name = Text::plain("pipeline", whole.clone());
        let job = reader.job(&name, Span::new(0, text.len()), &blocks, Condition::Always);
        reader.jobs.push(job);
    }
    let trigger = |event: &str, who: Who| Trigger {
        event: Text::plain(event, whole.clone()),
        who,
        branches: ValueSet::Any,
        tags: ValueSet::Any,
        types: Vec::new(),
        paths: false,
    };
    Pipeline {
        platform: Platform::Jenkins,
        file: Arc::clone(file),
        role: Role::Pipeline,
        name: None,
        triggers: vec![trigger("build", Who::Writer)],
        env: reader.env,
        permissions: None,
        jobs: reader.jobs,
        notes: reader.notes,
    }
}

struct Source<'t> {
    file: &'t Arc<str>,
    text: &'t str,
    lines: Vec<usize>,
}

impl Source<'_> {
    fn place(&self, span: Span) -> Place {
        let line = self.lines.partition_point(|start| *start <= span.start);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column =
            self.text.get(start..span.start).map_or(1, |text| text.chars().count().saturating_add(1));
        Place { file: Arc::clone(self.file), span, line, column }
    }

    fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The text of a span without its quotes.
    fn unquoted(&self, span: Span) -> Text {
        let written = self.slice(span);
        let (marks, style) = [
            ("'''", Style::Literal),
            ("\"\"\"", Style::Literal),
            ("'", Style::SingleQuoted),
            ("\"", Style::DoubleQuoted),
        ]
        .into_iter()
        .find(|(mark, _)| written.starts_with(mark))
        .unwrap_or(("", Style::Plain));
        let inner = written.strip_prefix(marks).and_then(|rest| rest.strip_suffix(marks)).unwrap_or(written);
        let place = self.place(span);
        Text { value: Arc::from(inner), first_line: place.line, place, style }
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let breaks =
        text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at.saturating_add(1));
    std::iter::once(0).chain(breaks).collect()
}

/// `words(...) { ... }`, or a statement without braces.
#[derive(Debug)]
struct Block {
    /// What stands before the braces, or the statement.
    head: Span,
    /// What is inside; `None` for a statement.
    body: Option<Span>,
    inner: Vec<Block>,
}

/// Takes a text apart at braces, semicolons and line ends outside of strings, comments and brackets.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
    count: usize,
}

impl Scanner<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at.saturating_add(ahead)).copied().unwrap_or_default()
    }

    fn starts(&self, wanted: &str) -> bool {
        self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(wanted.as_bytes()))
    }

    fn step(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.text.len());
    }

    fn skip_past(&mut self, wanted: &str) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let found = rest.windows(wanted.len().max(1)).position(|window| window == wanted.as_bytes());
        self.at =
            found.map_or(self.text.len(), |found| self.at.saturating_add(found).saturating_add(wanted.len()));
    }

    /// Skips a string that begins here; whether one did.
    fn string(&mut self) -> bool {
        for mark in ["'''", "\"\"\""] {
            if self.starts(mark) {
                self.step(3);
                self.skip_past(mark);
                return true;
            }
        }
        let quote = self.byte(0);
        if !matches!(quote, b'\'' | b'"') {
            return false;
        }
        self.step(1);
        while self.at < self.text.len() {
            match self.byte(0) {
                b'\\' => self.step(2),
                b'\n' => return true,
                byte if byte == quote => {
                    self.step(1);
                    return true;
                }
                _ => self.step(1),
            }
        }
        true
    }

    fn blocks(&mut self, found: &mut Vec<Block>, depth: usize) {
        let mut start = self.at;
        let mut brackets = 0_usize;
        while self.at < self.text.len() && self.count < BLOCKS {
            if self.starts("//") {
                self.skip_past("\n");
                start = if brackets == 0 { self.at } else { start };
                continue;
            }
            if self.starts("/*") {
                self.skip_past("*/");
                continue;
            }
            if self.string() {
                continue;
            }
            match self.byte(0) {
                b'(' | b'[' => brackets = brackets.saturating_add(1),
                b')' | b']' => brackets = brackets.saturating_sub(1),
                b'{' if depth < DEPTH => {
                    let head = Span::new(start, self.at);
                    self.step(1);
                    self.count = self.count.saturating_add(1);
                    let from = self.at;
                    let mut inner = Vec::new();
                    self.blocks(&mut inner, depth.saturating_add(1));
                    let body = Span::new(from, self.at.saturating_sub(1).max(from));
                    found.push(Block { head, body: Some(body), inner });
                    start = self.at;
                    brackets = 0;
                    continue;
                }
                b'}' if depth > 0 => {
                    self.statement(start, found);
                    self.step(1);
                    return;
                }
                b'\n' | b';' if brackets == 0 => {
                    self.statement(start, found);
                    self.step(1);
                    start = self.at;
                    continue;
                }
                _ => {}
            }
            self.step(1);
        }
        self.statement(start, found);
    }

    fn statement(&mut self, start: usize, found: &mut Vec<Block>) {
        let written = self.text.get(start..self.at).unwrap_or_default();
        let trimmed = written.trim_start();
        if !trimmed.trim_end().is_empty() {
            self.count = self.count.saturating_add(1);
            let from = start.saturating_add(written.len().saturating_sub(trimmed.len()));
            let to = from.saturating_add(trimmed.trim_end().len());
            found.push(Block { head: Span::new(from, to), body: None, inner: Vec::new() });
        }
    }
}

struct Reader<'s> {
    source: &'s Source<'s>,
    jobs: Vec<Job>,
    env: Vec<Variable>,
    notes: Vec<Note>,
}

impl Reader<'_> {
    fn head<'b>(&'b self, block: &Block) -> &'b str {
        self.source.slice(block.head).trim()
    }

    fn keyword<'b>(&'b self, block: &Block) -> &'b str {
        let head = self.head(block);
        let end = head.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(head.len());
        head.get(..end).unwrap_or_default()
    }

    fn block_list(&mut self, blocks: &[Block], runner: Option<&Runner>, condition: &Condition) {
        for block in blocks {
            match self.keyword(block) {
                "pipeline" | "stages" | "node" | "parallel" | "matrix" | "timestamps" | "ansiColor"
                | "timeout" => {
                    let found = self.runner(&block.inner);
                    self.block_list(&block.inner, found.as_ref().or(runner), condition);
                }
                "environment" if self.jobs.is_empty() => {
                    let env = self.environment(&block.inner, Scope::Pipeline);
                    self.env.extend(env);
                }
                "stage" => {
                    let condition = condition.clone().and(self.when(&block.inner));
                    let nested = block
                        .inner
                        .iter()
                        .any(|inner| matches!(self.keyword(inner), "stages" | "parallel" | "stage"));
                    let name = self.name(block);
                    let span =
                        Span::new(block.head.start, block.body.map_or(block.head.end, |body| body.end));
                    let mut job = self.job(&name, span, &block.inner, condition.clone());
                    if let (Runner::Unknown, Some(runner)) = (&job.runner, runner) {
                        job.runner = runner.clone();
                    }
                    if !nested || !job.steps.is_empty() || !job.env.is_empty() {
                        self.jobs.push(job);
                    }
                    if nested {
                        self.block_list(&block.inner, runner, &condition);
                    }
                }
                _ => {}
            }
        }
    }

    /// The first quoted text of a head: `stage('Deploy')`.
    fn name(&self, block: &Block) -> Text {
        match strings(self.source, block.head).into_iter().next() {
            Some(name) => name,
            None => Text::plain(self.keyword(block), self.source.place(block.head)),
        }
    }

    fn job(&self, name: &Text, span: Span, inner: &[Block], condition: Condition) -> Job {
        let mut steps = Vec::new();
        let mut env = Vec::new();
        self.walk(inner, &[], &mut steps, &mut env);
        Job {
            id: name.clone(),
            name: None,
            place: self.source.place(span),
            via: Vec::new(),
            condition,
            environment: None,
            contexts: Vec::new(),
            id_token: IdToken::Unknown(
                "a credential of the OIDC plugin gives the token, which the file does not tell".to_owned(),
            ),
            permissions: None,
            requests: Vec::new(),
            calls: None,
            defined_in: None,
            steps,
            env,
            runner: self.runner(inner).unwrap_or(Runner::Unknown),
            images: self.images(inner),
            needs: Vec::new(),
            matrix: Vec::new(),
        }
    }

    /// Steps of a stage: `sh`, `withCredentials` and other calls, in blocks of whatever kind.
    fn walk(&self, blocks: &[Block], bound: &[Variable], steps: &mut Vec<Step>, env: &mut Vec<Variable>) {
        for block in blocks {
            match self.keyword(block) {
                "environment" => env.extend(self.environment(&block.inner, Scope::Job)),
                "stages" | "parallel" | "stage" | "when" | "agent" | "tools" | "options" | "parameters" => {}
                "withCredentials" => {
                    let credentials = bindings(self.source, block.head);
                    let name = Text::plain("withCredentials", self.source.place(block.head));
                    for (kind, inputs) in credentials {
                        let uses = Uses {
                            text: kind.clone(),
                            name: format!("withcredentials/{}", kind.as_str().to_ascii_lowercase()),
                            version: None,
                        };
                        steps.push(Step { uses: Some(uses), inputs, ..step(&name) });
                    }
                    self.walk(&block.inner, bound, steps, env);
                }
                "withEnv" => {
                    let mut all = bound.to_vec();
                    all.extend(strings(self.source, block.head).iter().filter_map(assignment));
                    self.walk(&block.inner, &all, steps, env);
                }
                "sh" | "bat" | "powershell" | "pwsh" => {
                    let Some(script) =
                        strings(self.source, block.head).into_iter().max_by_key(|text| text.value.len())
                    else {
                        continue;
                    };
                    steps.push(Step { env: bound.to_vec(), scripts: vec![script.clone()], ..step(&script) });
                }
                "" => {}
                keyword
                    if block.body.is_some()
                        || self.head(block).contains("Credential")
                        || self.head(block).contains("redential") =>
                {
                    let inputs = named(self.source, block.head);
                    if !inputs.is_empty() {
                        let text = Text::plain(keyword, self.source.place(block.head));
                        let uses =
                            Uses { text: text.clone(), name: keyword.to_ascii_lowercase(), version: None };
                        steps.push(Step { uses: Some(uses), inputs, ..step(&text) });
                    }
                    self.walk(&block.inner, bound, steps, env);
                }
                _ => self.assigned_script(block, bound, steps),
            }
        }
    }

    /// `def x = sh(script: '...', returnStdout: true)`.
    fn assigned_script(&self, block: &Block, bound: &[Variable], steps: &mut Vec<Step>) {
        let head = self.head(block);
        if head.contains("sh(") || head.contains("sh \"") || head.contains("sh '") {
            let found = strings(self.source, block.head).into_iter().max_by_key(|text| text.value.len());
            steps.extend(found.map(|script| Step {
                env: bound.to_vec(),
                scripts: vec![script.clone()],
                ..step(&script)
            }));
        }
    }

    /// `NAME = 'value'` and `NAME = credentials('id')`.
    fn environment(&self, blocks: &[Block], scope: Scope) -> Vec<Variable> {
        let mut found = Vec::new();
        for block in blocks {
            let written = self.source.slice(block.head);
            let Some((name, value)) = written.split_once('=') else { continue };
            let start = block.head.start;
            let name_span = Span::new(start, start.saturating_add(name.trim_end().len()));
            let skipped = written.len().saturating_sub(value.trim_start().len());
            let value_span = Span::new(start.saturating_add(skipped), block.head.end);
            let name = Text::plain(name.trim(), self.source.place(name_span));
            found.push(Variable { name, value: self.source.unquoted(value_span), scope });
        }
        found
    }

    /// `agent any`, `agent { label 'x' }`: a controller's machines are always its owner's.
    fn runner(&self, blocks: &[Block]) -> Option<Runner> {
        let agent = blocks.iter().find(|block| self.keyword(block) == "agent")?;
        Some(Runner::SelfHosted(Text::plain(self.head(agent), self.source.place(agent.head))))
    }

    fn images(&self, blocks: &[Block]) -> Vec<Image> {
        let agents =
            blocks.iter().filter(|block| self.keyword(block) == "agent").flat_map(|agent| &agent.inner);
        let mut images = Vec::new();
        for docker in agents.filter(|inner| self.keyword(inner) == "docker") {
            let find = |wanted: &str| {
                let line = docker.inner.iter().find(|line| self.keyword(line) == wanted)?;
                strings(self.source, line.head).into_iter().next()
            };
            let Some(name) = find("image") else { continue };
            let credentials = find("registryCredentialsId").map(|value| Variable {
                name: Text::plain("registryCredentialsId", value.place.clone()),
                value,
                scope: Scope::Job,
            });
            images.push(Image { name, credentials: credentials.into_iter().collect() });
        }
        images
    }

    /// `when { branch 'main' }`; more than the plain forms is unknown.
    fn when(&self, blocks: &[Block]) -> Condition {
        let Some(when) = blocks.iter().find(|block| self.keyword(block) == "when") else {
            return Condition::Always;
        };
        let parts = when.inner.iter().map(|part| {
            let text = strings(self.source, part.head).into_iter().next();
            match (self.keyword(part), text) {
                ("branch", Some(name)) => Condition::Is(Fact::Branch, glob(name.as_str())),
                ("tag", Some(name)) => Condition::Is(Fact::Tag, glob(name.as_str())),
                ("buildingTag", _) => Condition::Is(Fact::Tag, ValueSet::Any),
                ("beforeAgent" | "beforeInput" | "beforeOptions", _) => Condition::Always,
                (keyword, _) => Condition::Unknown(format!("when {keyword}").into()),
            }
        });
        parts.fold(Condition::Always, Condition::and)
    }
}

fn step(name: &Text) -> Step {
    Step {
        name: None,
        place: name.place.clone(),
        uses: None,
        inputs: Vec::new(),
        scripts: Vec::new(),
        env: Vec::new(),
        condition: Condition::Always,
        via: Vec::new(),
    }
}

/// `NAME=value`.
fn assignment(text: &Text) -> Option<Variable> {
    let (name, value) = text.as_str().split_once('=')?;
    let name = Text { value: Arc::from(name), ..text.clone() };
    Some(Variable { name, value: Text { value: Arc::from(value), ..text.clone() }, scope: Scope::Step })
}

/// The quoted texts of a span.
fn strings(source: &Source<'_>, span: Span) -> Vec<Text> {
    let text = source.text.get(..span.end).unwrap_or_default();
    let mut scanner = Scanner { text, at: span.start, count: 0 };
    let mut found = Vec::new();
    while scanner.at < span.end {
        let start = scanner.at;
        if scanner.starts("//") && !scanner.starts("///") {
            scanner.skip_past("\n");
        } else if scanner.string() {
            found.push(source.unquoted(Span::new(start, scanner.at)));
        } else {
            scanner.step(1);
        }
    }
    found
}

/// The named arguments of a call: `credentialsId: 'x', variable: 'Y'`.
fn named(source: &Source<'_>, span: Span) -> Vec<Variable> {
    let mut found = Vec::new();
    for value in strings(source, span) {
        let before = source.text.get(span.start..value.place.span.start).unwrap_or_default().trim_end();
        let Some(before) = before.strip_suffix(':') else { continue };
        let before = before.trim_end();
        let start =
            before.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at.saturating_add(1));
        let name = before.get(start..).unwrap_or_default();
        let from = span.start.saturating_add(start);
        let place = source.place(Span::new(from, from.saturating_add(name.len())));
        found.push(Variable { name: Text::plain(name, place), value, scope: Scope::Step });
    }
    found
}

/// The bindings of `withCredentials([kind(...), [$class: 'X', ...]])`, each with its arguments.
fn bindings(source: &Source<'_>, span: Span) -> Vec<(Text, Vec<Variable>)> {
    let mut found: Vec<(Text, Vec<Variable>)> = Vec::new();
    let head = source.slice(span);
    // Each binding has one `credentialsId`; it ends where the next one begins.
    let is_id = |variable: &Variable| variable.name.as_str() == "credentialsId";
    let mut current: Vec<Variable> = Vec::new();
    let flush = |current: &mut Vec<Variable>, found: &mut Vec<(Text, Vec<Variable>)>| {
        let Some(first) = current.first() else { return };
        let at = first.name.place.span.start.saturating_sub(span.start);
        let before =
            head.get(..at).unwrap_or_default().trim_end().trim_end_matches(['(', '[', '$']).trim_end();
        let start =
            before.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at.saturating_add(1));
        let word = before.get(start..).unwrap_or_default();
        let class = current.iter().find(|one| one.name.as_str() == "class").map(|one| one.value.clone());
        let from = span.start.saturating_add(start);
        let kind = Text::plain(word, source.place(Span::new(from, from.saturating_add(word.len()))));
        found.push((class.unwrap_or(kind), std::mem::take(current)));
    };
    for argument in named(source, span) {
        let starts_anew = {
            let at = argument.name.place.span.start.saturating_sub(span.start);
            let before = head.get(..at).unwrap_or_default().trim_end();
            before.ends_with(['(', '[']) || before.ends_with('$')
        };
        if starts_anew && current.iter().any(is_id) {
            flush(&mut current, &mut found);
        }
        current.push(argument);
    }
    flush(&mut current, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use crate::{Condition, NoTree, Pipeline, Runner};

    fn read(text: &str) -> Pipeline {
        crate::read("Jenkinsfile", text.as_bytes(), &NoTree).unwrap()
    }

    #[test]
    fn a_declarative_pipeline_in_its_usual_form() {
        let pipeline = read(
            "// withCredentials in a comment { \npipeline {\n  agent { label 'linux' }\n  environment {\n    AWS_ACCESS_KEY_ID = credentials('aws-id')\n    REGION = 'eu-west-1'\n  }\n  stages {\n\
             \x20   stage('Build') { steps { sh 'make \"{\"' } }\n    stage(\"Deploy\") {\n      when { branch 'release/*' }\n      environment { TOKEN = credentials('npm') }\n      steps {\n\
             \x20       withCredentials([usernamePassword(credentialsId: 'hub', usernameVariable: 'U', passwordVariable: 'P'), string(credentialsId: 'v', variable: 'VAULT_TOKEN'),\n          [$class: 'AmazonWebServicesCredentialsBinding', credentialsId: 'aws', accessKeyVariable: 'A', secretKeyVariable: 'S']]) {\n\
             \x20         sh '''\n            docker login -u $U -p $P\n            aws s3 ls\n          '''\n        }\n        withAWS(credentials: 'aws-prod', region: 'eu') { sh 'aws s3 ls' }\n\
             \x20       script { def out = sh(script: 'terraform apply', returnStdout: true) }\n      }\n    }\n  }\n}\n",
        );
        let [build, deploy] = &pipeline.jobs[..] else { panic!("{:?}", pipeline.jobs) };
        assert_eq!(pipeline.env[0].value.as_str(), "credentials('aws-id')");
        assert_eq!((pipeline.env[0].name.place.line, pipeline.env[1].value.as_str()), (5, "eu-west-1"));
        assert_eq!((build.id.as_str(), build.steps.len()), ("Build", 1));
        assert!(matches!(&build.runner, Runner::SelfHosted(_)));
        assert!(matches!(deploy.condition, Condition::Is(..)));
        let uses: Vec<_> = deploy
            .steps
            .iter()
            .filter_map(|step| step.uses.as_ref().map(|uses| uses.name.as_str()))
            .collect();
        assert_eq!(
            uses,
            [
                "withcredentials/usernamepassword",
                "withcredentials/string",
                "withcredentials/amazonwebservicescredentialsbinding",
                "withaws",
            ]
        );
        assert_eq!(deploy.steps[0].input("credentialsId").unwrap().as_str(), "hub");
        assert_eq!(deploy.steps[2].input("secretKeyVariable").unwrap().as_str(), "S");
        let scripts: Vec<_> = deploy.steps.iter().flat_map(|step| &step.scripts).collect();
        assert_eq!(scripts.len(), 3);
        let login = scripts[0].lines().find(|(_, line)| line.contains("docker login")).unwrap();
        assert_eq!(login.0, 17);
        assert_eq!(deploy.env[0].value.as_str(), "credentials('npm')");
    }

    #[test]
    fn what_is_no_pipeline_or_half_of_one_is_read_as_far_as_it_goes() {
        let scripted = read("node('x') {\n  stage('a') {\n    sh \"npm publish\"\n  }\n}\n");
        assert_eq!((scripted.jobs.len(), scripted.notes.len()), (1, 1));
        for text in ["", "pipeline {", "}}}", "pipeline { stage('", "sh '''", "/* ", &"{".repeat(5000)] {
            assert!(read(text).jobs.len() <= 1, "{text:.20}");
        }
    }
}
