//! Why a service does not start: each reason in words that say what would be right.

use std::net::SocketAddr;
use std::sync::Arc;

use daypass_claims::KeyId;
use daypass_server::{ServeError, Sockets};
use tempfile::TempDir;

use crate::tools::{HandClock, Plan, World, key};

struct Place {
    directory: Arc<TempDir>,
}

impl Place {
    fn new() -> Self {
        Self { directory: Arc::new(tempfile::tempdir().unwrap()) }
    }

    async fn start(&self, plan: Plan) -> Result<World, ServeError> {
        World::start(plan, Arc::clone(&self.directory), HandClock::new(), Arc::new(key())).await
    }

    /// Why it does not start here.
    async fn error(&self, plan: Plan) -> String {
        let error = self.start(plan).await.err().unwrap().to_string();
        error.replace(&self.directory.path().display().to_string(), "DIR")
    }

    fn write(&self, file: &str, content: &str) {
        let data = self.directory.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(data.join(file), content).unwrap();
    }
}

fn top(line: &str) -> Plan {
    Plan { top: line.to_owned(), ..Plan::default() }
}

#[tokio::test]
async fn an_address_in_use() {
    let world = World::new().await;
    let taken = world.service.public();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    for (public, admin) in [(taken, any), (any, taken)] {
        let error = Sockets::bind(public, admin).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot listen on {taken}: ")), "{error}");
    }
}

#[tokio::test]
async fn a_place_that_holds_something_else() {
    let place = Place::new();
    std::fs::write(place.directory.path().join("data"), "a file").unwrap();
    let error = place.error(Plan::default()).await;
    assert!(error.starts_with("cannot open the store: "), "{error}");
}

#[tokio::test]
async fn data_of_a_development_service() {
    let place = Place::new();
    place.start(Plan { development: true, ..Plan::default() }).await.unwrap().service.stop().await.unwrap();
    let expected = "the store holds development keys (it was made by `daypass up`); `serve` does not open it";
    assert_eq!(place.error(Plan::default()).await, expected);
    place.start(Plan { development: true, ..Plan::default() }).await.unwrap();
}

#[tokio::test]
async fn a_development_service_on_data_in_real_use() {
    let place = Place::new();
    place.start(Plan::default()).await.unwrap().service.stop().await.unwrap();
    let expected = "the store was not made by `daypass up`; a development service does not open it";
    assert_eq!(place.error(Plan { development: true, ..Plan::default() }).await, expected);
    place.start(Plan::default()).await.unwrap();
}

#[tokio::test]
async fn a_development_key_among_pinned_ones() {
    let place = Place::new();
    let development = key().with_key_id(KeyId::parse("daypass-dev-1").unwrap());
    let set = crate::tools::jwks(&[&key(), &development]);
    let plan = || Plan { files: vec![("github.jwks.json".to_owned(), set.clone())], ..Plan::default() };
    let expected = "issuer `github` has the development key `daypass-dev-1`, which anybody can make; `serve` does not accept it";
    assert_eq!(place.error(plan()).await, expected);
    assert!(!place.directory.path().join("data").exists(), "nothing was made before that was known");
    place.start(Plan { development: true, ..plan() }).await.unwrap();
}

#[tokio::test]
async fn data_of_another_account() {
    let place = Place::new();
    place.start(Plan::default()).await.unwrap().service.stop().await.unwrap();
    let plan = Plan { account: "210987654321", ..Plan::default() };
    let expected = "the store belongs to account 123456789012, the configuration says 210987654321";
    assert_eq!(place.error(plan).await, expected);
}

#[tokio::test]
async fn a_key_encryption_key_that_is_not_there() {
    let error = Place::new().error(top("kek = { file = \"/nowhere/kek\" }")).await;
    assert!(error.starts_with("cannot read the key-encryption key from `/nowhere/kek`: "), "{error}");
    let error = Place::new().error(top("kek = { env = \"DAYPASS_NO_SUCH_VARIABLE\" }")).await;
    let expected = "cannot read the key-encryption key from the environment variable `DAYPASS_NO_SUCH_VARIABLE`: it is not set";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_key_encryption_key_that_is_none() {
    let place = Place::new();
    place.write("kek", "secret but far too short");
    let error = place.error(Plan::default()).await;
    assert!(error.starts_with("cannot read the key-encryption key from `DIR/data/kek`: "), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test]
async fn another_key_encryption_key() {
    let place = Place::new();
    place.start(Plan::default()).await.unwrap().service.stop().await.unwrap();
    place.write("kek", &"00".repeat(32));
    let error = place.error(Plan::default()).await;
    assert!(error.starts_with("cannot read our own keys: key `"), "{error}");
}

#[tokio::test]
async fn secrets_are_files_for_one_reader() {
    use std::os::unix::fs::PermissionsExt;

    let world = World::new().await;
    for file in ["kek", "admin-token", "daypass.sqlite3"] {
        let mode =
            std::fs::metadata(world.directory.path().join("data").join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}: {mode:o}");
    }
}
