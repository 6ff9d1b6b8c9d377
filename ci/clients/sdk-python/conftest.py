from __future__ import annotations

import boto3
import pytest
from botocore.config import Config


@pytest.fixture
def sts(environ):
    """A client of STS in an environment, in a session of its own. It tries once, so that refusals are seen as they are."""

    def client(environment: dict[str, str], **options):
        environ(environment)
        config = Config(retries={"total_max_attempts": 1}, **options)
        return boto3.session.Session().client("sts", config=config)

    return client
