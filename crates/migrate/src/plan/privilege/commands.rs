//! What jobs do to a cloud, as far as their commands and actions tell.

use std::collections::BTreeMap;

use daypass_pipelines::Job;

use super::Access;

/// Words of commands that only look.
const READS: [&str; 24] = [
    "cat",
    "describe",
    "diff",
    "get",
    "get-credentials",
    "head",
    "help",
    "list",
    "logs",
    "lookup",
    "ls",
    "plan",
    "print-access-token",
    "query",
    "read",
    "scan",
    "select",
    "show",
    "stat",
    "status",
    "tail",
    "validate",
    "version",
    "wait",
];

/// Words that deal with the login itself and not with what it opens.
const LOGINS: [&str; 8] = ["account", "auth", "config", "configure", "init", "login", "logout", "sts"];

/// Programs that make infrastructure, and the cloud that they are for.
const BUILDERS: [(&str, Option<&str>); 11] = [
    ("terraform", None),
    ("tofu", None),
    ("terragrunt", None),
    ("pulumi", None),
    ("ansible-playbook", None),
    ("cdk", Some("aws")),
    ("sam", Some("aws")),
    ("eksctl", Some("aws")),
    ("serverless", Some("aws")),
    ("sls", Some("aws")),
    ("azd", Some("azure")),
];

/// Actions, orbs, pipes and tasks whose inputs say what is done: prefix of the name, cloud, service, access.
const ACTIONS: [(&str, &str, &str, Access); 22] = [
    ("aws-actions/amazon-ecr-login", "aws", "ecr", Access::Write),
    ("aws-actions/amazon-ecs-deploy-task-definition", "aws", "ecs", Access::Write),
    ("aws-actions/aws-cloudformation-github-deploy", "aws", "cloudformation", Access::Write),
    ("aws-actions/aws-codebuild-run-build", "aws", "codebuild", Access::Write),
    ("aws-actions/aws-secretsmanager-get-secrets", "aws", "secretsmanager", Access::Read),
    ("jakejarvis/s3-sync-action", "aws", "s3", Access::Write),
    ("atlassian/aws-s3-deploy", "aws", "s3", Access::Write),
    ("atlassian/aws-ecs-deploy", "aws", "ecs", Access::Write),
    ("atlassian/aws-ecr-push-image", "aws", "ecr", Access::Write),
    ("atlassian/aws-lambda-deploy", "aws", "lambda", Access::Write),
    ("circleci/aws-ecr/", "aws", "ecr", Access::Write),
    ("circleci/aws-ecs/", "aws", "ecs", Access::Write),
    ("circleci/aws-s3/", "aws", "s3", Access::Write),
    ("s3upload", "aws", "s3", Access::Write),
    ("s3download", "aws", "s3", Access::Read),
    ("google-github-actions/deploy-cloudrun", "gcp", "run", Access::Write),
    ("google-github-actions/deploy-appengine", "gcp", "app", Access::Write),
    ("google-github-actions/get-gke-credentials", "gcp", "container", Access::Read),
    ("azure/webapps-deploy", "azure", "webapp", Access::Write),
    ("azure/functions-action", "azure", "functionapp", Access::Write),
    ("azure/aks-set-context", "azure", "aks", Access::Read),
    ("hashicorp/vault-action", "vault", "secrets", Access::Read),
];

/// What a job does to a cloud (`aws`, `gcp`, `azure`, `vault`): each service with the most that is done to it.
pub fn accesses(job: &Job, cloud: &str) -> BTreeMap<String, Access> {
    let mut found = BTreeMap::new();
    let mut add = |service: &str, access: Access| {
        let known = found.entry(service.to_owned()).or_insert(access);
        *known = (*known).max(access);
    };
    for step in &job.steps {
        let name = step.uses.as_ref().map_or("", |uses| uses.name.as_str());
        for (prefix, of, service, access) in ACTIONS {
            if of == cloud && name.starts_with(prefix) {
                add(service, access);
            }
        }
        for command in step.scripts.iter().flat_map(|script| commands(script.as_str())) {
            if let Some((service, access)) = access(&command, cloud) {
                add(&service, access);
            }
        }
    }
    found
}

/// The commands of a script, each as its words.
fn commands(script: &str) -> Vec<Vec<String>> {
    let joined = script.replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim_start().starts_with('#'));
    let pieces = lines.flat_map(|line| line.split(['|', ';', '&', '`', '(', ')']));
    let words = pieces.map(|piece| {
        let words = piece.split_whitespace().map(|word| word.trim_matches(['"', '\'', '$']).to_owned());
        // Assignments and wrappers stand before the program.
        let wraps = |word: &String| {
            word.contains('=')
                || matches!(
                    word.as_str(),
                    "sudo" | "time" | "exec" | "env" | "then" | "do" | "else" | "if" | "!" | "npx"
                )
        };
        words.skip_while(wraps).collect::<Vec<_>>()
    });
    words.filter(|words| !words.is_empty()).collect()
}

/// The service that a command of a cloud's tool is about, and what it does to it.
fn access(command: &[String], cloud: &str) -> Option<(String, Access)> {
    let (program, rest) = command.split_first()?;
    let program = program.rsplit('/').next().unwrap_or(program);
    let plain: Vec<&str> = positional(rest);
    let builder = BUILDERS.iter().find(|(name, of)| *name == program && of.is_none_or(|of| of == cloud));
    if builder.is_some() {
        let only_looks =
            ["plan", "validate", "diff", "synth", "init", "fmt", "show", "output", "version", "preview"];
        let reads = plain.first().is_some_and(|word| only_looks.contains(word));
        return Some(("infrastructure".to_owned(), if reads { Access::Read } else { Access::Write }));
    }
    let service = match (cloud, program) {
        ("aws", "aws") | ("azure", "az") => *plain.first()?,
        ("gcp", "gcloud") => *plain.iter().find(|word| !matches!(**word, "alpha" | "beta"))?,
        ("gcp", "gsutil") => "storage",
        ("gcp", "bq") => "bigquery",
        ("vault", "vault" | "bao") => return vault(&plain),
        _ => return None,
    };
    if LOGINS.contains(&service) {
        return None;
    }
    let name = |service: &str| service.to_owned();
    // Copies go from their first place to their last.
    if plain.iter().any(|word| matches!(*word, "cp" | "mv" | "sync" | "rsync")) {
        let remote = |word: &&str| word.starts_with("s3://") || word.starts_with("gs://");
        let into = plain.last().is_some_and(remote) || plain.contains(&"mv");
        return Some((name(service), if into { Access::Write } else { Access::Read }));
    }
    // Where the service is a word of the command, what is done to it comes after.
    let first = plain.iter().position(|word| *word == service).map_or(0, |at| at.saturating_add(1));
    let reads = plain.iter().skip(first).any(|word| {
        READS
            .iter()
            .any(|read| word.strip_prefix(read).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
    });
    Some((name(service), if reads { Access::Read } else { Access::Write }))
}

/// The words that are neither options nor their values, as far as that can be told: an option with `=` has its value, one
/// without may have the next word.
fn positional(words: &[String]) -> Vec<&str> {
    let mut found = Vec::new();
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            found.push(word);
        } else if found.is_empty() && !word.contains('=') {
            // In front of the service stand options like `--region eu-west-1`.
            words.next_if(|next| !next.starts_with('-'));
        }
    }
    found
}

/// `vault kv get secret/app`: what matters is the engine that the path begins with.
fn vault(words: &[&str]) -> Option<(String, Access)> {
    let operation = words.iter().find(|word| !matches!(**word, "kv" | "secrets" | "policy"))?;
    if matches!(*operation, "login" | "token" | "status" | "version" | "print") {
        return None;
    }
    let path = words.iter().rev().find(|word| word.contains('/'))?;
    let engine = path.split('/').next().unwrap_or(path).to_owned();
    Some((engine, if READS.contains(operation) { Access::Read } else { Access::Write }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cloud: &str, script: &str) -> Vec<String> {
        let mut found: Vec<String> = commands(script)
            .iter()
            .filter_map(|command| access(command, cloud))
            .map(|(service, access)| format!("{service} {}", access.as_str()))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn commands_tell_services_and_levels() {
        let aws = "aws --region eu-west-1 s3 sync ./site s3://acme\naws s3 cp s3://acme/x . && aws sts get-caller-identity\n\
                   sudo aws ecs update-service --cluster a \\\n  --service b | tee log\n# aws iam create-user";
        assert_eq!(found("aws", aws), ["ecs write", "s3 read", "s3 write"]);
        assert_eq!(found("aws", "ID=$(aws ec2 describe-images --owners self)"), ["ec2 read"]);
        assert_eq!(
            found("aws", "terraform plan\nterraform apply -auto-approve\ncdk deploy"),
            ["infrastructure read", "infrastructure write", "infrastructure write"]
        );
        assert_eq!(
            found("gcp", "gcloud beta run deploy app; gsutil ls gs://x; gcloud auth list"),
            ["run write", "storage read"]
        );
        assert_eq!(found("azure", "az login -u x; az webapp list; cdk deploy"), ["webapp read"]);
        assert_eq!(
            found("vault", "vault kv get -field=x secret/app\nvault write pki/issue/x cn=y"),
            ["pki write", "secret read"]
        );
        assert_eq!(found("aws", "echo aws; gcloud run deploy"), [""; 0]);
    }
}
