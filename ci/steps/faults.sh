# The whole service while things go wrong, with the numbers that the project promises.

faults() {
    if [[ ! -d crates/daypass/tests/faults ]]; then
        skip "there is no such suite"
    fi
    start_postgres
    export DAYPASS_FAULTS=${DAYPASS_FAULTS:-full}
    # One at a time: each of them makes the load that it needs.
    tested_at_least 5 cargo test --workspace --locked --test faults -- --test-threads 1 --nocapture
}
