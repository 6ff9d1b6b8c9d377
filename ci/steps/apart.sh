# The workspaces beside the main one: bench/ and fuzz/.

# lint_apart WORKSPACE: the main one's `format` and `clippy`.
lint_apart() {
    cargo fmt --manifest-path "$1/Cargo.toml" -- --check
    cargo_in "$1" clippy --all-targets -- -D warnings
}

# cargo_in WORKSPACE CARGO-COMMAND ARGUMENT...: in the main one's build directory, where most of what they depend on
# is built already.
cargo_in() {
    local workspace=$1 command=$2
    shift 2
    cargo "$command" --locked --manifest-path "$workspace/Cargo.toml" --target-dir "$TARGET" "$@"
}
