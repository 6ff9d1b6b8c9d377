//! Fetching over TLS: from issuers with certificates of their own, and from none without.

use std::sync::Arc;

use daypass_exchange::config::FetchConfig;
use daypass_exchange::keys::{Fetch, Fetched};
use daypass_server::fetch::{Addresses, HttpFetch};

use crate::fetch_guard::{Names, target};
use crate::site::{Authority, Site, json};

struct Issuer {
    authority: Authority,
    site: Site,
}

impl Issuer {
    async fn new() -> Self {
        let authority = Authority::new();
        let site = Site::with_tls(&authority, "ci.example.com", |_| json("{}")).await;
        Self { authority, site }
    }

    async fn fetch(&self, host: &str, config: FetchConfig) -> Result<Fetched, String> {
        let names = Names::of(&[("ci.example.com", &["127.0.0.1"]), ("other.example.com", &["127.0.0.1"])]);
        let url = format!("https://{host}:{}/keys", self.site.address.port());
        let fetcher = HttpFetch::with(names as Arc<dyn Addresses>);
        fetcher.fetch(target(&url, config)).await.map_err(|error| error.0)
    }
}

fn config(ca_pem: Option<String>, allow_private: bool) -> FetchConfig {
    FetchConfig { ca_pem, allow_private, ..FetchConfig::default() }
}

#[tokio::test]
async fn an_issuers_own_authority_vouches_for_it_alone() {
    let issuer = Issuer::new().await;
    let own = || Some(issuer.authority.pem.clone());
    let fetched = issuer.fetch("ci.example.com", config(own(), true)).await.unwrap();
    assert_eq!(fetched.body, b"{}");
    let other = issuer.fetch("other.example.com", config(own(), true)).await.unwrap_err();
    assert!(other.contains("certificate"), "the certificate is for another name: {other}");
    let stranger = Some(Authority::new().pem);
    let stranger = issuer.fetch("ci.example.com", config(stranger, true)).await.unwrap_err();
    assert!(stranger.contains("certificate"), "{stranger}");
    assert_eq!(issuer.site.asked().len(), 1);
}

#[tokio::test]
async fn a_private_address_needs_leave_whatever_its_certificate() {
    let issuer = Issuer::new().await;
    let refused = issuer.fetch("ci.example.com", config(Some(issuer.authority.pem.clone()), false)).await;
    assert!(refused.unwrap_err().ends_with("127.0.0.1 is loopback"));
    assert_eq!(issuer.site.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_bundle_that_holds_no_authority_is_said_to() {
    let issuer = Issuer::new().await;
    for (pem, why) in [
        ("", "the issuer's CA bundle is not usable: it holds no certificate"),
        ("# none here\n", "the issuer's CA bundle is not usable: it holds no certificate"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "the issuer's CA bundle is not usable: invalid peer certificate: BadEncoding",
        ),
    ] {
        let refused = issuer.fetch("ci.example.com", config(Some(pem.to_owned()), true)).await;
        assert_eq!(refused.unwrap_err(), why);
    }
}
