"""Token exchange (RFC 8693) with requests-oauthlib, which insists on TLS."""

from __future__ import annotations

import pytest
from oauthlib.oauth2 import BackendApplicationClient, InsecureTransportError, InvalidScopeError, OAuth2Error
from requests_oauthlib import OAuth2Session

from harness.oauth import GRANT, ID_TOKEN, exchange
from harness.secure import SecureService


class TokenExchangeClient(BackendApplicationClient):
    """oauthlib's way to another grant type."""

    grant_type = GRANT


def fetch(tls: SecureService, token: str, role: str, **more: object) -> dict:
    with OAuth2Session(client=TokenExchangeClient("ci")) as session:
        return session.fetch_token(
            f"{tls.service.sts}/token",
            verify=str(tls.authority),
            include_client_id=True,
            **exchange(token, role, **more),
        )


def test_a_token_becomes_a_token(tls):
    token = fetch(tls, tls.sign(), "publish")
    assert token["issued_token_type"] == ID_TOKEN
    assert token["token_type"] == "Bearer"
    assert token["access_token"].count(".") == 2


def test_a_refusal_is_the_librarys_own_exception(tls):
    # oauthlib has several classes for `invalid_request` and takes the first; their base is what callers can rely on.
    with pytest.raises(OAuth2Error) as refused:
        fetch(tls, tls.sign(exp=1), "publish")
    assert refused.value.error == "invalid_request"
    assert "expired" in refused.value.description


def test_a_refused_scope_is_another(tls):
    with pytest.raises(InvalidScopeError):
        fetch(tls, tls.sign(), "publish", scope="admin")


def test_plain_http_is_not_what_the_library_sends_tokens_over(acme):
    with OAuth2Session(client=TokenExchangeClient("ci")) as session, pytest.raises(InsecureTransportError):
        session.fetch_token(f"{acme.sts}/token", **exchange("token", "publish"))
