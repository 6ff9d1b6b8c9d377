# Real clients, unmodified, against `daypass up`.

clients() {
    local tool
    for tool in python3 node npm go; do
        command -v "$tool" >/dev/null || fail "$tool is not installed"
    done
    DAYPASS_BIN=$(release_binary) ci/clients/run
}
