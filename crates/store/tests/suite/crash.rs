//! A process that is killed at any moment: what it was told is committed is there afterwards.
//!
//! The test runs itself as a child that appends, and prints each receipt once it has it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use daypass_store::{SqliteOptions, SqliteStore, Store};

use crate::places::{Directory, Place};
use crate::tools::{chain_id, decision_id, open_chain, outcome, use_entry, verify};

const DIRECTORY: &str = "DAYPASS_TEST_CRASH_DIRECTORY";
const BOOT: &str = "DAYPASS_TEST_CRASH_BOOT";

/// How many decisions a child can make before those of the next one begin.
const PER_BOOT: u32 = 10_000_000;

/// Does nothing, unless the test below has started it.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let (Some(directory), Ok(boot)) = (std::env::var_os(DIRECTORY), std::env::var(BOOT)) else {
        return;
    };
    let first = boot.parse::<u32>().unwrap() * PER_BOOT;
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(Path::new(&directory), &SqliteOptions::default()).unwrap());
    open_chain(&*store, first).await;
    let next = Arc::new(AtomicU32::new(first + 1));
    let append = |_| {
        let (store, next) = (store.clone(), next.clone());
        tokio::spawn(async move {
            // Until it is killed.
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let receipt = store.append(token(n)).await.unwrap();
                let line = format!("receipt {n} {}\n", receipt.seq());
                std::io::stdout().write_all(line.as_bytes()).unwrap();
            }
        })
    };
    let mut tasks: Vec<_> = (0..20).map(append).collect();
    let ended: Result<(), _> = tasks.swap_remove(0).await;
    panic!("{ended:?}");
}

/// Decision `n` on the only use of a token of its own.
fn token(n: u32) -> daypass_store::Entry {
    let mut entry = use_entry(n, 0, 1, 1);
    entry.token_use.as_mut().unwrap().key[..4].copy_from_slice(&n.to_be_bytes());
    entry
}

fn start(directory: &Path, boot: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["crash::child", "--exact", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(BOOT, boot.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_kill() {
    let place = Directory::new();
    place.open().await.close().await.unwrap();
    for (boot, wanted) in (0..).zip([1, 40, 400, 1_500, 3]) {
        let mut child = start(place.path(), boot);
        let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut receipts: Vec<(u32, u64)> = printed.by_ref().filter_map(receipt).take(wanted).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had written by then; the last line may be half a line.
        receipts.extend(printed.filter_map(receipt));

        let store = place.open().await;
        let records = verify(&*store).await.unwrap();
        let chain = chain_id(boot * PER_BOOT);
        for (n, seq) in &receipts {
            let record = store.record(decision_id(*n)).await.unwrap().unwrap();
            assert_eq!((record.chain, record.seq), (chain, *seq));
        }
        assert!(receipts.len() >= wanted && records.len() > receipts.len());
        // The uses are there as well, in the same commits: a second server counts on.
        let last = receipts.last().unwrap().0;
        open_chain(&*store, boot * PER_BOOT + PER_BOOT - 2).await;
        let mut again = token(last);
        again.decision = decision_id(boot * PER_BOOT + PER_BOOT - 1);
        again.token_use.as_mut().unwrap().request = [2; 32];
        let counted = outcome(&*store, again).await;
        assert!(matches!(counted, daypass_store::UseOutcome::Exhausted { uses: 1, .. }), "{counted:?}");
        store.close().await.unwrap();
    }
}

fn receipt(line: std::io::Result<String>) -> Option<(u32, u64)> {
    let line = line.ok()?;
    // The test harness prints the test's name without a line's end before.
    let (_, receipt) = line.split_once("receipt ")?;
    let (n, seq) = receipt.split_once(' ')?;
    Some((n.parse().ok()?, seq.parse().ok()?))
}
