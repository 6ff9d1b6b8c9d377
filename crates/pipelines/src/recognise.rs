use crate::Platform;

/// Bytes that are looked at: the top of a file says what it is.
const LOOKED_AT: usize = 64 * 1024;

/// Whose pipeline file this is, by its path, else by its content. `None` for anything else.
///
/// The content decides where the path leaves room: a YAML file of any name with `on:` and `jobs:` is a workflow.
pub fn recognise(path: &str, bytes: &[u8]) -> Option<Platform> {
    let path = path.replace('\\', "/");
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let lower = name.to_ascii_lowercase();
    let extension = lower.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "tf" => return Some(Platform::Terraform),
        "hcl" if matches!(lower.as_str(), "terragrunt.hcl" | "root.hcl") => return Some(Platform::Terraform),
        "yml" | "yaml" | "json" => {
            let keys = Keys::of(bytes);
            return by_path(folder, &lower, extension, &keys).or_else(|| keys.platform());
        }
        _ => {}
    }
    let groovy = lower.starts_with("jenkinsfile") || matches!(extension, "jenkinsfile" | "groovy");
    (groovy && (lower.contains("jenkinsfile") || mentions(bytes, "pipeline {"))).then_some(Platform::Jenkins)
}

/// Whether the name of a file leaves it possible that it is a pipeline's: others need not be opened.
pub fn may_be_pipeline(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "yml" | "yaml" | "json" | "tf" | "hcl" | "groovy" | "jenkinsfile")
        || name.starts_with("jenkinsfile")
}

/// The platform whose files have this very path, whatever is in this one: a file of that path which is none of the
/// platform's is worth a word.
pub fn expected(path: &str) -> Option<Platform> {
    let path = path.replace('\\', "/");
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let yaml = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
    let inside = |wanted: &str| folder == wanted || folder.ends_with(&format!("/{wanted}"));
    match (yaml, name) {
        (Some(_), _) if inside(".github/workflows") => Some(Platform::GitHubActions),
        (Some(".gitlab-ci"), _) => Some(Platform::GitLab),
        (Some("config"), _) if inside(".circleci") => Some(Platform::CircleCi),
        (Some("bitbucket-pipelines"), _) => Some(Platform::Bitbucket),
        (Some("azure-pipelines"), _) => Some(Platform::AzurePipelines),
        (Some("pipeline"), _) if inside(".buildkite") => Some(Platform::Buildkite),
        (_, "Jenkinsfile") => Some(Platform::Jenkins),
        (_, name) if name.strip_suffix(".tf").is_some() => Some(Platform::Terraform),
        _ => None,
    }
}

fn by_path(folder: &str, name: &str, extension: &str, keys: &Keys) -> Option<Platform> {
    let inside = |wanted: &str| folder == wanted || folder.ends_with(&format!("/{wanted}"));
    let below = |wanted: &str| format!("/{folder}/").contains(&format!("/{wanted}/"));
    let workflows = [".github/workflows", ".forgejo/workflows", ".gitea/workflows"];
    if extension == "json" && !keys.has("steps") && !keys.has("jobs") {
        return None;
    }
    if workflows.iter().any(|wanted| inside(wanted)) && keys.has("jobs") {
        return Some(Platform::GitHubActions);
    }
    if matches!(name, "action.yml" | "action.yaml") && keys.has("runs") {
        return Some(Platform::GitHubActions);
    }
    if name.ends_with(".gitlab-ci.yml") || name.ends_with(".gitlab-ci.yaml") || below(".gitlab/ci") {
        return Some(Platform::GitLab);
    }
    if below(".circleci") {
        return Some(Platform::CircleCi);
    }
    if name.starts_with("bitbucket-pipelines.") {
        return Some(Platform::Bitbucket);
    }
    if name.starts_with("azure-pipelines") || below(".azure-pipelines") || below("azure-pipelines") {
        return (keys.has("steps")
            || keys.has("jobs")
            || keys.has("stages")
            || keys.has("extends")
            || keys.has("variables"))
        .then_some(Platform::AzurePipelines);
    }
    if below(".buildkite") || matches!(name, "buildkite.yml" | "buildkite.yaml" | "buildkite.json") {
        return keys.has("steps").then_some(Platform::Buildkite);
    }
    None
}

/// The names at the top level of a YAML file, and those anywhere, found without parsing.
struct Keys<'t> {
    top: Vec<&'t str>,
    any: Vec<&'t str>,
}

impl<'t> Keys<'t> {
    fn of(bytes: &'t [u8]) -> Self {
        let text = head(bytes);
        let (mut top, mut any) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let trimmed = line.trim_start().trim_start_matches("- ").trim_start();
            // Names within braces count too: a whole pipeline may be written on one line.
            for (index, part) in trimmed.split(['{', ',', '[']).enumerate() {
                let Some((name, _)) = part.split_once(':') else { continue };
                let name = name.trim().trim_matches(['"', '\'']);
                if index == 0 && !line.starts_with([' ', '\t', '-', '#', '{']) {
                    top.push(name);
                }
                any.push(name);
            }
        }
        let flow = text.trim_start().starts_with('{');
        if flow {
            top.clone_from(&any);
        }
        Self { top, any }
    }

    fn has(&self, name: &str) -> bool {
        self.top.contains(&name)
    }

    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    fn holds(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.any.contains(name))
    }

    fn platform(&self) -> Option<Platform> {
        if self.has("on") && self.has("jobs") {
            return Some(Platform::GitHubActions);
        }
        if self.has("runs") && self.has("name") && self.holds(&["using"]) {
            return Some(Platform::GitHubActions);
        }
        if self.has("version") && self.has_any(&["jobs", "workflows", "orbs"]) && !self.has("services") {
            return Some(Platform::CircleCi);
        }
        if self.has("pipelines") && self.holds(&["step", "parallel", "stage"]) {
            return Some(Platform::Bitbucket);
        }
        let pool =
            self.has_any(&["pool", "trigger", "pr", "resources", "parameters", "stages", "jobs", "extends"]);
        if self.has_any(&["steps", "jobs", "stages"])
            && self.holds(&["task", "bash", "pwsh", "powershell", "deployment", "vmImage"])
            && (pool || self.holds(&["task"]))
            && !self.holds(&["stage_script", "script_block", "plugins"])
        {
            return Some(Platform::AzurePipelines);
        }
        if self.has("steps") && self.holds(&["command", "commands", "plugins", "wait", "block", "trigger"]) {
            return Some(Platform::Buildkite);
        }
        let jobs = self.holds(&["script", "extends", "trigger"]);
        let gitlab = ["stages", "include", "default", "workflow", "before_script", "image", "variables"];
        let others = ["services", "apiVersion", "jobs", "steps", "on", "language"];
        (jobs && self.has_any(&gitlab) && !self.has_any(&others) && self.holds(&["script"]))
            .then_some(Platform::GitLab)
    }
}

fn head(bytes: &[u8]) -> &str {
    let head = bytes.get(..bytes.len().min(LOOKED_AT)).unwrap_or_default();
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => {
            let valid = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    valid.trim_start_matches('\u{feff}')
}

fn mentions(bytes: &[u8], needle: &str) -> bool {
    head(bytes).contains(needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_tells_where_it_can() {
        for (path, text, wanted) in [
            (".github/workflows/ci.yml", "on: push\njobs: {}\n", Some(Platform::GitHubActions)),
            ("x/.github/actions/a/action.yaml", "runs: {}\n", Some(Platform::GitHubActions)),
            (".github/dependabot.yml", "version: 2\nupdates: []\n", None),
            ("ci/deploy.gitlab-ci.yml", "", Some(Platform::GitLab)),
            (".gitlab/ci/a.yml", "", Some(Platform::GitLab)),
            (".circleci/config.yml", "", Some(Platform::CircleCi)),
            ("bitbucket-pipelines.yml", "", Some(Platform::Bitbucket)),
            ("azure-pipelines.prod.yml", "steps: []\n", Some(Platform::AzurePipelines)),
            (".buildkite/pipeline.yml", "steps: []\n", Some(Platform::Buildkite)),
            ("Jenkinsfile", "node {}", Some(Platform::Jenkins)),
            ("deploy/prod.jenkinsfile", "", Some(Platform::Jenkins)),
            ("vars/lib.groovy", "def call() {}", None),
            ("main.tf", "", Some(Platform::Terraform)),
            ("live/terragrunt.hcl", "", Some(Platform::Terraform)),
            ("README.md", "", None),
            ("docker-compose.yml", "version: '3'\nservices: {}\n", None),
            ("deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\n", None),
            ("package.json", "{\"name\": \"x\", \"jobs\": 1}", None),
        ] {
            assert_eq!(recognise(path, text.as_bytes()), wanted, "{path}");
        }
    }

    #[test]
    fn names_alone_rule_most_files_out() {
        for (path, possible, certain) in [
            (".github/workflows/x.yaml", true, Some(Platform::GitHubActions)),
            ("a/.gitlab-ci.yml", true, Some(Platform::GitLab)),
            (".circleci/config.yml", true, Some(Platform::CircleCi)),
            (".buildkite/pipeline.yml", true, Some(Platform::Buildkite)),
            ("bitbucket-pipelines.yml", true, Some(Platform::Bitbucket)),
            ("azure-pipelines.yml", true, Some(Platform::AzurePipelines)),
            ("x/Jenkinsfile", true, Some(Platform::Jenkins)),
            ("Jenkinsfile.prod", true, None),
            ("main.tf", true, Some(Platform::Terraform)),
            ("chart/values.yaml", true, None),
            ("README.md", false, None),
            ("src/main.rs", false, None),
        ] {
            assert_eq!((may_be_pipeline(path), expected(path)), (possible, certain), "{path}");
        }
    }

    #[test]
    fn the_content_tells_where_the_path_does_not() {
        for (text, wanted) in [
            ("name: x\non: [push]\njobs:\n  a: {}\n", Platform::GitHubActions),
            ("version: 2.1\njobs: {}\nworkflows: {}\n", Platform::CircleCi),
            ("pipelines:\n  default:\n    - step:\n        script: [x]\n", Platform::Bitbucket),
            ("trigger: [main]\nsteps:\n  - task: AzureCLI@2\n", Platform::AzurePipelines),
            ("steps:\n  - label: x\n    command: make\n  - wait\n", Platform::Buildkite),
            ("stages: [a]\njob:\n  script: [make]\n", Platform::GitLab),
            ("{\"on\": \"push\", \"jobs\": {}}", Platform::GitHubActions),
        ] {
            assert_eq!(recognise("templates/any.yml", text.as_bytes()), Some(wanted), "{text}");
        }
        assert_eq!(recognise("x.yml", &[0xff, 0xfe]), None);
    }
}
