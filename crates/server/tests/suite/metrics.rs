//! What a scraper reads.

use http::Method;

use crate::tools::{World, answer};

async fn metrics(world: &World) -> String {
    let answer = answer(world.admin_request(Method::GET, "/metrics", None)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(answer.body.ends_with("# EOF\n"));
    answer.body
}

#[tokio::test]
async fn answers_are_counted_by_wire_and_reason() {
    let world = World::new().await;
    world.session().await;
    world.exchange(&world.token(&[("repository_id", "9".into())]), &[]).await;
    world.web_identity("not a token", &[]).await;
    let text = metrics(&world).await;
    for line in [
        "daypass_exchanges_total{wire=\"aws-query\",outcome=\"admitted\",reason=\"\"} 1",
        "daypass_exchanges_total{wire=\"token-exchange\",outcome=\"refused\",reason=\"trust-denied\"} 1",
        "daypass_exchange_seconds_count{wire=\"aws-query\"} 2",
        "# TYPE daypass_connections gauge",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn nothing_that_callers_choose_becomes_a_label() {
    let world = World::new().await;
    for n in 0..20 {
        let strange = format!("strange-{n}\"}} 1");
        let issuer = format!("https://evil-{n}.example");
        world.web_identity(&world.token(&[("iss", issuer.as_str().into())]), &[]).await;
        world
            .web_identity(
                &world.token(&[]),
                &[("RoleArn", &format!("arn:aws:iam::123456789012:role/{strange}"))],
            )
            .await;
        world.exchange(&world.token(&[("sub", strange.as_str().into())]), &[("audience", &strange)]).await;
        world.exchange(&world.token(&[]), &[("scope", &strange)]).await;
        world.aws(&[("Action", &strange)]).await;
        world.get(&format!("/{n}")).await;
    }
    let text = metrics(&world).await;
    assert!(!text.contains("strange") && !text.contains("evil"), "{text}");
    let series = text.lines().filter(|line| line.starts_with("daypass_exchanges_total")).count();
    assert!(series <= 4, "as many as there are reasons, not as there are callers: {text}");
}

#[tokio::test]
async fn open_connections_are_counted_until_they_close() {
    let world = World::new().await;
    let open = async || {
        let text = metrics(&world).await;
        let line = text.lines().find(|line| line.starts_with("daypass_connections ")).unwrap().to_owned();
        line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
    };
    let before = open().await;
    let idle = tokio::net::TcpStream::connect(world.service.public()).await.unwrap();
    let mut now = open().await;
    while now == before {
        tokio::task::yield_now().await;
        now = open().await;
    }
    assert_eq!(now, before + 1);
    drop(idle);
    while open().await != before {
        tokio::task::yield_now().await;
    }
}
