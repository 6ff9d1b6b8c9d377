"""A home for one test. The aws-cli caches sessions there, and every SDK reads its configuration from there."""

from __future__ import annotations

import os
from pathlib import Path

from harness.service import Service

REGION = "eu-central-1"


class Home:
    """A directory with nothing in it but what the test puts there, and the environment that goes with it."""

    def __init__(self, directory: Path, service: Service) -> None:
        self.directory = directory
        self.service = service
        (directory / ".aws").mkdir()

    def environment(self, **more: str) -> dict[str, str]:
        """The whole environment of a client: nothing of the caller's but where programs are."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "AWS_CONFIG_FILE": str(self.directory / ".aws" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.directory / ".aws" / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_STS": self.service.sts,
            **more,
        }

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text)
        return path

    def configure(self, text: str) -> None:
        """Writes `~/.aws/config`."""
        self.write(".aws/config", text)

    def web_identity(self, token: str, role: str, **more: str) -> dict[str, str]:
        """The environment of a job whose SDK exchanges the token itself."""
        return self.environment(
            AWS_WEB_IDENTITY_TOKEN_FILE=str(self.write("token", token)),
            AWS_ROLE_ARN=self.service.role(role),
            **more,
        )

    def holding(self, credentials: dict, **more: str) -> dict[str, str]:
        """The environment of a job that holds a session, as STS and `credential_process` write it."""
        return self.environment(
            AWS_ACCESS_KEY_ID=credentials["AccessKeyId"],
            AWS_SECRET_ACCESS_KEY=credentials["SecretAccessKey"],
            AWS_SESSION_TOKEN=credentials["SessionToken"],
            **more,
        )
