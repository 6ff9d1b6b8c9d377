//! JWT roles of HashiCorp Vault and OpenBao.
//!
//! A document is a role as `vault read -format=json` shows it (its `data`, or the whole reply), or a role beside the
//! configuration of its mount: `{ "config": {...}, "role": {...} }`. Members have the API's names, which are Terraform's too.
//!
//! | member of the role | |
//! |---|---|
//! | `role_type` | `jwt`; `oidc`, which is the default, admits no token |
//! | `bound_audiences` | the token is addressed to one of these, whoever else it names |
//! | `bound_subject` | `sub`, exactly |
//! | `bound_claims`, `bound_claims_type` | every claim has one of its values, compared as they are or as globs (`*` only) |
//! | `user_claim`, `user_claim_json_pointer` | there, and a string |
//! | `groups_claim` | where set: there, and a string or a list of strings |
//! | `claim_mappings` | each of these is a string, where it is there |
//! | `token_bound_cidrs` | the login comes from one of these networks |
//!
//! Of the configuration, `bound_issuer` says whose tokens are accepted, else `oidc_discovery_url` does, else
//! [`CompileOptions::issuer`]; a role alone leaves it to its mount.
//!
//! Whether a token that names an audience may use a role without `bound_audiences` depends on the server: see [`Server`].
//!
//! Reference: vault-plugin-auth-jwt, `path_login.go`, `path_role.go` and `claims.go` (2026-07-15).

mod bound;
mod role;

use crate::dialect::api::{Object, Remarks, Text, audiences, issuer};
use crate::dialect::{CompileError, CompileOptions, Compiled, Dialect, Facts};
use crate::document::{Node, Source};
use crate::form::{
    Audiences, Condition, Effect, Permission, Permissions, Policy, Principals, Statement, TokenIssuers,
};

pub use role::{Keys, Mount, Role, TokenSettings};

/// What a server makes of a token that names an audience when the role has no `bound_audiences`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Vault from 1.17: it refuses the token.
    Vault,
    /// Vault before 1.17: it admits the token.
    VaultBefore117,
    /// OpenBao: it admits the token if `aud` is a string.
    OpenBao,
}

/// Compiles a role.
pub fn compile(source: &Source, tree: &Node, options: &CompileOptions) -> Result<Compiled, CompileError> {
    let mut remarks = Remarks::new(source);
    let compiled = document(tree, options, &mut remarks);
    let Remarks { problems, notes, .. } = remarks;
    let (statements, facts) =
        compiled.map_or((Vec::new(), Facts::None), |(statement, role)| (vec![statement], Facts::Vault(role)));
    let policy = Policy { dialect: Dialect::Vault, statements, source: source.clone() };
    Ok(problems.into_result(Compiled { policy, notes, accepted_risks: Vec::new(), facts })?)
}

/// A role, alone or beside the configuration of its mount.
fn document<'a>(
    tree: &'a Node,
    options: &CompileOptions,
    remarks: &mut Remarks<'a>,
) -> Option<(Statement, Box<Role>)> {
    let Some(inner) = tree.get("role") else {
        return role(tree.get("data").unwrap_or(tree), None, options, remarks);
    };
    let mut fields = Object::of(tree, "a role and its mount", remarks)?;
    fields.ignore(&["role"]);
    let config = fields.take(&["config"], remarks);
    fields.finish(remarks);
    let mount = config.and_then(|member| Mount::read(&member.node, remarks));
    role(inner.get("data").unwrap_or(inner), mount, options, remarks)
}

fn role<'a>(
    node: &'a Node,
    mount: Option<Mount>,
    options: &CompileOptions,
    remarks: &mut Remarks<'a>,
) -> Option<(Statement, Box<Role>)> {
    let mut fields = Object::of(node, "a role", remarks)?;
    let span = fields.span();
    let mut facts = Role { mount, ..Role::read(&mut fields, remarks) };
    let kind = fields.text(&["role_type"], remarks);
    let globs = globs(&mut fields, remarks);
    let named = fields.comma_separated(&["bound_audiences"], remarks);
    let subject = fields.text(&["bound_subject"], remarks).filter(|text| text.value != Ok(""));
    let claims = fields.take(&["bound_claims"], remarks);
    let networks = fields.comma_separated(&["token_bound_cidrs", "bound_cidrs"], remarks);
    let pointer = fields.boolean(&["user_claim_json_pointer"], remarks).unwrap_or(false);
    let user = fields.text(&["user_claim"], remarks);
    let groups = fields.text(&["groups_claim"], remarks).filter(|text| text.value != Ok(""));
    let mappings = fields.take(&["claim_mappings"], remarks);
    fields.ignore(&IGNORED);
    fields.finish(remarks);

    let (audiences, unknown_audience) = audiences(&named, Audiences::Includes, remarks);
    let mut conditions = Vec::new();
    conditions.extend(unknown_audience);
    if named.is_empty() {
        conditions.push(bound::unaddressed(span, options.vault));
    }
    conditions.extend(subject.map(bound::subject));
    let claims = claims.map(|member| bound::claims(member, globs, remarks)).unwrap_or_default();
    let is_bound = !(named.is_empty() && subject.is_none() && claims.is_empty() && networks.is_empty());
    conditions.extend(claims);
    conditions.extend(bound::networks(&networks, remarks));
    match user {
        Some(user) => conditions.push(bound::user(user, pointer)),
        None => {
            let help = "the claim that names the entity, for example `repository_id`";
            remarks.problem(span, "`user_claim` is missing", help);
        }
    }
    conditions.extend(groups.map(bound::groups));
    conditions
        .extend(mappings.map(|member| bound::mappings(member, &mut facts, remarks)).unwrap_or_default());

    let is_jwt = kind.map_or(Ok(false), |kind| role_type(kind, remarks));
    facts.admits_tokens = is_jwt.ok();
    if !is_bound && is_jwt == Ok(true) {
        let help =
            "at least one of `bound_audiences`, `bound_subject`, `bound_claims` and `token_bound_cidrs`";
        remarks.problem(span, "the role binds nothing", help);
    }
    let principals = match is_jwt {
        Ok(true) => principals(facts.mount.as_ref(), options, remarks),
        Ok(false) => {
            let message = "a role of type `oidc` is for logins in a browser: it admits no token";
            let help = "write `role_type = \"jwt\"`; without one the type is `oidc`";
            remarks.note(kind.map_or(span, |kind| kind.span), message, help);
            Principals::nobody()
        }
        Err(why) => Principals { unknown: Some(why.to_owned()), ..Principals::nobody() },
    };
    let statement = Statement {
        label: facts.name.clone().unwrap_or_else(|| "role".to_owned()),
        effect: Effect::Allow,
        principals,
        permissions: Permissions::NONE.with(Permission::AssumeWithToken),
        audiences,
        condition: Condition::All(conditions),
        span: node.span,
    };
    facts.audiences = named.iter().filter_map(Text::located).collect();
    facts.user_claim = user.as_ref().and_then(Text::located);
    facts.groups_claim = groups.as_ref().and_then(Text::located);
    Some((statement, Box::new(facts)))
}

/// Members that say nothing about which tokens are admitted.
const IGNORED: [&str; 15] = [
    "backend",
    "clock_skew_leeway",
    "disable_bound_claims_parsing",
    "expiration_leeway",
    "id",
    "max_age",
    "namespace",
    "not_before_leeway",
    "oauth2_metadata",
    "oidc_scopes",
    "token_no_default_policy",
    "token_strictly_bind_ip",
    "verbose_oidc_logging",
    "alias_metadata",
    "timeouts",
];

/// Whether a role is for tokens, or why that is not known.
fn role_type<'a>(kind: Text<'a>, remarks: &mut Remarks<'_>) -> Result<bool, &'a str> {
    match kind.value? {
        "jwt" => Ok(true),
        "oidc" | "" => Ok(false),
        other => {
            remarks.problem(
                kind.span,
                format!("`role_type` must be \"jwt\" or \"oidc\", this is `{other}`"),
                "a role for tokens is of type \"jwt\"",
            );
            Ok(false)
        }
    }
}

/// How the values of `bound_claims` are compared: whether as globs, or why that is not known.
fn globs<'a>(fields: &mut Object<'a>, remarks: &mut Remarks<'a>) -> Result<bool, &'a str> {
    let Some(kind) = fields.text(&["bound_claims_type"], remarks) else { return Ok(false) };
    match kind.value? {
        "glob" => Ok(true),
        "string" | "" => Ok(false),
        other => {
            let message = format!("`bound_claims_type` must be \"string\" or \"glob\", this is `{other}`");
            remarks.problem(kind.span, message, "without one it is \"string\"");
            Ok(false)
        }
    }
}

/// Whose tokens the mount accepts. A mount has the keys of one issuer; which, its role alone does not say.
fn principals(mount: Option<&Mount>, options: &CompileOptions, remarks: &mut Remarks<'_>) -> Principals {
    let named = mount.and_then(Mount::issuer);
    if let Some((url, span)) = named {
        return issuer(Text { span, value: url }, remarks);
    }
    options
        .issuer
        .clone()
        .map_or(Principals { tokens: TokenIssuers::Any, ..Principals::nobody() }, Principals::issuer)
}

#[cfg(test)]
mod tests;
