//! Jenkinsfiles, declarative ones first of all: a stage is a job.
//!
//! Groovy is a programming language and is not run here. What is read is text: balanced braces of `stage`,
//! `environment`, `agent`, `withCredentials` and the like, with strings and comments skipped. A credential that a script
//! computes, or that a shared library fetches, is not seen.

mod bindings;

use std::sync::Arc;

use daypass_issuers::ValueSet;
use daypass_trust::document::Span;

use crate::braces::{Block, Source, blocks, strings};
use crate::condition::glob;
use crate::{
    Condition, Fact, IdToken, Image, Job, Note, Pipeline, Platform, Role, Runner, Scope, Step, Text, Trigger,
    Uses, Variable, Who,
};
use bindings::{bindings, bound, named, positional};

/// Reads a Jenkinsfile. Nothing in it is an error: what is not recognised is left out.
pub(crate) fn read(file: &Arc<str>, text: &str) -> Pipeline {
    let source = Source::new(file, text);
    let blocks = blocks(text, &["//"]);
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
    fn walk(
        &self,
        blocks: &[Block],
        bound_before: &[Variable],
        steps: &mut Vec<Step>,
        env: &mut Vec<Variable>,
    ) {
        for block in blocks {
            match self.keyword(block) {
                "environment" => env.extend(self.environment(&block.inner, Scope::Job)),
                "stages" | "parallel" | "stage" | "when" | "agent" | "tools" | "options" | "parameters" => {}
                "withCredentials" => {
                    let name = Text::plain("withCredentials", self.source.place(block.head));
                    let mut all = bound_before.to_vec();
                    let bindings = bindings(self.source, block.head);
                    let bare = positional(self.source, block.head);
                    for (kind, inputs) in bindings.into_iter().chain(bare) {
                        let called = format!("withCredentials/{kind}");
                        all.extend(bound(kind.as_str(), &inputs));
                        steps.push(Step { uses: Some(uses(&kind, &called)), inputs, ..step(&name) });
                    }
                    self.walk(&block.inner, &all, steps, env);
                }
                "withEnv" => {
                    let mut all = bound_before.to_vec();
                    all.extend(strings(self.source, block.head).iter().filter_map(assignment));
                    self.walk(&block.inner, &all, steps, env);
                }
                "sh" | "bat" | "powershell" | "pwsh" => {
                    let Some(script) =
                        strings(self.source, block.head).into_iter().max_by_key(|text| text.value.len())
                    else {
                        continue;
                    };
                    steps.push(Step {
                        env: bound_before.to_vec(),
                        scripts: vec![script.clone()],
                        ..step(&script)
                    });
                }
                "" => {}
                keyword if block.body.is_some() || self.head(block).contains("redential") => {
                    let text = Text::plain(keyword, self.source.place(block.head));
                    let inputs = named(self.source, block.head);
                    if inputs.is_empty() {
                        let found = positional(self.source, block.head);
                        steps.extend(found.map(|(word, inputs)| Step {
                            uses: Some(uses(&word, word.as_str())),
                            inputs,
                            ..step(&text)
                        }));
                    } else {
                        steps.push(Step { uses: Some(uses(&text, keyword)), inputs, ..step(&text) });
                    }
                    self.walk(&block.inner, bound_before, steps, env);
                }
                _ => self.assigned_script(block, bound_before, steps),
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

/// A call of a plugin's step; names are compared in lower case.
fn uses(text: &Text, name: &str) -> Uses {
    Uses { text: text.clone(), name: name.to_ascii_lowercase(), version: None }
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
