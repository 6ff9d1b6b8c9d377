"""Token exchange (RFC 8693) with authlib."""

from __future__ import annotations

import pytest
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session, OAuthError

from harness.oauth import ACCESS_TOKEN, GRANT, ID_TOKEN, JWT, exchange
from harness.service import Service

AWS_SESSION = "urn:daypass:params:oauth:token-type:aws-session"


def fetch(service: Service, token: str, role: str, **more: object) -> dict:
    with OAuth2Session() as client:
        parameters = exchange(token, role, **more)
        return client.fetch_token(f"{service.sts}/token", grant_type=GRANT, **parameters)


def test_a_token_becomes_a_token(estate):
    token = fetch(estate, estate.mint(), "publish")
    assert token["token_type"] == "Bearer"
    assert token["issued_token_type"] == ID_TOKEN
    assert 0 < token["expires_in"] <= 600
    assert token["expires_at"]
    assert token["access_token"].count(".") == 2


def test_a_role_is_named_by_its_arn_too(estate):
    assert fetch(estate, estate.mint(), estate.role("publish"))["access_token"]


def test_a_role_is_named_by_a_resource_too(estate):
    with OAuth2Session() as client:
        token = client.fetch_token(
            f"{estate.sts}/token",
            grant_type=GRANT,
            subject_token=estate.mint(),
            subject_token_type=JWT,
            resource=f"{estate.sts}/roles/publish",
            requested_token_type=JWT,
        )
    assert token["issued_token_type"] == JWT


def test_scopes_are_narrowed(estate):
    token = fetch(estate, estate.mint(), "call-api", scope="deploy:read")
    assert token["issued_token_type"] == ACCESS_TOKEN
    assert token["scope"] == "deploy:read"


def test_an_aws_session_comes_this_way_too(acme):
    token = fetch(acme, acme.mint(), "deploy-staging")
    assert token["issued_token_type"] == AWS_SESSION
    assert token["token_type"] == "N_A"
    assert token["aws_credentials"]["AccessKeyId"].startswith("ASIA")


def test_what_a_client_sends_of_itself_is_not_asked_for(estate):
    with OAuth2Session("ci", "not-a-secret-that-anybody-checks") as client:
        token = client.fetch_token(
            f"{estate.sts}/token", grant_type=GRANT, **exchange(estate.mint(), "publish")
        )
    assert token["access_token"]


REFUSALS = {
    "an expired token": (["--lifetime", "-10m"], "publish", {}, "invalid_request", "expired"),
    "a forged signature": (["--key", "rogue"], "publish", {}, "invalid_request", "signature"),
    "another branch": (["--claim", "ref=refs/heads/dev"], "publish", {}, "invalid_request", "ref"),
    "a role that is not there": ([], "no-such-role", {}, "invalid_request", ""),
    "another grant type": ([], "publish", {"grant_type": "urn:acme:other"}, "unsupported_grant_type", GRANT),
    "another kind of token": ([], "publish", {"subject_token_type": ACCESS_TOKEN}, "invalid_request", ID_TOKEN),
    "an actor": ([], "publish", {"actor_token": "a", "actor_token_type": JWT}, "invalid_request", "actor"),
    "a scope that the role lacks": ([], "call-api", {"scope": "admin"}, "invalid_scope", "admin"),
    "a resource that is no URI": ([], "publish", {"resource": "publish"}, "invalid_target", "URI"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused(case, estate):
    minted, role, more, error, word = REFUSALS[case]
    subject_token = estate.mint(*minted)
    parameters = {"grant_type": GRANT, **exchange(subject_token, role), **more}
    with OAuth2Session() as client, pytest.raises(OAuthError) as refused:
        client.fetch_token(f"{estate.sts}/token", **parameters)
    assert isinstance(refused.value, AuthlibBaseError)
    assert refused.value.error == error
    assert word in refused.value.description
    assert subject_token not in refused.value.description


def test_a_token_is_presented_once(estate):
    token = estate.mint()
    assert fetch(estate, token, "publish")["access_token"]
    with pytest.raises(OAuthError) as refused:
        fetch(estate, token, "call-api")
    assert refused.value.error == "invalid_request"
    assert "used" in refused.value.description


def test_a_request_that_is_repeated_gets_the_same_token(estate):
    token = estate.mint()
    first, second = (fetch(estate, token, "publish") for _ in range(2))
    assert first["access_token"] == second["access_token"]
