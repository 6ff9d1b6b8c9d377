# Common tasks. `just` alone lists them.

_:
    @just --list --unsorted

# everything that needs no service
test *ARGS:
    cargo test --workspace {{ARGS}}

# fmt, clippy, docs, deny, house rules
check:
    .ci/run house format clippy docs deny

# the article's story, end to end
demo *ARGS:
    cargo run --release -- demo {{ARGS}}

# an exchange with development platforms beside it
up *ARGS:
    cargo run --release -- up {{ARGS}}

# real clients against `daypass up`: all suites, or those named
clients *SUITES:
    ci/clients/run {{SUITES}}

# all that is checked, or the steps named
ci *STEPS:
    .ci/run {{STEPS}}

# fix what tools can fix
fix:
    cargo fmt --all
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged

# newest versions of the clients, with their hashes
lock-clients: lock-python lock-javascript lock-go

[private]
[working-directory: "ci/clients"]
lock-python:
    uv pip compile --quiet --upgrade --universal --generate-hashes --custom-compile-command "just lock-clients" \
        --output-file requirements.txt requirements.in

# The addresses of packages are left to whoever installs them.
[private]
[working-directory: "ci/clients/sdk-javascript"]
lock-javascript:
    npm update --package-lock-only --save --ignore-scripts --no-audit --no-fund --omit-lockfile-registry-resolved

[private]
[working-directory: "ci/clients/sdk-go"]
lock-go:
    go get -u ./...
    go mod tidy
