# What fuzzing has found and covered, once more.

fuzz() {
    if [[ ! -f fuzz/Cargo.toml ]]; then
        skip "there is no fuzz/"
    fi
    lint_apart fuzz
    tested_at_least 2 cargo_in fuzz test
}
