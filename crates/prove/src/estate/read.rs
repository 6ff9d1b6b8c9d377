//! Reading an estate.

use daypass_claims::{Audience, Issuer};
use daypass_issuers::{Platform, catalogue};
use daypass_trust::document::{Fields, Node, Problem, Problems, Source, Span, parse_toml};

use super::{CUSTOMISED, Estate, EstateError, Organisation, Provider, Repository};

impl Estate {
    /// Reads an estate, in TOML.
    pub fn parse(source: &Source) -> Result<Self, EstateError> {
        let tree = parse_toml(source).map_err(|problem| EstateError { problems: vec![problem] })?;
        let mut reader = Reader { source, problems: Problems::new() };
        let (mut organisations, mut repositories, mut providers) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(mut fields) = Fields::of(source, &tree, "an estate", &mut reader.problems) {
            for node in reader.tables(&mut fields, "organisation") {
                organisations.extend(reader.organisation(node));
            }
            for node in reader.tables(&mut fields, "repository") {
                repositories.extend(reader.repository(node));
            }
            for node in reader.tables(&mut fields, "provider") {
                providers.extend(reader.provider(node));
            }
            fields.finish(&mut reader.problems);
        }
        let estate = Self::new(organisations, repositories, providers);
        reader.problems.into_result(estate).map_err(|problems| EstateError { problems })
    }
}

struct Reader<'s> {
    source: &'s Source,
    problems: Problems,
}

impl Reader<'_> {
    fn problem(&mut self, span: Span, message: String, help: String) {
        self.problems.push(Problem::new(self.source, span, message).help(help));
    }

    /// The tables of a list of tables.
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

    fn organisation(&mut self, node: &Node) -> Option<Organisation> {
        let mut fields = Fields::of(self.source, node, "an organisation", &mut self.problems)?;
        let platform = self.platform(&mut fields);
        let name = self.text(&mut fields, "name", "the organisation's name as its tokens have it");
        let id = self.optional(&mut fields, "id");
        let enterprise = self.optional(&mut fields, "enterprise");
        fields.finish(&mut self.problems);
        Some(Organisation { platform: platform?.id.clone(), name: name?, id, enterprise })
    }

    fn repository(&mut self, node: &Node) -> Option<Repository> {
        let mut fields = Fields::of(self.source, node, "a repository", &mut self.problems)?;
        let platform = self.platform(&mut fields);
        let name = self.text(&mut fields, "name", "the repository's name as its tokens have it");
        let id = self.optional(&mut fields, "id");
        let subjects = self.subjects(&mut fields, platform);
        let protected_refs = self.list(&mut fields, "protected_refs");
        let protected_environments = self.list(&mut fields, "protected_environments");
        let retired = fields.boolean("retired", &mut self.problems).unwrap_or(false);
        fields.finish(&mut self.problems);
        let platform = platform?.id.clone();
        Some(Repository {
            platform,
            name: name?,
            id,
            subjects,
            protected_refs,
            protected_environments,
            retired,
        })
    }

    fn provider(&mut self, node: &Node) -> Option<Provider> {
        let mut fields = Fields::of(self.source, node, "a provider", &mut self.problems)?;
        let url = fields.required_string("issuer", "the URL of its tokens' issuer", &mut self.problems);
        let issuer = url.and_then(|(url, span)| match Issuer::parse(url) {
            Ok(issuer) => Some(issuer),
            Err(error) => {
                self.problem(span, error.to_string(), "an issuer is an https URL".to_owned());
                None
            }
        });
        let named = fields.strings("audiences", &mut self.problems).unwrap_or_default();
        let mut audiences = Vec::with_capacity(named.len());
        for (text, span) in named {
            match Audience::parse(text) {
                Ok(audience) => audiences.push(audience),
                Err(error) => {
                    self.problem(span, error.to_string(), "such as \"sts.amazonaws.com\"".to_owned());
                }
            }
        }
        fields.finish(&mut self.problems);
        Some(Provider { issuer: issuer?, audiences })
    }

    fn platform(&mut self, fields: &mut Fields<'_>) -> Option<&'static Platform> {
        let what = "the platform's id in the catalogue, such as \"github-actions\"";
        let (id, span) = fields.required_string("platform", what, &mut self.problems)?;
        let found = catalogue().platform(id);
        if found.is_none() {
            let near =
                catalogue().platforms().iter().map(|it| (it.id.as_str(), strsim::jaro_winkler(&it.id, id)));
            let near = near.max_by(|one, two| one.1.total_cmp(&two.1)).filter(|(_, like)| *like >= 0.75);
            let help = match near {
                Some((near, _)) => format!("did you mean `{near}`?"),
                None => "it is an id of the catalogue, such as `github-actions`".to_owned(),
            };
            self.problem(span, format!("no platform is called `{}`", short(id)), help);
        }
        found
    }

    fn subjects(
        &mut self,
        fields: &mut Fields<'_>,
        platform: Option<&'static Platform>,
    ) -> Option<Vec<String>> {
        let named = fields.strings("subjects", &mut self.problems)?;
        if named.is_empty() {
            let help =
                "leave it out where it is not known; write `retired = true` where it is gone".to_owned();
            self.problem(fields.span(), "`subjects` is empty".to_owned(), help);
        }
        let mut subjects = Vec::with_capacity(named.len());
        for (text, span) in named {
            let Some(platform) = platform else { continue };
            if text == CUSTOMISED || platform.subject(text).is_some() {
                subjects.push(text.to_owned());
                continue;
            }
            let forms: Vec<&str> =
                platform.subjects.iter().map(|form| form.name.as_str()).chain([CUSTOMISED]).collect();
            let message = format!("{} has no subjects of the form `{}`", platform.name, short(text));
            self.problem(span, message, format!("known: {}", forms.join(", ")));
        }
        Some(subjects)
    }

    fn text(&mut self, fields: &mut Fields<'_>, name: &'static str, what: &str) -> Option<String> {
        let (text, span) = fields.required_string(name, what, &mut self.problems)?;
        self.filled(name, text, span)
    }

    fn optional(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
        let (text, span) = fields.string(name, &mut self.problems)?;
        self.filled(name, text, span)
    }

    fn list(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Option<Vec<String>> {
        let texts = fields.strings(name, &mut self.problems)?;
        Some(texts.into_iter().filter_map(|(text, span)| self.filled(name, text, span)).collect())
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
    text.chars().take(60).collect()
}
