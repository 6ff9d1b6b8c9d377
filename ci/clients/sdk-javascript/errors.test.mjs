// Refusals arrive under the SDK's own names, and are not tried again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromTokenFile } from "@aws-sdk/credential-providers";

import { enter, mint, role } from "./job.mjs";

const refusals = [
  { what: "an expired token", minted: ["--lifetime", "-10m"], name: "ExpiredTokenException", status: 400 },
  { what: "a forged signature", minted: ["--key", "rogue"], name: "InvalidIdentityTokenException", status: 400 },
  {
    what: "another audience",
    minted: ["--audience", "https://elsewhere.example"],
    name: "InvalidIdentityTokenException",
    status: 400,
  },
  { what: "another branch", minted: ["--claim", "ref=refs/heads/dev"], name: "AccessDenied", status: 403 },
  { what: "a session too long", asked: { DurationSeconds: 7200 }, name: "ValidationError", status: 400 },
  { what: "a policy that is none", asked: { Policy: "{x" }, name: "MalformedPolicyDocumentException", status: 400 },
];

for (const { what, minted = [], asked = {}, name, status } of refusals) {
  test(`${what} is refused as ${name}`, async (t) => {
    const token = mint(...minted);
    enter(t, { token });
    const command = new AssumeRoleWithWebIdentityCommand({
      RoleArn: role("deploy-staging"),
      RoleSessionName: "run-1",
      WebIdentityToken: token,
      ...asked,
    });
    await assert.rejects(new STSClient().send(command), (error) => {
      assert.equal(error.name, name);
      assert.equal(error.$metadata.httpStatusCode, status);
      assert.equal(error.$metadata.attempts, 1);
      assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
      assert.ok(!error.message.includes(token));
      return true;
    });
  });
}

test("the token file provider passes the reason on", async (t) => {
  enter(t, { token: mint("--lifetime", "-10m") });
  await assert.rejects(fromTokenFile()(), (error) => {
    assert.equal(error.name, "ExpiredTokenException");
    assert.match(error.message, /^Token expired: current date\/time \d+ must be before/);
    return true;
  });
});
