// A relying party in JavaScript: jose with the key set that discovery names.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createRemoteJWKSet, errors, jwtVerify } from "jose";

import { mint, service } from "./job.mjs";

const audience = "https://registry.acme.example";

async function issued() {
  const response = await fetch(`${service.url}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: mint("--claim", "ref=refs/tags/v1.2.0", "--claim", "ref_type=tag"),
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      audience: "publish",
    }),
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("cache-control"), "no-store");
  return (await response.json()).access_token;
}

async function verify(token, expected) {
  const metadata = await (await fetch(`${service.url}/.well-known/openid-configuration`)).json();
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
  const algorithms = metadata.id_token_signing_alg_values_supported;
  return jwtVerify(token, keys, { issuer: metadata.issuer, algorithms, ...expected });
}

test("a token that was issued verifies", async () => {
  const { payload, protectedHeader } = await verify(await issued(), { audience });
  assert.equal(payload.sub, "repository:acme/app:ref:refs/tags/v1.2.0");
  assert.equal(protectedHeader.alg, "ES256");
});

test("a token is for its audience only", async () => {
  const elsewhere = verify(await issued(), { audience: "https://elsewhere.example" });
  await assert.rejects(elsewhere, errors.JWTClaimValidationFailed);
});
