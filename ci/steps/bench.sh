# The benchmarks can be built and run; what they measure on this machine is not judged.

bench() {
    if [[ ! -f bench/Cargo.toml ]]; then
        skip "there is no bench/"
    fi
    cargo clippy --locked --manifest-path bench/Cargo.toml --all-targets -- -D warnings
}
