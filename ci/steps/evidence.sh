# The evidence table three times over: natively, from DuckDB and from Spark.

evidence() {
    local engines=(duckdb) python
    command -v python3 >/dev/null || fail "python3 is not installed"
    python=$(engines_python) || skip "the engines of ci/evidence/requirements.txt cannot be installed"
    if has_java; then
        engines+=(spark)
    else
        leave_out "Spark: there is no Java runtime, and none can be installed"
    fi
    "$python" ci/evidence/compare.py "${engines[@]}"
}

# A Python that has the engines, made once for all checkouts: Spark is some hundred megabytes.
engines_python() {
    local home
    home=${XDG_CACHE_HOME:-$HOME/.cache}/daypass-ci/evidence-$(sha256sum ci/evidence/requirements.txt | cut -c 1-16)
    if [[ ! -e $home/complete ]]; then
        python3 -m venv --clear "$home" >&2
        "$home/bin/pip" install --quiet --disable-pip-version-check --requirement ci/evidence/requirements.txt >&2 || return 1
        touch "$home/complete"
    fi
    printf '%s\n' "$home/bin/python"
}

has_java() {
    local root=()
    if java -version >/dev/null 2>&1; then
        return
    fi
    if [[ $(id -u) != 0 ]]; then
        root=(sudo -n)
    fi
    command -v apt-get >/dev/null || return 1
    "${root[@]}" apt-get update --quiet >&2 &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends \
            default-jre-headless >&2
}
