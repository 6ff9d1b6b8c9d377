//! Decisions in memory: whether their time grows with the number of roles.

use std::net::{IpAddr, Ipv4Addr};
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use camino::Utf8Path;
use daypass_claims::{Audience, ClaimSet, Issuer, Timestamp};
use daypass_exchange::Roles;
use daypass_exchange::config::{Files, load};
use daypass_trust::form::RequestKey;
use daypass_trust::{Context, outcome};

use crate::cores::micros_each;
use crate::estate;

/// A number of roles, and the claims of jobs that may assume some of them.
pub(crate) struct Deciding {
    roles: Roles,
    jobs: Vec<(String, ClaimSet)>,
    issuer: Issuer,
    audience: Audience,
    now: Timestamp,
}

/// How many jobs take turns. Their roles lie far apart, and what is measured is how decisions scale rather than how much of a
/// large configuration fits into a cache.
const JOBS: usize = 10;

impl Deciding {
    /// Among so many roles.
    pub(crate) fn among(count: usize, jwks: &str) -> Result<Self> {
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().context("the clock is before 1970")?;
        let now = Timestamp::from_millis(i64::try_from(since_1970.as_millis())?);
        let files = Memory { roles: count, jwks };
        let loaded = load("daypass.toml".into(), &files, &|_| None, now)?;
        let jobs = (0..JOBS).map(|job| {
            let role = job * count / JOBS;
            let claims = ClaimSet::from_json(estate::claims(job as u64, role)?.to_string().as_bytes())?;
            Ok((estate::role_name(role), claims))
        });
        let deciding = Self {
            roles: Roles::new(&loaded.config),
            jobs: jobs.collect::<Result<_>>()?,
            issuer: Issuer::parse(estate::ISSUER)?,
            audience: Audience::parse(estate::AUDIENCE)?,
            now,
        };
        for job in 0..JOBS {
            ensure!(deciding.admits(job)?, "a job is not admitted to its role among {count}");
        }
        Ok(deciding)
    }

    /// The microseconds of CPU for one decision: the role found by its name, the context put together, the policy evaluated.
    pub(crate) fn micros(&self, count: usize) -> Result<f64> {
        micros_each(count, |index| self.admits(index))
    }

    fn admits(&self, index: usize) -> Result<bool> {
        let (name, claims) = self.jobs.get(index % JOBS).context("there is no such job")?;
        let role = self.roles.find(name).context("there is no such role")?;
        let mut context = Context::new().complete().account(role.account()).issuer(self.issuer.clone());
        context.audience = Some(self.audience.clone());
        let context = context
            .source_ip(IpAddr::V4(Ipv4Addr::LOCALHOST))
            .with(RequestKey::SecureTransport, false)
            .with(RequestKey::UserAgent, "daypass-bench")
            .time(self.now)
            .with(RequestKey::SessionName, "run-9000000000");
        Ok(outcome(&role.config().policy, claims, &context).0.is_true())
    }
}

/// A configuration that is on no disk, with a file for each role.
struct Memory<'a> {
    roles: usize,
    jwks: &'a str,
}

impl Files for Memory<'_> {
    fn read(&self, path: &Utf8Path) -> Result<String, String> {
        match (path.as_str(), path.file_stem().and_then(|stem| stem.parse().ok())) {
            ("daypass.toml", _) => Ok(estate::configuration()),
            ("jwks.json", _) => Ok(self.jwks.to_owned()),
            (_, Some(number)) => Ok(estate::role(number)),
            _ => Err("no such file".to_owned()),
        }
    }

    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<String>>, String> {
        let names = || (0..self.roles).map(|number| format!("{number}.toml")).collect();
        Ok((path == "roles").then(names))
    }
}
