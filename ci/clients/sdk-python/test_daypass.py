"""boto3 with `daypass` at its side: as `credential_process`, and as the container endpoint of `daypass run`."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys

import boto3
import pytest
from botocore.exceptions import CredentialRetrievalError

from harness.home import Home
from harness.service import BINARY


def profile(home: Home, *more: str) -> None:
    command = [f'"{BINARY}"', "exchange", "--server", home.service.sts, "--role"]
    command += [home.service.role("deploy-staging"), "--token-file", f'"{home.directory}/token"']
    command += ["--format", "credential-process", *more]
    home.configure(f"[profile ci]\ncredential_process = {' '.join(command)}\n")


def test_a_credential_process_exchanges_the_token(environ, home):
    home.write("token", home.service.mint())
    profile(home, "--session-name", "run-1")
    environ(home.environment(AWS_PROFILE="ci"))
    session = boto3.session.Session()
    assert session.client("sts").get_caller_identity()["Arn"].endswith("assumed-role/deploy-staging/run-1")
    credentials = session.get_credentials()
    assert credentials.account_id == "123456789012"
    left = credentials._expiry_time - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=59) < left <= datetime.timedelta(hours=1)


def test_a_credential_process_that_is_refused_is_an_error(environ, home):
    home.write("token", home.service.mint("--key", "rogue"))
    profile(home)
    environ(home.environment(AWS_PROFILE="ci"))
    with pytest.raises(CredentialRetrievalError, match="InvalidIdentityToken"):
        boto3.session.Session().client("sts").get_caller_identity()


PROGRAM = """
import boto3, json
session = boto3.session.Session()
credentials = session.get_credentials()
identity = session.client("sts").get_caller_identity()
print(json.dumps({"method": credentials.method, "arn": identity["Arn"]}))
"""


def run(home: Home, program: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [BINARY, "run", "--server", home.service.sts, "--role", home.service.role("deploy-staging")]
    command += ["--token-file", f"{home.directory}/token", "--session-name", "run-2"]
    command += ["--", sys.executable, "-c", program]
    return subprocess.run(command, env=home.environment(**more), capture_output=True, text=True)


def test_a_program_finds_its_credentials_at_the_container_endpoint(home):
    home.write("token", home.service.mint())
    done = run(home, PROGRAM)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["method"] == "container-role"
    assert said["arn"].endswith("assumed-role/deploy-staging/run-2")


def test_leftover_keys_are_kept_from_the_program(home):
    home.write("token", home.service.mint())
    leftover = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x" * 40}
    done = run(home, PROGRAM, **leftover)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["method"] == "container-role"
    assert "AWS_ACCESS_KEY_ID" in done.stderr
    assert leftover["AWS_SECRET_ACCESS_KEY"] not in done.stderr


def test_the_programs_exit_code_is_ours(home):
    home.write("token", home.service.mint())
    assert run(home, "raise SystemExit(7)").returncode == 7


def test_a_program_is_not_started_without_credentials(home):
    home.write("token", home.service.mint("--claim", "ref=refs/heads/dev"))
    done = run(home, "print('started')")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "AccessDenied" in done.stderr


def test_a_token_that_has_expired_is_not_even_sent(home):
    before = home.service.decisions()
    home.write("token", home.service.mint("--lifetime", "-10m"))
    done = run(home, "print('started')")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "ended at" in done.stderr
    assert home.service.decisions() == before
