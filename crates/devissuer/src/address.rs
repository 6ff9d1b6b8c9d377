use std::net::SocketAddr;

use daypass_claims::Issuer;
use daypass_issuers::{Platform, catalogue};
use daypass_token::discovery;

/// Which `iss` the tokens carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IssuerMode {
    /// The platforms' own: `https://token.actions.githubusercontent.com`. A trust policy can be rehearsed as it is;
    /// the relying party must be told to take these issuers' keys from here, because the issuer's URL leads elsewhere.
    #[default]
    True,
    /// Issuers on loopback, `http://127.0.0.1:8090/circleci/org/{id}`, with real discovery.
    Loopback,
}

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    Discovery,
    Jwks,
}

/// An issuer that this one plays: whose it is, what it is called at home, and what it is called in tokens.
#[derive(Clone, Debug)]
pub(crate) struct Played {
    pub(crate) platform: &'static Platform,
    /// The issuer's URL as the platform has it.
    pub(crate) home: Issuer,
    /// The issuer's URL as tokens have it; the same in [`IssuerMode::True`].
    pub(crate) issuer: Issuer,
}

/// Translates between the issuers of platforms and places on loopback.
///
/// A platform's issuer lies at `/{platform id}{its path}`. Where the host says something (an installation, a
/// tenant), it comes before the path: `/github-enterprise-server/ghes.acme.example/_services/token`.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    base: String,
    mode: IssuerMode,
}

const WELL_KNOWN: &str = "/.well-known/openid-configuration";
/// Where key sets lie of platforms whose own place was not established.
const USUAL_JWKS: &str = "/.well-known/jwks";

impl Addresses {
    pub(crate) fn new(address: SocketAddr, mode: IssuerMode) -> Self {
        Self { base: format!("http://{address}"), mode }
    }

    /// `http://127.0.0.1:8090`, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) const fn mode(&self) -> IssuerMode {
        self.mode
    }

    /// Whether a loopback issuer is one of this address.
    pub(crate) fn hold(&self, issuer: &Issuer) -> bool {
        issuer.as_str().strip_prefix(&self.base).is_some_and(|path| path.starts_with('/'))
    }

    /// The platform's issuer `home`, played here. `None` where the platform has no such issuer, or where the local
    /// URL would be too long for one.
    pub(crate) fn play(&self, platform: &'static Platform, home: Issuer) -> Option<Played> {
        platform.issuer.form_of(&home)?;
        let issuer = match self.mode {
            IssuerMode::True => home.clone(),
            IssuerMode::Loopback => Issuer::parse(&self.place(platform, &home)).ok()?,
        };
        Some(Played { platform, home, issuer })
    }

    /// The platform's issuer that `issuer` names, be it by its URL at home or by the one here.
    pub(crate) fn of_platform(&self, platform: &'static Platform, issuer: &str) -> Option<Played> {
        if let Some(path) = issuer.strip_prefix(&self.base) {
            return self.named(path).filter(|played| played.platform.id == platform.id);
        }
        self.play(platform, Issuer::parse(issuer).ok()?)
    }

    /// The issuer that an URL names, of whichever platform is the likeliest.
    pub(crate) fn of_url(&self, issuer: &str) -> Option<Played> {
        if let Some(path) = issuer.strip_prefix(&self.base) {
            return self.named(path);
        }
        let home = Issuer::parse(issuer).ok()?;
        let found = catalogue().platforms_of(&home).into_iter().next()?;
        // Software that anyone can host could be anywhere, but not on a host that is known to be another platform's.
        let taken = catalogue().platforms().iter().any(|platform| usual_host(platform) == Some(home.host()));
        (found.form.pattern.names_host() || !taken).then(|| self.play(found.platform, home))?
    }

    /// The issuer and the document that a request's path asks for.
    pub(crate) fn document(&self, path: &str) -> Option<(Played, Document)> {
        if let Some(place) = path.strip_suffix(WELL_KNOWN) {
            return Some((self.at(place)?, Document::Discovery));
        }
        let platform = platform_at(path)?;
        let forms = platform.issuer.forms.iter().filter_map(|form| form.jwks.as_deref());
        let own = platform.issuer.jwks.as_deref();
        let ends = forms.chain(own).map(jwks_path).chain([USUAL_JWKS]);
        let mut candidates = ends.filter_map(|end| self.at(path.strip_suffix(end)?));
        let played =
            candidates.find(|played| self.jwks_url(played).strip_prefix(&self.base) == Some(path))?;
        Some((played, Document::Jwks))
    }

    /// Where the discovery document is served.
    pub(crate) fn discovery_url(&self, played: &Played) -> String {
        let place = self.place(played.platform, &played.home);
        format!("{}{WELL_KNOWN}", place.strip_suffix('/').unwrap_or(&place))
    }

    /// Where the key set is served.
    pub(crate) fn jwks_url(&self, played: &Played) -> String {
        let place = self.place(played.platform, &played.home);
        let spec = &played.platform.issuer;
        let form = spec.form_of(&played.home).and_then(|form| form.jwks.as_deref());
        let end = form.or(spec.jwks.as_deref()).map_or(USUAL_JWKS, jwks_path);
        format!("{}{end}", place.strip_suffix('/').unwrap_or(&place))
    }

    /// What the discovery document says about the place of the key set: what the platform itself would say, unless
    /// the issuer is one of loopback.
    pub(crate) fn advertised_jwks_url(&self, played: &Played) -> String {
        match self.mode {
            IssuerMode::Loopback => self.jwks_url(played),
            IssuerMode::True => played.platform.issuer.jwks_uri(&played.home).unwrap_or_else(|| {
                let document = discovery::well_known_url(&played.home);
                let place = document.strip_suffix(WELL_KNOWN).unwrap_or(&document);
                format!("{place}{USUAL_JWKS}")
            }),
        }
    }

    fn place(&self, platform: &Platform, home: &Issuer) -> String {
        let rest = home.host_and_path();
        let path = match usual_host(platform).and_then(|host| rest.strip_prefix(host)) {
            Some(path) if path.is_empty() || path.starts_with('/') => path.to_owned(),
            _ => format!("/{rest}"),
        };
        format!("{}/{}{path}", self.base, platform.id)
    }

    /// The issuer whose URL is the base and this path, such as `/circleci/org/{id}`.
    fn named(&self, path: &str) -> Option<Played> {
        self.candidates(path).into_iter().find_map(|(played, place)| (place == path).then_some(played))
    }

    /// The issuer whose documents are below this path. A slash at the end of an issuer is not in it, so that two
    /// issuers can share it.
    fn at(&self, path: &str) -> Option<Played> {
        let candidates = self.candidates(path).into_iter();
        let found = candidates.filter(|(_, place)| place.strip_suffix('/').unwrap_or(place) == path);
        found.map(|(played, _)| played).max_by_key(likelihood)
    }

    /// The issuers that can be meant by a path, each with its own.
    fn candidates(&self, path: &str) -> Vec<(Played, String)> {
        let Some(platform) = platform_at(path) else { return Vec::new() };
        let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(platform.id.as_str()));
        let rest = rest.unwrap_or_default();
        let named = rest.strip_prefix('/').filter(|rest| !rest.is_empty());
        let usual = usual_host(platform).map(|host| format!("https://{host}{rest}"));
        let texts = named.map(|rest| format!("https://{rest}")).into_iter().chain(usual);
        let homes =
            texts.flat_map(|text| [format!("{text}/"), text]).filter_map(|text| Issuer::parse(&text).ok());
        let played = homes.filter_map(|home| self.play(platform, home));
        played
            .map(|played| {
                let place = self.place(platform, &played.home);
                let path = place.strip_prefix(&self.base).unwrap_or_default().to_owned();
                (played, path)
            })
            .collect()
    }
}

/// How likely it is that an issuer is meant and not the one that differs by a slash: its form says more of it, and
/// the platform's sample of it ends alike.
fn likelihood(played: &Played) -> (usize, bool) {
    let Played { platform, home, .. } = played;
    let forms = platform.issuer.forms.iter().map(|form| &form.pattern);
    let ratings = forms.filter(|form| form.matches(home).is_some()).map(|form| {
        let last = form.slots().last().and_then(|(name, _)| platform.variable(name.as_str()));
        let sample = last.and_then(|spec| spec.sample.as_ref()?.as_str()).unwrap_or_default();
        (form.specificity(), sample.ends_with('/') == home.as_str().ends_with('/'))
    });
    ratings.max().unwrap_or_default()
}

fn platform_at(path: &str) -> Option<&'static Platform> {
    let id = path.strip_prefix('/')?.split('/').next()?;
    catalogue().platform(id)
}

/// The host of the platform's usual issuer, where all of its tenants share it.
fn usual_host(platform: &Platform) -> Option<&str> {
    let pattern = platform.issuer.forms.first()?.pattern.as_str();
    let host = pattern.strip_prefix("https://")?.split('/').next()?;
    (!host.contains('{')).then_some(host)
}

/// The path of a key set: below its issuer, or that of an URL of its own.
fn jwks_path(jwks: &str) -> &str {
    let Some(rest) = jwks.strip_prefix("https://") else { return jwks };
    rest.find('/').and_then(|slash| rest.split_at_checked(slash)).map_or(USUAL_JWKS, |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn addresses(mode: IssuerMode) -> Addresses {
        Addresses::new(SocketAddr::from(([127, 0, 0, 1], 8090)), mode)
    }

    fn platform(id: &str) -> &'static Platform {
        catalogue().platform(id).unwrap()
    }

    fn local(id: &str, home: &str) -> String {
        let played = addresses(IssuerMode::Loopback).of_platform(platform(id), home).unwrap();
        played.issuer.as_str().to_owned()
    }

    const ORG: &str = "0a1b2c3d-0000-4000-8000-000000000001";

    #[test]
    fn an_issuer_lies_below_its_platform_and_keeps_its_path() {
        let github = "https://token.actions.githubusercontent.com";
        assert_eq!(local("github-actions", github), "http://127.0.0.1:8090/github-actions");
        let circle = format!("https://oidc.circleci.com/org/{ORG}");
        assert_eq!(local("circleci", &circle), format!("http://127.0.0.1:8090/circleci/org/{ORG}"));
        assert_eq!(local("circleci", "https://oidc.circleci.com"), "http://127.0.0.1:8090/circleci");
    }

    #[test]
    fn a_host_that_says_something_is_kept() {
        assert_eq!(
            local("github-enterprise-server", "https://ghes.acme.example/_services/token"),
            "http://127.0.0.1:8090/github-enterprise-server/ghes.acme.example/_services/token"
        );
        let older = format!("https://app.vstoken.visualstudio.com/{ORG}");
        assert_eq!(
            local("azure-devops", &older),
            format!("http://127.0.0.1:8090/azure-devops/app.vstoken.visualstudio.com/{ORG}")
        );
    }

    #[test]
    fn every_usual_issuer_is_found_again_by_its_documents() {
        for mode in [IssuerMode::True, IssuerMode::Loopback] {
            let addresses = addresses(mode);
            for platform in catalogue().platforms() {
                let now = daypass_claims::Timestamp::from_secs(0);
                let audience = daypass_claims::Audience::parse("x").unwrap();
                let fixed = platform.audience.choice == daypass_issuers::AudienceChoice::Fixed;
                let audiences = if fixed { vec![] } else { vec![audience] };
                let facts = daypass_issuers::MintFacts {
                    issuer: None,
                    audiences: &audiences,
                    now,
                    lifetime: None,
                    token_id: "",
                };
                for variant in &platform.variants {
                    let claims = platform.compose(Some(&variant.name), &[], &facts).unwrap();
                    let home = Issuer::parse(claims.get("iss").unwrap().as_str().unwrap()).unwrap();
                    let played = addresses.play(platform, home.clone()).unwrap();
                    for (url, wanted) in [
                        (addresses.discovery_url(&played), Document::Discovery),
                        (addresses.jwks_url(&played), Document::Jwks),
                    ] {
                        let path = url.strip_prefix(addresses.base()).unwrap();
                        let (found, document) = addresses.document(path).expect(&url);
                        assert_eq!((&found.home, document), (&home, wanted), "{url}");
                    }
                    let by_url = addresses.of_url(played.issuer.as_str()).unwrap();
                    assert_eq!(by_url.issuer, played.issuer);
                }
            }
        }
    }

    #[test]
    fn issuers_that_differ_by_a_slash_share_a_document_and_no_name() {
        let addresses = addresses(IssuerMode::Loopback);
        let aks = "https://westeurope.oic.prod-aks.azure.com/a/b";
        let place = "/kubernetes/westeurope.oic.prod-aks.azure.com/a/b";
        for end in ["", "/"] {
            let played = addresses.of_url(&format!("{aks}{end}")).unwrap();
            assert_eq!(played.issuer.as_str(), format!("http://127.0.0.1:8090{place}{end}"));
            assert_eq!(addresses.of_url(played.issuer.as_str()).unwrap().home, played.home);
        }
        let (found, _) = addresses.document(&format!("{place}{WELL_KNOWN}")).unwrap();
        assert_eq!(found.home.as_str(), format!("{aks}/"), "as Azure writes it");
    }

    #[test]
    fn a_place_has_one_spelling() {
        let addresses = addresses(IssuerMode::Loopback);
        for path in [
            "/github-actions/token.actions.githubusercontent.com/.well-known/openid-configuration",
            "/github-actions//.well-known/openid-configuration",
            "/circleci/org/acme/.well-known/openid-configuration",
            "/circleci/.well-known/jwks",
            "/circle/.well-known/jwks-pub.json",
            "/.well-known/openid-configuration",
            "/github-actions",
            "",
        ] {
            assert!(addresses.document(path).is_none(), "{path}");
        }
    }

    #[test]
    fn an_url_that_only_resembles_an_issuer_is_none() {
        let addresses = addresses(IssuerMode::True);
        for url in ["https://oidc.circleci.com/org/acme", "https://gitlab.com/", "http://192.0.2.1", "jira"] {
            assert!(addresses.of_url(url).is_none(), "{url}");
        }
        assert_eq!(
            addresses.of_url("https://gitlab.acme.example").unwrap().home.host(),
            "gitlab.acme.example"
        );
    }

    #[test]
    fn a_true_issuer_advertises_its_own_keys_and_a_loopback_issuer_ours() {
        let of = |mode| {
            let addresses = addresses(mode);
            let played = addresses.of_platform(platform("circleci"), "https://oidc.circleci.com").unwrap();
            (addresses.advertised_jwks_url(&played), addresses.jwks_url(&played))
        };
        let served = "http://127.0.0.1:8090/circleci/.well-known/jwks-pub.json".to_owned();
        let own = "https://oidc.circleci.com/.well-known/jwks-pub.json".to_owned();
        assert_eq!(of(IssuerMode::True), (own, served.clone()));
        assert_eq!(of(IssuerMode::Loopback), (served.clone(), served));
    }

    proptest! {
        #[test]
        fn whatever_is_found_at_a_path_is_served_there(
            id in prop::sample::select(catalogue().platforms().iter().map(|one| one.id.clone()).collect::<Vec<_>>()),
            rest in "(/[a-z0-9.:@%-]{0,12}){0,4}",
            end in prop::sample::select(vec![WELL_KNOWN, USUAL_JWKS, "/jwks", "/.well-known/jwks-pub.json", "/"]),
        ) {
            let path = format!("/{id}{rest}{end}");
            let addresses = addresses(IssuerMode::Loopback);
            if let Some((played, document)) = addresses.document(&path) {
                let url = match document {
                    Document::Discovery => addresses.discovery_url(&played),
                    Document::Jwks => addresses.jwks_url(&played),
                };
                prop_assert_eq!(url, format!("{}{path}", addresses.base()));
                prop_assert!(played.issuer.is_loopback());
            }
        }
    }
}
