"""How the command line is brought to daypass: TLS with an authority of one's own, and `daypass` as a program it calls."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness.home import Home
from harness.service import BINARY


@pytest.fixture
def secure_home(tmp_path, tls) -> Home:
    directory = tmp_path / "secure-home"
    directory.mkdir()
    return Home(directory, tls.service)


def test_https_with_an_authority_of_ones_own(aws, secure_home, tls):
    assert tls.service.sts.startswith("https://127.0.0.1:")
    environment = secure_home.web_identity(
        tls.sign(), "deploy", AWS_CA_BUNDLE=str(tls.authority), AWS_ROLE_SESSION_NAME="run-1"
    )
    identity = aws(environment)("sts", "get-caller-identity")
    assert identity["Arn"] == "arn:aws:sts::210987654321:assumed-role/deploy/run-1"


def test_https_without_the_authority_is_not_trusted(aws, secure_home, tls):
    environment = secure_home.web_identity(tls.sign(), "deploy")
    assert "CERTIFICATE_VERIFY_FAILED" in aws(environment).refused("sts", "get-caller-identity")


def test_a_credential_process_exchanges_the_token(aws, home):
    home.write("token", home.service.mint())
    home.configure(
        f"""
[profile ci]
credential_process = "{BINARY}" exchange --server {home.service.sts} --role {home.service.role("deploy-staging")} \
--token-file {home.directory}/token --session-name run-5 --format credential-process
"""
    )
    identity = aws(home.environment())("sts", "get-caller-identity", "--profile", "ci")
    assert identity["Arn"].endswith("assumed-role/deploy-staging/run-5")


def test_a_credential_process_says_why_it_is_refused(aws, home):
    home.write("token", home.service.mint("--claim", "ref=refs/heads/dev"))
    home.configure(
        f"""
[profile ci]
credential_process = "{BINARY}" exchange --server {home.service.sts} --role {home.service.role("deploy-staging")} \
--token-file {home.directory}/token --format credential-process
"""
    )
    said = aws(home.environment()).refused("sts", "get-caller-identity", "--profile", "ci")
    assert "AccessDenied" in said


def test_the_command_line_runs_beside_a_container_endpoint(aws, home):
    home.write("token", home.service.mint())
    command = [BINARY, "run", "--server", home.service.sts, "--role", home.service.role("deploy-staging")]
    command += ["--token-file", f"{home.directory}/token", "--session-name", "run-6", "--"]
    command += [sys.executable, "-m", "awscli", "sts", "get-caller-identity", "--output", "json"]
    done = subprocess.run(command, env=home.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Arn"].endswith("assumed-role/deploy-staging/run-6")
