use daypass_claims::Issuer;
use serde::Deserialize;

use crate::IssuerPattern;

/// Which claims an AWS role trust policy can see, as of a date.
///
/// At `sts:AssumeRoleWithWebIdentity` a claim reaches IAM only as the condition key `ISSUER:CLAIM`, and only if AWS
/// maps it. AWS extends the mapping without a version, so the table is dated and can be replaced
/// ([`AwsKeys::parse`]). A condition on a key that is absent is false for every token, or true for every token if
/// it is negated, `...IfExists` or `ForAllValues:`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsKeys {
    /// The day as of which the lists hold, `YYYY-MM-DD`.
    pub date: String,
    /// Keys into the catalogue's sources.
    pub sources: Vec<String>,
    /// The keys of issuers without a list of their own.
    #[serde(rename = "default")]
    pub defaults: Vec<DefaultKey>,
    /// The issuers with lists of their own.
    #[serde(rename = "list")]
    pub lists: Vec<KeyList>,
    /// What IAM insists on when a role that trusts a shared issuer is written.
    #[serde(rename = "guardrail")]
    pub guardrails: Vec<Guardrail>,
}

/// A key that AWS maps for any issuer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultKey {
    /// The key behind the issuer's name.
    pub key: String,
    /// Whether it is established for every issuer, with a list or without.
    pub dependable: bool,
    /// Whether it holds several values.
    #[serde(default)]
    pub multivalued: bool,
    /// What it is mapped from.
    pub about: String,
}

/// The claims that AWS maps for some issuers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyList {
    /// The issuers.
    pub issuer: IssuerPattern,
    /// The keys behind the issuer's name.
    pub claims: Vec<String>,
    /// Those of them that IAM compares as numbers.
    #[serde(default)]
    pub numeric: Vec<String>,
    /// Those of them that hold several values.
    #[serde(default)]
    pub multivalued: Vec<String>,
    /// False for the OAuth providers that IAM has built in and that are no OIDC providers: `aud` and `sub` are
    /// not established for them.
    #[serde(default = "yes")]
    pub oidc: bool,
    /// Anything worth knowing.
    #[serde(default)]
    pub about: String,
}

/// IAM refuses to write a role that trusts one of these issuers and evaluates none of these keys.
///
/// Roles that were there before are not checked again, and a pattern such as `repo:*` passes: the guardrail does
/// not make trust safe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guardrail {
    /// The issuers, without `https://`.
    pub issuers: Vec<String>,
    /// The condition keys, any one of which will do; those without a colon stand behind the issuer's name.
    pub keys: Vec<String>,
    /// Anything worth knowing.
    #[serde(default)]
    pub about: String,
}

/// Whether a trust policy on AWS can see a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// It can.
    Supported,
    /// It cannot: AWS lists the issuer's keys, and this is not among them.
    Unsupported {
        /// The date of the list.
        date: String,
    },
    /// Nobody can tell from what AWS publishes. Nothing may be called dead on such a key.
    Unverified {
        /// Why it is open.
        why: &'static str,
    },
}

impl AwsKeys {
    /// Reads a table; `data/aws.toml` in this crate's source shows the form.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Whether AWS maps `claim` for tokens of `issuer`.
    pub fn support(&self, issuer: &Issuer, claim: &str) -> Support {
        let default = self.defaults.iter().find(|one| one.key == claim);
        match (self.list_of(issuer), default) {
            (Some(list), _) if list.claims.iter().any(|listed| listed == claim) => Support::Supported,
            (Some(KeyList { oidc: false, .. }), Some(_)) => Support::Unverified {
                why: "the provider is built into IAM, and only the listed keys are established for it",
            },
            (_, Some(DefaultKey { dependable: true, .. })) => Support::Supported,
            (Some(_), Some(_)) => Support::Unverified {
                why: "AWS names the key for issuers without a list; whether listed ones have it too is not stated",
            },
            (Some(_), None) => Support::Unsupported { date: self.date.clone() },
            (None, Some(_)) => Support::Unverified {
                why: "AWS names the key for any issuer, filled only if the token has the claim",
            },
            (None, None) => Support::Unverified { why: "AWS publishes no list for this issuer" },
        }
    }

    /// The list of an issuer; `None` where AWS publishes none.
    pub fn list_of(&self, issuer: &Issuer) -> Option<&KeyList> {
        self.lists.iter().find(|list| list.issuer.matches(issuer).is_some())
    }

    /// What IAM insists on for an issuer.
    pub fn guardrail(&self, issuer: &Issuer) -> Option<&Guardrail> {
        self.guardrails.iter().find(|rail| rail.issuers.iter().any(|shared| shared == issuer.host_and_path()))
    }

    /// The name of the condition key: `token.actions.githubusercontent.com:ref`.
    pub fn condition_key(issuer: &Issuer, claim: &str) -> String {
        format!("{}:{claim}", issuer.host_and_path())
    }
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn support(issuer: &str, claim: &str) -> Support {
        catalogue().aws().support(&Issuer::parse(issuer).unwrap(), claim)
    }

    const GITHUB: &str = "https://token.actions.githubusercontent.com";
    const CIRCLECI: &str = "https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001";

    #[test]
    fn a_listed_claim_is_supported_under_every_form_of_the_issuer() {
        for issuer in [
            GITHUB,
            "https://token.actions.githubusercontent.com/acme-ent",
            "https://token.actions.acme.ghe.com",
            "https://github.com/enterprises/acme-ent",
        ] {
            assert_eq!(support(issuer, "repository_owner_id"), Support::Supported, "{issuer}");
            assert!(matches!(support(issuer, "repository_owner"), Support::Unsupported { .. }), "{issuer}");
        }
        assert_eq!(support(CIRCLECI, "oidc.circleci.com/project-id"), Support::Supported);
    }

    #[test]
    fn an_unlisted_claim_of_a_listed_issuer_is_unsupported_as_of_the_date() {
        let unsupported = Support::Unsupported { date: "2026-09-26".to_owned() };
        for (issuer, claim) in [
            (CIRCLECI, "oidc.circleci.com/vcs-ref"),
            (GITHUB, "event_name"),
            (GITHUB, "iss"),
            ("https://gitlab.com", "project_path"),
            ("https://agent.buildkite.com", "step_key"),
        ] {
            assert_eq!(support(issuer, claim), unsupported, "{claim}");
        }
    }

    #[test]
    fn aud_and_sub_are_dependable_everywhere_but_on_built_in_providers() {
        for issuer in [GITHUB, CIRCLECI, "https://gitlab.example.com", "https://app.terraform.io"] {
            assert_eq!(support(issuer, "aud"), Support::Supported);
            assert_eq!(support(issuer, "sub"), Support::Supported);
        }
        assert!(matches!(support("https://graph.facebook.com", "aud"), Support::Unverified { .. }));
        assert_eq!(support("https://graph.facebook.com", "app_id"), Support::Supported);
    }

    #[test]
    fn nothing_is_called_dead_on_what_aws_does_not_publish() {
        for (issuer, claim) in [
            ("https://gitlab.example.com", "project_id"),
            ("https://app.terraform.io", "terraform_workspace_id"),
            ("https://app.terraform.io", "email"),
            (GITHUB, "amr"),
        ] {
            assert!(matches!(support(issuer, claim), Support::Unverified { .. }), "{issuer} {claim}");
        }
    }

    #[test]
    fn guardrails_name_the_key_that_must_be_evaluated() {
        let keys = |issuer: &str| {
            let rail = catalogue().aws().guardrail(&Issuer::parse(issuer).unwrap())?;
            Some(rail.keys.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert_eq!(keys(GITHUB), Some(vec!["sub", "job_workflow_ref"]));
        assert_eq!(keys("https://gitlab.com"), Some(vec!["sub"]));
        assert_eq!(keys("https://oidc.vercel.com"), Some(vec!["aud"]));
        assert_eq!(keys(CIRCLECI), None);
    }

    #[test]
    fn a_table_of_ones_own_replaces_the_built_in_one() {
        let own = AwsKeys::parse(
            "date = '2027-01-01'\nsources = []\ndefault = []\nguardrail = []\n\
             [[list]]\nissuer = 'https://app.terraform.io'\nclaims = ['terraform_workspace_id']",
        )
        .unwrap();
        let issuer = Issuer::parse("https://app.terraform.io").unwrap();
        assert_eq!(own.support(&issuer, "terraform_workspace_id"), Support::Supported);
        assert!(AwsKeys::parse("date = '2027-01-01'").is_err());
    }

    #[test]
    fn a_condition_key_has_the_path_and_no_scheme() {
        let issuer = Issuer::parse(CIRCLECI).unwrap();
        assert_eq!(
            AwsKeys::condition_key(&issuer, "sub"),
            "oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001:sub"
        );
    }
}
