use std::sync::Arc;

use super::values::{self, Names};
use super::{CALLS, Setting, expression, local, not_followed, permissions, place_of, step, uses, variables};
use crate::yaml::{Node, Pair};
use crate::{
    Call, Condition, Environment, IdToken, Image, Job, Note, Permissions, Runner, Scope, Step, Text,
    TokenRequest,
};

/// What a called workflow gets from the jobs that call it.
struct Caller<'a> {
    via: Vec<Text>,
    files: Vec<Arc<str>>,
    /// What the calling job may do: a called workflow can have less, never more.
    id_token: Option<IdToken>,
    condition: Condition,
    names: Names,
    setting: Setting<'a>,
}

/// The jobs of a workflow, each followed by those of the local workflow that it calls.
pub(super) fn read_all(document: &Node, setting: Setting<'_>, notes: &mut Vec<Note>) -> Vec<Job> {
    let caller = Caller {
        via: Vec::new(),
        files: vec![Arc::clone(&document.place.file)],
        id_token: None,
        condition: Condition::Always,
        names: Names::of_workflow(document),
        setting,
    };
    let mut jobs = Vec::new();
    read_called(document, &caller, notes, &mut jobs);
    jobs
}

fn read_called(document: &Node, caller: &Caller<'_>, notes: &mut Vec<Note>, jobs: &mut Vec<Job>) {
    let top = document.get("permissions").map(permissions);
    let callable = document.get("on").is_some_and(|on| on.get("workflow_call").is_some() || names_event(on));
    for (id, pair) in document.get("jobs").map(Node::entries).unwrap_or_default() {
        if !pair.value.is_mapping() {
            let what = format!("job `{id}` is not a mapping");
            notes.push(Note { place: pair.place(), what });
            continue;
        }
        let names =
            caller.names.clone().with_matrix(pair.value.get("strategy").and_then(|s| s.get("matrix")));
        let mut job = read(id, pair, &names, caller, notes);
        job.id_token = id_token(job.permissions.as_ref(), top.as_ref(), caller, callable);
        let called =
            job.calls.as_ref().filter(|call| call.target.is_local()).map(|call| call.target.text.clone());
        let at = jobs.len();
        jobs.push(job);
        if let Some(target) = called {
            let followed = follow(&target, at, &names, caller, notes, jobs);
            if let Some(call) = jobs.get_mut(at).and_then(|job| job.calls.as_mut()) {
                call.followed = followed;
            }
        }
    }
}

fn names_event(on: &Node) -> bool {
    on.one_or_more().iter().any(|event| event.as_str() == Some("workflow_call"))
}

/// Reads the workflow that the job at `at` calls; whether that could be done.
fn follow(
    target: &Text,
    at: usize,
    names: &Names,
    caller: &Caller<'_>,
    notes: &mut Vec<Note>,
    jobs: &mut Vec<Job>,
) -> bool {
    let Some(job) = jobs.get(at) else { return false };
    if caller.via.len() >= CALLS {
        notes.push(not_followed(
            target,
            format_args!("workflows call each other more than {CALLS} levels deep"),
        ));
        return false;
    }
    let document = match local(caller.setting, target.as_str()) {
        Ok(Some(document)) => document,
        Ok(None) => {
            notes.push(not_followed(target, "there is no such file here"));
            return false;
        }
        Err(error) => {
            notes.push(not_followed(target, error));
            return false;
        }
    };
    let file = Arc::clone(&document.place.file);
    if caller.files.contains(&file) {
        notes.push(not_followed(target, "it calls itself"));
        return false;
    }
    let inputs = job.calls.as_ref().map(|call| call.inputs.clone()).unwrap_or_default();
    let inner = Caller {
        via: caller.via.iter().chain([&job.id]).cloned().collect(),
        files: caller.files.iter().cloned().chain([file]).collect(),
        id_token: Some(job.id_token.clone()),
        condition: job.condition.clone(),
        names: Names::called(&document, &inputs, names),
        setting: caller.setting,
    };
    read_called(&document, &inner, notes, jobs);
    true
}

fn read(id: &Text, pair: &Pair, names: &Names, caller: &Caller<'_>, notes: &mut Vec<Note>) -> Job {
    let node = &pair.value;
    let text = |key: &str| node.get(key).and_then(Node::text);
    let steps = step::read_all(node.get("steps").map(Node::items).unwrap_or_default(), caller.setting, notes);
    let own = text("if").map_or(Condition::Always, |text| expression::condition(text.as_str()));
    Job {
        id: id.clone(),
        name: text("name").cloned(),
        place: pair.place(),
        via: caller.via.clone(),
        condition: caller.condition.clone().and(own),
        environment: node.get("environment").and_then(|node| environment(node, names)),
        contexts: Vec::new(),
        id_token: IdToken::Denied(None),
        permissions: node.get("permissions").map(permissions),
        requests: requests(&steps),
        calls: text("uses").map(|target| call(target, node, notes)),
        defined_in: (!caller.via.is_empty()).then(|| Arc::clone(&pair.key.place.file)),
        steps,
        env: variables(node.get("env"), Scope::Job, notes),
        runner: node.get("runs-on").map_or(Runner::Unknown, |node| runner(node, names)),
        images: images(node, notes),
        needs: texts(node.get("needs")),
        matrix: values::matrix(node.get("strategy").and_then(|strategy| strategy.get("matrix"))),
    }
}

/// The steps of a composite action as a job.
pub(super) fn of_action(document: &Node, steps: Vec<Step>) -> Job {
    let place = document.place.clone();
    Job {
        id: Text::plain("action", place.clone()),
        name: document.get("name").and_then(Node::text).cloned(),
        place,
        via: Vec::new(),
        condition: Condition::Always,
        environment: None,
        contexts: Vec::new(),
        id_token: IdToken::Unknown("the job that uses the action decides".to_owned()),
        permissions: None,
        requests: requests(&steps),
        calls: None,
        defined_in: None,
        steps,
        env: Vec::new(),
        runner: Runner::Unknown,
        images: Vec::new(),
        needs: Vec::new(),
        matrix: Vec::new(),
    }
}

/// A job's own permissions replace the workflow's; without either a token has none, whatever the repository's default
/// for other scopes. A called workflow is bound by its caller.
fn id_token(
    own: Option<&Permissions>,
    top: Option<&Permissions>,
    caller: &Caller<'_>,
    callable: bool,
) -> IdToken {
    let said = own.map(|permissions| (permissions, false)).or(top.map(|permissions| (permissions, true)));
    match (said, &caller.id_token) {
        (None, Some(granted)) => granted.clone(),
        (None, None) if callable => IdToken::Unknown("the calling workflow's permissions decide".to_owned()),
        (None, None) => IdToken::Denied(None),
        (Some((permissions, by_default)), granted) => {
            let (level, place) = permissions.level("id-token");
            let place = place.clone();
            match granted {
                _ if level != "write" => IdToken::Denied(Some(place)),
                Some(denied) if denied.allowed() != Some(true) => denied.clone(),
                _ => IdToken::Granted { place, by_default },
            }
        }
    }
}

fn environment(node: &Node, names: &Names) -> Option<Environment> {
    let name = node.get("name").unwrap_or(node).text()?;
    if name.as_str().is_empty() {
        return None;
    }
    let mut values = names.values(name.as_str());
    if let crate::ValueSet::Exactly(set) = &values
        && set.contains("")
    {
        // An empty name is no environment.
        let named = set.iter().filter(|one| !one.is_empty()).cloned().collect();
        values = crate::ValueSet::Exactly(named).or(crate::ValueSet::Absent);
    }
    Some(Environment { name: name.clone(), names: values, action: None })
}

fn call(target: &Text, node: &Node, notes: &mut Vec<Note>) -> Call {
    let secrets = node.get("secrets");
    let inherits = secrets.filter(|secrets| secrets.as_str() == Some("inherit"));
    Call {
        target: uses(target),
        inputs: variables(node.get("with"), Scope::Job, notes),
        secrets: match inherits {
            Some(_) => Vec::new(),
            None => variables(secrets, Scope::Job, notes),
        },
        inherits: inherits.map(place_of),
        followed: false,
    }
}

/// The label of GitHub's own machines begins with the operating system; `self-hosted` and groups say the contrary, and
/// any other label may be either.
fn runner(node: &Node, names: &Names) -> Runner {
    if let Some(group) = node.get("group").and_then(Node::text) {
        return Runner::SelfHosted(group.clone());
    }
    let labels = node.get("labels").unwrap_or(node).one_or_more();
    let labels: Vec<&Text> = labels.iter().filter_map(Node::text).collect();
    if let Some(label) = labels.iter().find(|label| label.as_str().eq_ignore_ascii_case("self-hosted")) {
        return Runner::SelfHosted((*label).clone());
    }
    let hosted = |label: &str| {
        let system = label.split('-').next().unwrap_or_default();
        matches!(system, "ubuntu" | "windows" | "macos") && label.contains('-')
    };
    let all_hosted = |label: &&Text| match names.values(label.as_str()) {
        crate::ValueSet::Exactly(values) => values.iter().all(|label| hosted(label)),
        _ => false,
    };
    if labels.len() == 1 && labels.iter().all(all_hosted) { Runner::Hosted } else { Runner::Unknown }
}

fn images(node: &Node, notes: &mut Vec<Note>) -> Vec<Image> {
    let services = node.get("services").map(Node::entries).unwrap_or_default();
    let nodes = node.get("container").into_iter().chain(services.into_iter().map(|(_, pair)| &pair.value));
    let mut images = Vec::new();
    for node in nodes {
        let Some(name) = node.get("image").unwrap_or(node).text() else { continue };
        let credentials = variables(node.get("credentials"), Scope::Job, notes);
        images.push(Image { name: name.clone(), credentials });
    }
    images
}

/// Tokens that steps ask for by audience: inputs of well-known actions, calls of the toolkit and of the endpoint.
fn requests(steps: &[Step]) -> Vec<TokenRequest> {
    let mut requests = Vec::new();
    for step in steps {
        if let Some(uses) = &step.uses {
            let audience = |input: &str| step.input(input).cloned().into_iter().collect::<Vec<_>>();
            let found = match uses.name.as_str() {
                "aws-actions/configure-aws-credentials" if step.input("role-to-assume").is_some() => {
                    let named = audience("audience");
                    Some(if named.is_empty() {
                        vec![Text::plain("sts.amazonaws.com", uses.text.place.clone())]
                    } else {
                        named
                    })
                }
                "google-github-actions/auth" if step.input("workload_identity_provider").is_some() => {
                    let named = audience("audience");
                    Some(if named.is_empty() {
                        let provider = step.input("workload_identity_provider");
                        let of = |text: &Text| {
                            let value = format!("https://iam.googleapis.com/{text}");
                            Text { value: value.into(), ..text.clone() }
                        };
                        provider.map(of).into_iter().collect()
                    } else {
                        named
                    })
                }
                "azure/login" if step.input("client-id").is_some() && step.input("creds").is_none() => {
                    let named = audience("audience");
                    Some(if named.is_empty() {
                        vec![Text::plain("api://AzureADTokenExchange", uses.text.place.clone())]
                    } else {
                        named
                    })
                }
                "hashicorp/vault-action"
                    if step.input("method").is_some_and(|text| text.as_str() == "jwt") =>
                {
                    Some(audience("jwtGithubAudience"))
                }
                _ => None,
            };
            if let Some(audiences) = found {
                requests.push(TokenRequest { variable: None, audiences, place: uses.text.place.clone() });
            }
        }
        requests.extend(step.scripts.iter().filter_map(asked_in_script));
    }
    requests
}

/// A script that asks the endpoint itself: `...$ACTIONS_ID_TOKEN_REQUEST_URL&audience=X`.
fn asked_in_script(script: &Text) -> Option<TokenRequest> {
    let at = script.as_str().find("ACTIONS_ID_TOKEN_REQUEST_URL")?;
    let after = script.as_str().get(at..).unwrap_or_default();
    let audience = after.split_once("audience=").map(|(_, rest)| {
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '&')).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_owned()
    });
    let mut place = script.place.clone();
    place.line = script.line_of(at);
    let audiences = audience.map(|text| Text::plain(text, place.clone())).into_iter().collect();
    Some(TokenRequest { variable: None, audiences, place })
}

fn texts(node: Option<&Node>) -> Vec<Text> {
    node.map(Node::one_or_more).unwrap_or_default().iter().filter_map(Node::text).cloned().collect()
}
