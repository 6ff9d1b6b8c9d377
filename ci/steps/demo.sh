# The demonstration: as the README has it, then as a program would read it.

demo() {
    local answer
    cargo run --release -- demo
    answer=$("$(release_binary)" demo --json)
    python3 - "$answer" <<'PYTHON'
import json, sys

answer = json.loads(sys.argv[1])
wrong = [step for step in answer["steps"] if not step["ok"]]
for step in wrong:
    print(f"{step['id']}: expected {step['expect']}, got {step['got']}")
sys.exit(0 if answer["ok"] and answer["steps"] and not wrong else 1)
PYTHON
}

# The optimised program, built if it is not there yet.
release_binary() {
    cargo build --release --locked --quiet --bin daypass >&2
    printf '%s\n' "$TARGET/release/daypass"
}
