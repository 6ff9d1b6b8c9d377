"""A job's token for a session: asked for by name, and by the environment alone."""

from __future__ import annotations

import re

import pytest


def assume(role: str, token: str, *more: str) -> list[str]:
    command = ["sts", "assume-role-with-web-identity", "--role-arn", role, "--role-session-name", "run-1"]
    return [*command, "--web-identity-token", token, *more]


def test_a_token_becomes_a_session(aws, home):
    answer = aws(home.environment())(*assume(home.service.role("deploy-staging"), home.service.mint()))
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/deploy-staging/run-1"
    assert answer["AssumedRoleUser"]["AssumedRoleId"].startswith("AROA")
    assert answer["SubjectFromWebIdentityToken"] == "repo:acme/app:ref:refs/heads/main"
    assert answer["Audience"] == "sts.amazonaws.com"
    provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    assert answer["Provider"] == provider
    assert re.fullmatch("ASIA[A-Z2-7]{16}", answer["Credentials"]["AccessKeyId"])


def test_the_session_is_who_it_says(aws, home):
    answer = aws(home.environment())(*assume(home.service.role("deploy-staging"), home.service.mint()))
    identity = aws(home.holding(answer["Credentials"]))("sts", "get-caller-identity")
    assert identity == {
        "UserId": answer["AssumedRoleUser"]["AssumedRoleId"],
        "Account": "123456789012",
        "Arn": answer["AssumedRoleUser"]["Arn"],
    }


def test_a_token_is_taken_from_a_file(aws, home):
    home.write("token", home.service.mint())
    answer = aws(home.environment())(
        *assume(home.service.role("deploy-staging"), f"file://{home.directory}/token")
    )
    assert answer["Credentials"]["SessionToken"]


def test_the_environment_alone_is_enough(aws, home):
    environment = home.web_identity(home.service.mint(), "deploy-staging", AWS_ROLE_SESSION_NAME="run-2")
    identity = aws(environment)("sts", "get-caller-identity")
    assert identity["Arn"] == "arn:aws:sts::123456789012:assumed-role/deploy-staging/run-2"


def test_a_session_name_of_the_clients_own_is_taken(aws, home):
    identity = aws(home.web_identity(home.service.mint(), "deploy-staging"))("sts", "get-caller-identity")
    assert re.search(r"assumed-role/deploy-staging/\w+-session-\d+$", identity["Arn"])


def test_a_token_file_may_end_with_a_line_end(aws, home):
    environment = home.web_identity(home.service.mint() + "\n", "deploy-staging")
    assert aws(environment)("sts", "get-caller-identity")["Account"] == "123456789012"


def test_a_profile_names_role_token_and_endpoint(aws, home):
    home.write("token", home.service.mint())
    home.configure(
        f"""
[profile ci]
role_arn                = {home.service.role("deploy-staging")}
web_identity_token_file = {home.directory}/token
role_session_name       = run-3
services                = daypass

[services daypass]
sts =
    endpoint_url = {home.service.sts}
"""
    )
    environment = home.environment()
    del environment["AWS_ENDPOINT_URL_STS"]
    identity = aws(environment)("sts", "get-caller-identity", "--profile", "ci")
    assert identity["Arn"].endswith("assumed-role/deploy-staging/run-3")


def test_a_job_of_circleci_is_served_too(aws, home):
    token = home.service.mint("--variant", "v2", platform="circleci")
    environment = home.web_identity(token, "deploy-staging", AWS_ROLE_SESSION_NAME="run-4")
    identity = aws(environment)("sts", "get-caller-identity")
    assert identity["Arn"].endswith("assumed-role/deploy-staging/run-4")


def test_production_wants_the_production_environment(aws, home):
    role, assume_with = home.service.role("deploy-prod"), aws(home.environment())
    said = assume_with.refused(*assume(role, home.service.mint()))
    assert "(AccessDenied)" in said
    token = home.service.mint("--variant", "environment", "--claim", "environment=production")
    assert assume_with(*assume(role, token))["AssumedRoleUser"]["Arn"].endswith("/deploy-prod/run-1")


REFUSALS = {
    "another branch": (["--claim", "ref=refs/heads/dev"], [], "AccessDenied"),
    "a pull request": (["--variant", "pull-request"], [], "AccessDenied"),
    "another organisation": (["--claim", "repository_owner_id=6666"], [], "AccessDenied"),
    "an expired token": (["--lifetime", "-10m"], [], "ExpiredTokenException"),
    "another audience": (["--audience", "https://elsewhere.example"], [], "InvalidIdentityToken"),
    "a forged signature": (["--key", "rogue"], [], "InvalidIdentityToken"),
    "no signature": (["--alg", "none"], [], "InvalidIdentityToken"),
    "the key of another issuer": (["--key-of", "gitlab-com"], [], "InvalidIdentityToken"),
    "an issuer nobody configured": (["--claim", "iss=https://elsewhere.example"], [], "InvalidIdentityToken"),
    "a session longer than allowed": ([], ["--duration-seconds", "7200"], "ValidationError"),
    "a session policy that is none": ([], ["--policy", "{nonsense"], "MalformedPolicyDocument"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused(case, aws, home):
    minted, arguments, code = REFUSALS[case]
    token = home.service.mint(*minted)
    said = aws(home.environment()).refused(
        *assume(home.service.role("deploy-staging"), token, *arguments)
    )
    assert f"An error occurred ({code}) when calling the AssumeRoleWithWebIdentity operation" in said
    assert token not in said


def test_the_environment_alone_says_why_it_is_refused(aws, home):
    environment = home.web_identity(home.service.mint("--lifetime", "-10m"), "deploy-staging")
    said = aws(environment).refused("sts", "get-caller-identity")
    assert "(ExpiredTokenException)" in said
    assert "Token expired: current date/time" in said


def test_a_role_that_is_not_there_reads_like_one_that_refuses(aws, home):
    said = aws(home.environment()).refused(*assume(home.service.role("no-such-role"), home.service.mint()))
    assert "(AccessDenied)" in said
    assert "Not authorized to perform sts:AssumeRoleWithWebIdentity" in said
