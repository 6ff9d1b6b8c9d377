"""What boto3 does with a session: presigned URLs, signed requests that others send, chaining."""

from __future__ import annotations

import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest


@pytest.fixture
def session(environ, home) -> boto3.session.Session:
    environ(home.web_identity(home.service.mint(), "deploy-staging", AWS_ROLE_SESSION_NAME="run-1"))
    return boto3.session.Session()


def fetch(request: urllib.request.Request | str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def presigned(session: boto3.session.Session, method: str = "GET", seconds: int = 60) -> str:
    return session.client("sts").generate_presigned_url(
        "get_caller_identity", ExpiresIn=seconds, HttpMethod=method
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_presigned_url_says_who_made_it(method, session):
    status, body = fetch(urllib.request.Request(presigned(session, method), method=method))
    assert status == 200
    assert "assumed-role/deploy-staging/run-1</Arn>" in body


def test_a_presigned_url_is_for_one_method(session):
    status, body = fetch(presigned(session, "POST"))
    assert (status, "<Code>SignatureDoesNotMatch</Code>" in body) == (403, True)


def test_a_presigned_url_cannot_be_changed(session):
    url = presigned(session)
    for changed in (url.replace("X-Amz-Expires=60", "X-Amz-Expires=90"), url + "&Extra=1"):
        assert changed != url
        status, body = fetch(changed)
        assert (status, "<Code>SignatureDoesNotMatch</Code>" in body) == (403, True)


def test_a_presigned_url_is_for_minutes(session):
    status, body = fetch(presigned(session, seconds=900))
    assert status == 200
    status, body = fetch(presigned(session, seconds=901))
    assert (status, "<Code>SignatureDoesNotMatch</Code>" in body) == (403, True)


@pytest.fixture
def signed(session, home) -> urllib.request.Request:
    """A signed request for somebody else to send, as jobs log in to Vault with it."""
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "X-Vault-Server": "vault.acme"}
    request = AWSRequest("POST", home.service.sts + "/", headers=headers, data=body)
    SigV4Auth(session.get_credentials().get_frozen_credentials(), "sts", "us-east-1").add_auth(request)
    return urllib.request.Request(request.url, data=body, headers=dict(request.headers), method="POST")


def test_a_signed_request_says_who_made_it(signed):
    status, body = fetch(signed)
    assert status == 200
    assert "assumed-role/deploy-staging/run-1</Arn>" in body


def test_a_signed_request_is_for_one_server(signed):
    signed.add_header("X-Vault-Server", "vault.evil")
    status, body = fetch(signed)
    assert (status, "<Code>SignatureDoesNotMatch</Code>" in body) == (403, True)


def test_another_region_in_the_scope_makes_no_difference(session):
    client = session.client("sts", region_name="ap-southeast-2")
    assert client.get_caller_identity()["Account"] == "123456789012"


def test_a_session_leads_to_the_next(environ, estate_home):
    service = estate_home.service
    environ(estate_home.web_identity(service.mint(), "pipeline"))
    client = boto3.session.Session().client("sts")
    answer = client.assume_role(RoleArn=service.role("release"), RoleSessionName="next", DurationSeconds=900)
    keys = answer["Credentials"]
    chained = boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    assert chained.client("sts").get_caller_identity()["Arn"].endswith("assumed-role/release/next")
    assert 0 < keys["Expiration"].timestamp() - time.time() <= 900


def test_an_access_key_belongs_to_the_account(session):
    key = session.get_credentials().get_frozen_credentials().access_key
    assert session.client("sts").get_access_key_info(AccessKeyId=key)["Account"] == "123456789012"
