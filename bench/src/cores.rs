//! Who runs where, and how much of a core it took.
//!
//! The server and everything that its ceiling is summed from run on one core, the load on another. Costs are taken from the
//! scheduler's account of CPU time, so that neither an idle wait nor another process on the core is counted as cost.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// The two cores of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    /// Where the server runs.
    pub(crate) server: usize,
    /// Where its load comes from.
    pub(crate) load: usize,
}

impl Cores {
    /// The first two that this process may run on.
    pub(crate) fn find() -> Result<Self> {
        let allowed = sched_getaffinity(None).context("the cores of this process cannot be read")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        match (cores.next(), cores.next()) {
            (Some(server), Some(load)) => Ok(Self { server, load }),
            _ => bail!("two cores are needed: one for the server, one for its load"),
        }
    }
}

/// Keeps this thread, and the threads and processes that it starts, on one core.
pub(crate) fn pin(core: usize) -> Result<()> {
    pin_to(&[core])
}

/// The same for several cores.
pub(crate) fn pin_to(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    sched_setaffinity(None, &set).with_context(|| format!("cannot run on cores {cores:?}"))
}

/// How many processes wanted a core in the last minute: what else ran beside a measurement that goes by the clock on the wall.
pub(crate) fn load_average() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("cannot read /proc/loadavg")?;
    let first = text.split(' ').next().unwrap_or_default();
    first.parse().with_context(|| format!("`{first}` is no load average"))
}

/// Does `work` on a core, in a thread of its own, and waits for it.
pub(crate) fn on<T: Send>(core: usize, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            pin(core)?;
            work()
        });
        worker.join().unwrap_or_else(|_| bail!("the work on core {core} panicked"))
    })
}

/// The CPU time of this thread.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// The microseconds of CPU that one of `count` calls takes, on this thread.
pub(crate) fn micros_each<T>(count: usize, mut call: impl FnMut(usize) -> Result<T>) -> Result<f64> {
    let before = cpu_time();
    for index in 0..count {
        std::hint::black_box(call(index)?);
    }
    Ok(cpu_time().saturating_sub(before).as_secs_f64() * 1e6 / count.max(1) as f64)
}

/// The CPU time of one thread of this process.
pub(crate) fn cpu_of_thread(thread: Pid) -> Result<Duration> {
    read_schedstat(&format!("/proc/self/task/{}/schedstat", thread.as_raw_nonzero()))
}

/// The CPU time of all threads of a process.
pub(crate) fn cpu_of_process(process: u32) -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        sum += read_schedstat(&format!("{}/schedstat", thread?.path().display()))?;
    }
    Ok(sum)
}

/// How long a core has been idle: nothing ran on it, nor could have.
pub(crate) fn idle_of_core(core: usize) -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
    let name = format!("cpu{core} ");
    let line =
        text.lines().find_map(|line| line.strip_prefix(&name)).context("the core is not in /proc/stat")?;
    // user, nice, system, idle, iowait: in hundredths of a second.
    let idle = line.split(' ').skip(3).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(idle * 10))
}

/// The memory that a process has resident, in MiB.
pub(crate) fn resident_mib(process: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    let kib: u32 = kib.context("the kernel does not say what is resident")?;
    Ok(f64::from(kib) / 1_024.0)
}

/// Nanoseconds on a CPU come first.
fn read_schedstat(path: &str) -> Result<Duration> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let nanos = text.split(' ').next().and_then(|first| first.parse().ok());
    nanos.map(Duration::from_nanos).with_context(|| format!("{path} has no CPU time"))
}
