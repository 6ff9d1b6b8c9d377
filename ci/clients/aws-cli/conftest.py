from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

AWS = Path(sys.executable).with_name("aws")


class Aws:
    """Runs the command line in an environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(AWS), *arguments, "--output", "json"]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True)

    def __call__(self, *arguments: str) -> dict:
        """What a command answers."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *arguments: str) -> str:
        """What a command that fails says."""
        done = self.run(*arguments)
        assert done.returncode != 0, f"{arguments[1]} was not refused"
        assert done.stdout == ""
        return done.stderr.strip()


@pytest.fixture
def aws():
    """The command line in an environment: `aws(environment)("sts", "get-caller-identity")`."""
    return Aws
