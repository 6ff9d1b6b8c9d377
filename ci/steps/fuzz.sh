# What fuzzing has found and covered, once more.

fuzz() {
    if [[ ! -f fuzz/Cargo.toml ]]; then
        skip "there is no fuzz/"
    fi
    # In the workspace's directory: most of what it depends on is built there already.
    tested_at_least 2 cargo test --locked --manifest-path fuzz/Cargo.toml --target-dir "$TARGET"
}
