# The HTML report in a browser: wide and narrow, light and dark, on paper, by keyboard, and by axe-core.

report() {
    local tool
    for tool in node npm; do
        command -v "$tool" >/dev/null || fail "$tool is not installed"
    done
    CHROMIUM=$(browser)
    export CHROMIUM
    npm ci --prefix ci/report --no-audit --no-fund --loglevel=error
    # Its own tests write what they look at: a small report, that of a check, a hostile one and one of nothing.
    DAYPASS_REPORTS=$CI_SCRATCH/reports cargo test --locked --package daypass-lint --test html
    node ci/report/check.mjs "$CI_SCRATCH"/reports/{small,checked,hostile,empty}.html
}

# Where the browser is; it is installed if it is not there.
browser() {
    local name root=()
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
        if [[ -n $name ]] && command -v "$name"; then
            return
        fi
    done
    if [[ $(id -u) != 0 ]]; then
        root=(sudo -n)
    fi
    command -v apt-get >/dev/null || fail "there is no chromium, and no apt-get to install it with"
    "${root[@]}" apt-get update --quiet >&2
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends chromium >&2
    command -v chromium
}
