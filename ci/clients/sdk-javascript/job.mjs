// A CI job of a test: a home of its own, a token, and the environment that an SDK reads.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const caller = { ...process.env };

/** Where the exchange of this suite is, and its account. */
export const service = { url: caller.DAYPASS_SERVER, account: caller.DAYPASS_ACCOUNT };

/** The ARN of a role. */
export const role = (name) => `arn:aws:iam::${service.account}:role/${name}`;

/** A token of a job, as `daypass token mint` makes it; without arguments that of acme/app's push to main. */
export function mint(...more) {
  const command = ["token", "mint", "--platform", "github-actions", ...more];
  return execFileSync(caller.DAYPASS_BIN, command, { env: caller, encoding: "utf8" }).trim();
}

/** Makes this process a job with `token` in a file; nothing of the caller's environment is left but PATH. */
export function enter(context, { token, variables = {} }) {
  const home = mkdtempSync(join(tmpdir(), "daypass-js-"));
  mkdirSync(join(home, ".aws"));
  const file = join(home, "token");
  writeFileSync(file, token);
  replaceEnvironment({
    PATH: caller.PATH,
    HOME: home,
    AWS_CONFIG_FILE: join(home, ".aws", "config"),
    AWS_SHARED_CREDENTIALS_FILE: join(home, ".aws", "credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_REGION: "eu-central-1",
    AWS_ENDPOINT_URL_STS: service.url,
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ROLE_ARN: role("deploy-staging"),
    ...variables,
  });
  context.after(() => {
    replaceEnvironment(caller);
    rmSync(home, { recursive: true });
  });
  return { home, rewrite: (other) => writeFileSync(file, other) };
}

function replaceEnvironment(environment) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
}
