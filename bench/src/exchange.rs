//! The measurement: a server on one core, its load on the other, and the ceiling of the server's core in between.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use daypass_store::{SqliteStore, Store};

use crate::ceiling::{self, Computing, Parts, Repetitions, Sample};
use crate::cores::{self, Cores};
use crate::decide::Deciding;
use crate::estate::{Estate, ROLES};
use crate::load::{Connection, Load};
use crate::report::{Report, Round};
use crate::server::Server;
use crate::spread::{Spread, percentile};

/// The larger of the two numbers of roles that decisions are timed among.
const MANY_ROLES: usize = 10_000;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amounts {
    /// How often everything is measured.
    pub(crate) rounds: usize,
    /// Exchanges before the first round.
    pub(crate) warming: usize,
    /// Exchanges of a round at full load.
    pub(crate) full_load: usize,
    /// Exchanges of a round at half load.
    pub(crate) half_load: usize,
    /// For each part of the ceiling.
    pub(crate) repetitions: Repetitions,
    /// Decisions of a round.
    pub(crate) decisions: usize,
    /// How long the server is left alone before its memory is read.
    pub(crate) idle: Duration,
}

impl Amounts {
    /// Enough for numbers that mean something.
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        warming: 5_000,
        full_load: 10_000,
        half_load: 10_000,
        repetitions: Repetitions { computing: 5_000, http: 50_000, batches: 100 },
        decisions: 100_000,
        idle: Duration::from_secs(2),
    };
    /// Enough to see that it all works.
    pub(crate) const SMOKE: Self = Self {
        rounds: 2,
        warming: 64,
        full_load: 128,
        half_load: 128,
        repetitions: Repetitions { computing: 20, http: 200, batches: 2 },
        decisions: 100,
        idle: Duration::from_millis(100),
    };
}

/// Measures everything.
pub(crate) fn measure(program: &Path, amounts: &Amounts, directory: Option<&Path>) -> Result<Report> {
    let cores = Cores::find()?;
    let estate = Estate::new()?;
    // Beside this program, so that it is a disk on which durability costs something.
    let beside = std::env::current_exe()?;
    let parent = directory.or_else(|| beside.parent()).context("this program is nowhere")?;
    let directory = tempfile::Builder::new().prefix("exchange-").tempdir_in(parent)?;
    let decide = decide(&estate, cores, amounts)?;
    cores::pin(cores.load)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let cold_start = cold_starts(program, &estate, directory.path(), cores, amounts.rounds).await?;
        let served =
            Bench { program, amounts, cores, estate: &estate, directory: directory.path() }.rounds().await?;
        Ok(Report { cold_start, decide, ..served })
    })
}

/// How long it takes from the start of a process to the answer to its first request, on a directory in which nothing is yet.
async fn cold_starts(
    program: &Path,
    estate: &Estate,
    directory: &Path,
    cores: Cores,
    rounds: usize,
) -> Result<Spread> {
    let mut took = Vec::new();
    for _ in 0..rounds {
        let fresh = tempfile::Builder::new().prefix("cold-").tempdir_in(directory)?;
        estate.write(fresh.path())?;
        let server = Server::start(program, fresh.path(), cores)?;
        took.push(server.first_answer().await?.as_secs_f64() * 1_000.0);
        server.stop()?;
    }
    Ok(Spread::of(took))
}

/// Nanoseconds for a decision among few and among many roles, taken in turns.
fn decide(estate: &Estate, cores: Cores, amounts: &Amounts) -> Result<[Spread; 2]> {
    let jwks = estate.jwks()?;
    let (few, many) = (Deciding::among(ROLES, &jwks)?, Deciding::among(MANY_ROLES, &jwks)?);
    cores::on(cores.server, || {
        let mut nanos = [Vec::new(), Vec::new()];
        for _ in 0..amounts.rounds {
            for (deciding, nanos) in [&few, &many].into_iter().zip(&mut nanos) {
                nanos.push(deciding.micros(amounts.decisions)? * 1_000.0);
            }
        }
        Ok(nanos.map(Spread::of))
    })
}

/// One server, and what is done to it.
struct Bench<'a> {
    program: &'a Path,
    amounts: &'a Amounts,
    cores: Cores,
    estate: &'a Estate,
    directory: &'a Path,
}

impl Bench<'_> {
    async fn rounds(&self) -> Result<Report> {
        let Self { amounts, cores, .. } = *self;
        self.estate.write(self.directory)?;
        let server = Server::start(self.program, self.directory, cores)?;
        server.first_answer().await?;
        tokio::time::sleep(amounts.idle).await;
        let fresh = server.resident_mib()?;
        let sample = self.sample(&server).await?;
        let computing = Computing::new(&sample, &self.estate.jwks()?)?;
        // Tokens are signed before connections are opened: the server does not keep idle ones for so long.
        let requests = self.estate.requests(amounts.warming, cores)?;
        Load::connect(server.address()).await?.as_fast_as_answered(requests).await?;
        let mut rounds = Vec::new();
        for _ in 0..amounts.rounds {
            let parts =
                Parts::measure(&sample, &computing, self.directory, cores, amounts.repetitions).await?;
            let requests = self.estate.requests(amounts.full_load, cores)?;
            let mut load = Load::connect(server.address()).await?;
            let (cpu, idle) = (server.cpu()?, cores::idle_of_core(cores.server)?);
            let full = load.as_fast_as_answered(requests).await?;
            let cpu = server.cpu()?.saturating_sub(cpu).as_secs_f64();
            let idle = cores::idle_of_core(cores.server)?.saturating_sub(idle).as_secs_f64();
            let requests = self.estate.requests(amounts.half_load, cores)?;
            let mut load = Load::connect(server.address()).await?;
            // What the full load has left to write is not to be waited for by the half one.
            rustix::fs::sync();
            let rate = full.per_second() / 2.0;
            let half = load.at_rate(requests, rate).await?;
            rustix::fs::sync();
            let cpu_each = cpu * 1e6 / amounts.full_load as f64;
            // The server that only writes has the rest to do as well.
            let busy = Duration::from_secs_f64((cpu_each - parts.http - parts.inserts).max(0.0) / 1e6);
            let load = (amounts.half_load, rate);
            let floor = ceiling::wait(&sample, self.directory, cores, load, Duration::ZERO).await?;
            rustix::fs::sync();
            let busy = ceiling::wait(&sample, self.directory, cores, load, busy).await?;
            rounds.push(Round {
                parts,
                exchanges: full.per_second(),
                cpu_each,
                taken_by_others: (1.0 - (cpu + idle) / full.took.as_secs_f64()).max(0.0),
                p50_ms: percentile(&half.latencies, 0.50),
                p99_ms: percentile(&half.latencies, 0.99),
                floor_p99_ms: percentile(&floor.latencies, 0.99),
                busy_floor_p99_ms: percentile(&busy.latencies, 0.99),
                p99_ms_at_full_load: percentile(&full.latencies, 0.99),
            });
        }
        tokio::time::sleep(amounts.idle).await;
        let resident_mib = [fresh, server.resident_mib()?];
        server.stop()?;
        let asked = 1 + amounts.warming + amounts.rounds * (amounts.full_load + amounts.half_load);
        self.all_recorded(asked).await?;
        Ok(Report { rounds, resident_mib, ..Report::default() })
    }

    /// One exchange, as it went over the wire and into the log.
    async fn sample(&self, server: &Server) -> Result<Sample> {
        let request = self.estate.requests(1, self.cores)?.pop().context("there is no request")?;
        let answer = Connection::open(server.address()).await?.ask(&request).await?.to_vec();
        Sample::take(request, answer, self.directory)
    }

    /// What was measured was durable: every answered exchange is on record, once.
    async fn all_recorded(&self, answered: usize) -> Result<()> {
        let store = SqliteStore::open_read_only(&self.directory.join("data"))?;
        let recorded: u64 = store.heads().await?.iter().map(|head| head.seq).sum();
        ensure!(
            recorded == answered as u64,
            "{answered} exchanges were answered and {recorded} are on record"
        );
        Ok(())
    }
}
