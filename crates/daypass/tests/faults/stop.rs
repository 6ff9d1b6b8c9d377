//! Stopping gracefully while exchanges are in flight.

use crate::client::{Answer, Ask, Client, Wire};
use crate::load::{Tally, at_once};
use crate::log::{Log, verify};
use crate::postgres::Schema;
use crate::scale;
use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_of_exchanges_loses_none_that_were_admitted() {
    stop_again_and_again(&Site::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_one_whose_record_is_in_postgresql() {
    let Some(schema) = Schema::new().await else { return };
    stop_again_and_again(&Site::on(schema.url())).await;
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_moment_of_starting_is_graceful_too() {
    let site = Site::new();
    let boots = scale::of(3, 30);
    for _ in 0..boots {
        site.serve().await.stop().await;
    }
    // One genesis each.
    assert_eq!(verify(&site).await, boots);
}

async fn stop_again_and_again(site: &Site) {
    let (rounds, exchanges) = (scale::of(2, 10), scale::of(100, 1_000));
    let client = Client::new();
    let mut stopped = Tally::default();
    for round in 0..rounds {
        let service = site.serve().await;
        let before = Log::read(site).await.all_uses();
        let asks: Vec<Ask> = (0..exchanges).map(|n| Ask::usual(Wire::BOTH[n % 2], site.job())).collect();
        let moment = 1 + round * exchanges / rounds;
        let mut flying = at_once(&client, &[service.url()], &asks);
        let mut answers: Vec<(Ask, Answer)> = Vec::new();
        let mut tally = Tally::default();
        while tally.issued < moment {
            let (ask, answer) = flying.join_next().await.unwrap().unwrap();
            tally.count(&answer);
            answers.push((ask, answer));
        }
        service.terminate();
        answers.extend(flying.join_all().await);
        let status = service.ended().await;
        assert!(status.success(), "{status}");

        let tally = Tally::of(&answers);
        let log = Log::read(site).await;
        assert_eq!(log.account_for(&answers), tally.issued);
        // Nor the other way round: whoever was admitted was answered.
        assert_eq!(log.all_uses() - before, tally.issued, "an admitted exchange was cut off");
        for (_, answer) in &answers {
            if let Answer::Refused(refusal) = answer {
                assert!(refusal.is_for_now(), "{refusal}");
            }
        }
        println!("round {round}: stopped at credential {moment} of {exchanges}; {tally}");
        stopped.issued += tally.issued;
        stopped.refused += tally.refused;
        stopped.lost += tally.lost;
    }
    println!("{rounds} stops in {} exchanges: {stopped}; {} records", rounds * exchanges, verify(site).await);
}
