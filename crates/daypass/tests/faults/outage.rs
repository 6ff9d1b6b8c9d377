//! PostgreSQL restarted under three replicas and their load.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::client::{Answer, Ask, Client, Wire};
use crate::load::{Load, Tally};
use crate::log::{Log, verify};
use crate::postgres::{Cluster, Shutdown};
use crate::scale;
use crate::site::{Service, Site};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_postgresql_costs_retries_and_nothing_else() {
    let Some(cluster) = Cluster::start().await else { return };
    let (site, client) = (Arc::new(Site::on(cluster.url())), Client::new());
    let (one, two, three) = tokio::join!(site.replica("one"), site.replica("two"), site.replica("three"));
    let replicas = [one, two, three];
    let urls = replicas.each_ref().map(Service::url);
    let session = client.ask(urls[0], &Ask::usual(Wire::Aws, site.job())).await.credential();
    let mut uses = 1;
    for shutdown in [Shutdown::Fast, Shutdown::Immediate].repeat(scale::of(1, 5)) {
        let (jobs, count) = (Arc::clone(&site), AtomicUsize::new(0));
        let mut load = Load::begin(&client, &urls, 12, move || {
            Ask::usual(Wire::BOTH[count.fetch_add(1, Ordering::Relaxed) % 2], jobs.job())
        });
        load.more(scale::of(60, 500)).await;
        let before = load.so_far().issued;
        cluster.stop(shutdown).await;
        load.more_refused(scale::of(100, 1_000)).await;
        for replica in &replicas {
            replica.until_ready(&client, false).await;
            client.caller(replica.url(), &session).await.unwrap();
        }
        cluster.start_again().await;
        // Service goes on by itself.
        load.more(scale::of(60, 500)).await;
        let answers = load.end().await;

        for (_, answer) in &answers {
            match answer {
                Answer::Issued { .. } => {}
                Answer::Refused(refusal) => {
                    let words = "the database cannot be reached";
                    assert!(refusal.is_for_now() && refusal.message.contains(words), "{refusal:?}");
                }
                Answer::Lost(why) => panic!("a restart of PostgreSQL cost a connection: {why}"),
            }
        }
        let tally = Tally::of(&answers);
        let log = Log::read(&site).await;
        assert_eq!(log.account_for(&answers), tally.issued);
        // Whoever was refused has been told nothing, and lost nothing: every job has used its token once.
        uses += tally.issued;
        assert_eq!(log.all_uses(), uses);
        for replica in &replicas {
            replica.until_ready(&client, true).await;
            client.caller(replica.url(), &session).await.unwrap();
        }
        println!(
            "{shutdown:?} shutdown after {before} exchanges: {tally}; so far {} were refused though on record, and got that \
             answer when they asked again",
            log.retries()
        );
    }
    for replica in replicas {
        replica.stop().await;
    }
    println!("{uses} uses, {} records verified", verify(&site).await);
}
