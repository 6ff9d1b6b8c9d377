# The migration of the example organisation, with the linter of GitHub's workflows over what it rewrites.

migrate() {
    command -v go >/dev/null || fail "go is not installed"
    local bin=$TARGET/ci/actionlint-1.7.12
    if [[ ! -x $bin/actionlint ]]; then
        GOBIN=$bin go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
    fi
    PATH=$bin:$PATH DAYPASS=$(release_binary) examples/acme/migrate.sh | tee "$CI_SCRATCH/migrate.txt"
    grep -q '^actionlint: nothing to say$' "$CI_SCRATCH/migrate.txt" || fail "the rewritten workflows were not looked at"
    grep -E -m 1 '^terraform( validate)?: left out' "$CI_SCRATCH/migrate.txt" | while read -r why; do leave_out "$why"; done || true
}
