// fromTokenFile, the default chain, and what the session can do then.

import assert from "node:assert/strict";
import { test } from "node:test";

import { GetAccessKeyInfoCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromNodeProviderChain, fromTokenFile, fromWebToken } from "@aws-sdk/credential-providers";

import { enter, mint, role, service } from "./job.mjs";

const identity = (credentials) => new STSClient({ credentials }).send(new GetCallerIdentityCommand());

test("a token file becomes a session", async (t) => {
  enter(t, { token: mint(), variables: { AWS_ROLE_SESSION_NAME: "run-1" } });
  const answer = await identity(fromTokenFile());
  assert.equal(answer.Arn, `arn:aws:sts::${service.account}:assumed-role/deploy-staging/run-1`);
  assert.equal(answer.Account, service.account);
  assert.match(answer.UserId, /^AROA[A-Z2-7]+:run-1$/);
});

test("the default chain finds the token file", async (t) => {
  enter(t, { token: mint(), variables: { AWS_ROLE_SESSION_NAME: "run-2" } });
  const answer = await identity(fromNodeProviderChain());
  assert.match(answer.Arn, /:assumed-role\/deploy-staging\/run-2$/);
});

test("a client without any setting finds the token file", async (t) => {
  enter(t, { token: mint(), variables: { AWS_ROLE_SESSION_NAME: "run-3" } });
  const answer = await new STSClient().send(new GetCallerIdentityCommand());
  assert.match(answer.Arn, /:assumed-role\/deploy-staging\/run-3$/);
});

test("a session name of the client's own is taken", async (t) => {
  enter(t, { token: mint() });
  const answer = await identity(fromTokenFile());
  assert.match(answer.Arn, /:assumed-role\/deploy-staging\/aws-sdk-js-session-\d+$/);
});

test("a token in hand becomes a session", async (t) => {
  enter(t, { token: "not used" });
  const provider = fromWebToken({
    webIdentityToken: mint(),
    roleArn: role("deploy-staging"),
    roleSessionName: "run-4",
    durationSeconds: 900,
  });
  const credentials = await provider();
  assert.match(credentials.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
  const left = credentials.expiration - Date.now();
  assert.ok(left > 0 && left <= 900_000, `${left} ms are left`);
  assert.match((await identity(credentials)).Arn, /:assumed-role\/deploy-staging\/run-4$/);
});

test("a session that is about to end is refreshed with the token that lies there then", async (t) => {
  const job = enter(t, { token: mint("--claim", "run_id=1") });
  const client = new STSClient({ credentials: fromTokenFile() });
  await client.send(new GetCallerIdentityCommand());
  const first = (await client.config.credentials()).accessKeyId;
  assert.equal((await client.config.credentials()).accessKeyId, first);

  job.rewrite(mint("--claim", "run_id=2"));
  // The SDK refreshes in the five minutes before the end. Its clock alone is moved, and put right before it signs.
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 56 * 60_000 });
  const second = (await client.config.credentials()).accessKeyId;
  t.mock.timers.reset();
  assert.notEqual(second, first);
});

test("an access key belongs to the account", async (t) => {
  enter(t, { token: mint() });
  const client = new STSClient();
  const { accessKeyId } = await client.config.credentials();
  const answer = await client.send(new GetAccessKeyInfoCommand({ AccessKeyId: accessKeyId }));
  assert.equal(answer.Account, service.account);
});
