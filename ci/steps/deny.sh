# Licences, sources and banned crates; known vulnerabilities where the advisory database can be had.

CARGO_DENY=0.20.2
ADVISORIES=https://github.com/RustSec/advisory-db

deny() {
    local tool
    tool=$(cargo_deny)
    "$tool" --locked check bans licenses sources
    if timeout 20 git ls-remote --exit-code "$ADVISORIES" HEAD >/dev/null 2>&1; then
        "$tool" --locked check advisories
    else
        leave_out "known vulnerabilities: $ADVISORIES cannot be reached"
    fi
}

# Where cargo-deny is. Built once for all checkouts, and lightly optimised: it runs for seconds.
cargo_deny() {
    local root=${XDG_CACHE_HOME:-$HOME/.cache}/daypass-ci/cargo-deny-$CARGO_DENY
    if command -v cargo-deny; then
        return
    fi
    if [[ ! -x $root/bin/cargo-deny ]]; then
        CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
            cargo install --locked --quiet --root "$root" "cargo-deny@$CARGO_DENY" >&2
    fi
    printf '%s\n' "$root/bin/cargo-deny"
}
