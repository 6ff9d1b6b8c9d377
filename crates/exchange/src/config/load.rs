use camino::{Utf8Path, Utf8PathBuf};
use daypass_claims::Timestamp;
use daypass_trust::document::{Fields, Node, Problem, Problems, Source, Span, parse_toml};
use daypass_trust::policy_test;
use daypass_trust::{CompileOptions, dialect::native};

use super::{Config, DataConfig, IssuerConfig, RoleConfig, Warning};
use super::{admin, issuer, pull_requests, role, server};

/// How files are read.
pub trait Files {
    /// The text of a file.
    fn read(&self, path: &Utf8Path) -> Result<String, String>;
    /// The names of the files in a directory, sorted; `None` if there is no such directory.
    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<String>>, String>;
}

/// A configuration with what its author should know about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Remarks that do not stand in the way of serving.
    pub warnings: Vec<Warning>,
}

/// The configuration cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError {
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
    /// The text of the main file, for a renderer that shows the lines.
    pub sources: Vec<Source>,
}

/// What reading a configuration goes through with.
pub(super) struct Loader<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    pub(super) base: Utf8PathBuf,
    pub(super) now: Timestamp,
    pub(super) problems: Problems,
    pub(super) warnings: Vec<Warning>,
    pub(super) sources: Vec<Source>,
}

impl Loader<'_> {
    /// A path of the configuration, relative to the file it stands in.
    pub(super) fn path(&self, written: &str) -> Utf8PathBuf {
        self.base.join(written)
    }

    /// Reads a file that the configuration names, or says at `at` that it cannot be read.
    pub(super) fn read(&mut self, source: &Source, at: Span, written: &str) -> Option<Source> {
        let path = self.path(written);
        match self.files.read(&path) {
            Ok(text) => {
                let source = Source::new(path.as_str(), text);
                self.sources.push(source.clone());
                Some(source)
            }
            Err(why) => {
                self.problems.push(Problem::new(source, at, format!("cannot read `{path}`: {why}")));
                None
            }
        }
    }

    /// Parses TOML and fills in `${ENV}`.
    pub(super) fn parse(&mut self, source: &Source) -> Option<Node> {
        let mut tree = match parse_toml(source) {
            Ok(tree) => tree,
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        let refused = tree.map_strings(&mut |text| expand(text, self.env));
        let complete = refused.is_empty();
        // What is not there cannot be judged: nothing else is said about a file with holes.
        for (span, why) in refused {
            self.problems.push(Problem::new(source, span, why));
        }
        complete.then_some(tree)
    }
}

/// Replaces `${NAME}` by the environment's value; `$$` stands for a dollar sign.
fn expand(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, String> {
    if !text.contains('$') {
        return Ok(None);
    }
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some(after) = after.strip_prefix('{') {
            let (name, after) = after.split_once('}').ok_or("`${` without `}`")?;
            let value = env(name).ok_or_else(|| format!("the environment variable `{name}` is not set"))?;
            expanded.push_str(&value);
            rest = after;
        } else {
            expanded.push('$');
            rest = after;
        }
    }
    expanded.push_str(rest);
    Ok(Some(expanded))
}

/// Reads and checks a configuration. `now` decides which accepted risks have expired.
pub fn load(
    path: &Utf8Path,
    files: &dyn Files,
    env: &dyn Fn(&str) -> Option<String>,
    now: Timestamp,
) -> Result<Loaded, ConfigError> {
    let base = path.parent().map_or_else(Utf8PathBuf::new, Utf8Path::to_path_buf);
    let mut loader = Loader {
        files,
        env,
        base,
        now,
        problems: Problems::new(),
        warnings: Vec::new(),
        sources: Vec::new(),
    };
    let config = match files.read(path) {
        Ok(text) => {
            let source = Source::new(path.as_str(), text);
            loader.sources.push(source.clone());
            read(&mut loader, &source)
        }
        Err(why) => {
            let source = Source::new(path.as_str(), "");
            loader.problems.push(Problem::new(
                &source,
                Span::default(),
                format!("cannot read the configuration: {why}"),
            ));
            None
        }
    };
    let Loader { problems, warnings, sources, .. } = loader;
    match config {
        Some(config) if problems.is_empty() => Ok(Loaded { config, warnings }),
        _ => Err(ConfigError { problems: problems.into_vec(), sources }),
    }
}

fn read(loader: &mut Loader<'_>, source: &Source) -> Option<Config> {
    let tree = loader.parse(source)?;
    let mut fields = Fields::of(source, &tree, "the configuration", &mut loader.problems)?;
    let issuers = issuer::read_all(loader, source, &mut fields);
    let known = known_issuers(&issuers);
    let account_id = server::account_id(loader, source, &mut fields);
    let options = CompileOptions {
        account: Some(account_id.clone()),
        issuers: known,
        now: Some(loader.now),
        ..CompileOptions::default()
    };
    let mut roles = Vec::new();
    let own = fields.take("role");
    let directory = fields.string("roles", &mut loader.problems);
    if own.is_none() && directory.is_none() {
        let problem = Problem::new(source, tree.span, "no role is configured");
        loader.problems.push(problem.help("write [[role]], or `roles = \"directory\"`"));
    }
    if let Some(member) = own {
        role::read_tables(loader, source, &member.node, &options, &mut roles);
    }
    if let Some((directory, span)) = directory {
        read_role_files(loader, source, span, directory, &options, &mut roles);
    }
    role::check_names(loader, source, &roles);
    loader.warnings.extend(pull_requests::refuse(&account_id, &mut roles));
    let admin = admin::read(loader, source, &mut fields, &options);
    let server = server::read(loader, source, &mut fields);
    fields.finish(&mut loader.problems);
    let (server, mut admin) = (server?, admin?);
    if let DataConfig::Directory(data) = &server.data {
        admin.token_file.get_or_insert_with(|| format!("{data}/admin-token"));
    }
    Some(Config {
        listen: server.listen,
        public_url: server.public_url,
        data: server.data,
        kek: server.kek,
        account_id,
        explain_to_caller: server.explain_to_caller,
        tls: server.tls,
        trusted_proxies: server.trusted_proxies,
        regions: server.regions,
        signing: server.signing,
        audit: server.audit,
        admin,
        issuers,
        roles,
    })
}

fn known_issuers(issuers: &[IssuerConfig]) -> native::Issuers {
    let known = issuers.iter().map(|issuer| native::KnownIssuer {
        name: issuer.name.clone(),
        issuer: issuer.issuer.clone(),
        platform: issuer.platform,
    });
    native::Issuers::Configured(known.collect())
}

/// Role files of a directory, then the policy tests that lie beside them.
fn read_role_files(
    loader: &mut Loader<'_>,
    source: &Source,
    at: Span,
    directory: &str,
    options: &CompileOptions,
    roles: &mut Vec<RoleConfig>,
) {
    let path = loader.path(directory);
    let names = match loader.files.list(&path) {
        Ok(names) => names.unwrap_or_default(),
        Err(why) => {
            loader.problems.push(Problem::new(source, at, format!("cannot list `{path}`: {why}")));
            return;
        }
    };
    let is_test = |name: &str| name.ends_with(".test.toml") || name.ends_with(".test.json");
    let main_base = std::mem::replace(&mut loader.base, path);
    for name in names.iter().filter(|name| Utf8Path::new(name).extension() == Some("toml") && !is_test(name))
    {
        if let Some(file) = loader.read(source, at, name)
            && let Some(tree) = loader.parse(&file)
            && let Some(mut fields) = Fields::of(&file, &tree, "a role file", &mut loader.problems)
        {
            if let Some(member) = fields.take("role") {
                role::read_tables(loader, &file, &member.node, options, roles);
            }
            fields.finish(&mut loader.problems);
        }
    }
    for name in names.iter().filter(|name| is_test(name)) {
        if let Some(file) = loader.read(source, at, name) {
            run_tests(loader, &file, options, roles);
        }
    }
    loader.base = main_base;
}

/// Runs a test file; a role whose policy it finds wrong is not served.
fn run_tests(loader: &mut Loader<'_>, file: &Source, options: &CompileOptions, roles: &mut [RoleConfig]) {
    let tests = match policy_test::parse(file) {
        Ok(tests) => tests,
        Err(error) => {
            error.problems.into_iter().for_each(|problem| loader.problems.push(problem));
            return;
        }
    };
    let base = loader.base.clone();
    for case in tests.cases {
        let tested = match &case.policy {
            policy_test::PolicyRef::File(path) => base.join(path).to_string(),
            policy_test::PolicyRef::Document(_) => String::new(),
        };
        let one = policy_test::TestFile { cases: vec![case] };
        let report = policy_test::run(&one, options, &mut |path| {
            let path = base.join(path);
            loader
                .files
                .read(&path)
                .map(|text| Source::new(path.as_str(), text))
                .map_err(|why| format!("{path}: {why}"))
        });
        for result in report.cases.iter().filter(|result| !result.passed()) {
            let got = result.got.map_or_else(|| "an error".to_owned(), |got| got.to_string());
            let why = format!(
                "policy test `{}` of {} expects {} and got {got}: {}",
                result.name,
                file.name(),
                result.expect,
                result.reason
            );
            let about: Vec<&mut RoleConfig> =
                roles.iter_mut().filter(|role| role.policy.source.name() == tested).collect();
            if about.is_empty() {
                loader.problems.push(Problem::new(file, Span::default(), why.clone()));
            }
            for role in about {
                role.refused = Some(why.clone());
            }
        }
    }
}
