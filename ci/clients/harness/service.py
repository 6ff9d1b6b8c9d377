"""daypass services of a suite: started on free ports of loopback with a data directory of their own, and stopped."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

START_SECONDS = 60
STOP_SECONDS = 30

BINARY = os.environ["DAYPASS_BIN"]
"""The `daypass` under test. Taken now: tests replace the environment."""


@dataclass(frozen=True)
class Service:
    """A service that serves: where it is, and whose roles it gives out."""

    sts: str
    account: str
    data: str
    issuer: str = ""

    def role(self, name: str) -> str:
        return f"arn:aws:iam::{self.account}:role/{name}"

    def environment(self) -> dict[str, str]:
        """The names that `daypass` itself reads, and the account."""
        return {
            "DAYPASS_SERVER": self.sts,
            "DAYPASS_ISSUER_URL": self.issuer,
            "DAYPASS_DATA": self.data,
            "DAYPASS_ACCOUNT": self.account,
        }

    @classmethod
    def from_environment(cls) -> Service:
        """The service that the runner started for this suite."""
        env = os.environ
        return cls(
            sts=env["DAYPASS_SERVER"],
            issuer=env["DAYPASS_ISSUER_URL"],
            data=env["DAYPASS_DATA"],
            account=env["DAYPASS_ACCOUNT"],
        )

    def mint(self, *arguments: str, platform: str = "github-actions") -> str:
        """A token of a job, as `daypass token mint` makes it; without arguments that of acme/app's push to main."""
        command = [BINARY, "token", "mint", "--issuer-url", self.issuer, "--platform", platform, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def decisions(self) -> list[dict]:
        """The newest records of exchanges, in the order in which they were written."""
        command = [BINARY, "audit", "tail", "--json", "--lines", "1000", "--data", self.data]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        records = [entry["record"] for entry in answer["records"]]
        return [record for record in records if record["kind"] == "exchange"]


@contextmanager
def up(data: Path, *arguments: str) -> Iterator[Service]:
    """`daypass up`: an exchange with development platforms beside it."""
    command = [BINARY, "up", "--listen", "127.0.0.1:0", "--issuer-listen", "127.0.0.1:0"]
    command += ["--data", str(data), "--json", *arguments]
    with _running(command, data.with_suffix(".log")) as said:
        yield Service(
            sts=said["sts"],
            issuer=said["issuer"],
            data=said["data"],
            account=said["account_id"],
        )


@contextmanager
def serve(config: Path, data: Path, account: str) -> Iterator[Service]:
    """`daypass serve`, with a configuration that listens on port 0 and keeps its state in `data`."""
    command = [BINARY, "serve", "--config", str(config), "--json"]
    with _running(command, config.with_suffix(".log")) as said:
        yield Service(sts=said["public_url"], data=str(data), account=account)


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[dict]:
    """Runs a service until the block ends. It has to stop cleanly: a client must not have left it in disorder."""
    with log.open("w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        said = _first_line(process, log)
        yield said
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()
    if status != 0:
        raise RuntimeError(f"`{' '.join(command[1:])}` ended with {status}:\n{log.read_text()}")


def _first_line(process: subprocess.Popen, log: Path) -> dict:
    """The line that a service prints once it serves."""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        ready = selector.select(START_SECONDS)
    line = process.stdout.readline() if ready else ""
    if not line:
        raise RuntimeError(f"the service does not serve; it said:\n{log.read_text()}")
    return json.loads(line)
