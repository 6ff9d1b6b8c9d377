"""The suites: how each is made ready, how it is run, and how its own runner writes a check."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target"))
PYTHON = TARGET / "clients" / "python" / "bin" / "python"


@dataclass(frozen=True)
class Check:
    """A line of a suite's own runner that says how a check came out."""

    name: str
    passed: bool


@dataclass(frozen=True)
class Suite:
    """A directory of checks against one service."""

    name: str
    prepare: Callable[[], None]
    command: list[str]
    directory: Path
    line: re.Pattern[str]
    """What a check's line looks like, with the groups `name` and `verdict`."""

    def check(self, line: str) -> Check | None:
        match = self.line.search(line)
        if not match:
            return None
        name = re.sub(r"\[(.*)\]$", r": \1", match["name"].replace("_", " ").removeprefix("test "))
        # Whatever is not passed counts as failed, above all what was skipped.
        return Check(name, match["verdict"] in ("PASSED", "PASS", "ok") and "# SKIP" not in line)


def all_suites() -> list[Suite]:
    """Every suite, in the order in which they are run."""
    return [
        _python("aws-cli"),
        _python("sdk-python"),
        Suite(
            name="sdk-javascript",
            prepare=_prepare_javascript,
            command=["node", "--test", "--test-reporter=tap"],
            directory=HERE / "sdk-javascript",
            line=re.compile(r"^(?P<verdict>ok|not ok) \d+ - (?P<name>.+?)( # .*)?$"),
        ),
        Suite(
            name="sdk-go",
            prepare=_prepare_go,
            command=[str(_go_binary()), "-test.v"],
            directory=HERE / "sdk-go",
            # A test with subtests is no check of its own; `Test/` stands before the name of a subtest.
            line=re.compile(r"^ +--- (?P<verdict>\w+): Test\w+/(?P<name>.+) \([\d.]+s\)$"),
        ),
        _python("oauth"),
        _python("relying-party"),
    ]


def _python(name: str) -> Suite:
    return Suite(
        name=name,
        prepare=_prepare_python,
        command=[str(PYTHON), "-m", "pytest", "--color=no", name],
        directory=HERE,
        line=re.compile(r"::(?P<name>test_.+?) (?P<verdict>PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b"),
    )


def _prepare_python() -> None:
    """A virtual environment with exactly what requirements.txt names, by hash."""
    requirements = HERE / "requirements.txt"
    environment = PYTHON.parent.parent

    def install() -> None:
        shutil.rmtree(environment, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(environment)])
        _run([str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements)])

    _unless_done(environment / ".made-from", requirements, install)


def _prepare_javascript() -> None:
    """node_modules with exactly what package-lock.json names, by hash; no package runs a script."""
    directory = HERE / "sdk-javascript"

    def install() -> None:
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], directory)

    _unless_done(directory / "node_modules" / ".made-from", directory / "package-lock.json", install)


def _prepare_go() -> None:
    """The tests as a program, so that they run without the tool chain and its caches."""
    directory = HERE / "sdk-go"
    _go_binary().parent.mkdir(parents=True, exist_ok=True)
    _run(["go", "vet", "-mod=readonly", "./..."], directory)
    _run(["go", "test", "-mod=readonly", "-c", "-o", str(_go_binary()), "."], directory)


def _go_binary() -> Path:
    return TARGET / "clients" / "sdk-go.test"


def _unless_done(mark: Path, lock: Path, install: Callable[[], None]) -> None:
    """Installs, unless it was done from the same lock file."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != digest:
        install()
        mark.write_text(digest)


def _run(command: list[str], directory: Path = HERE) -> None:
    """Runs a step that says something only if it fails."""
    done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"`{' '.join(command)}` ended with {done.returncode}:\n{done.stdout}")
