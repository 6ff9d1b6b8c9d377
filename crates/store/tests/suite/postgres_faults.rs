//! Outages, refusals and cuts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use daypass_store::{Checkpoint, PostgresOptions, PostgresStore, Store, StoreError, UseOutcome};

use crate::places::{Place, Schema};
use crate::proxy::{Cut, Proxy};
use crate::tools::{at, decision_id, entry, open_chain, outcome, use_entry, verify};

async fn refused(url: &str) -> StoreError {
    PostgresStore::connect(url, PostgresOptions::default()).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_said_without_the_password() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = refused(&format!("postgres://user:hunter2@127.0.0.1:{port}/daypass")).await;
    assert!(matches!(&error, StoreError::Unreachable(text) if text.contains("refused")), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let error = refused(&format!("postgres://user@127.0.0.1:{port}/daypass")).await;
    assert_eq!(error, StoreError::Unreachable("no connection within 1000 ms".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_said_without_the_password() {
    let Some(schema) = Schema::new("").await else { return };
    let url = schema.url();
    let (start, rest) = url.split_once('@').unwrap();
    let user = start.rsplit('/').next().unwrap().split(':').next().unwrap();
    let error = refused(&format!("postgres://nobody_{user}:hunter2@{rest}")).await;
    assert!(matches!(&error, StoreError::Unreachable(text) if text.contains("nobody_")), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused() {
    let Some(schema) = Schema::new("").await else { return };
    schema.open().await.close().await.unwrap();
    let insert = "INSERT INTO daypass_migration (version) VALUES (99)";
    schema.administrator().await.batch_execute(insert).await.unwrap();
    assert_eq!(refused(&schema.url()).await, StoreError::Schema { found: 99, known: 1 });
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_tables_are_refused_and_left_alone() {
    let Some(schema) = Schema::new("").await else { return };
    let administrator = schema.administrator().await;
    administrator.batch_execute("CREATE TABLE record (theirs TEXT)").await.unwrap();
    assert_eq!(refused(&schema.url()).await, StoreError::Foreign);
    let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = $1";
    let tables: i64 = administrator.query_one(sql, &[&schema.name()]).await.unwrap().get(0);
    assert_eq!(tables, 1);
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_may_start_at_once_on_an_empty_database() {
    let Some(schema) = Schema::new("").await else { return };
    let schema = Arc::new(schema);
    let open = |n| {
        let schema = schema.clone();
        tokio::spawn(async move { (n, schema.open().await) })
    };
    let opening: Vec<_> = (1..=6).map(open).collect();
    let mut stores = Vec::new();
    for opened in opening {
        let (n, store) = opened.await.unwrap();
        open_chain(&*store, n).await;
        stores.push(store);
    }
    assert_eq!(verify(&*stores[0]).await.unwrap().len(), 6);
    Arc::into_inner(schema).unwrap().remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_writes_is_said_and_got_over() {
    let Some(schema) = Schema::new("").await else { return };
    let store = schema.open().await;
    open_chain(&*store, 0).await;
    // As on a standby, or when an operator has set the database so.
    let administrator = schema.administrator().await;
    let set = |value: &str| {
        let functions = match value {
            "off" => "DROP TRIGGER frozen ON record; DROP TRIGGER frozen ON pulse".to_owned(),
            _ => "CREATE FUNCTION frozen() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'frozen' USING ERRCODE = '25006'; END $$;
                CREATE TRIGGER frozen BEFORE INSERT ON record EXECUTE FUNCTION frozen();
                CREATE TRIGGER frozen BEFORE UPDATE ON pulse EXECUTE FUNCTION frozen()"
                .to_owned(),
        };
        let administrator = &administrator;
        async move { administrator.batch_execute(&functions).await.unwrap() }
    };
    set("on").await;
    assert_eq!(store.append(use_entry(1, 1, 1, 1)).await, Err(StoreError::ReadOnly));
    assert_eq!(store.check().await, Err(StoreError::ReadOnly));
    set("off").await;
    assert_eq!(store.check().await, Ok(()));
    assert_eq!(outcome(&*store, use_entry(1, 1, 2, 1)).await, UseOutcome::Fresh { ordinal: 1 });
    assert_eq!(verify(&*store).await.unwrap().len(), 2);
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_got_over() {
    let Some(schema) = Schema::new("").await else { return };
    let store = schema.open().await;
    open_chain(&*store, 0).await;
    let administrator = schema.administrator().await;
    let fill = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON record EXECUTE FUNCTION full_disk()";
    administrator.batch_execute(fill).await.unwrap();
    assert_eq!(store.append(use_entry(1, 1, 1, 1)).await, Err(StoreError::Full));
    administrator.batch_execute("DROP TRIGGER full_disk ON record").await.unwrap();
    assert_eq!(outcome(&*store, use_entry(1, 1, 2, 1)).await, UseOutcome::Fresh { ordinal: 1 });
    assert_eq!(verify(&*store).await.unwrap().len(), 2);
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_then_said_and_got_over() {
    let Some(schema) = Schema::new("").await else { return };
    let store = schema.open().await;
    open_chain(&*store, 0).await;
    let mut administrator = schema.administrator().await;
    let transaction = administrator.transaction().await.unwrap();
    let insert = "INSERT INTO token_use VALUES ($1, 1, $1, gen_random_uuid(), 0, 0, '')";
    transaction.execute(insert, &[&[1_u8; 32].as_slice()]).await.unwrap();
    assert_eq!(store.append(use_entry(1, 1, 1, 1)).await, Err(StoreError::Busy));
    transaction.rollback().await.unwrap();
    assert_eq!(outcome(&*store, use_entry(1, 1, 1, 1)).await, UseOutcome::Fresh { ordinal: 1 });
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_an_answer_is_given_up() {
    let Some(schema) = Schema::new("").await else { return };
    let statement_timeout = Duration::from_millis(1_500);
    let store = schema.open_with(PostgresOptions { statement_timeout, ..PostgresOptions::default() }).await;
    open_chain(&store, 0).await;
    let mut administrator = schema.administrator().await;
    let transaction = administrator.transaction().await.unwrap();
    transaction.batch_execute("LOCK TABLE record").await.unwrap();
    let no_answer = StoreError::Unreachable("no answer within 1500 ms".to_owned());
    assert_eq!(store.append(use_entry(1, 1, 1, 1)).await, Err(no_answer.clone()));
    assert_eq!(store.latest(1).await, Err(no_answer));
    assert_eq!(store.drop_bodies(at(1)).await, Err(StoreError::Ambiguous));
    transaction.rollback().await.unwrap();
    // The server is rid of the abandoned transactions when it next speaks to us.
    let mut answer = store.append(use_entry(1, 1, 1, 1)).await;
    while matches!(answer, Err(StoreError::Unreachable(_))) {
        answer = store.append(use_entry(1, 1, 1, 1)).await;
    }
    assert_eq!(answer.unwrap().outcome(), &UseOutcome::Fresh { ordinal: 1 });
    assert_eq!(verify(&store).await.unwrap().len(), 2);
    schema.remove().await;
}

/// A store behind a proxy, with a chain and one record.
async fn behind_proxy(schema: &Schema) -> (Proxy, PostgresStore) {
    let proxy = Proxy::start(schema.address()).await;
    let store =
        PostgresStore::connect(&schema.url_via(proxy.port), PostgresOptions::default()).await.unwrap();
    open_chain(&store, 0).await;
    store.append(entry(1)).await.unwrap();
    (proxy, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_which_nothing_is_heard_is_ambiguous_and_forks_nothing() {
    let Some(schema) = Schema::new("").await else { return };
    for (cut, happened) in [(Cut::BeforeCommit, false), (Cut::AfterCommit, true)] {
        let schema = Schema::new("").await.unwrap();
        let (proxy, store) = behind_proxy(&schema).await;
        proxy.cut(cut);
        assert_eq!(store.append(use_entry(2, 1, 1, 1)).await, Err(StoreError::Ambiguous));
        assert_eq!(store.record(decision_id(2)).await.unwrap().is_some(), happened);
        // The same request again finds its use if it was counted; the chain goes on from where it is.
        let expected = if happened {
            UseOutcome::Retry { decision: decision_id(2), ordinal: 1, at: at(2), sealed: vec![1, 1] }
        } else {
            UseOutcome::Fresh { ordinal: 1 }
        };
        assert_eq!(outcome(&store, use_entry(3, 1, 1, 1)).await, expected);
        assert_eq!(verify(&store).await.unwrap().len(), if happened { 4 } else { 3 });
        schema.remove().await;
    }
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_before_the_commit_means_that_nothing_was_done() {
    let Some(schema) = Schema::new("").await else { return };
    let (proxy, store) = behind_proxy(&schema).await;
    proxy.cut(Cut::BeforeBegin);
    assert!(matches!(store.append(entry(2)).await, Err(StoreError::Unreachable(_))));
    assert_eq!(store.append(entry(2)).await.unwrap().seq(), 2);
    verify(&store).await.unwrap();
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_broke_while_it_lay_idle_is_replaced() {
    let Some(schema) = Schema::new("").await else { return };
    let (proxy, store) = behind_proxy(&schema).await;
    assert_eq!(store.latest(1).await.unwrap().len(), 1);
    proxy.cut(Cut::BeforeAnything);
    assert_eq!(store.latest(1).await.unwrap().len(), 1);
    // Not so where the statement must not run twice: it may have run once.
    proxy.cut(Cut::BeforeAnything);
    let checkpoint = || Checkpoint { time: at(1), statement: String::new() };
    assert_eq!(store.put_checkpoint(checkpoint()).await, Err(StoreError::Ambiguous));
    assert_eq!(store.put_checkpoint(checkpoint()).await, Ok(()));
    assert_eq!(store.checkpoints().await.unwrap().len(), 1);
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_said_and_got_over() {
    let Some(schema) = Schema::new("").await else { return };
    let (proxy, store) = behind_proxy(&schema).await;
    proxy.cut(Cut::Everything);
    for n in 2..=6 {
        assert!(matches!(store.append(entry(n)).await, Err(StoreError::Unreachable(_))));
        assert!(matches!(store.check().await, Err(StoreError::Unreachable(_))));
    }
    proxy.cut(Cut::Never);
    // It tries again when its pause is over, and says so until then.
    let mut answer = store.append(entry(2)).await;
    while matches!(answer, Err(StoreError::Unreachable(_))) {
        tokio::task::yield_now().await;
        answer = store.append(entry(2)).await;
    }
    assert_eq!(answer.unwrap().seq(), 2);
    assert_eq!(verify(&store).await.unwrap().len(), 3);
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_killed_connections() {
    const KILLS: u32 = 12;
    let Some(schema) = Schema::new("").await else { return };
    let store = schema.open().await;
    open_chain(&*store, 0).await;
    let (next, done) = (Arc::new(AtomicU32::new(1)), Arc::new(AtomicU32::new(0)));
    let append = |_| {
        let (store, next, done) = (store.clone(), next.clone(), done.clone());
        tokio::spawn(async move {
            let (mut written, mut refused) = (Vec::new(), Vec::new());
            while done.load(Ordering::SeqCst) < KILLS {
                let n = next.fetch_add(1, Ordering::SeqCst);
                match store.append(entry(n)).await {
                    Ok(receipt) => written.push((n, receipt.seq())),
                    Err(StoreError::Unreachable(_)) => refused.push(n),
                    Err(StoreError::Ambiguous) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            (written, refused)
        })
    };
    let tasks: Vec<_> = (0..20).map(append).collect();
    let administrator = schema.administrator().await;
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = $1 AND pid <> pg_backend_pid()";
    for kill in 1..=KILLS {
        // Not before something was written since the last time.
        while next.load(Ordering::SeqCst) < kill * 50 {
            tokio::task::yield_now().await;
        }
        administrator.query(sql, &[&schema.name()]).await.unwrap();
        done.fetch_add(1, Ordering::SeqCst);
    }
    let (mut written, mut refused) = (Vec::new(), Vec::new());
    for task in tasks {
        let (more_written, more_refused) = task.await.unwrap();
        written.extend(more_written);
        refused.extend(more_refused);
    }
    let records = verify(&*store).await.unwrap();
    let recorded: BTreeSet<_> = records.iter().map(|record| (record.decision, record.seq)).collect();
    assert_eq!(recorded.len(), records.len());
    for (n, seq) in &written {
        assert!(recorded.contains(&(decision_id(*n), *seq)), "receipt {n} without a record");
    }
    for n in refused {
        assert!(
            !records.iter().any(|record| record.decision == decision_id(n)),
            "{n} was refused and recorded"
        );
    }
    assert!(!written.is_empty());
    schema.remove().await;
}
