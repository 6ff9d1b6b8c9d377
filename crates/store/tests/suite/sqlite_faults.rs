//! Full disks, locks, foreign files and damage.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daypass_store::{
    Checkpoint, KeyPurpose, RecordBody, SqliteOptions, SqliteStore, Store, StoreError, UseOutcome, chain,
};
use rusqlite::Connection;

use crate::places::{Directory, Place};
use crate::tools::{
    append_all, at, chain_id, decision_id, entry, open_chain, outcome, read_chain, use_entry, verify,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_got_over() {
    let place = Directory::new();
    let store = place.open_with(&SqliteOptions { max_pages: Some(60), ..SqliteOptions::default() });
    open_chain(&store, 0).await;
    let large = |n| {
        let mut entry = use_entry(n, 1, 1, u32::MAX);
        entry.token_use.as_mut().unwrap().request[..4].copy_from_slice(&n.to_be_bytes());
        entry.compose = Box::new(move |_| RecordBody(vec![b'x'; 4_000]));
        entry
    };
    let mut n = 1;
    while let Ok(receipt) = store.append(large(n)).await {
        assert_eq!(receipt.outcome(), &UseOutcome::Fresh { ordinal: n });
        n += 1;
    }
    assert_eq!(store.append(large(n)).await, Err(StoreError::Full));
    assert_eq!(StoreError::Full.retry_after(), Some(Duration::from_secs(30)));
    // Room again: the same store goes on, with the use that the refused entry did not take.
    assert!(store.drop_bodies(at(10_000)).await.unwrap() > 0);
    assert_eq!(outcome(&store, large(n)).await, UseOutcome::Fresh { ordinal: n });
    assert_eq!(verify(&store).await.unwrap().len() as u64, u64::from(n) + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_then_said_and_got_over() {
    let place = Directory::new();
    let busy_timeout = Duration::from_millis(50);
    let store: Arc<dyn Store> =
        Arc::new(place.open_with(&SqliteOptions { busy_timeout, batch: 8, ..SqliteOptions::default() }));
    open_chain(&*store, 0).await;
    let other = Connection::open(place.file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert!(
        append_all(&store, (1..=100).map(entry)).await.iter().all(|answer| *answer == Err(StoreError::Busy))
    );
    assert_eq!(store.check().await, Err(StoreError::Busy));
    // What is committed can still be read.
    assert_eq!(verify(&*store).await.unwrap().len(), 1);
    other.execute_batch("ROLLBACK").unwrap();
    for answer in append_all(&store, (1..=100).map(entry)).await {
        answer.unwrap();
    }
    assert_eq!(verify(&*store).await.unwrap().len(), 101);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_be_written_is_said() {
    use std::os::unix::fs::PermissionsExt;

    let place = Directory::new();
    place.open().await.close().await.unwrap();
    fs::set_permissions(place.file(), fs::Permissions::from_mode(0o400)).unwrap();
    if fs::OpenOptions::new().append(true).open(place.file()).is_ok() {
        eprintln!("skipped: this user may write everything");
        return;
    }
    let options = SqliteOptions::default();
    assert_eq!(SqliteStore::open(place.path(), &options).unwrap_err(), StoreError::ReadOnly);
    SqliteStore::open_read_only(place.path()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_open_for_reading_writes_nothing() {
    let place = Directory::new();
    let store = place.open().await;
    open_chain(&*store, 0).await;
    store.append(entry(1)).await.unwrap();
    store.close().await.unwrap();
    let before = listing(place.path());
    let store = SqliteStore::open_read_only(place.path()).unwrap();
    assert_eq!(verify(&store).await.unwrap().len(), 2);
    assert_eq!(store.integrity().await, Ok(vec![]));
    assert_eq!(store.append(entry(2)).await, Err(StoreError::ReadOnly));
    assert_eq!(store.check().await, Err(StoreError::ReadOnly));
    let checkpoint = Checkpoint { time: at(1), statement: String::new() };
    assert_eq!(store.put_checkpoint(checkpoint).await, Err(StoreError::ReadOnly));
    assert_eq!(listing(place.path()), before);
    store.close().await.unwrap();
    assert_eq!(listing(place.path()), before);
}

/// The names and contents of a directory's files.
fn listing(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// A copy of the files of a database as they lie there.
fn copy(from: &Directory) -> Directory {
    let to = Directory::new();
    for file in fs::read_dir(from.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.path().join(file.file_name())).unwrap();
    }
    to
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_taken_while_the_server_runs_is_read_with_its_log() {
    let place = Directory::new();
    let store = place.open().await;
    open_chain(&*store, 0).await;
    store.append(entry(1)).await.unwrap();
    let copied = copy(&place);
    let reading = SqliteStore::open_read_only(copied.path()).unwrap();
    assert_eq!(verify(&reading).await.unwrap().len(), 2);
}

#[test]
fn what_is_not_there_is_said() {
    let place = Directory::new();
    let (path, options) = (place.path().join("nowhere"), SqliteOptions::default());
    for error in [
        SqliteStore::open(&path, &options).unwrap_err(),
        SqliteStore::open_read_only(&path).unwrap_err(),
        SqliteStore::open(place.path(), &options).unwrap_err(),
    ] {
        assert!(
            matches!(&error, StoreError::Unreachable(text) if text.contains("daypass.sqlite3")),
            "{error}"
        );
    }
    assert!(fs::read_dir(place.path()).unwrap().next().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused() {
    let place = Directory::new();
    place.open().await.close().await.unwrap();
    Connection::open(place.file()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let expected = StoreError::Schema { found: 99, known: 1 };
    assert_eq!(SqliteStore::open(place.path(), &SqliteOptions::default()).unwrap_err(), expected);
    assert_eq!(SqliteStore::open_read_only(place.path()).unwrap_err(), expected);
    assert_eq!(expected.to_string(), "the database schema is at version 99, this program knows up to 1");
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let place = Directory::new();
    let theirs = Connection::open(place.file()).unwrap();
    theirs.execute_batch("CREATE TABLE theirs (id INTEGER)").unwrap();
    let error = SqliteStore::open(place.path(), &SqliteOptions::default()).unwrap_err();
    assert_eq!(error, StoreError::Foreign);
    let tables: i64 = theirs.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let place = Directory::new();
    fs::write(place.file(), "{\"not\": \"a database\"}".repeat(1_000)).unwrap();
    for opened in [
        SqliteStore::open(place.path(), &SqliteOptions::default()),
        SqliteStore::open_read_only(place.path()),
    ] {
        assert!(matches!(opened.unwrap_err(), StoreError::Damaged(_)));
    }
}

/// A database of some dozens of pages with everything committed to the file itself.
async fn filled() -> Directory {
    let place = Directory::new();
    let store = place.open().await;
    open_chain(&*store, 0).await;
    for answer in append_all(&store, (1..=1_000).map(|n| use_entry(n, 1, 1, u32::MAX))).await {
        answer.unwrap();
    }
    store.close().await.unwrap();
    place
}

/// Reads all that can be read; says whether anything was found wrong.
async fn finds_damage(store: &SqliteStore) -> bool {
    let pages = store.integrity().await;
    let records = verify(store).await;
    let rest = (store.latest(50).await, store.checkpoints().await, store.keys(KeyPurpose::Sign).await);
    let rest = rest.0.is_err() || rest.1.is_err() || rest.2.is_err();
    pages != Ok(vec![]) || records.map(|records| records.len()) != Ok(1_001) || rest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_file_is_found_damaged() {
    let whole = filled().await;
    let length = fs::metadata(whole.file()).unwrap().len();
    for kept in [50, 100, 4_096, 8_192, length / 2, length / 2 / 8_192 * 8_192, length - 8_192, length - 1] {
        let place = copy(&whole);
        fs::OpenOptions::new().write(true).open(place.file()).unwrap().set_len(kept).unwrap();
        match SqliteStore::open_read_only(place.path()) {
            Ok(store) => assert!(finds_damage(&store).await, "{kept} of {length} bytes"),
            Err(error) => assert!(matches!(error, StoreError::Damaged(_)), "{kept}: {error}"),
        }
        if let Ok(store) = SqliteStore::open(place.path(), &SqliteOptions::default()) {
            let _ = outcome_of_writing(&store).await;
        }
    }
}

/// To write on a damaged database may or may not succeed; it must not take the process down.
async fn outcome_of_writing(store: &SqliteStore) -> Result<(), StoreError> {
    store.open_chain(chain_id(5_000), decision_id(5_000), at(5_000), RecordBody(Vec::new())).await?;
    store.append(use_entry(5_001, 9, 9, 1)).await?;
    store.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn overwritten_pages_are_found_or_harmless_but_never_a_panic() {
    let whole = filled().await;
    let bytes = fs::read(whole.file()).unwrap();
    let pages = bytes.len() / 8_192;
    let mut found = 0;
    for page in 0..pages {
        let place = copy(&whole);
        let mut bytes = bytes.clone();
        bytes[page * 8_192..][..8_192].fill(0x5a);
        fs::write(place.file(), bytes).unwrap();
        match SqliteStore::open_read_only(place.path()) {
            Ok(store) => found += usize::from(finds_damage(&store).await),
            Err(_) => found += 1,
        }
        if let Ok(store) = SqliteStore::open(place.path(), &SqliteOptions::default()) {
            let _ = outcome_of_writing(&store).await;
        }
    }
    assert_eq!(found, pages);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_body_is_found_by_the_chain() {
    let place = filled().await;
    let mut bytes = fs::read(place.file()).unwrap();
    let needle = b"\"decision\":500,";
    let found = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    bytes[found + needle.len() - 2] = b'1';
    fs::write(place.file(), bytes).unwrap();
    let store = SqliteStore::open_read_only(place.path()).unwrap();
    assert_eq!(store.integrity().await, Ok(vec![]));
    assert!(verify(&store).await.unwrap_err().starts_with("entry "));
    let altered = read_chain(&store, chain_id(0)).await.unwrap();
    let differs = |body: &RecordBody, hash| chain::body_hash(&body.0) != hash;
    let count =
        altered.iter().filter(|record| differs(record.body.as_ref().unwrap(), record.body_hash)).count();
    assert_eq!(count, 1);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_moved_away_is_noticed_by_the_check() {
    let place = Directory::new();
    let store = place.open().await;
    store.check().await.unwrap();
    fs::rename(place.file(), place.path().join("elsewhere")).unwrap();
    assert!(matches!(store.check().await, Err(StoreError::Damaged(text)) if text.contains("moved")));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_may_make_the_database_at_once() {
    let place = Arc::new(Directory::new());
    let open = |n| {
        let place = place.clone();
        tokio::task::spawn_blocking(move || (n, place.open_with(&SqliteOptions::default())))
    };
    let opening: Vec<_> = (1..=4).map(open).collect();
    for opened in opening {
        let (n, store) = opened.await.unwrap();
        open_chain(&store, n).await;
    }
    assert_eq!(verify(&*place.open().await).await.unwrap().len(), 4);
}
