//! What a session is good for: GetCallerIdentity in all its forms, AssumeRole, GetAccessKeyInfo. And what it is not.

use std::time::Duration;

use daypass_claims::Clock;
use daypass_server::sigv4::Signer;
use daypass_store::{KeyPurpose, Revocation, Selector};

use crate::tools::{DEPLOY, Keys, Listing, Plan, World, answer, form, redacted};

const IDENTITY: [(&str, &str); 2] = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
const SECOND: &str = "arn:aws:iam::123456789012:role/ci/second";

fn assume<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [("Action", "AssumeRole"), ("RoleArn", SECOND), ("RoleSessionName", "chained")];
    let is_changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    usual.iter().filter(|(name, _)| !is_changed(name)).chain(changes).copied().collect()
}

#[tokio::test]
async fn a_session_says_who_it_is() {
    let world = World::new().await;
    let keys = world.session().await;
    let answer = world.signed(&keys, &IDENTITY).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    redacted().bind(|| insta::assert_snapshot!(answer.body.replace("><", ">\n<")));
}

#[tokio::test]
async fn it_does_so_in_every_form_of_the_request() {
    let world = World::new().await;
    let keys = world.session().await;
    let signer = world.signer(&keys);
    let query = form(&IDENTITY);
    let arn = "arn:aws:sts::123456789012:assumed-role/deploy/run-1";
    // As EKS and Vault have it presigned.
    let presigned = world.get(&world.presign(&signer, "GET", &query, 60)).await;
    assert_eq!(presigned.element("Arn"), arn, "{}", presigned.body);
    // As boto3 presigns it.
    let posted = world.http.post(format!("{}{}", world.url, world.presign(&signer, "POST", &query, 900)));
    assert_eq!(answer(posted).await.element("Arn"), arn);
    // Another name of ours, and the body's hash stated.
    let signer = Signer { sign_body: true, region: "us-east-1", ..signer };
    let (headers, body) = world.sign(&signer, &query);
    assert_eq!(world.post_with(&headers, &body).await.element("Arn"), arn);
    let port = world.service.public().port();
    let host = vec![("Host".to_owned(), format!("localhost:{port}"))];
    let mut headers = host.clone();
    headers.extend(daypass_server::sigv4::sign_header(&signer, "GET", "/", &query, &host, b""));
    let mut request = world.http.get(format!("{}/?{query}", world.url));
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    assert_eq!(answer(request).await.element("Arn"), arn);
}

#[tokio::test]
async fn another_replica_knows_it_and_a_rotated_key_does_not_end_it() {
    let world = World::new().await;
    let keys = world.session().await;
    let (exchange, now) = (&world.app().exchange, world.clock.now());
    let ring = exchange.ring();
    ring.rotate(exchange.store(), exchange.random(), now, KeyPurpose::Seal, false).await.unwrap();
    world.clock.advance(Duration::from_secs(120));
    let replica = world.again().await;
    assert_eq!(replica.signed(&keys, &IDENTITY).await.status, 200);
    let newer = replica.session().await;
    exchange.refresh().await.unwrap();
    assert_eq!(world.signed(&newer, &IDENTITY).await.status, 200);
}

/// Roles that sessions may assume with everything that AssumeRole can carry.
async fn chaining() -> World {
    let policy = |role: &str| {
        format!(
            r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::123456789012:role/{role}"}},
            "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}}}}"#
        )
    };
    let tables = "[[role]]\nname = \"tagged\"\ntrust_policy = \"tagged.json\"\n\
                  [[role]]\nname = \"third\"\ntrust_policy = \"third.json\"\n";
    let files = [("tagged.json", policy("deploy")), ("third.json", policy("tagged"))];
    let files = files.map(|(name, text)| (name.to_owned(), text)).to_vec();
    World::with(Plan { files, ..Plan::tables(tables) }).await
}

const TAGGED: &str = "arn:aws:iam::123456789012:role/tagged";

#[tokio::test]
async fn a_session_assumes_another_role() {
    let world = chaining().await;
    let keys = world.session().await;
    let parameters = assume(&[
        ("RoleArn", TAGGED),
        ("DurationSeconds", "900"),
        ("Tags.member.1.Key", "Project"),
        ("Tags.member.1.Value", "x"),
        ("Tags.member.2.Key", "Team"),
        ("Tags.member.2.Value", ""),
        ("TransitiveTagKeys.member.1", "Project"),
        ("SourceIdentity", "octocat"),
        ("ExternalId", "a:b/c"),
    ]);
    let answer = world.signed(&keys, &parameters).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    redacted().bind(|| insta::assert_snapshot!(answer.body.replace("><", ">\n<")));
    let second = Keys::of(&answer);
    let who = world.signed(&second, &IDENTITY).await;
    assert_eq!(who.element("Arn"), "arn:aws:sts::123456789012:assumed-role/tagged/chained");
    let record = world.records(1).await.remove(0);
    assert_eq!(
        (&record["action"], &record["from_session"]),
        (&"assume-role".into(), &keys.id.as_str().into())
    );
}

#[tokio::test]
async fn an_access_key_id_says_whose_it_is() {
    let world = World::new().await;
    let keys = world.session().await;
    let info =
        async |id: &str| world.signed(&keys, &[("Action", "GetAccessKeyInfo"), ("AccessKeyId", id)]).await;
    let other = world.session().await;
    assert_eq!(info(&other.id).await.element("Account"), "123456789012");
    let mut listing = Listing::default();
    listing.add("another's", &info("ASIAIOSFODNN7EXAMPLE").await);
    listing.add("not temporary", &info("AKIAIOSFODNN7EXAMPLE").await);
    listing.add("too short", &info("ASIA").await);
    listing.add("none", &world.signed(&keys, &[("Action", "GetAccessKeyInfo")]).await);
    redacted().bind(|| insta::assert_snapshot!(listing.0));
}

#[tokio::test]
async fn signatures_and_sessions_that_are_not_accepted() {
    let plan = Plan { top: "regions = [\"eu-west-1\"]".to_owned(), ..Plan::default() };
    let world = World::with(plan).await;
    let (keys, other) = (world.session().await, world.session().await);
    let mut listing = Listing::default();
    listing.add("unsigned", &world.aws(&IDENTITY).await);
    listing.add("unsigned AssumeRole", &world.aws(&assume(&[])).await);
    listing.add("unsigned GetAccessKeyInfo", &world.aws(&[("Action", "GetAccessKeyInfo")]).await);

    let by = async |signer: Signer<'_>| {
        let (headers, body) = world.sign(&signer, &form(&IDENTITY));
        world.post_with(&headers, &body).await
    };
    let signer = world.signer(&keys);
    listing.add("wrong secret", &by(Signer { secret_access_key: &other.secret, ..signer }).await);
    listing.add("another's key id", &by(Signer { access_key_id: &other.id, ..signer }).await);
    listing.add("another's token", &by(Signer { session_token: Some(&other.token), ..signer }).await);
    listing.add("no token", &by(Signer { session_token: None, ..signer }).await);
    listing.add("made-up token", &by(Signer { session_token: Some("dps1_AAAA"), ..signer }).await);
    let last = keys.token.chars().last().unwrap();
    let changed = format!("{}{}", keys.token.trim_end_matches(last), if last == 'A' { 'B' } else { 'A' });
    listing.add("changed token", &by(Signer { session_token: Some(&changed), ..signer }).await);
    listing.add("other service", &by(Signer { service: "s3", ..signer }).await);
    listing.add("other region", &by(Signer { region: "us-east-1", ..signer }).await);
    let late = world.clock.now() - Duration::from_secs(901);
    listing.add("old", &by(Signer { at: late, ..signer }).await);
    let early = world.clock.now() + Duration::from_secs(901);
    listing.add("early", &by(Signer { at: early, ..signer }).await);

    let (headers, body) = world.sign(&signer, &form(&IDENTITY));
    listing.add("other body", &world.post_with(&headers, &format!("{body}&x=y")).await);
    let with = |name: &str, value: &str| {
        let mut headers = headers.clone();
        headers.push((name.to_owned(), value.to_owned()));
        headers
    };
    listing.add("two dates", &world.post_with(&with("X-Amz-Date", "20260921T141320Z"), &body).await);
    let unsigned = with("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
    listing.add("unsigned payload", &world.post_with(&unsigned, &body).await);
    let foreign: Vec<_> = headers.iter().filter(|(name, _)| name != "Host").cloned().collect();
    let foreign: Vec<_> =
        [("Host".to_owned(), "sts.evil.example".to_owned())].into_iter().chain(foreign).collect();
    listing.add("other host", &world.post_with(&foreign, &body).await);

    let target = world.presign(&signer, "GET", &form(&IDENTITY), 60);
    listing
        .add("presigned, other action", &world.get(&target.replace("CallerIdentity", "AccessKeyInfo")).await);
    let twice = format!("{target}&X-Amz-Expires=900");
    listing.add("presigned, parameter twice", &world.get(&twice).await);
    let long = world.presign(&signer, "GET", &form(&IDENTITY), 7 * 86_400 + 1);
    listing.add("presigned for more than a week", &world.get(&long).await);
    world.clock.advance(Duration::from_secs(60));
    listing.add("presigned, past its end", &world.get(&target).await);
    redacted().bind(|| insta::assert_snapshot!(listing.0));
}

#[tokio::test]
async fn a_session_ends_and_can_be_ended() {
    let world = World::new().await;
    let (keys, other) = (world.session().await, world.session().await);
    world.clock.advance(Duration::from_secs(2));
    let now = world.clock.now();
    let revocation = Revocation {
        selector: Selector::Credential(other.id.clone()),
        not_before: now,
        forget_at: now + Duration::from_secs(90_000),
    };
    world.app().exchange.store().revoke(revocation).await.unwrap();
    assert_eq!(world.signed(&other, &IDENTITY).await.status, 200, "not read yet");
    world.app().exchange.refresh().await.unwrap();
    let mut listing = Listing::default();
    listing.add("revoked", &world.signed(&other, &IDENTITY).await);
    listing.add("revoked, AssumeRole", &world.signed(&other, &assume(&[])).await);
    assert_eq!(world.signed(&keys, &IDENTITY).await.status, 200);
    world.clock.advance(Duration::from_secs(3_598));
    listing.add("past its end", &world.signed(&keys, &IDENTITY).await);
    redacted().bind(|| insta::assert_snapshot!(listing.0));
}

#[tokio::test]
async fn a_presigned_request_ends_with_its_session() {
    let world = World::new().await;
    let keys = world.session().await;
    world.clock.advance(Duration::from_secs(3_300));
    let target = world.presign(&world.signer(&keys), "GET", &form(&IDENTITY), 900);
    assert_eq!(world.get(&target).await.status, 200);
    world.clock.advance(Duration::from_secs(300));
    assert_eq!(world.get(&target).await.element("Code"), "ExpiredToken");
}

#[tokio::test]
async fn what_assume_role_refuses() {
    let world = World::new().await;
    let keys = world.session().await;
    let tags: Vec<(String, String)> = (1..=51)
        .flat_map(|n| [("Key", format!("k{n}")), ("Value", "v".to_owned())].map(|(f, v)| (n, f, v)))
        .map(|(n, field, value)| (format!("Tags.member.{n}.{field}"), value))
        .collect();
    let many: Vec<(&str, &str)> = tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let cases: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("role without trust in the session", vec![("RoleArn", DEPLOY)]),
        ("no such role", vec![("RoleArn", "arn:aws:iam::123456789012:role/nobody")]),
        ("no ARN", vec![("RoleArn", "second-but-only-its-name")]),
        ("longer than an hour", vec![("DurationSeconds", "3601")]),
        ("too short", vec![("DurationSeconds", "60")]),
        ("session name", vec![("RoleSessionName", "a b")]),
        ("external id", vec![("ExternalId", "a b")]),
        ("source identity", vec![("SourceIdentity", "x")]),
        ("device", vec![("SerialNumber", "GAHT12345678"), ("TokenCode", "123456")]),
        ("contexts", vec![("ProvidedContexts.member.1.ProviderArn", "arn:aws:iam::aws:contextProvider/x")]),
        ("tag without value", vec![("Tags.member.1.Key", "a")]),
        ("tag whose value is another's", vec![("Tags.member.1.Key", "a"), ("Tags.member.2.Value", "b")]),
        (
            "tags that differ by case",
            vec![
                ("Tags.member.1.Key", "team"),
                ("Tags.member.1.Value", "a"),
                ("Tags.member.2.Key", "Team"),
                ("Tags.member.2.Value", "b"),
            ],
        ),
        ("tag with two names", vec![("Tags.member.1.Key", "a"), ("Tags.member.01.Key", "b")]),
        ("transitive tag misspelt", vec![("TransitiveTagKeys.1", "a")]),
        ("51 tags", many),
    ];
    let mut listing = Listing::default();
    for (name, changes) in cases {
        listing.add(name, &world.signed(&keys, &assume(&changes)).await);
    }
    redacted().bind(|| insta::assert_snapshot!(listing.0));
}

#[tokio::test]
async fn a_source_identity_stays() {
    let world = chaining().await;
    let keys = world.session().await;
    let first = assume(&[("RoleArn", TAGGED), ("SourceIdentity", "octocat")]);
    let second = Keys::of(&world.signed(&keys, &first).await);
    let third = "arn:aws:iam::123456789012:role/third";
    let kept = world.signed(&second, &assume(&[("RoleArn", third)])).await;
    assert_eq!(kept.element("SourceIdentity"), "octocat", "{}", kept.body);
    let other = world.signed(&second, &assume(&[("RoleArn", third), ("SourceIdentity", "hubot")])).await;
    assert_eq!((other.status.as_u16(), other.element("Code")), (403, "AccessDenied"), "{}", other.body);
}

#[tokio::test]
async fn a_path_is_in_the_arn_of_a_role_and_not_in_that_of_its_sessions() {
    let world = World::new().await;
    let keys = world.session().await;
    let answer = world.signed(&keys, &assume(&[])).await;
    assert_eq!(answer.element("Arn"), "arn:aws:sts::123456789012:assumed-role/second/chained");
    let without = world.signed(&keys, &assume(&[("RoleArn", "arn:aws:iam::123456789012:role/second")])).await;
    assert_eq!(without.element("Code"), "AccessDenied", "no such role: its ARN has a path");
}
