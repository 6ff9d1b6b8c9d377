//! Reading a plan that people have edited.

use std::collections::BTreeMap;
use std::time::Duration;

use daypass_claims::{ClaimName, Issuer};
use daypass_issuers::catalogue;
use daypass_pipelines::inventory::{Confidence, kind};
use daypass_pipelines::{Platform, RepositoryFacts};
use daypass_trust::document::{Fields, Node, Problem, Problems, Source, Span, parse_toml};

use super::{Grade, Group, Plan, PlanError, Planned, Repository, Required, Role, State, Use, words};
use crate::Cloud;

/// The version of the form that this program writes.
const VERSION: u64 = 1;
/// What clouds let a session last: AWS from a quarter of an hour to twelve hours.
const SESSION: std::ops::RangeInclusive<Duration> = Duration::from_secs(900)..=Duration::from_secs(12 * 3600);
const UNUSED: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(86_400)..=Duration::from_secs(400 * 86_400);

impl Plan {
    /// Reads a plan. Everything that is wrong with it is reported at once, each with its line.
    pub fn parse(source: &Source) -> Result<Self, PlanError> {
        let tree = parse_toml(source).map_err(|problem| PlanError { problems: vec![problem] })?;
        let mut reader = Reader { source, problems: Problems::new() };
        let mut plan = Self::default();
        if let Some(mut fields) = Fields::of(source, &tree, "a plan", &mut reader.problems) {
            let help = "write `version = 1`";
            if fields.require("version", help, &mut reader.problems).is_some_and(|it| !is_version(&it.node)) {
                reader.problem(Span::new(0, 0), "this is no plan of version 1".to_owned(), help.to_owned());
            }
            plan.evidence = reader.required(&mut fields).unwrap_or_default();
            plan.paths = reader.list(&mut fields, "paths");
            plan.targets = reader.targets(&mut fields);
            for node in reader.tables(&mut fields, "repository") {
                plan.repositories.extend(reader.repository(node));
            }
            for node in reader.tables(&mut fields, "group") {
                let group = reader.group(node);
                if let Some(group) = &group {
                    reader.once("group", &group.name, plan.groups.iter().map(|it| &it.name), node.span);
                }
                plan.groups.extend(group);
            }
            for node in reader.tables(&mut fields, "role") {
                let role = reader.role(node, &plan);
                if let Some(role) = &role {
                    reader.once("role", &role.name, plan.roles.iter().map(|it| &it.name), node.span);
                }
                plan.roles.extend(role);
            }
            for node in reader.tables(&mut fields, "credential") {
                let planned = reader.credential(node, &plan);
                if let Some(planned) = &planned {
                    let ids = plan.credentials.iter().map(|it| &it.id);
                    reader.once("credential", &planned.id, ids, node.span);
                }
                plan.credentials.extend(planned);
            }
            fields.finish(&mut reader.problems);
        }
        reader.problems.into_result(plan).map_err(|problems| PlanError { problems })
    }
}

fn is_version(node: &Node) -> bool {
    matches!(&node.value, daypass_trust::document::Value::Number(text) if text.parse() == Ok(VERSION))
}

struct Reader<'s> {
    source: &'s Source,
    problems: Problems,
}

impl Reader<'_> {
    fn problem(&mut self, span: Span, message: String, help: String) {
        self.problems.push(Problem::new(self.source, span, message).help(help));
    }

    /// A name that others refer to is given once.
    fn once<'n>(&mut self, what: &str, name: &str, known: impl Iterator<Item = &'n String>, span: Span) {
        if known.into_iter().any(|one| one == name) {
            let message = format!("two of `[[{what}]]` are called `{}`", short(name));
            self.problem(span, message, "give one of them another name, or take it out".to_owned());
        }
    }

    fn tables<'n>(&mut self, fields: &mut Fields<'n>, name: &'static str) -> Vec<&'n Node> {
        let Some(member) = fields.take(name) else { return Vec::new() };
        match member.node.as_array() {
            Some(items) => items.iter().collect(),
            None => {
                let message = format!("`{name}` must be a list of tables, this is {}", member.node.kind());
                self.problem(member.node.span, message, format!("write [[{name}]]"));
                Vec::new()
            }
        }
    }

    fn required(&mut self, fields: &mut Fields<'_>) -> Option<Required> {
        let member = fields.take("evidence")?;
        let mut fields = Fields::of(self.source, &member.node, "`evidence`", &mut self.problems)?;
        let usual = Required::default();
        let runs = fields.integer("runs", 1..=1000, &mut self.problems).unwrap_or(usual.runs);
        let unused = fields.duration("unused", UNUSED, &mut self.problems).unwrap_or(usual.unused);
        fields.finish(&mut self.problems);
        Some(Required { runs, unused })
    }

    /// `[target.aws]` and the like.
    fn targets(&mut self, fields: &mut Fields<'_>) -> BTreeMap<Cloud, BTreeMap<String, String>> {
        let Some(member) = fields.take("target") else { return BTreeMap::new() };
        let Some(mut fields) = Fields::of(self.source, &member.node, "`target`", &mut self.problems) else {
            return BTreeMap::new();
        };
        let mut targets = BTreeMap::new();
        for cloud in Cloud::ALL {
            let found = self.texts(&mut fields, cloud.as_str());
            self.target_keys(cloud, &found);
            if !found.is_empty() {
                targets.insert(cloud, found.into_iter().map(|(key, (value, _))| (key, value)).collect());
            }
        }
        fields.finish(&mut self.problems);
        targets
    }

    fn target_keys(&mut self, cloud: Cloud, target: &BTreeMap<String, (String, Span)>) {
        let known: Vec<&str> = cloud.target_keys().iter().map(|(name, _)| *name).collect();
        for (key, (_, span)) in target.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let message = format!("a role of {cloud} has no `{}`", short(key));
            self.problem(*span, message, format!("known: {}", known.join(", ")));
        }
        for (key, (value, span)) in target {
            if let Some(why) = words::wrong_in_target(value) {
                self.problem(*span, format!("`{}` cannot be used: {why}", short(key)), words::right(false));
            }
        }
    }

    fn repository(&mut self, node: &Node) -> Option<Repository> {
        let mut fields = Fields::of(self.source, node, "a repository", &mut self.problems)?;
        let what = "the folder that it was checked out to, `\"\"` for the top";
        let path = fields.required_string("path", what, &mut self.problems);
        let platform = self.one_of(&mut fields, "platform", &Platform::ALL, Platform::as_str);
        let issuer = self.issuer(&mut fields);
        let subjects = fields.string("subjects", &mut self.problems);
        let default_branch = self.optional(&mut fields, "default_branch");
        let claims = self.texts(&mut fields, "claims");
        let ids =
            self.texts(&mut fields, "ids").into_iter().map(|(name, (value, _))| (name, value)).collect();
        fields.finish(&mut self.problems);
        let platform = platform?;
        let known = platform.catalogue_id().and_then(|id| catalogue().platform(id));
        if let (Some(known), Some((form, span))) = (known, subjects)
            && known.subject(form).is_none()
        {
            let forms: Vec<&str> = known.subjects.iter().map(|it| it.name.as_str()).collect();
            let message = format!("{} has no subjects of the form `{}`", known.name, short(form));
            self.problem(span, message, format!("known: {}", forms.join(", ")));
        }
        for (name, (_, span)) in &claims {
            if known.is_some_and(|known| known.variable(name).is_none()) {
                let message = format!("{platform} has no claim `{}`", short(name));
                self.problem(*span, message, "such as `repository` and `repository_id`".to_owned());
            }
        }
        let claims = claims.into_iter().map(|(name, (value, _))| (ClaimName::from(name.as_str()), value));
        Some(Repository {
            path: path?.0.trim_matches('/').to_owned(),
            platform,
            issuer,
            subjects: subjects.map(|(form, _)| form.to_owned()),
            facts: RepositoryFacts { claims: claims.collect(), default_branch, ids },
        })
    }

    fn issuer(&mut self, fields: &mut Fields<'_>) -> Option<Issuer> {
        let (text, span) = fields.string("issuer", &mut self.problems)?;
        match Issuer::parse(text) {
            Ok(issuer) => Some(issuer),
            Err(error) => {
                self.problem(span, error.to_string(), "an issuer is an https URL".to_owned());
                None
            }
        }
    }

    fn group(&mut self, node: &Node) -> Option<Group> {
        let mut fields = Fields::of(self.source, node, "a group", &mut self.problems)?;
        let name = self.text(&mut fields, "name", "what credentials and roles call it by");
        let cloud = self.text(&mut fields, "cloud", "what it opens, such as \"aws\"");
        let grade = self.one_of(&mut fields, "grade", &[Grade::Certain, Grade::Inferred], Grade::as_str);
        let admin = fields.boolean("admin", &mut self.problems).unwrap_or(false);
        let permits = self.list(&mut fields, "permits");
        fields.finish(&mut self.problems);
        Some(Group { name: name?, cloud: cloud?, grade: grade?, admin, permits })
    }

    fn role(&mut self, node: &Node, plan: &Plan) -> Option<Role> {
        let mut fields = Fields::of(self.source, node, "a role", &mut self.problems)?;
        let name = fields.required_string("name", "the role's name in its cloud", &mut self.problems);
        let name = name.and_then(|(text, span)| self.role_name(text, span));
        let cloud = self.one_of(&mut fields, "cloud", &Cloud::ALL, Cloud::as_str);
        let group = fields.required_string("group", "the group whose privileges it has", &mut self.problems);
        let environment = self.optional(&mut fields, "environment");
        let wave = fields.integer("wave", 1..=100, &mut self.problems);
        let session = fields.duration("session", SESSION, &mut self.problems);
        let principals = self.list(&mut fields, "principals");
        let target = self.texts(&mut fields, "target");
        let has_wave = self.there(node, "wave", "when it is its turn: `wave = 1`");
        fields.finish(&mut self.problems);
        let (name, cloud, (group, span)) = (name?, cloud?, group?);
        match plan.group(group) {
            None => {
                let known: Vec<&str> = plan.groups.iter().map(|it| it.name.as_str()).collect();
                let message = format!("no group is called `{}`", short(group));
                self.problem(span, message, format!("known: {}", known.join(", ")));
            }
            Some(it) if cloud != Cloud::Daypass && it.cloud != cloud.as_str() => {
                let message =
                    format!("a role of {cloud} cannot have the privileges of a group of {}", it.cloud);
                self.problem(span, message, format!("name a group of {cloud}"));
            }
            Some(_) => {}
        }
        self.target_keys(cloud, &target);
        let mut whole = plan.targets.get(&cloud).cloned().unwrap_or_default();
        whole.extend(target.into_iter().map(|(key, (value, _))| (key, value)));
        Some(Role {
            name,
            cloud,
            group: group.to_owned(),
            environment,
            wave: wave.filter(|_| has_wave)?,
            session: session.unwrap_or(Duration::from_secs(3600)),
            principals,
            target: whole,
            span: node.span,
        })
    }

    fn role_name(&mut self, text: &str, span: Span) -> Option<String> {
        let name = self.filled("name", text, span)?;
        if let Some(why) = words::wrong_in_name(&name) {
            let message = format!("no role can be called `{}`: {why}", short(&name));
            self.problem(span, message, words::right(true));
        }
        Some(name)
    }

    fn credential(&mut self, node: &Node, plan: &Plan) -> Option<Planned> {
        let mut fields = Fields::of(self.source, node, "a credential", &mut self.problems)?;
        let id = self.text(&mut fields, "id", "the id that `daypass inventory` gives it");
        let kind_name = fields.required_string("kind", "such as \"aws-access-key\"", &mut self.problems);
        let cloud = self.text(&mut fields, "cloud", "what it opens, such as \"aws\"");
        let file = self.text(&mut fields, "file", "the file that binds it");
        let line = fields.integer("line", 1..=u64::from(u32::MAX), &mut self.problems);
        let source = self.optional(&mut fields, "source").unwrap_or_default();
        let confidence = self.one_of(
            &mut fields,
            "confidence",
            &[Confidence::Certain, Confidence::Inferred],
            |confidence| match confidence {
                Confidence::Certain => "certain",
                Confidence::Inferred => "inferred",
            },
        );
        let principal = self.optional(&mut fields, "principal");
        let key = self.optional(&mut fields, "key");
        let group = fields.string("group", &mut self.problems);
        let state = self.one_of(&mut fields, "state", &State::ALL, State::as_str);
        let why = self.optional(&mut fields, "why");
        let present = fields.boolean("present", &mut self.problems).unwrap_or(true);
        let evidence = self.required(&mut fields);
        let mut uses = Vec::new();
        for node in self.tables(&mut fields, "use") {
            uses.extend(self.job(node, plan, group.map(|(name, _)| name)));
        }
        fields.finish(&mut self.problems);
        if let Some((name, span)) = kind_name
            && kind(name).is_none()
        {
            let help = "it is a kind of `daypass inventory`, such as `aws-access-key`".to_owned();
            self.problem(span, format!("no kind of credential is called `{}`", short(name)), help);
        }
        let known = group.map(|(name, span)| (plan.group(name), name, span));
        match (known, &cloud) {
            (Some((None, name, span)), _) => {
                let help = "declare it as [[group]], or take the line out to have it filled in".to_owned();
                self.problem(span, format!("no group is called `{}`", short(name)), help);
            }
            (Some((Some(group), name, span)), Some(cloud)) if group.cloud != *cloud => {
                let message = format!(
                    "`{}` is a group of {}, and the credential opens {cloud}",
                    short(name),
                    group.cloud
                );
                self.problem(span, message, format!("name a group of {cloud}"));
            }
            _ => {}
        }
        if state == Some(State::Kept) && why.is_none() {
            let help = "add `why = \"...\"`, for whoever reads this in a year".to_owned();
            self.problem(node.span, "a credential that is kept has no reason".to_owned(), help);
        }
        Some(Planned {
            id: id?,
            kind: kind_name?.0.to_owned(),
            cloud: cloud?,
            file: file?,
            line: line.unwrap_or(1),
            source,
            confidence: confidence?,
            principal,
            key,
            group: group.map(|(name, _)| name.to_owned()),
            uses,
            state: state?,
            why,
            present,
            evidence,
            span: node.span,
        })
    }

    fn job(&mut self, node: &Node, plan: &Plan, group: Option<&str>) -> Option<Use> {
        let mut fields = Fields::of(self.source, node, "a use", &mut self.problems)?;
        let job =
            fields.required_string("job", "the job's id, `\"\"` where there is none", &mut self.problems);
        let role = fields.string("role", &mut self.problems);
        fields.finish(&mut self.problems);
        if let Some((name, span)) = role {
            match plan.role(name) {
                None => {
                    let help = "declare it as [[role]], or take the line out".to_owned();
                    self.problem(span, format!("no role is called `{}`", short(name)), help);
                }
                Some(role) if group.is_some_and(|group| group != role.group) => {
                    let message = format!(
                        "role `{}` has the privileges of `{}`, not those of the credential's group",
                        short(name),
                        short(&role.group)
                    );
                    self.problem(span, message, "name a role of the same group".to_owned());
                }
                Some(_) => {}
            }
        }
        Some(Use { job: job?.0.to_owned(), role: role.map(|(name, _)| name.to_owned()) })
    }

    fn there(&mut self, node: &Node, name: &str, help: &str) -> bool {
        let there = node.get(name).is_some();
        if !there {
            self.problem(node.span, format!("`{name}` is missing"), help.to_owned());
        }
        there
    }

    fn one_of<T: Copy>(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
        known: &[T],
        word: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let words: Vec<&str> = known.iter().map(|it| word(*it)).collect();
        let help = format!("one of {}", words.join(", "));
        let (text, span) = fields.required_string(name, &help, &mut self.problems)?;
        let found = known.iter().copied().find(|it| word(*it) == text);
        if found.is_none() {
            self.problem(span, format!("`{}` is no {name}", short(text)), help);
        }
        found
    }

    /// A table of texts, with their places.
    fn texts(&mut self, fields: &mut Fields<'_>, name: &'static str) -> BTreeMap<String, (String, Span)> {
        let Some(member) = fields.take(name) else { return BTreeMap::new() };
        let Some(members) = member.node.as_table() else {
            let message = format!("`{name}` must be a table, this is {}", member.node.kind());
            self.problem(member.node.span, message, format!("{name} = {{ key = \"value\" }}"));
            return BTreeMap::new();
        };
        let mut found = BTreeMap::new();
        for one in members {
            match one.node.as_str() {
                Some(text) if !text.trim().is_empty() => {
                    found.insert(one.name.clone(), (text.to_owned(), one.node.span));
                }
                _ => {
                    let message = format!("`{name}.{}` must be a text that is not empty", one.name);
                    self.problem(one.node.span, message, "leave out what is not known".to_owned());
                }
            }
        }
        found
    }

    fn text(&mut self, fields: &mut Fields<'_>, name: &'static str, what: &str) -> Option<String> {
        let (text, span) = fields.required_string(name, what, &mut self.problems)?;
        self.filled(name, text, span)
    }

    fn optional(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
        let (text, span) = fields.string(name, &mut self.problems)?;
        self.filled(name, text, span)
    }

    fn list(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Vec<String> {
        let texts = fields.strings(name, &mut self.problems).unwrap_or_default();
        texts.into_iter().filter_map(|(text, span)| self.filled(name, text, span)).collect()
    }

    fn filled(&mut self, name: &str, text: &str, span: Span) -> Option<String> {
        if text.trim().is_empty() {
            self.problem(span, format!("`{name}` is empty"), "leave out what is not known".to_owned());
            return None;
        }
        Some(text.to_owned())
    }
}

/// What somebody wrote, as far as a message has room for it.
fn short(text: &str) -> String {
    text.chars().take(60).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}
