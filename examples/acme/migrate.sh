#!/usr/bin/env bash
# The migration of acme from stored keys to workload identity, from the inventory to a retirement that is first refused and
# then granted. Works in a temporary copy; nothing is reached but this machine.
#
#   examples/acme/migrate.sh                  with the daypass of the PATH
#   DAYPASS=target/debug/daypass examples/acme/migrate.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
daypass=$(command -v "${DAYPASS:-daypass}") || { echo "no ${DAYPASS:-daypass}: build it, or say DAYPASS=PATH" >&2; exit 3; }
daypass=$(cd "$(dirname "$daypass")" && pwd)/$(basename "$daypass")
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R "$here/." "$copy"
cd "$copy"

step() { printf '\n## %s\n' "$1"; }

# Runs a command, shows it with what it says, and insists on its exit code.
expect() {
    local wanted=$1 code=0
    shift
    printf '\n$ daypass %s\n' "$*"
    "$daypass" "$@" 2>&1 || code=$?
    [[ $code == "$wanted" ]] || { echo "exit $code, not $wanted" >&2; exit 1; }
}

# The same, with the answer kept in a file.
keep() {
    local file=$1
    shift
    printf '\n$ daypass %s > %s\n' "$*" "$file"
    "$daypass" "$@" > "$file"
}

# Every file of the pipelines, as one number.
pipelines() { find repos -type f -print0 | sort -z | xargs -0 cat | cksum; }

# The id of the plan's credential in a file.
credential() { grep -B4 -F "file = \"$1\"" daypass.migration.toml | sed -n 's/^id = "\(.*\)"/\1/p'; }

step "1. What is stored"
expect 0 inventory repos

step "2. What replaces it, and when"
account=iam/account-authorization-details.json
expect 0 plan repos --account-details $account

step "3. Roles that exactly fit their jobs; what a cloud cannot be told is refused, or offered to the exchange"
expect 1 generate --target aws --format terraform --account-details $account --out roles/aws
expect 1 generate --target gcp --format terraform --out roles/gcp
expect 1 generate --target azure --format terraform --out roles/azure
expect 0 generate --target vault --format terraform --out roles/vault
if command -v terraform > /dev/null; then
    for folder in roles/*/; do
        compgen -G "$folder*.tf" > /dev/null || continue
        terraform fmt -check "$folder" > /dev/null && echo "terraform fmt: $folder is as it should be"
        if [[ -n ${TF_PLUGIN_DIR:-} ]]; then
            (cd "$folder" && terraform init -input=false -plugin-dir="$TF_PLUGIN_DIR" > /dev/null && terraform validate)
        else
            echo "terraform validate: left out, the clouds' providers come from registry.terraform.io and TF_PLUGIN_DIR names none"
        fi
    done
else
    echo "terraform: left out, it is not installed"
fi

# What was written, read again as Terraform and compiled.
expect 0 check roles/gcp roles/vault --fail-on high

step "4. Rehearsed, before anything is switched over: the roles of wave 3 are clean, those of wave 4 wait for the exchange"
expect 1 rehearse

step "5. The exchange in front of every cloud: two pipelines say on which branch they deploy, and every role is clean"
condition="condition: eq(variables['Build.SourceBranch'], 'refs/heads/main')"
for file in repos/payments/azure-pipelines.yml repos/reports/azure-pipelines.yml; do
    sed -E -i.old "s#^( *)- (deployment: app|job: report)\$#&\\
\\1  $condition#" "$file"
    diff "$file.old" "$file" || rm "$file.old"
done
expect 0 plan repos --account-details $account
expect 0 generate --target daypass --format document --out roles/daypass
expect 0 rehearse --target daypass

step "6. The pipelines, rewritten; a second time nothing changes"
expect 0 rewrite --wave 3 --write
# What it leaves to people, they do: the step no longer puts the stored key together itself.
sed -i.old '/export AWS_SECRET_ACCESS_KEY/d' repos/platform/.buildkite/pipeline.yml && rm repos/platform/.buildkite/pipeline.yml.old
expect 0 rewrite --wave 3 --write
before=$(pipelines)
expect 0 rewrite --wave 3 --write
[[ $(pipelines) == "$before" ]] || { echo "the second rewrite changed something" >&2; exit 1; }
if command -v actionlint > /dev/null; then
    actionlint repos/*/.github/workflows/*.yml && echo "actionlint: nothing to say"
else
    echo "actionlint: left out, it is not installed"
fi
expect 0 plan repos --account-details $account
expect 0 check repos roles/aws/shop-deploy.tf roles/aws/site-publish.tf --fail-on high

step "7. What the logs show after cut-over: the month of October"
shop=$(credential shop/.github/workflows/deploy.yml)
expect 0 evidence --plan daypass.migration.toml --cloudtrail logs/october --cut-over 2026-10-18 --until 2026-11-01
keep october.json evidence --plan daypass.migration.toml --cloudtrail logs/october --cut-over 2026-10-18 --until 2026-11-01 --json
expect 1 retire "$shop" --evidence october.json

step "8. The cron job on the backup machine is mended, and three weeks go by"
sed -i.old 's/^export .*/export AWS_PROFILE=nightly-backup   # a role of the machine/' repos/backup/nightly.sh && rm repos/backup/nightly.sh.old
keep november.json evidence --plan daypass.migration.toml --cloudtrail logs/november --cut-over 2026-11-01 --until 2026-11-22 --json
expect 0 retire "$shop" --evidence november.json
expect 0 status --evidence november.json --html status.html
