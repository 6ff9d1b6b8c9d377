"""Refusals arrive as botocore's own exceptions."""

from __future__ import annotations

import json
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.home import Home
from harness.service import Service, up


def assume(client, home: Home, token: str, role: str = "deploy-staging", **more):
    return client.assume_role_with_web_identity(
        RoleArn=home.service.role(role), RoleSessionName="run-1", WebIdentityToken=token, **more
    )


TYPED = {
    "an expired token": (["--lifetime", "-10m"], "ExpiredTokenException", "ExpiredTokenException"),
    "a forged signature": (["--key", "rogue"], "InvalidIdentityTokenException", "InvalidIdentityToken"),
    "another audience": (
        ["--audience", "https://elsewhere.example"],
        "InvalidIdentityTokenException",
        "InvalidIdentityToken",
    ),
}


@pytest.mark.parametrize("case", TYPED)
def test_refused(case, sts, home):
    minted, exception, code = TYPED[case]
    client = sts(home.environment())
    with pytest.raises(getattr(client.exceptions, exception)) as refused:
        assume(client, home, home.service.mint(*minted))
    response = refused.value.response
    assert response["Error"]["Code"] == code
    assert response["Error"]["Type"] == "Sender"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RequestId"]


def test_a_policy_that_is_none(sts, home):
    client = sts(home.environment())
    with pytest.raises(client.exceptions.MalformedPolicyDocumentException):
        assume(client, home, home.service.mint(), Policy="{nonsense")


def test_policies_that_are_too_large(sts, home):
    client = sts(home.environment())
    policies = [{"arn": f"arn:aws:iam::123456789012:policy/{'p' * 300}{n}"} for n in range(7)]
    with pytest.raises(client.exceptions.PackedPolicyTooLargeException):
        assume(client, home, home.service.mint(), PolicyArns=policies)


def test_what_is_not_authorised_has_no_type_of_its_own(sts, home):
    client = sts(home.environment())
    with pytest.raises(ClientError) as refused:
        assume(client, home, home.service.mint("--claim", "ref=refs/heads/dev"))
    response = refused.value.response
    assert response["Error"]["Code"] == "AccessDenied"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_request_id_is_the_id_of_the_decision(sts, home):
    client = sts(home.environment())
    with pytest.raises(ClientError) as refused:
        assume(client, home, home.service.mint("--claim", "ref=refs/heads/dev"))
    admitted = assume(client, home, home.service.mint())
    answers = [refused.value.response, admitted]
    said = {answer["ResponseMetadata"]["RequestId"] for answer in answers}
    headers = {answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"] for answer in answers}
    recorded = {record["id"] for record in home.service.decisions()}
    assert said == headers
    assert said <= recorded


def test_an_issuer_that_cannot_be_reached_is_tried_again(environ, tmp_path, home):
    """IDPCommunicationError is retried by botocore, twice; the service asks the issuer once."""
    with up(tmp_path / "data", "--loopback-issuers") as service:
        # The keys that the service knows go on being good; the outage tells with a key that it does not know.
        _control(service, "outage", outage="unavailable")
        _control(service, "rotate")
        environ(home.environment(AWS_ENDPOINT_URL_STS=service.sts))
        attempts = []
        client = boto3.session.Session().client("sts", config=Config(retries={"mode": "standard"}))
        client.meta.events.register("before-send.sts.*", lambda **_: attempts.append(1))
        with pytest.raises(client.exceptions.IDPCommunicationErrorException):
            assume(client, home, service.mint())
        assert len(attempts) == 3


def _control(service: Service, act: str, **request: object) -> None:
    """Does something to the development platforms."""
    headers = {"Content-Type": "application/json"}
    body = json.dumps(request).encode()
    urllib.request.urlopen(urllib.request.Request(f"{service.issuer}/control/{act}", body, headers)).close()
