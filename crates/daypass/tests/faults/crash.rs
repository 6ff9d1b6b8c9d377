//! `kill -9` at any moment.

use crate::client::{Answer, Ask, Client, Credential, Wire};
use crate::load::{Tally, at_once};
use crate::log::{Log, verify};
use crate::postgres::Schema;
use crate::scale;
use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_without_a_record_whenever_the_service_is_killed() {
    kill_again_and_again(&Site::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_when_its_records_are_in_postgresql() {
    let Some(schema) = Schema::new().await else { return };
    kill_again_and_again(&Site::on(schema.url())).await;
    schema.remove().await;
}

async fn kill_again_and_again(site: &Site) {
    let (rounds, exchanges) = (scale::of(2, 20), scale::of(100, 1_000));
    let client = Client::new();
    let mut sessions: Vec<Credential> = Vec::new();
    let mut all = Tally::default();
    let mut service = site.serve().await;
    for round in 0..rounds {
        let asks: Vec<Ask> = (0..exchanges).map(|n| Ask::usual(Wire::BOTH[n % 2], site.job())).collect();
        // In the middle: when the first credential has arrived, in another round when almost all have.
        let moment = 1 + round * exchanges / rounds;
        let mut flying = at_once(&client, &[service.url()], &asks);
        let mut answers: Vec<(Ask, Answer)> = Vec::new();
        let mut issued = 0;
        let mut running = Some(service);
        while let Some(answered) = flying.join_next().await {
            let (ask, answer) = answered.unwrap();
            assert!(!matches!(answer, Answer::Refused(_)), "{answer:?}");
            issued += usize::from(matches!(answer, Answer::Issued { .. }));
            answers.push((ask, answer));
            if issued == moment
                && let Some(service) = running.take()
            {
                service.kill().await;
            }
        }
        assert!(running.is_none(), "fewer than {moment} of {exchanges} credentials");
        let tally = Tally::of(&answers);
        let log = Log::read(site).await;
        assert_eq!(log.account_for(&answers), tally.issued);

        service = site.serve().await;
        // What every SDK does after a lost connection: the same request again. Whoever had its answer gets the same one.
        let again = at_once(&client, &[service.url()], &asks).join_all().await;
        for (ask, answer) in &answers {
            let (_, second) = again.iter().find(|(other, _)| other == ask).unwrap();
            let second = second.clone().credential();
            if let Answer::Issued { credential, .. } = answer {
                assert_eq!(*credential, second, "a retry after the kill has another answer");
            }
        }
        // A token that was used is used.
        for (ask, _) in answers.iter().filter(|(_, answer)| matches!(answer, Answer::Issued { .. })).take(10)
        {
            let refusal = client.ask(service.url(), &ask.under("second")).await.refusal();
            assert!(refusal.is_of_a_used_token(), "{refusal}");
        }
        let log = Log::read(site).await;
        assert_eq!(log.account_for(&again), exchanges);
        assert!(asks.iter().all(|ask| log.uses(ask) == 1));

        sessions.extend(answers.into_iter().filter_map(|(ask, answer)| match answer {
            Answer::Issued { credential, .. } if ask.wire == Wire::Aws => Some(credential),
            _ => None,
        }));
        for session in sessions.iter().rev().take(20).chain(sessions.first()) {
            client.caller(service.url(), session).await.unwrap();
        }
        println!(
            "round {round}: killed at credential {moment} of {exchanges}; {tally}; served again after {:?}; \
             {} exchanges on record",
            service.took,
            log.len()
        );
        all.issued += tally.issued;
        all.lost += tally.lost;
    }
    service.stop().await;
    println!(
        "{rounds} kills in {} exchanges: {all}; {} records verified",
        rounds * exchanges,
        verify(site).await
    );
}
