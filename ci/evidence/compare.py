#!/usr/bin/env python3
"""The evidence table three times over: natively, from DuckDB and from Spark. They have to be the same, row by row.

    compare.py [ENGINE...]        duckdb and spark, with the packages of requirements.txt; Spark wants a Java runtime

The sample is a made-up month (crates/evidence, `synthesise`), with records delivered twice and chains of roles beside it.
An engine that is not installed is an error, and so is any difference.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parent.parent.parent
CARGO = os.environ.get("CARGO", "cargo")
LAYOUT = "AWSLogs/*/CloudTrail/*/*/*/*/*.json.gz"
Rows = list[dict[str, Any]]


def main() -> int:
    wanted = sys.argv[1:] or list(ENGINES)
    program = build()
    with tempfile.TemporaryDirectory() as folder:
        print(run(program, "make", folder).strip())
        awkward(Path(folder))
        native = [json.loads(line) for line in run(program, "rows", folder).splitlines()]
        expected = {
            "uses": [row for row in native if "class" in row],
            "coverage": [row for row in native if "class" not in row],
        }
        differences = 0
        for name in wanted:
            text = json.loads(run(program, "sql", name, "cloudtrail", f"{folder}/{LAYOUT}"))
            found = ENGINES[name](text)
            for table, rows in expected.items():
                differences += compare(name, table, rows, found[table])
    return 1 if differences else 0


def build() -> str:
    command = [CARGO, "build", "--quiet", "--package", "daypass-evidence", "--features", "synthesise",
               "--example", "evidence", "--message-format", "json"]
    built = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in built.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "evidence":
            return message["executable"]
    raise SystemExit("cargo does not say where the example is")


def run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def awkward(folder: Path) -> None:
    """What a month of good weather does not have."""
    role = "arn:aws:iam::111122223333:role/"

    def call(identity: dict, name: str = "GetObject", source: str = "s3", second: int = 0, **rest: Any) -> dict:
        return {"userIdentity": identity, "eventTime": f"2026-10-20T23:59:{second:02d}Z", "eventSource": f"{source}.amazonaws.com",
                "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.7", "userAgent": "aws-cli/2 md/arch",
                "recipientAccountId": "111122223333", "eventCategory": "Data", **rest}

    def session(key: str, name: str = "a", **context: Any) -> dict:
        return {"type": "AssumedRole", "arn": f"arn:aws:sts::111122223333:assumed-role/r/{name}", "accountId": "111122223333",
                "accessKeyId": key, "sessionContext": {"sessionIssuer": {"arn": role + "r"}, **context}}

    def assume(identity: dict, key: str, name: str = "AssumeRole", **rest: Any) -> dict:
        return call(identity, name, "sts", requestParameters={"roleArn": role + key.lower()},
                    responseElements={"credentials": {"accessKeyId": key}}, **rest)

    google = {"type": "WebIdentityUser", "principalId": "accounts.google.com:aud:with:colons:1234", "userName": "1234",
              "identityProvider": "accounts.google.com"}
    saml = {"type": "SAMLUser", "userName": "ann@example.com", "identityProvider": "arn:aws:iam::111122223333:saml-provider/corp"}
    user = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/x", "accountId": "111122223333", "accessKeyId": "AKIAX"}
    records = [
        assume(google, "ASIAG0", "AssumeRoleWithWebIdentity"),
        assume(saml, "ASIAS0", "AssumeRoleWithSAML"),
        call(session("ASIAG0")), call(session("ASIAS0")), call(session("ASIAS0"), userAgent="", sourceIPAddress=""),
        call(google, "AssumeRoleWithWebIdentity", "sts", errorCode="AccessDenied", requestParameters={"roleArn": role + "no"},
             responseElements=None),
        # A chain that is longer than those that are followed, and one that begins before the logs.
        *[assume(session(f"ASIAG{n}"), f"ASIAG{n + 1}") for n in range(6)],
        *[call(session(f"ASIAG{n}")) for n in range(7)],
        *[assume(session(f"ASIAOLD{n}"), f"ASIAOLD{n + 1}") for n in range(5)],
        *[call(session(f"ASIAOLD{n}")) for n in range(6)],
        # Keys of every kind.
        call(user), call({**user, "type": "Root", "accessKeyId": "AKIAROOT", "arn": "arn:aws:iam::111122223333:root"}),
        assume(user, "ASIAU1", "GetSessionToken"), call({**user, "accessKeyId": "ASIAU1"}), call({**user, "accessKeyId": "ASIAU2"}),
        assume(user, "", "AssumeRole", errorCode="AccessDenied"),
        call(session("ASIAI1", "i-0123456789abcdef0")), call(session("ASIAI2", "i-am-not")), call(session("ASIAI3", ec2RoleDelivery="2.0")),
        call(session("ASIAW1", webIdFederationData={"federatedProvider": "p", "attributes": {}})),
        # Many addresses, and one that is a service's.
        *[call(user, sourceIPAddress=f"198.51.100.{n}", second=n % 60) for n in range(80)],
        call(user, sourceIPAddress="cloudformation.amazonaws.com", userAgent="cloudformation.amazonaws.com"),
        # Neither key nor anything else.
        call({"type": "AWSService", "invokedBy": "x.amazonaws.com"}), call({}),
    ]
    records += records[:12]  # delivered twice
    place = folder / "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/20"
    with gzip.open(place / "111122223333_CloudTrail_eu-west-1_20261020T2400Z_awkward.json.gz", "wt") as out:
        json.dump({"Records": records}, out)


def duckdb_rows(text: dict[str, str]) -> dict[str, Rows]:
    import duckdb

    engine = duckdb.connect()
    engine.execute(text["setup"])

    def rows(query: str) -> Rows:
        found = engine.execute(query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row)) for row in found.fetchall()]

    return {table: rows(text[table]) for table in ("uses", "coverage")}


def spark_rows(text: dict[str, str]) -> dict[str, Rows]:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]")
    for name, value in (("shuffle.partitions", "4"), ("session.timeZone", "UTC")):
        builder = builder.config(f"spark.sql.{name}", value)
    for name in ("enabled", "showConsoleProgress"):
        builder = builder.config(f"spark.ui.{name}", "false")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        session.sql(text["setup"])
        return {table: [row.asDict() for row in session.sql(text[table]).collect()] for table in ("uses", "coverage")}
    finally:
        session.stop()


ENGINES: dict[str, Callable[[dict[str, str]], dict[str, Rows]]] = {"duckdb": duckdb_rows, "spark": spark_rows}


def compare(engine: str, table: str, expected: Rows, found: Rows) -> int:
    """In order, and with the columns by their names. Says what differs, and how much."""
    def lines(rows: Rows) -> list[str]:
        return [json.dumps(row, sort_keys=True) for row in rows]

    ours, theirs = lines(expected), lines(found)
    if ours == theirs and ours:
        print(f"ok      {engine}: {len(theirs)} rows of {table}")
        return 0
    only_ours, only_theirs = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
    print(f"not ok  {engine}: {len(theirs)} rows of {table}, natively {len(ours)}"
          + ("" if only_ours or only_theirs else ", in another order"))
    for sign, rows in (("natively", only_ours), (engine, only_theirs)):
        for row in rows[:8]:
            print(f"        {sign}: {row}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
