"""Fixtures of the Python suites."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator

import pytest

from harness.home import Home
from harness.secure import SecureService, secure
from harness.service import Service, up

ESTATE = Path(__file__).with_name("estate.toml")


@pytest.fixture(scope="session")
def acme() -> Service:
    """`daypass up` as it comes: the example organisation."""
    return Service.from_environment()


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`daypass up --config estate.toml`: roles that acme does not have."""
    with up(tmp_path_factory.mktemp("estate") / "data", "--config", str(ESTATE)) as service:
        yield service


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureService]:
    """`daypass serve` over TLS, with pinned keys."""
    with secure(tmp_path_factory.mktemp("tls")) as service:
        yield service


@pytest.fixture
def home(tmp_path: Path, acme: Service) -> Home:
    """A home of the test's own, in acme."""
    return Home(_directory(tmp_path, "home"), acme)


@pytest.fixture
def estate_home(tmp_path: Path, estate: Service) -> Home:
    """A home of the test's own, in the estate."""
    return Home(_directory(tmp_path, "estate-home"), estate)


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch):
    """Replaces this process's environment, for clients that are libraries."""

    def replace(environment: dict[str, str]) -> None:
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return replace


def _directory(parent: Path, name: str) -> Path:
    directory = parent / name
    directory.mkdir()
    return directory
