# What fuzzing has found and covered, once more.

fuzz() {
    if [[ ! -f fuzz/Cargo.toml ]]; then
        skip "there is no fuzz/"
    fi
    cargo test --locked --manifest-path fuzz/Cargo.toml
}
