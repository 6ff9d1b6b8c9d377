# Third-party test vectors, without which their tests are skipped: Wycheproof, the JOSE cookbook (RFC 7520, RFC 7797) and the
# AWS signing suite. From $DAYPASS_VECTORS, else from beside the checkout or the one that it was cloned from, else from their
# origins, at these commits.

vectors() {
    local folder cloned_from
    cloned_from=$(git config --get remote.origin.url || true)
    if [[ -n ${DAYPASS_VECTORS:-} ]]; then
        folder=$DAYPASS_VECTORS
        [[ -d $folder ]] || fail "\$DAYPASS_VECTORS is $folder, which is no directory"
    elif [[ -d ../shared/vectors ]]; then
        folder=../shared/vectors
    elif [[ -d ${cloned_from:-.}/../shared/vectors ]]; then
        folder=${cloned_from:-.}/../shared/vectors
    else
        folder=$TARGET/vectors
        origin "$folder" wycheproof C2SP/wycheproof dac1dd4729fd1f8dd9e1e9f3dce51d783da6c166
        origin "$folder" jose-cookbook ietf-jose/cookbook 13692b68bfc18b99557a5b1ed311fd5077bfff04
        origin "$folder" aws-sigv4 awslabs/aws-c-auth 495329c2433034bd8fd53fc6ba9e0202d3fac876
    fi
    folder=$(realpath "$folder")
    export DAYPASS_VECTORS=$folder DAYPASS_REQUIRE_VECTORS=1
    tested_at_least 17 cargo test --workspace --locked --test token --test suite -- vectors
}

# origin FOLDER NAME REPOSITORY COMMIT: one of them, unless it was fetched before.
origin() {
    local at=$1/$2 url=https://github.com/$3
    if [[ $(git -C "$at" rev-parse HEAD 2>/dev/null) == "$4" ]]; then
        return
    fi
    mkdir -p "$at"
    git -C "$at" init --quiet
    timeout 300 git -C "$at" fetch --quiet --depth 1 "$url" "$4" ||
        fail "no test vectors: \$DAYPASS_VECTORS is not set, ../shared/vectors is not there, $url cannot be reached"
    git -C "$at" checkout --quiet --detach FETCH_HEAD
}
