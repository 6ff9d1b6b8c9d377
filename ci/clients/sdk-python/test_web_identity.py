"""The web-identity provider of boto3: a token file, a role, and a refresh ahead of time."""

from __future__ import annotations

import datetime
import os

import boto3
import botocore.credentials
import pytest


class Clock:
    """The clock by which botocore decides on a refresh. Signatures are dated by another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = datetime.timedelta()
        self.read = botocore.credentials._local_now
        monkeypatch.setattr(botocore.credentials, "_local_now", self.now)

    def now(self) -> datetime.datetime:
        return self.read() + self.ahead

    def rule(self, session: boto3.session.Session) -> None:
        """Dates the session's credentials, which took botocore's own clock when they were made."""
        session.get_credentials()._time_fetcher = self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    return Clock(monkeypatch)


def key_in_use(session: boto3.session.Session) -> str:
    return session.get_credentials().get_frozen_credentials().access_key


def test_the_environment_alone_is_enough(sts, home):
    client = sts(home.web_identity(home.service.mint(), "deploy-staging", AWS_ROLE_SESSION_NAME="run-1"))
    assert client.get_caller_identity()["Arn"].endswith("assumed-role/deploy-staging/run-1")


def test_a_session_is_kept_while_it_is_good(environ, home, clock):
    environ(home.web_identity(home.service.mint(), "deploy-staging"))
    session = boto3.session.Session()
    clock.rule(session)
    first = key_in_use(session)
    clock.ahead = datetime.timedelta(minutes=44)
    assert key_in_use(session) == first


def test_a_session_is_refreshed_with_the_token_that_lies_there_then(environ, home, clock):
    environ(home.web_identity(home.service.mint("--claim", "run_id=1"), "deploy-staging"))
    session = boto3.session.Session()
    client = session.client("sts")
    clock.rule(session)
    first = key_in_use(session)
    home.write("token", home.service.mint("--claim", "run_id=2"))
    # Ten minutes before its end botocore must have another.
    clock.ahead = datetime.timedelta(minutes=51)
    assert client.get_caller_identity()["Account"] == "123456789012"
    assert key_in_use(session) != first


def test_a_refresh_that_is_refused_is_an_error(environ, home, clock):
    environ(home.web_identity(home.service.mint(), "deploy-staging"))
    session = boto3.session.Session()
    client = session.client("sts")
    clock.rule(session)
    assert key_in_use(session)
    home.write("token", home.service.mint("--lifetime", "-10m"))
    clock.ahead = datetime.timedelta(minutes=51)
    with pytest.raises(client.exceptions.ExpiredTokenException):
        client.get_caller_identity()


def test_processes_with_one_token_each_get_a_session(environ, home):
    environ(home.web_identity(home.service.mint(), "deploy-staging", AWS_ROLE_SESSION_NAME="first"))
    first = key_in_use(boto3.session.Session())
    os.environ["AWS_ROLE_SESSION_NAME"] = "second"
    assert key_in_use(boto3.session.Session()) != first


def test_a_request_that_is_repeated_gets_the_same_session(environ, home):
    environ(home.web_identity(home.service.mint(), "deploy-staging", AWS_ROLE_SESSION_NAME="run-1"))
    assert key_in_use(boto3.session.Session()) == key_in_use(boto3.session.Session())


def test_a_session_of_fifteen_minutes_is_refreshed_before_every_call(environ, estate_home):
    service = estate_home.service
    environ(estate_home.web_identity(service.mint(), "brief", AWS_ROLE_SESSION_NAME="brief-1"))
    session = boto3.session.Session()
    client = session.client("sts")
    before = len(service.decisions())
    for _ in range(3):
        assert client.get_caller_identity()["Arn"].endswith("assumed-role/brief/brief-1")
    assert len(service.decisions()) - before >= 3
