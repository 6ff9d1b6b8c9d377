//! Writing plans without touching what people have written: `toml_edit` keeps comments, order and layout.

use std::collections::BTreeMap;

use daypass_claims::format_duration;
use daypass_pipelines::inventory::Confidence;
use daypass_trust::document::Source;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::{Group, Plan, Planned, Repository, Role, State, Use};

const HEAD: &str = "\
# How stored credentials are replaced by workload identity: `daypass plan` adds to this file, people decide in it.
# What is written stays. Give each credential its `principal` and `key` and each role its `target` (or all roles of a cloud
# theirs, as in `[target.aws]`), then run it again.
version = 1
evidence = { runs = 5, unused = \"30d\" }
";

/// The text of an existing plan with all that the proposal adds, or of a new one. What a file has that could not be read is not
/// known to be gone.
pub(super) fn merged(
    text: Option<&str>,
    before: Option<&Plan>,
    proposal: &Plan,
    is_unread: impl Fn(&str) -> bool,
) -> String {
    let text = text.unwrap_or(HEAD);
    // The text was read as a plan before: it is TOML.
    let Ok(mut document) = text.parse::<DocumentMut>() else { return text.to_owned() };
    let empty = Plan::default();
    let before = before.unwrap_or(&empty);
    let adopted = adopted(before, proposal);
    paths(&mut document, before, proposal);
    let repositories = proposal.repositories.iter();
    for new in repositories.filter(|new| !before.repositories.iter().any(|it| it.path == new.path)) {
        push(&mut document, "repository", repository(new));
    }
    for new in adopted.groups.iter().filter(|new| before.group(&new.name).is_none()) {
        push(&mut document, "group", group(new));
    }
    for new in adopted.roles.iter().filter(|new| before.role(&new.name).is_none()) {
        push(&mut document, "role", role(new));
    }
    if let Some(tables) = document.get_mut("credential").and_then(Item::as_array_of_tables_mut) {
        for table in tables.iter_mut() {
            let id = table.get("id").and_then(Item::as_str).unwrap_or_default().to_owned();
            match adopted.credentials.iter().find(|it| it.id == id) {
                Some(new) => refresh(table, new),
                None if table.get("file").and_then(Item::as_str).is_some_and(&is_unread) => {}
                None => set(table, "present", false.into()),
            }
        }
    }
    for new in adopted.credentials.iter().filter(|new| before.credential(&new.id).is_none()) {
        push(&mut document, "credential", credential(new));
    }
    document.to_string()
}

/// The text of a plan in which some credentials have come to a state.
pub fn mark(plan: &Source, credentials: &[String], state: State) -> String {
    let Ok(mut document) = plan.text().parse::<DocumentMut>() else { return plan.text().to_owned() };
    let tables = document.get_mut("credential").and_then(Item::as_array_of_tables_mut);
    for table in tables.into_iter().flat_map(ArrayOfTables::iter_mut) {
        let id = table.get("id").and_then(Item::as_str).unwrap_or_default();
        if credentials.iter().any(|one| one == id) {
            set(table, "state", state.as_str().into());
        }
    }
    document.to_string()
}

/// The proposal as far as the plan takes it: groups and roles that nothing refers to are left out, and so are those of
/// credentials that have others already.
fn adopted(before: &Plan, proposal: &Plan) -> Plan {
    let mut plan = proposal.clone();
    for new in &mut plan.credentials {
        let Some(old) = before.credential(&new.id) else { continue };
        let moved = old.group.is_some() && old.group != new.group;
        if old.group.is_some() {
            new.group.clone_from(&old.group);
        }
        if moved || !old.uses.is_empty() {
            let fresh = std::mem::take(&mut new.uses);
            new.uses = old.uses.clone();
            let added = fresh.into_iter().filter(|it| !old.uses.iter().any(|known| known.job == it.job));
            // A job that came later is given a role only if that has the privileges that people chose.
            new.uses.extend(added.map(|it| if moved { Use { role: None, ..it } } else { it }));
        }
        new.state = old.state;
    }
    let used = |name: &str| plan.credentials.iter().any(|it| it.group.as_deref() == Some(name));
    let assumed = |name: &str| {
        plan.credentials.iter().flat_map(|it| &it.uses).any(|it| it.role.as_deref() == Some(name))
    };
    let groups: Vec<Group> = plan.groups.iter().filter(|it| used(&it.name)).cloned().collect();
    let roles: Vec<Role> = plan.roles.iter().filter(|it| assumed(&it.name)).cloned().collect();
    Plan { groups, roles, ..plan }
}

/// Adds the paths that the plan does not name yet.
fn paths(document: &mut DocumentMut, before: &Plan, proposal: &Plan) {
    let mut all = before.paths.clone();
    all.extend(proposal.paths.iter().filter(|path| !before.paths.contains(path)).cloned());
    if all != before.paths {
        set(document.as_table_mut(), "paths", array(&all).into());
    }
}

/// Brings what the machine knows better up to date and fills in what is missing.
fn refresh(table: &mut Table, new: &Planned) {
    set(table, "file", new.file.as_str().into());
    set(table, "line", i64::try_from(new.line).unwrap_or(i64::MAX).into());
    if table.contains_key("present") {
        set(table, "present", true.into());
    }
    if let (false, Some(group)) = (table.contains_key("group"), &new.group) {
        set(table, "group", group.as_str().into());
    }
    let known: Vec<String> = uses_of(table);
    for one in new.uses.iter().filter(|one| !known.contains(&one.job)) {
        push_use(table, one);
    }
}

fn uses_of(table: &Table) -> Vec<String> {
    let tables = table.get("use").and_then(Item::as_array_of_tables);
    let jobs = tables.into_iter().flatten().filter_map(|table| table.get("job")?.as_str());
    jobs.map(str::to_owned).collect()
}

/// Gives a key a value, and keeps the blanks and the comment around it.
fn set(table: &mut Table, key: &str, mut new: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => {
            table.insert(key, value(new));
        }
    }
}

fn push(document: &mut DocumentMut, key: &str, mut table: Table) {
    table.decor_mut().set_prefix("\n");
    let item = document.entry(key).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(tables) = item.as_array_of_tables_mut() {
        tables.push(table);
    }
}

fn push_use(table: &mut Table, one: &Use) {
    let mut inner = Table::new();
    inner.insert("job", value(one.job.as_str()));
    if let Some(role) = &one.role {
        inner.insert("role", value(role.as_str()));
    }
    let item = table.entry("use").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(tables) = item.as_array_of_tables_mut() {
        tables.push(inner);
    }
}

fn repository(new: &Repository) -> Table {
    let mut table = Table::new();
    table.insert("path", value(new.path.as_str()));
    table.insert("platform", value(new.platform.as_str()));
    if let Some(subjects) = &new.subjects {
        table.insert("subjects", value(subjects.as_str()));
    }
    let claims = new.facts.claims.iter().map(|(name, text)| (name.to_string(), text.clone())).collect();
    table.insert("claims", inline(&claims));
    table
}

fn group(new: &Group) -> Table {
    let mut table = Table::new();
    table.insert("name", value(new.name.as_str()));
    table.insert("cloud", value(new.cloud.as_str()));
    table.insert("grade", value(new.grade.as_str()));
    if new.admin {
        table.insert("admin", value(true));
    }
    table.insert("permits", value(array(&new.permits)));
    table
}

fn role(new: &Role) -> Table {
    let mut table = Table::new();
    table.insert("name", value(new.name.as_str()));
    table.insert("cloud", value(new.cloud.as_str()));
    table.insert("group", value(new.group.as_str()));
    if let Some(environment) = &new.environment {
        table.insert("environment", value(environment.as_str()));
    }
    table.insert("wave", value(i64::try_from(new.wave).unwrap_or(i64::MAX)));
    table.insert("session", value(format_duration(new.session)));
    if !new.principals.is_empty() {
        table.insert("principals", value(array(&new.principals)));
    }
    table.insert("target", inline(&new.target));
    table
}

fn credential(new: &Planned) -> Table {
    let mut table = Table::new();
    let texts = [("id", &new.id), ("kind", &new.kind), ("cloud", &new.cloud), ("file", &new.file)];
    for (key, text) in texts {
        table.insert(key, value(text.as_str()));
    }
    table.insert("line", value(i64::try_from(new.line).unwrap_or(i64::MAX)));
    if !new.source.is_empty() {
        table.insert("source", value(new.source.as_str()));
    }
    let confidence = if new.confidence == Confidence::Certain { "certain" } else { "inferred" };
    table.insert("confidence", value(confidence));
    if let Some(principal) = &new.principal {
        table.insert("principal", value(principal.as_str()));
    }
    if let Some(group) = &new.group {
        table.insert("group", value(group.as_str()));
    }
    table.insert("state", value(new.state.as_str()));
    if let (State::Kept, Some(why)) = (new.state, &new.why) {
        table.insert("why", value(why.as_str()));
    }
    for one in &new.uses {
        push_use(&mut table, one);
    }
    table
}

fn array(texts: &[String]) -> Array {
    texts.iter().map(String::as_str).collect()
}

fn inline(texts: &BTreeMap<String, String>) -> Item {
    let mut table = InlineTable::new();
    for (key, text) in texts {
        table.insert(key, text.as_str().into());
    }
    value(table)
}
