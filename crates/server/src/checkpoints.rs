//! Signing checkpoints when enough has been recorded or enough time has passed, and putting them where whoever can write the
//! log cannot.

use std::io::Write;
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
fn append(path: &str, signed: &SignedCheckpoint) -> std::io::Result<()> {
    let line = serde_json::to_string(signed).map_err(std::io::Error::other)?;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_data()
}
