//! PostgreSQL for the tests: schemas in a server that is there, and servers of the tests' own that may be restarted.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::geteuid;
use tempfile::TempDir;
use tokio::process::Command;
use tokio_postgres::{Client, NoTls};

/// The URL of the server, if there is one to test with.
fn server() -> Option<String> {
    let url = std::env::var("DAYPASS_TEST_POSTGRES").ok();
    if url.is_none() {
        assert!(
            std::env::var_os("DAYPASS_REQUIRE_POSTGRES").is_none(),
            "DAYPASS_REQUIRE_POSTGRES is set, but DAYPASS_TEST_POSTGRES is not"
        );
        println!("skipped: DAYPASS_TEST_POSTGRES is not set");
    }
    url
}

/// An empty schema, where a fleet's database can be.
pub(crate) struct Schema {
    base: String,
    name: String,
}

impl Schema {
    /// A new one, if there is a PostgreSQL to test with.
    pub(crate) async fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let base = server()?;
        let name = format!("daypass_faults_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let schema = Self { base, name };
        schema
            .administer(&format!("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}", schema.name))
            .await;
        Some(schema)
    }

    /// The URL that a service is configured with.
    pub(crate) fn url(&self) -> String {
        let separator = if self.base.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-c%20search_path%3D{}", self.base, self.name)
    }

    pub(crate) async fn remove(self) {
        self.administer(&format!("DROP SCHEMA {} CASCADE", self.name)).await;
    }

    async fn administer(&self, sql: &str) {
        let client: Client = {
            let (client, connection) = tokio_postgres::connect(&self.base, NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        };
        client.batch_execute(sql).await.unwrap();
    }
}

/// A server of a test's own, in a directory of its own.
pub(crate) struct Cluster {
    directory: TempDir,
    programs: PathBuf,
    port: u16,
    /// Who runs it: PostgreSQL does not run as root.
    user: Option<(u32, u32)>,
}

/// How a server is shut down.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shutdown {
    /// Ends all sessions and leaves everything in order.
    Fast,
    /// Ends at once, as by a power cut; the next start recovers from the log.
    Immediate,
}

impl Cluster {
    /// A running one, if there is a PostgreSQL to test with.
    pub(crate) async fn start() -> Option<Self> {
        server()?;
        let programs = match std::env::var_os("DAYPASS_TEST_POSTGRES_BIN") {
            Some(directory) => directory.into(),
            None => {
                let output = Command::new("pg_config").arg("--bindir").output().await;
                let output = output.expect("pg_config, or DAYPASS_TEST_POSTGRES_BIN");
                PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
            }
        };
        let directory = tempfile::tempdir().unwrap();
        let user = geteuid().is_root().then(|| user("postgres"));
        if let Some((uid, gid)) = user {
            chown(directory.path(), Some(uid), Some(gid)).unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { directory, programs, port, user };
        cluster.run("initdb", &["-U", "daypass", "--auth=trust", "--no-sync"]).await;
        let settings =
            format!("port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n");
        fs::write(cluster.data().join("postgresql.auto.conf"), settings).unwrap();
        cluster.run("pg_ctl", &["start"]).await;
        Some(cluster)
    }

    /// The URL that a service is configured with.
    pub(crate) fn url(&self) -> String {
        format!("postgres://daypass@127.0.0.1:{}/postgres", self.port)
    }

    /// Shuts it down.
    pub(crate) async fn stop(&self, shutdown: Shutdown) {
        let mode = match shutdown {
            Shutdown::Fast => "fast",
            Shutdown::Immediate => "immediate",
        };
        self.run("pg_ctl", &["stop", "-m", mode]).await;
    }

    /// Starts it again.
    pub(crate) async fn start_again(&self) {
        self.run("pg_ctl", &["start"]).await;
    }

    /// Has it take writes, or refuse them as a standby does.
    pub(crate) fn set_read_only(&self, read_only: bool) {
        let change = format!("ALTER SYSTEM SET default_transaction_read_only = {read_only}");
        let mut command = std::process::Command::new(self.programs.join("psql"));
        command.args(["-q", "-c", &change, "-c", "SELECT pg_reload_conf()", &self.url()]);
        assert!(command.stdout(Stdio::null()).status().unwrap().success(), "{change}");
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Runs one of PostgreSQL's programs on the data directory, to its end. The server that it may leave behind writes to a
    /// file, not to us.
    async fn run(&self, program: &str, arguments: &[&str]) {
        let said = self.directory.path().join("said");
        let file = fs::File::create(&said).unwrap();
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).arg("-D").arg(self.data()).current_dir(self.directory.path());
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        let status = command.status().await.unwrap();
        assert!(status.success(), "{program}: {}", fs::read_to_string(said).unwrap());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        use std::os::unix::process::CommandExt;

        let mut command = std::process::Command::new(self.programs.join("pg_ctl"));
        command.args(["stop", "-m", "immediate", "-D"]).arg(self.data()).current_dir(self.directory.path());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        let _ = command.output();
    }
}

/// The ids of a user and its group.
fn user(name: &str) -> (u32, u32) {
    let users = fs::read_to_string(Path::new("/etc/passwd")).unwrap();
    let line = users.lines().find(|line| line.split(':').next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("there is no user `{name}` to run PostgreSQL as"));
    let ids: Vec<u32> = line.split(':').skip(2).take(2).map(|id| id.parse().unwrap()).collect();
    (ids[0], ids[1])
}
