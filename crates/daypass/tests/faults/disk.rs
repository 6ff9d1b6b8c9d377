//! Disks that are full, read-only or locked, under a running service, and a PostgreSQL that takes no writes: exchanges are
//! refused for now, nothing is lost, and service goes on when the fault ends.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rustix::process::{Resource, Rlimit, prlimit};
use tempfile::TempDir;
use tokio::process::Command;

use crate::client::{Answer, Ask, Client, Refusal, Wire};
use crate::load::{Tally, at_once};
use crate::log::{Log, verify};
use crate::postgres::Cluster;
use crate::scale;
use crate::site::{Service, Site};

/// What stands between a service and its disk.
struct Fault<'f> {
    /// What refusals and `/readyz` say.
    words: &'f str,
    begin: &'f (dyn Fn() + Sync),
    end: &'f (dyn Fn() + Sync),
}

/// Holds a service to what it must do before, during and after a fault.
async fn endure(site: &Site, service: Service, fault: &Fault<'_>) -> Service {
    let client = Client::new();
    let most = scale::of(60, 600);
    let asks = |count: usize| -> Vec<Ask> {
        (0..count).map(|n| Ask::usual(Wire::BOTH[n % 2], site.job())).collect()
    };
    let before = at_once(&client, &[service.url()], &asks(most)).join_all().await;
    assert_eq!(Tally::of(&before).issued, most);
    let (_, answer) = before.iter().find(|(ask, _)| ask.wire == Wire::Aws).unwrap();
    let session = answer.clone().credential();
    let recorded = verify(site).await;

    // It begins in the middle of exchanges; a log with room left takes some more before the fault is felt.
    let mut during: Vec<(Ask, Answer)> = Vec::new();
    let mut flying = at_once(&client, &[service.url()], &asks(most));
    during.push(flying.join_next().await.unwrap().unwrap());
    (fault.begin)();
    during.extend(flying.join_all().await);
    assert_no_worse_than_refused(&during, fault.words);
    let mut felt = 0;
    while felt < most {
        let answers = at_once(&client, &[service.url()], &asks(most)).join_all().await;
        assert_no_worse_than_refused(&answers, fault.words);
        felt = Tally::of(&answers).refused;
        during.extend(answers);
        assert!(during.len() < 100 * most, "the fault is not felt");
    }
    // A job that would not be admitted is told nothing that is not on record, either. There may be room for one record where
    // there is none for many.
    let refusal = loop {
        let stranger = Ask { role: "nobody's", ..Ask::usual(Wire::OAuth, site.job()) };
        let refusal = client.ask(service.url(), &stranger).await.refusal();
        if refusal.code != "invalid_request" {
            break refusal;
        }
    };
    assert_for_now(&refusal, fault.words);
    service.until_ready(&client, false).await;
    let (status, why) = client.get(&format!("{}/readyz", service.url())).await;
    assert!(status == 503 && why.contains(fault.words), "{status} {why}");
    assert_eq!(client.get(&format!("{}/healthz", service.url())).await.0, 200);
    // What is verified without the disk goes on.
    client.caller(service.url(), &session).await.unwrap();

    (fault.end)();
    service.until_ready(&client, true).await;
    let refused: Vec<Ask> = during
        .iter()
        .filter(|(_, answer)| matches!(answer, Answer::Refused(_)))
        .map(|(ask, _)| ask.clone())
        .collect();
    let after = at_once(&client, &[service.url()], &refused).join_all().await;
    assert_eq!(Tally::of(&after).issued, refused.len(), "a refusal has cost a use, or the fault goes on");
    let log = Log::read(site).await;
    let held = log.account_for(before.iter().chain(&during).chain(&after));
    assert_eq!(log.all_uses(), held, "a use is on record of which nobody has the credential");
    println!(
        "\"{}\": {recorded} records before; during it {}; all {} asked again and got theirs; {} records after",
        fault.words,
        Tally::of(&during),
        refused.len(),
        verify(site).await
    );
    service
}

#[track_caller]
fn assert_no_worse_than_refused(answers: &[(Ask, Answer)], words: &str) {
    for (_, answer) in answers {
        match answer {
            Answer::Issued { .. } => {}
            Answer::Refused(refusal) => assert_for_now(refusal, words),
            Answer::Lost(why) => panic!("a fault of the disk cost a connection: {why}"),
        }
    }
}

#[track_caller]
fn assert_for_now(refusal: &Refusal, words: &str) {
    assert!(refusal.is_for_now() && refusal.message.contains(words), "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_refuses_for_now() {
    let site = Site::new();
    let service = site.serve().await;
    let other = Connection::open(Path::new(site.data()).join("daypass.sqlite3")).unwrap();
    let other = std::sync::Mutex::new(other);
    let run = |sql: &'static str| other.lock().unwrap().execute_batch(sql).unwrap();
    let fault = Fault {
        words: "the database is locked by another process",
        begin: &|| run("BEGIN EXCLUSIVE"),
        end: &|| run("ROLLBACK"),
    };
    endure(&site, service, &fault).await.stop().await;
    verify(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_writes_refuses_for_now() {
    let site = Site::new();
    // A file that may not grow is a signal first, and a failed write for whoever ignores it.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_daypass")]);
    let service = site.start("one", shell).await.unwrap();
    let pid = service.pid();
    let allow = |bytes| {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(pid), Resource::Fsize, limit).unwrap();
    };
    let fault = Fault {
        words: "the database cannot be reached",
        begin: &|| allow(Some(64 * 1_024)),
        end: &|| allow(None),
    };
    endure(&site, service, &fault).await.stop().await;
    verify(&site).await;
}

/// A small file system in memory.
struct SmallDisk {
    place: TempDir,
}

impl SmallDisk {
    /// Mounts one, which takes root.
    async fn mount(size: &str) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "daypass-test"])
            .arg(place.path())
            .output()
            .await;
        match mounted {
            Ok(output) if output.status.success() => Some(Self { place }),
            _ => {
                println!("skipped: no file system can be mounted here");
                None
            }
        }
    }

    fn filler(&self) -> PathBuf {
        self.place.path().join("filler")
    }

    /// Takes all the room that there is.
    fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.filler()).unwrap();
        for size in [65_536, 4_096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Gives it back.
    fn clear(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.place.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_for_now() {
    let Some(disk) = SmallDisk::mount("24m").await else { return };
    let site = Site::on(disk.place.path().join("data").display().to_string());
    let service = site.serve().await;
    let fault = Fault { words: "the disk is full", begin: &|| disk.fill(), end: &|| disk.clear() };
    let service = endure(&site, service, &fault).await;

    // Nor does one start that could not write a record. (Stopped gracefully: a log that a kill leaves behind has room.)
    service.stop().await;
    disk.fill();
    let output = site.refused_start().await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the disk is full"), "{said}");
    verify(&site).await;
    disk.clear();
    site.serve().await.stop().await;
    verify(&site).await;
}

/// The files of a database, which can be made immutable, for root as well.
struct Files(Vec<PathBuf>);

impl Files {
    /// The database and its log. Not the memory that its connections share, which is a file as well: whoever writes to that
    /// when it has become immutable is killed by the system (SIGBUS), and kills have a suite of their own.
    fn of(site: &Site) -> Self {
        Self(["daypass.sqlite3", "daypass.sqlite3-wal"].map(|name| Path::new(site.data()).join(name)).into())
    }

    /// Whether that could be done.
    fn set(&self, attribute: &str) -> bool {
        let changed = std::process::Command::new("chattr").arg(attribute).args(&self.0).output();
        changed.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.set("-i");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_become_read_only_refuse_for_now() {
    let site = Site::new();
    let service = site.serve().await;
    let files = Files::of(&site);
    if !files.set("+i") {
        println!("skipped: files cannot be made immutable here");
        return;
    }
    assert!(files.set("-i"));
    let fault = Fault {
        words: "the database is read-only",
        begin: &|| assert!(files.set("+i")),
        end: &|| assert!(files.set("-i")),
    };
    endure(&site, service, &fault).await.stop().await;
    verify(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_takes_no_writes_refuses_for_now() {
    let Some(cluster) = Cluster::start().await else { return };
    let site = Site::on(cluster.url());
    let service = site.serve().await;
    let fault = Fault {
        words: "the database is read-only",
        begin: &|| cluster.set_read_only(true),
        end: &|| cluster.set_read_only(false),
    };
    endure(&site, service, &fault).await.stop().await;
    verify(&site).await;
}

/// Makes a directory and what is in it read-only, for root as well if that can be done.
struct ReadOnly(PathBuf);

impl ReadOnly {
    fn new(directory: &Path) -> Self {
        let run = |arguments: &[&str]| {
            let output = std::process::Command::new("mount").args(arguments).arg(directory).output();
            output.is_ok_and(|output| output.status.success())
        };
        let bound = run(&["--bind", &directory.display().to_string()]);
        if !bound || !run(&["-o", "remount,bind,ro"]) {
            for file in fs::read_dir(directory).unwrap() {
                fs::set_permissions(file.unwrap().path(), Permissions::from_mode(0o400)).unwrap();
            }
            fs::set_permissions(directory, Permissions::from_mode(0o500)).unwrap();
        }
        Self(directory.to_owned())
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(&self.0).output();
        let _ = fs::set_permissions(&self.0, Permissions::from_mode(0o700));
        for file in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let _ = fs::set_permissions(file.path(), Permissions::from_mode(0o600));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_directory_is_not_served_from_but_verified_in() {
    let (site, client) = (Site::new(), Client::new());
    let service = site.serve().await;
    let ask = Ask::usual(Wire::Aws, site.job());
    let answers = [(ask.clone(), client.ask(service.url(), &ask).await)];
    service.stop().await;
    let fault = ReadOnly::new(Path::new(site.data()));
    let output = site.refused_start().await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("read-only"), "{said}");
    assert_eq!(Log::read(&site).await.account_for(&answers), 1);
    drop(fault);
    let service = site.serve().await;
    client.caller(service.url(), &answers[0].1.clone().credential()).await.unwrap();
    service.stop().await;
}
