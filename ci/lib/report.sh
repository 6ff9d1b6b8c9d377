# What `.ci/run` does with steps: runs those that were asked for, one after another, and tells of them in the end.

STEP_SECONDS=${STEP_SECONDS:-1800}

# begin [NAME...]: takes the names of the steps that are wanted.
begin() {
    CI_SCRATCH=$(mktemp -d)
    export CI_SCRATCH
    child=""
    trap 'rm -rf "$CI_SCRATCH"' EXIT
    trap 'interrupted' INT TERM
    listing="" wanted=" $* " found=" "
    rows=() failed=() began=$SECONDS
    changed_before=$(git status --porcelain)
    if [[ $wanted == " --list " ]]; then
        listing=yes
    fi
}

# step NAME COMMAND...: a command, or a function of ci/steps.
step() {
    local name=$1 started=$SECONDS status=0
    shift
    found+="$name "
    if [[ -n $listing ]]; then
        printf '%-9s %s\n' "$name" "$*"
        return
    fi
    if [[ $wanted != "  " && $wanted != *" $name "* ]]; then
        return
    fi
    printf '\n=== %s: %s\n' "$name" "$*"
    # In the background, because a shell hears of signals between commands only.
    CI_STEP=$name timeout --kill-after=30 "$STEP_SECONDS" ci/lib/in-step "$@" &
    child=$!
    wait "$child" || status=$?
    child=""
    case $status in
        0) rows+=("$(printf '%-9s %5d s  ok' "$name" $((SECONDS - started)))") ;;
        124 | 137) rows+=("$(printf '%-9s %5d s  FAILED: it did not end' "$name" $((SECONDS - started)))") ;;
        *) rows+=("$(printf '%-9s %5d s  FAILED with %d' "$name" $((SECONDS - started)) "$status")") ;;
    esac
    if [[ $status != 0 ]]; then
        failed+=("$name")
    fi
}

# finish: the summary, and the exit status of the whole.
finish() {
    local name
    if [[ -n $listing ]]; then
        exit 0
    fi
    for name in $wanted; do
        if [[ $found != *" $name "* ]]; then
            rows+=("$(printf '%-9s    no such step; see .ci/run --list' "$name")")
            failed+=("$name")
        fi
    done
    printf '\n=== summary\n'
    printf '%s\n' "${rows[@]}"
    printf '%-9s %5d s\n' total $((SECONDS - began))
    if [[ -s $CI_SCRATCH/skipped ]]; then
        printf '\nleft out:\n'
        cat "$CI_SCRATCH/skipped"
    fi
    if [[ -z $changed_before && -n $(git status --porcelain) ]]; then
        printf '\nthe steps have changed the checkout:\n'
        git status --porcelain
        failed+=(checkout)
    fi
    if [[ ${#failed[@]} != 0 ]]; then
        printf '\nfailed: %s\n' "${failed[*]}"
        exit 1
    fi
    printf '\nall is well\n'
}

# Ends the running step, which ends what it has started.
interrupted() {
    if [[ -n $child ]]; then
        kill "$child" 2>/dev/null || true
        wait "$child" || true
    fi
    exit 130
}
