"""A relying party that trusts what daypass issues, through discovery and nothing else."""

from __future__ import annotations

import json
import time
import urllib.request

import jwt
import pytest
from authlib.integrations.requests_client import OAuth2Session

from harness.oauth import GRANT, exchange
from harness.service import Service

AUDIENCE = "https://registry.acme.example"


def issued(service: Service, role: str, *minted: str) -> str:
    with OAuth2Session() as client:
        parameters = exchange(service.mint(*minted), role)
        return client.fetch_token(f"{service.sts}/token", grant_type=GRANT, **parameters)["access_token"]


def discover(service: Service, document: str = "openid-configuration") -> dict:
    with urllib.request.urlopen(f"{service.sts}/.well-known/{document}") as response:
        assert response.headers["Content-Type"] == "application/json"
        return json.load(response)


def verify(service: Service, token: str, audience: str = AUDIENCE) -> dict:
    """What a relying party does that knows the issuer's URL, and nothing of its keys."""
    metadata = discover(service)
    keys = jwt.PyJWKClient(metadata["jwks_uri"])
    algorithms = metadata["id_token_signing_alg_values_supported"]
    key = keys.get_signing_key_from_jwt(token)
    required = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]
    return jwt.decode(
        token, key, algorithms, audience=audience, issuer=metadata["issuer"], options={"require": required}
    )


def test_a_token_of_acme_verifies(acme):
    release = ["--claim", "ref=refs/tags/v1.2.0", "--claim", "ref_type=tag"]
    claims = verify(acme, issued(acme, "publish", *release))
    assert claims["iss"] == acme.sts
    assert claims["sub"] == "repository:acme/app:ref:refs/tags/v1.2.0"
    assert claims["repository"] == "acme/app"
    assert len(claims["commit"]) == 40


def test_a_token_lasts_as_long_as_the_role_says(estate):
    claims = verify(estate, issued(estate, "publish"))
    assert claims["exp"] - claims["iat"] == 600
    assert abs(claims["iat"] - time.time()) < 60


def test_an_access_token_says_that_it_is_one(estate):
    token = issued(estate, "call-api")
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    claims = verify(estate, token, "https://api.acme.example")
    assert claims["scope"] == "deploy:read deploy:write"
    assert claims["client_id"]


@pytest.mark.parametrize(("role", "algorithm"), [("publish", "ES256"), ("call-api", "EdDSA")])
def test_a_role_chooses_the_algorithm(role, algorithm, estate):
    assert jwt.get_unverified_header(issued(estate, role))["alg"] == algorithm


def test_a_token_is_for_its_audience_only(estate):
    with pytest.raises(jwt.InvalidAudienceError):
        verify(estate, issued(estate, "publish"), "https://elsewhere.example")


def test_a_token_of_another_service_does_not_verify(acme, estate):
    with pytest.raises(jwt.PyJWKClientError):
        verify(acme, issued(estate, "publish"))


def test_a_token_that_was_changed_does_not_verify(estate):
    head, body, signature = issued(estate, "publish").split(".")
    other = issued(estate, "publish", "--claim", "sha=" + "0" * 40).split(".")[1]
    with pytest.raises(jwt.InvalidSignatureError):
        verify(estate, ".".join([head, other, signature]))


def test_both_discovery_documents_say_the_same(estate):
    of_openid, of_oauth = discover(estate), discover(estate, "oauth-authorization-server")
    shared = of_openid.keys() & of_oauth.keys() - {"response_types_supported"}
    assert {"issuer", "jwks_uri", "token_endpoint", "grant_types_supported"} <= shared
    assert {name: of_openid[name] for name in shared} == {name: of_oauth[name] for name in shared}
    assert of_oauth["grant_types_supported"] == [GRANT]
