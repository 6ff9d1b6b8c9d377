use daypass_issuers::ValueSet;

use crate::condition::glob;
use crate::yaml::Node;
use crate::{Place, Text, Trigger, Who};

/// The events of `on:`, which may be a word, a list or a mapping.
pub(super) fn read(on: &Node) -> Vec<Trigger> {
    if on.is_mapping() {
        let entries = on.entries();
        return entries.into_iter().map(|(event, pair)| trigger(event, Some(&pair.value))).collect();
    }
    on.one_or_more().iter().filter_map(Node::text).map(|event| trigger(event, None)).collect()
}

fn trigger(event: &Text, node: Option<&Node>) -> Trigger {
    let who = who(event.as_str());
    let (branches, tags) = refs(event.as_str(), node);
    let list = |key: &str| {
        let found = node.and_then(|node| node.get(key));
        found.map(|node| node.one_or_more().iter().filter_map(Node::text).cloned().collect::<Vec<_>>())
    };
    Trigger {
        event: event.clone(),
        who,
        branches,
        tags,
        types: list("types").unwrap_or_default(),
        paths: list("paths").is_some() || list("paths-ignore").is_some(),
    }
}

/// Who can bring an event about (docs.github.com, "Events that trigger workflows").
fn who(event: &str) -> Who {
    match event {
        "push"
        | "create"
        | "delete"
        | "release"
        | "registry_package"
        | "branch_protection_rule"
        | "page_build"
        | "gollum"
        | "milestone"
        | "project"
        | "project_card"
        | "project_column"
        | "public"
        | "merge_group" => Who::Writer,
        "pull_request" | "pull_request_review" | "pull_request_review_comment" => Who::PullRequest,
        "pull_request_target" => Who::PullRequestTarget,
        "workflow_run" | "check_run" | "check_suite" | "deployment" | "deployment_status" | "status" => {
            Who::Follows
        }
        "issue_comment" | "issues" | "discussion" | "discussion_comment" | "fork" | "watch" | "label" => {
            Who::Outsider
        }
        "schedule" => Who::Clock,
        "workflow_dispatch" | "repository_dispatch" => Who::Person,
        "workflow_call" => Who::Caller,
        _ => Who::Other,
    }
}

/// The branches and tags of a `push`, the target branches of a pull request. A filter on branches alone leaves no
/// tags, and the other way round.
fn refs(event: &str, node: Option<&Node>) -> (ValueSet, ValueSet) {
    let filter = |keep: &str, ignore: &str| {
        let patterns = |key: &str| node.and_then(|node| node.get(key)).map(Node::one_or_more);
        match (patterns(keep), patterns(ignore)) {
            (Some(patterns), _) => Some(filtered(patterns)),
            (None, Some(patterns)) => Some(filtered(patterns).complement()),
            (None, None) => None,
        }
    };
    let branches = filter("branches", "branches-ignore");
    let tags = filter("tags", "tags-ignore");
    match event {
        "push" => match (branches, tags) {
            (None, None) => (ValueSet::Any, ValueSet::Any),
            (branches, tags) => {
                (branches.unwrap_or_else(ValueSet::none), tags.unwrap_or_else(ValueSet::none))
            }
        },
        "release" => (ValueSet::none(), ValueSet::Any),
        "create" | "workflow_dispatch" | "workflow_call" | "deployment" => (ValueSet::Any, ValueSet::Any),
        _ => (branches.unwrap_or(ValueSet::Any), ValueSet::none()),
    }
}

/// Patterns in order: each one adds to the set, one after `!` takes away from it.
fn filtered(patterns: &[Node]) -> ValueSet {
    let mut set = ValueSet::none();
    for text in patterns.iter().filter_map(Node::as_str) {
        set = match text.strip_prefix('!') {
            Some(text) => set.and(glob(text).complement()),
            None => set.or(glob(text)),
        };
    }
    set
}

/// A workflow without `on:` is not one that runs; its place is the file's.
pub(super) fn missing(place: &Place) -> crate::Note {
    crate::Note { place: place.clone(), what: "a workflow needs `on`: nothing sets this one off".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::matches;

    fn push(yaml: &str) -> Trigger {
        let file = std::sync::Arc::from("w.yml");
        let node = crate::yaml::parse(&file, yaml.as_bytes()).unwrap().remove(0);
        read(node.get("on").unwrap()).remove(0)
    }

    fn holds(set: &ValueSet, value: &str) -> bool {
        set.contains(Some(value), &matches).unwrap()
    }

    #[test]
    fn filters_follow_the_cheat_sheet() {
        for (glob_text, fits, fails) in [
            ("feature/*", "feature/a", "feature/a/b"),
            ("feature/**", "feature/a/b", "features/a"),
            ("**", "all/the", ""),
            ("v2*", "v2.0", "v3"),
            ("v[12].[0-9]+.[0-9]+", "v1.10.1", "v3.0.0"),
            ("main", "main", "Main"),
            ("*.jsx?", "page.js", "page.jsxx"),
            ("a\\*b", "a*b", "axb"),
        ] {
            assert!(holds(&glob(glob_text), fits), "{glob_text} {fits}");
            assert!(fails.is_empty() || !holds(&glob(glob_text), fails), "{glob_text} {fails}");
        }
        assert!(matches!(glob("[z-a]"), ValueSet::Unknown(_)));
    }

    #[test]
    fn later_patterns_overrule_earlier_ones() {
        let trigger = push("on: {push: {branches: ['releases/**', '!releases/**-alpha', releases/x-alpha]}}");
        assert!(holds(&trigger.branches, "releases/10"));
        assert!(!holds(&trigger.branches, "releases/beta/3-alpha"));
        assert!(holds(&trigger.branches, "releases/x-alpha"));
        assert!(trigger.tags.is_empty(), "a filter on branches leaves no tags");
        let ignoring = push("on: {push: {branches-ignore: [dependabot/**], tags: [v*]}}");
        assert!(holds(&ignoring.branches, "main") && !holds(&ignoring.branches, "dependabot/x"));
        assert!(holds(&ignoring.tags, "v1") && !holds(&ignoring.tags, "x"));
    }

    #[test]
    fn events_are_words_lists_or_mappings() {
        let file = std::sync::Arc::from("w.yml");
        for (text, wanted) in [
            ("on: push", vec![("push", Who::Writer)]),
            ("on: [push, pull_request]", vec![("push", Who::Writer), ("pull_request", Who::PullRequest)]),
            (
                "on: {pull_request_target: , workflow_run: {workflows: [x]}, issue_comment: }",
                vec![
                    ("pull_request_target", Who::PullRequestTarget),
                    ("workflow_run", Who::Follows),
                    ("issue_comment", Who::Outsider),
                ],
            ),
            (
                "on: [schedule, workflow_dispatch, workflow_call, image_version]",
                vec![
                    ("schedule", Who::Clock),
                    ("workflow_dispatch", Who::Person),
                    ("workflow_call", Who::Caller),
                    ("image_version", Who::Other),
                ],
            ),
        ] {
            let node = crate::yaml::parse(&file, text.as_bytes()).unwrap().remove(0);
            let triggers = read(node.get("on").unwrap());
            let found: Vec<_> = triggers.iter().map(|one| (one.event.as_str(), one.who)).collect();
            assert_eq!(found, wanted, "{text}");
        }
    }
}
