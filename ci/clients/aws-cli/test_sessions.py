"""What a session can do: say who it is, lead to another, and stand in a URL."""

from __future__ import annotations

import base64
import urllib.error
import urllib.request

import pytest


@pytest.fixture
def session(aws, estate_home):
    """The command line with a session of the role `pipeline`."""
    service = estate_home.service
    command = ["sts", "assume-role-with-web-identity", "--role-arn", service.role("pipeline")]
    command += ["--role-session-name", "run-1", "--web-identity-token", service.mint()]
    return aws(estate_home.holding(aws(estate_home.environment())(*command)["Credentials"]))


def assume(service, role: str, *more: str) -> list[str]:
    return ["sts", "assume-role", "--role-arn", service.role(role), "--role-session-name", "next", *more]


def test_a_session_assumes_the_role_that_trusts_its_role(aws, session, estate_home):
    answer = session(*assume(estate_home.service, "release"))
    assert answer["AssumedRoleUser"]["Arn"].endswith("assumed-role/release/next")
    identity = aws(estate_home.holding(answer["Credentials"]))("sts", "get-caller-identity")
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"]


def test_a_session_passes_tags_on(session, estate_home):
    tags = ["--tags", "Key=stage,Value=release", "--transitive-tag-keys", "stage"]
    assert session(*assume(estate_home.service, "release", *tags))["Credentials"]["SessionToken"]


def test_no_other_role_is_assumed_from_a_session(session, estate_home):
    said = session.refused(*assume(estate_home.service, "brief"))
    assert "An error occurred (AccessDenied) when calling the AssumeRole operation" in said


def test_a_chained_session_lasts_an_hour_at_most(session, estate_home):
    said = session.refused(*assume(estate_home.service, "release", "--duration-seconds", "7200"))
    assert "(ValidationError)" in said


def test_a_profile_chains_from_a_profile(aws, estate_home):
    service = estate_home.service
    estate_home.write("token", service.mint())
    estate_home.configure(
        f"""
[profile pipeline]
role_arn                = {service.role("pipeline")}
web_identity_token_file = {estate_home.directory}/token

[profile release]
role_arn          = {service.role("release")}
source_profile    = pipeline
role_session_name = chained
"""
    )
    identity = aws(estate_home.environment())("sts", "get-caller-identity", "--profile", "release")
    assert identity["Arn"].endswith("assumed-role/release/chained")


def test_an_access_key_belongs_to_the_account(session):
    key = session.environment["AWS_ACCESS_KEY_ID"]
    assert session("sts", "get-access-key-info", "--access-key-id", key) == {"Account": "123456789012"}


def test_a_strangers_access_key_belongs_to_nobody_here(session):
    said = session.refused("sts", "get-access-key-info", "--access-key-id", "AKIAIOSFODNN7EXAMPLE")
    assert "(InvalidClientTokenId)" in said


def test_a_wrong_secret_is_noticed(aws, session):
    environment = {**session.environment, "AWS_SECRET_ACCESS_KEY": "x" * 40}
    said = aws(environment).refused("sts", "get-caller-identity")
    assert "(SignatureDoesNotMatch)" in said


def test_long_lived_keys_are_nobody(aws, home):
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x" * 40}
    said = aws(home.environment(**keys)).refused("sts", "get-caller-identity")
    assert "(InvalidClientTokenId)" in said


def test_an_operation_that_is_not_served_says_so(session):
    said = session.refused("sts", "get-session-token")
    assert "(InvalidAction)" in said


class TestEks:
    """`aws eks get-token`: a presigned GetCallerIdentity, which the cluster fetches by plain HTTP."""

    @pytest.fixture
    def url(self, session) -> str:
        token = session("eks", "get-token", "--cluster-name", "blue")["status"]["token"]
        encoded = token.removeprefix("k8s-aws-v1.")
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()

    @staticmethod
    def get(url: str, cluster: str) -> str:
        request = urllib.request.Request(url, headers={"x-k8s-aws-id": cluster})
        with urllib.request.urlopen(request) as response:
            return response.read().decode()

    def test_the_cluster_learns_who_asks(self, url, estate_home):
        assert url.startswith(estate_home.service.sts)
        assert ":assumed-role/pipeline/run-1</Arn>" in self.get(url, "blue")

    def test_the_token_is_for_one_cluster(self, url):
        with pytest.raises(urllib.error.HTTPError) as refused:
            self.get(url, "green")
        assert refused.value.code == 403
        assert "<Code>SignatureDoesNotMatch</Code>" in refused.value.read().decode()
