//! The proxy that a job has to go through, from the variables that curl made common.

use std::fmt;

use reqwest::{NoProxy, Proxy};

use super::HttpError;
use crate::{Env, Secret};

const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Never to be reached through a proxy, whatever `NO_PROXY` says.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";

/// A proxy and its exceptions. The URL may hold a password.
#[derive(Clone)]
pub(super) struct ProxySettings {
    variable: &'static str,
    url: Secret,
    exceptions: String,
}

impl ProxySettings {
    /// The first of the variables that is set and not empty; an error if it cannot be used.
    pub(super) fn from_env(env: Env<'_>) -> Result<Option<Self>, HttpError> {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| Some((*name, env(name).filter(|value| !value.is_empty())?)))
        };
        let Some((variable, url)) = first(&VARIABLES) else { return Ok(None) };
        let exceptions = match first(&EXCEPTIONS) {
            Some((_, others)) => format!("{others},{THIS_MACHINE}"),
            None => THIS_MACHINE.to_owned(),
        };
        let settings = Self { variable, url: Secret::new(url), exceptions };
        settings.to_reqwest()?;
        Ok(Some(settings))
    }

    pub(super) fn to_reqwest(&self) -> Result<Proxy, HttpError> {
        let proxy =
            Proxy::https(self.url.expose()).map_err(|_| HttpError::Proxy { variable: self.variable })?;
        Ok(proxy.no_proxy(NoProxy::from_string(&self.exceptions)))
    }
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxySettings({})", self.variable)
    }
}
