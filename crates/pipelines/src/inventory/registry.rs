//! Which registry of images a login is for, and what it is logged in to with.

use super::table::table;

/// The registry that a login names, as written: the first word that is neither an option nor an option's value.
pub(super) fn named_by(command: &str) -> String {
    let after = command.split_once("login").map_or("", |(_, after)| after);
    let mut takes_value = false;
    for word in words(after) {
        if word == "\\" || std::mem::take(&mut takes_value) {
            continue;
        }
        if word.starts_with(['|', ';', '&', '<', '#']) || word.contains('>') {
            break;
        }
        if word.starts_with('-') {
            takes_value = matches!(word.as_str(), "-u" | "--username" | "-p" | "--password" | "--tls-verify");
            continue;
        }
        return word.trim_end_matches(';').to_owned();
    }
    String::new()
}

/// Bytes of a command that are taken for a login's words.
const LOOKED_AT: usize = 2_048;

/// The words of a command, quotes taken off; `${{ ... }}` is one.
pub(super) fn words(command: &str) -> Vec<String> {
    let command = command.get(..command.floor_char_boundary(LOOKED_AT)).unwrap_or_default();
    let mut found = Vec::new();
    let mut word = String::new();
    let mut expression = false;
    for piece in command.split_inclusive(char::is_whitespace) {
        let text = piece.trim_end();
        word.push_str(if expression { piece } else { text });
        expression =
            word.rfind("${{").is_some_and(|open| !word.get(open..).unwrap_or_default().contains("}}"));
        if !expression {
            let whole = std::mem::take(&mut word);
            let whole = whole.trim_matches(['"', '\''].as_slice());
            if !whole.is_empty() {
                found.push(whole.to_owned());
            }
        }
    }
    found
}

/// The kind of credential that an image registry takes. `hub` is the kind where none is named.
pub(super) fn kind_of(host: &str, hub: usize) -> usize {
    let of = |id: &str| table().index(id).unwrap_or(hub);
    let host = host.trim();
    let host = host.strip_prefix("https://").unwrap_or(host);
    let host = host.strip_suffix("/v1/").unwrap_or(host).trim_end_matches('/');
    match host {
        "" | "docker.io" | "index.docker.io" | "registry.hub.docker.com" | "hub.docker.com" => hub,
        "ghcr.io" | "docker.pkg.github.com" => of("github-token"),
        _ if host.contains(".dkr.ecr.") || host.contains("public.ecr.aws") => of("aws-access-key"),
        _ if host.contains("gcr.io") || host.contains("pkg.dev") => of("gcp-service-account-key"),
        _ if host.contains("registry.gitlab.com") => of("gitlab-token"),
        _ => of("registry-password"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_decide_the_kind() {
        let kind = |command: &str| {
            let hub = table().index("docker-hub-password").unwrap();
            let index = kind_of(&named_by(command), hub);
            table().kind(index).unwrap().id.as_str()
        };
        assert_eq!(kind("docker login -u x -p $P"), "docker-hub-password");
        assert_eq!(kind("docker login -u x -p $P ghcr.io"), "github-token");
        assert_eq!(kind("docker login quay.io -u x -p $P"), "registry-password");
        assert_eq!(kind("docker login -u ${{ vars.A }} -p ${{ secrets.P }}"), "docker-hub-password");
        assert_eq!(kind("docker login -u x --password-stdin \"$REGISTRY\""), "registry-password");
        assert_eq!(
            kind("docker login -u x --password-stdin ${ID}.dkr.ecr.$R.amazonaws.com"),
            "aws-access-key"
        );
        assert_eq!(kind("docker login -u x -p $P && docker push quay.io/x"), "docker-hub-password");
        assert_eq!(
            kind("docker login --username=x --password=$P https://index.docker.io/v1/"),
            "docker-hub-password"
        );
        assert_eq!(kind("docker login 1.dkr.ecr.eu-west-1.amazonaws.com"), "aws-access-key");
    }
}
