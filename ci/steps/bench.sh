# The benchmarks can be built and run; what they measure on this machine is not judged.

bench() {
    if [[ ! -f bench/Cargo.toml ]]; then
        skip "there is no bench/"
    fi
    lint_apart bench
    cargo_in bench test
    cargo_in bench run --quiet -- check --smoke --json
    cargo_in bench run --quiet -- evidence --smoke --json
    cargo_in bench run --quiet -- inventory --smoke --json --daypass "$(release_binary)"
    cargo_in bench run --quiet -- exchange --smoke --json --daypass "$(release_binary)"
}
