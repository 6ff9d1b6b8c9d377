//! What `config check` says beyond errors: short sessions, shared audiences, and callers of one environment who can reach
//! a role of another.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use daypass_claims::{ClaimSet, ClaimValue, Number, format_duration};
use daypass_trust::document::{Problem, Source, Span};
use daypass_trust::form::{
    Atom, Audiences, Comparison, Condition, Effect, Pattern, Permission, Piece, Quantifier, Statement, Test,
    TokenIssuers, Variable,
};
use daypass_trust::{Context, Truth, outcome};

use super::{Config, CredentialConfig, RoleConfig, Warning};

/// At this length and below, SDKs refresh before every call.
const SHORT: Duration = Duration::from_secs(15 * 60);

/// Audiences that other relying parties are known by, and whose they are.
const OF_OTHERS: [(&str, &str); 4] = [
    ("sts.amazonaws.com", "AWS STS"),
    ("api://AzureADTokenExchange", "Microsoft Entra"),
    ("sigstore", "Sigstore"),
    ("pypi", "PyPI"),
];

/// Remarks on a configuration that loads.
pub fn review(config: &Config) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for role in &config.roles {
        if role.max_session <= SHORT && role.credential == CredentialConfig::AwsSession {
            let message = format!(
                "sessions of `{}` last at most {}: the AWS SDKs then refresh before every call",
                role.name,
                format_duration(role.max_session)
            );
            warnings
                .push(about(role, message).help("SDKs refresh 15 minutes before expiry; give 20m or more"));
        }
        if let Some(why) = &role.refused {
            warnings.push(about(role, format!("`{}` is not served: {why}", role.name)));
        }
    }
    audiences(config, &mut warnings);
    environments(config, &mut warnings);
    warnings
}

fn about(role: &RoleConfig, message: String) -> Problem {
    let mut problem = Problem::new(&role.policy.source, Span::default(), message);
    problem.location = role.location.clone();
    problem
}

/// An audience in use by another relying party, or the one that a platform mints by default, lets a token that was made
/// for somebody else be presented here, and ours there.
fn audiences(config: &Config, warnings: &mut Vec<Warning>) {
    for issuer in &config.issuers {
        for audience in &issuer.audiences {
            let Some((_, whose)) = OF_OTHERS.iter().find(|(known, _)| *known == audience.as_str()) else {
                continue;
            };
            let message = format!(
                "issuer `{}`: audience `{audience}` is that of {whose}: a token made for one can be presented to the other",
                issuer.name
            );
            let mut warning = Problem::new(&Source::new("", ""), Span::default(), message);
            warning.location = issuer.location.clone();
            warnings.push(warning.help(format!("request tokens for {} instead", config.public_url)));
        }
    }
}

/// Pairs of roles of different environments that one token can assume, as far as closed forms decide it.
fn environments(config: &Config, warnings: &mut Vec<Warning>) {
    let named: Vec<&RoleConfig> = config.roles.iter().filter(|role| role.environment.is_some()).collect();
    for (index, one) in named.iter().enumerate() {
        for other in named.iter().skip(index.saturating_add(1)) {
            if one.environment == other.environment {
                continue;
            }
            if let Some(claims) = common_caller(one, other) {
                let claims = serde_json::to_string(&claims).unwrap_or_default();
                let message = format!(
                    "one token can assume `{}` ({}) and `{}` ({}): {claims}",
                    one.name,
                    one.environment.as_deref().unwrap_or_default(),
                    other.name,
                    other.environment.as_deref().unwrap_or_default(),
                );
                let help = "bind a claim that tells the environments apart to different values";
                warnings.push(about(other, message).help(help));
            }
        }
    }
}

/// A claim set that both roles admit. What is found is checked with the evaluator, so there are no false alarms; where
/// conditions are not of the closed kind, nothing may be found.
fn common_caller(one: &RoleConfig, other: &RoleConfig) -> Option<ClaimSet> {
    let admitting = |role: &'_ RoleConfig| -> Vec<Statement> {
        let statements = role.policy.statements.iter();
        statements
            .filter(|it| it.effect == Effect::Allow && it.permissions.contains(Permission::AssumeWithToken))
            .cloned()
            .collect()
    };
    for a in admitting(one) {
        for b in admitting(other) {
            if let Some(claims) = candidate(&a, &b)
                && [one, other]
                    .iter()
                    .all(|role| outcome(&role.policy, &claims, &Context::new().complete()).0 == Truth::True)
            {
                return Some(claims);
            }
        }
    }
    None
}

/// Claims that satisfy both statements, one claim at a time.
fn candidate(a: &Statement, b: &Statement) -> Option<ClaimSet> {
    let issuer = match (&a.principals.tokens, &b.principals.tokens) {
        (TokenIssuers::Exactly(a), TokenIssuers::Exactly(b)) => {
            a.iter().find(|issuer| b.contains(issuer))?.clone()
        }
        _ => return None,
    };
    let audience = match (&a.audiences, &b.audiences) {
        (Audiences::Unstated, Audiences::Unstated) => None,
        (Audiences::Unstated, stated) | (stated, Audiences::Unstated) => stated.named().first().cloned(),
        (a, b) => Some(a.named().iter().find(|audience| b.named().contains(audience))?.clone()),
    };
    let mut claims = ClaimSet::new();
    claims.insert("iss", issuer.as_str());
    if let Some(audience) = audience {
        claims.insert("aud", audience.as_str());
    }
    let atoms: Vec<&Atom> = a.condition.atoms().into_iter().chain(b.condition.atoms()).collect();
    let mut wanted: BTreeMap<&str, Vec<&Atom>> = BTreeMap::new();
    for atom in atoms {
        if let Variable::Claim(path) = &atom.variable
            && path.steps.is_empty()
            && !matches!(path.claim.as_str(), "iss" | "aud" | "azp")
        {
            wanted.entry(path.claim.as_str()).or_default().push(atom);
        }
    }
    for (claim, atoms) in wanted {
        let values = candidates(&atoms);
        let fits = |value: &ClaimValue| {
            let mut with = claims.clone();
            with.insert(claim, value.clone());
            [&a.condition, &b.condition].iter().all(|condition| only_about(condition, claim, &with))
        };
        if let Some(value) = values.into_iter().find(fits) {
            claims.insert(claim, value);
        }
    }
    Some(claims)
}

/// Whether the parts of a conjunction that are about one claim alone hold.
fn only_about(condition: &Condition, claim: &str, claims: &ClaimSet) -> bool {
    let about = |condition: &Condition| {
        condition
            .atoms()
            .iter()
            .all(|atom| matches!(&atom.variable, Variable::Claim(path) if path.claim.as_str() == claim))
    };
    let parts = match condition {
        Condition::All(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    parts.iter().filter(|part| about(part)).all(|part| {
        let statement = Statement {
            label: String::new(),
            effect: Effect::Allow,
            principals: daypass_trust::form::Principals {
                tokens: TokenIssuers::Any,
                ..daypass_trust::form::Principals::nobody()
            },
            permissions: daypass_trust::form::Permissions::NONE.with(Permission::AssumeWithToken),
            audiences: Audiences::Unstated,
            condition: part.clone(),
            span: Span::default(),
        };
        let policy = daypass_trust::Policy {
            dialect: daypass_trust::Dialect::Daypass,
            statements: vec![statement],
            source: Source::new("", ""),
        };
        outcome(&policy, claims, &Context::new().complete()).0 == Truth::True
    })
}

/// Values worth trying: everything that the tests name, an example of every pattern, and something of its own.
fn candidates(atoms: &[&Atom]) -> Vec<ClaimValue> {
    let mut texts = BTreeSet::from(["x".to_owned()]);
    let mut values = Vec::new();
    let mut list = false;
    for atom in atoms {
        list |= atom.quantifier != Quantifier::Scalar;
        collect(&atom.test, &mut texts, &mut values);
    }
    let items: Vec<ClaimValue> = texts.into_iter().map(ClaimValue::String).collect();
    if list {
        values.extend(items.iter().map(|item| ClaimValue::Array(vec![item.clone()])));
        values.push(ClaimValue::Array(items));
    } else {
        values.splice(0..0, items);
    }
    values
}

fn collect(test: &Test, texts: &mut BTreeSet<String>, values: &mut Vec<ClaimValue>) {
    match test {
        Test::Text { pattern, .. } => {
            texts.insert(example(pattern));
        }
        Test::OneOf(tests) => tests.iter().for_each(|test| collect(test, texts, values)),
        Test::Not(inner) => collect(inner, texts, values),
        Test::Bool(value) => values.extend([ClaimValue::Bool(*value), ClaimValue::Bool(!value)]),
        Test::Number(Comparison::Equal, Number::Integer(number)) => {
            values.push(ClaimValue::Number(Number::Integer(*number)));
        }
        _ => {}
    }
}

fn example(pattern: &Pattern) -> String {
    pattern
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::One | Piece::Run | Piece::RunWithin | Piece::Variable(..) => "x",
        })
        .collect()
}
