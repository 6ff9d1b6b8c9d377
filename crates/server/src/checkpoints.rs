//! Signing checkpoints when enough has been recorded or enough time has passed, and putting them where whoever can write the
//! log cannot.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use daypass_exchange::StartError;
use daypass_exchange::record::SignedCheckpoint;

use crate::app::App;
use crate::system::every;

/// How often it is looked at whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Signs for ever.
pub(crate) async fn run(app: &App) {
    let audit = &app.exchange.config().audit;
    let mut interval = every(LOOK_EVERY);
    let mut last = app.exchange.clock().now();
    let mut records = 0;
    loop {
        interval.tick().await;
        let now = app.exchange.clock().now();
        let heads = match app.exchange.store().heads().await {
            Ok(heads) => heads,
            Err(error) => {
                tracing::debug!(%error, "the heads of the log could not be read");
                continue;
            }
        };
        let total: u64 = heads.iter().map(|head| head.seq.saturating_add(1)).sum();
        let new = total.saturating_sub(records);
        if new < audit.checkpoint_records && (new == 0 || now.since(last) < audit.checkpoint_every) {
            continue;
        }
        match sign(app).await {
            Ok(()) => (last, records) = (now, total),
            Err(error) => tracing::warn!(%error, "a checkpoint could not be signed"),
        }
    }
}

/// Signs one checkpoint, and puts it into the file that is kept elsewhere.
pub(crate) async fn sign(app: &App) -> Result<(), StartError> {
    let signed = app.exchange.checkpoint().await?;
    let Some(path) = app.exchange.config().audit.checkpoint_file.clone() else { return Ok(()) };
    // The file is meant to lie elsewhere, on a network maybe: waiting for it must hold up nobody.
    let _ = tokio::task::spawn_blocking(move || {
        if let Err(error) = append(&path, &signed) {
            tracing::error!(%path, %error, "a checkpoint could not be written to its file");
        }
    })
    .await;
    Ok(())
}

/// Appends a line of JSON.
fn append(path: &str, signed: &SignedCheckpoint) -> io::Result<()> {
    append_line(path, &serde_json::to_string(signed)?)
}

/// Appends a line. What a crash or a full disk left of an earlier one becomes a line of its own, and spoils no other.
fn append_line(path: &str, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let torn = if last == [b'\n'] { "" } else { "\n" };
    file.write_all(format!("{torn}{line}\n").as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_torn_line_spoils_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoints.jsonl");
        let path = path.to_str().unwrap();
        append_line(path, "one").unwrap();
        append_line(path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
        std::fs::write(path, "one\ntw").unwrap();
        append_line(path, "three").unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntw\nthree\n");
    }
}
