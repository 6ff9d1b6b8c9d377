//! What is exchanged: an organisation with roles, an issuer's key, and requests with tokens that are used once each.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use daypass_token::jwk::JwkSet;
use daypass_token::sign::{SigningAlgorithm, SigningKey, TokenHeader};
use serde_json::{Value, json};

use crate::cores::{self, Cores};
use crate::load::post;

/// Whose tokens are exchanged.
pub(crate) const ISSUER: &str = "https://token.actions.githubusercontent.com";
/// Whom they are addressed to: the measured service.
pub(crate) const AUDIENCE: &str = "https://sts.acme.example";
/// How many roles the measured server has.
pub(crate) const ROLES: usize = 10;

/// An issuer that signs as GitHub Actions does: RS256 with 2,048 bits.
pub(crate) struct Estate {
    key: SigningKey,
    minted: AtomicU64,
}

impl Estate {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { key: SigningKey::generate(SigningAlgorithm::RS256)?, minted: AtomicU64::new(0) })
    }

    /// Writes a configuration for `daypass serve` into a directory.
    pub(crate) fn write(&self, directory: &Path) -> Result<()> {
        let roles: String = (0..ROLES).map(role).collect();
        std::fs::write(directory.join("daypass.toml"), configuration() + &roles)?;
        std::fs::write(directory.join("jwks.json"), self.jwks()?)?;
        Ok(())
    }

    /// The public key, as the issuer publishes it.
    pub(crate) fn jwks(&self) -> Result<String> {
        let set: JwkSet = [self.key.public_jwk().clone()].into_iter().collect();
        Ok(serde_json::to_string(&set)?)
    }

    /// Requests for credentials, ready to be sent, each with a token of its own. Signing them takes longer than exchanging
    /// them, and all cores at hand.
    pub(crate) fn requests(&self, count: usize, cores: Cores) -> Result<Vec<Vec<u8>>> {
        let some = |count| (0..count).map(|_| self.request()).collect::<Result<Vec<_>>>();
        thread::scope(|scope| {
            let half = scope.spawn(|| cores::on(cores.server, || some(count / 2)));
            let mut requests = cores::on(cores.load, || some(count - count / 2))?;
            requests.extend(half.join().unwrap_or_else(|_| bail!("signing panicked"))?);
            Ok(requests)
        })
    }

    /// One request for a credential, of the role that the token's repository may assume.
    fn request(&self) -> Result<Vec<u8>> {
        let number = self.minted.fetch_add(1, Ordering::Relaxed);
        let role = usize::try_from(number)? % ROLES;
        let token = self.key.sign(&TokenHeader::new("JWT"), &claims(number, role)?)?;
        Ok(post(&form(&token, &role_name(role))))
    }
}

/// A configuration without roles.
pub(crate) fn configuration() -> String {
    format!(
        r#"listen     = "127.0.0.1:0"
public_url = "{AUDIENCE}"
data       = "data"
account_id = "123456789012"
roles      = "roles"

[admin]
listen = "127.0.0.1:0"

[[issuer]]
name      = "github"
url       = "{ISSUER}"
platform  = "github-actions"
audiences = ["{AUDIENCE}"]
jwks_file = "jwks.json"
"#
    )
}

/// A role, for the branches of a repository of its own.
pub(crate) fn role(number: usize) -> String {
    let (name, repository) = (role_name(number), repository_id(number));
    format!(
        r#"
[[role]]
name        = "{name}"
max_session = "1h"

[role.credential]
kind     = "jwt"
audience = "https://api.acme.example"
subject  = "repository:{{repository}}:ref:{{ref}}"
claims   = {{ repository = "{{repository}}", commit = "{{sha}}", run = "{{run_id}}" }}

[[role.trust]]
issuer   = "github"
audience = "{AUDIENCE}"
claims.repository_id       = "{repository}"
claims.repository_owner_id = "1001"
claims.ref                 = {{ glob = "refs/heads/*" }}
claims.event_name          = {{ one_of = ["push", "schedule", "workflow_dispatch"] }}
claims.environment         = "production"
"#
    )
}

/// The name of a role, by its number.
pub(crate) fn role_name(role: usize) -> String {
    format!("deploy-{role}")
}

/// The repository that a role is for.
pub(crate) fn repository_id(role: usize) -> String {
    (2_000 + role).to_string()
}

/// The claims of a GitHub Actions job in an environment, with every member that GitHub documents: those of a job in the
/// repository that a role is for.
pub(crate) fn claims(number: u64, role: usize) -> Result<Value> {
    let now = SystemTime::UNIX_EPOCH.elapsed().context("the clock is before 1970")?.as_secs();
    let repository = format!("acme/app-{role}");
    let workflow = format!("{repository}/.github/workflows/release.yml@refs/heads/main");
    let sha = "6f1e2d3c4b5a69788796a5b4c3d2e1f001122334";
    Ok(json!({
        "jti": format!("4b0e1f5c-7d1a-4c59-9f7e-{number:012x}"),
        "sub": format!("repo:{repository}:environment:production"),
        "aud": AUDIENCE,
        "ref": "refs/heads/main",
        "sha": sha,
        "repository": repository,
        "repository_owner": "acme",
        "repository_owner_id": "1001",
        "run_id": (9_000_000_000 + number).to_string(),
        "run_number": number.to_string(),
        "run_attempt": "1",
        "repository_visibility": "private",
        "repository_id": repository_id(role),
        "actor_id": "50312",
        "actor": "a-developer",
        "workflow": "release",
        "head_ref": "",
        "base_ref": "",
        "event_name": "push",
        "ref_protected": "true",
        "ref_type": "branch",
        "workflow_ref": workflow,
        "workflow_sha": sha,
        "job_workflow_ref": workflow,
        "job_workflow_sha": sha,
        "runner_environment": "github-hosted",
        "environment": "production",
        "environment_node_id": "EN_kwDOABCDEF4AAAABcDEFgh",
        "check_run_id": (41_000_000_000 + number).to_string(),
        "iss": ISSUER,
        "nbf": now - 60,
        "exp": now + 3_600,
        "iat": now,
    }))
}

/// The form of a token exchange (RFC 8693).
fn form(token: &str, role: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
        .append_pair("audience", role)
        .append_pair("subject_token", token)
        .append_pair("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")
        .finish()
}
