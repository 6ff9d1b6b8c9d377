//! One record of each kind, as its vendor writes it, and what it comes to.

use super::*;
use crate::event::Who;
use crate::input::Limits;

/// What a file comes to, a line for each thing.
#[derive(Default)]
struct Lines(Vec<String>);

impl Sink for Lines {
    fn again(&mut self, _: &Like<'_>, _: &Instance<'_>) -> bool {
        false
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), Skip> {
        let who = match &event.who {
            Who::Nobody => "nobody".to_owned(),
            Who::Known { account, identity } => format!("{account} {}", identity_line(identity)),
            Who::Session { account, id, hint } => format!("{account} session {id} {}", identity_line(hint)),
        };
        let issued = event.issued.as_ref().map(|issued| {
            let origin = match &issued.origin {
                crate::event::Origin::Known(identity) => identity_line(identity),
                crate::event::Origin::Session { id, .. } => format!("session {id}"),
            };
            format!(" -> {} as {} for {origin}", issued.session, issued.principal)
        });
        let refused = if event.refused { " refused" } else { "" };
        let data = if event.data { " data" } else { "" };
        self.0.push(format!(
            "{} {} {} {} {}{data}{refused}: {who}{}",
            event.cloud,
            event.account,
            event.region,
            event.at.secs(),
            event.address,
            issued.unwrap_or_default()
        ));
        Ok(())
    }

    fn skip(&mut self, skip: Skip, offset: u64) {
        self.0.push(format!("{skip:?} at {offset}"));
    }

    fn aside(&mut self) {
        self.0.push("aside".to_owned());
    }

    fn key(&mut self, key: KeyState) {
        self.0.push(format!("{key:?}"));
    }
}

fn identity_line(identity: &crate::event::Identity<'_>) -> String {
    let crate::event::Identity { class, credential, principal, issuer, subject, audience } = identity;
    format!("{class} [{credential}] {principal} ({issuer} | {subject} | {audience})")
}

fn lines(kind: SourceKind, name: &str, text: &str) -> String {
    let mut sink = Lines::default();
    read(kind, text.as_bytes(), name, Limits { chunk: 4_096, record: 1 << 20 }, &mut sink).unwrap();
    sink.0.join("\n")
}

mod aws;
mod others;
