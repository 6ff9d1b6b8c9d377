//! Facts into the text of an estate.

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::Fact;

/// The new text, and what is new in it.
pub(super) fn merge(text: &str, facts: &[Fact]) -> Result<(String, Vec<String>), String> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| error.message().to_owned())?;
    let mut news = Vec::new();
    for fact in together(facts) {
        match fact {
            Fact::Organisation { platform, name, id } => {
                let mut entry =
                    Entry::of(&mut document, "organisation", &[("platform", platform), ("name", &name)])?;
                entry.text("id", id.as_deref());
                entry.tell(&format!("organisation {name} ({platform})"), &mut news);
            }
            Fact::Repository { platform, name, id, protected_refs, protected_environments } => {
                let mut entry =
                    Entry::of(&mut document, "repository", &[("platform", platform), ("name", &name)])?;
                entry.text("id", id.as_deref());
                entry.list("protected_environments", protected_environments.as_deref());
                entry.list("protected_refs", protected_refs.as_deref());
                entry.tell(&format!("repository {name} ({platform})"), &mut news);
            }
            Fact::Provider { issuer, audiences } => {
                let mut entry = Entry::of(&mut document, "provider", &[("issuer", &issuer)])?;
                entry.list("audiences", Some(&audiences));
                entry.tell(&format!("provider {issuer}"), &mut news);
            }
        }
    }
    Ok((document.to_string(), news))
}

/// Facts about one thing in one place: the branches of a listing are told one by one.
fn together(facts: &[Fact]) -> Vec<Fact> {
    let mut merged: Vec<Fact> = Vec::new();
    for fact in facts {
        let known = merged.iter_mut().find(|known| is_same(known, fact));
        match (known, fact) {
            (None, fact) => merged.push(fact.clone()),
            (
                Some(Fact::Repository { id, protected_refs, protected_environments, .. }),
                Fact::Repository {
                    id: more_id,
                    protected_refs: more_refs,
                    protected_environments: more_environments,
                    ..
                },
            ) => {
                id.clone_from(&more_id.clone().or_else(|| id.clone()));
                extend(protected_refs, more_refs.as_ref());
                extend(protected_environments, more_environments.as_ref());
            }
            (Some(Fact::Organisation { id, .. }), Fact::Organisation { id: more, .. }) => {
                id.clone_from(&more.clone().or_else(|| id.clone()));
            }
            (Some(Fact::Provider { audiences, .. }), Fact::Provider { audiences: more, .. }) => {
                let mut all = Some(std::mem::take(audiences));
                extend(&mut all, Some(more));
                *audiences = all.unwrap_or_default();
            }
            (Some(_), _) => {}
        }
    }
    merged
}

fn is_same(one: &Fact, two: &Fact) -> bool {
    match (one, two) {
        (
            Fact::Organisation { platform, name, .. },
            Fact::Organisation { platform: other_platform, name: other, .. },
        )
        | (
            Fact::Repository { platform, name, .. },
            Fact::Repository { platform: other_platform, name: other, .. },
        ) => platform == other_platform && name == other,
        (Fact::Provider { issuer, .. }, Fact::Provider { issuer: other, .. }) => issuer == other,
        _ => false,
    }
}

fn extend(known: &mut Option<Vec<String>>, more: Option<&Vec<String>>) {
    let Some(more) = more else { return };
    let known = known.get_or_insert_default();
    known.extend(more.iter().filter(|item| !known.contains(item)).cloned().collect::<Vec<_>>());
}

/// A table of the estate.
struct Entry<'d> {
    table: &'d mut Table,
    is_new: bool,
    changes: Vec<String>,
}

impl<'d> Entry<'d> {
    /// The table with these members, or a new one at the end of its kind.
    fn of(document: &'d mut DocumentMut, kind: &str, members: &[(&str, &str)]) -> Result<Self, String> {
        let item = document.entry(kind).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        let tables = item.as_array_of_tables_mut().ok_or_else(|| format!("write `{kind}` as [[{kind}]]"))?;
        let has = |table: &Table| {
            members.iter().all(|(key, wanted)| {
                // Names are told apart by their letters only: platforms have no second `ACME`.
                table.get(key).and_then(Item::as_str).is_some_and(|found| found.eq_ignore_ascii_case(wanted))
            })
        };
        let found = tables.iter().position(has);
        let is_new = found.is_none();
        if is_new {
            let mut table = Table::new();
            for (key, text) in members {
                table.insert(key, value(*text));
            }
            tables.push(table);
        }
        let at = found.unwrap_or_else(|| tables.len().saturating_sub(1));
        let table = tables.get_mut(at).ok_or_else(|| format!("there is no [[{kind}]]"))?;
        Ok(Self { table, is_new, changes: Vec::new() })
    }

    fn text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.set(key, text.into());
        }
    }

    fn list(&mut self, key: &str, items: Option<&[String]>) {
        if let Some(items) = items {
            self.set(key, Value::Array(items.iter().collect::<Array>()));
        }
    }

    fn set(&mut self, key: &str, wanted: Value) {
        let shown = wanted.to_string();
        let known = self.table.get(key).and_then(Item::as_value);
        let was = known.map(|known| known.clone().decorated("", "").to_string());
        if was.as_deref().is_some_and(|was| same(was, &shown)) {
            return;
        }
        match self.table.get_mut(key).and_then(Item::as_value_mut) {
            Some(known) => {
                // What stands behind it on the line stays.
                let decor = known.decor().clone();
                *known = wanted;
                *known.decor_mut() = decor;
            }
            None => {
                self.table.insert(key, Item::Value(wanted));
            }
        }
        let was = was.map(|was| format!(", was {was}")).unwrap_or_default();
        self.changes.push(format!("{key} is {shown}{was}"));
    }

    fn tell(self, what: &str, news: &mut Vec<String>) {
        if self.is_new {
            news.push(format!("{what} is new"));
        } else {
            news.extend(self.changes.into_iter().map(|change| format!("{what}: {change}")));
        }
    }
}

/// Whether two values are the same but for how they are laid out.
fn same(one: &str, two: &str) -> bool {
    let parsed = |text: &str| text.parse::<Value>().ok();
    let plain = |value: Value| match value {
        Value::String(text) => vec![text.into_value()],
        Value::Array(items) => items.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect(),
        other => vec![other.to_string()],
    };
    parsed(one).map(plain) == parsed(two).map(plain)
}
