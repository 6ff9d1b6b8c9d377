//! Load: connections that stay open, and requests that are sent over them as fast as they are answered, or when they are due.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// How many connections a load has: the requests of two full batches, one that is being committed and one that gathers
/// meanwhile. With fewer, batches are smaller than those that the ceiling counts with.
pub(crate) const CONNECTIONS: usize = 128;

/// Below this the clock is watched rather than a timer set, whose steps are a millisecond.
const SHORT: Duration = Duration::from_millis(2);

/// What a load came to.
#[derive(Debug)]
pub(crate) struct Answered {
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// How long each answer was waited for, shortest first.
    pub(crate) latencies: Vec<Duration>,
}

impl Answered {
    /// How many answers a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64().max(1e-9)
    }
}

/// A number of connections to one server.
pub(crate) struct Load {
    idle: Vec<Connection>,
}

impl Load {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        let mut idle = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            idle.push(Connection::open(address).await?);
        }
        Ok(Self { idle })
    }

    /// Sends the next request on each connection as soon as the last one is answered.
    pub(crate) async fn as_fast_as_answered(&mut self, requests: Vec<Vec<u8>>) -> Result<Answered> {
        let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
        self.drive(|mut connection| {
            let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
            async move {
                let mut latencies = Vec::new();
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let sent = now();
                    connection.ask(request).await?;
                    latencies.push(sent.elapsed());
                }
                Ok((connection, latencies))
            }
        })
        .await
    }

    /// Sends requests when they are due, at random moments that come to `rate` a second, whether or not earlier ones are
    /// answered. Latency counts from when a request was due: one that found no connection idle has waited all the same.
    pub(crate) async fn at_rate(&mut self, requests: Vec<Vec<u8>>, rate: f64) -> Result<Answered> {
        let timetable = Arc::new(Mutex::new(Timetable::new(requests, rate)));
        self.drive(|mut connection| {
            let timetable = Arc::clone(&timetable);
            async move {
                let mut latencies = Vec::new();
                loop {
                    // Connections line up at the timetable; the one that is first waits until its request is due.
                    let Some((request, due)) = timetable.lock().await.next_due().await else { break };
                    connection.ask(&request).await?;
                    latencies.push(due.elapsed());
                }
                Ok((connection, latencies))
            }
        })
        .await
    }

    /// Hands every connection to a task, and takes them back.
    async fn drive<F>(&mut self, mut task: impl FnMut(Connection) -> F) -> Result<Answered>
    where
        F: Future<Output = Result<(Connection, Vec<Duration>)>> + Send + 'static,
    {
        let began = now();
        let mut tasks: JoinSet<_> = self.idle.drain(..).map(&mut task).collect();
        let mut latencies = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            let (connection, measured) = ended??;
            self.idle.push(connection);
            latencies.extend(measured);
        }
        let took = began.elapsed();
        latencies.sort_unstable();
        Ok(Answered { took, latencies })
    }
}

/// When requests are due: the times between them are random, as those of callers who do not know of each other.
struct Timetable {
    requests: std::vec::IntoIter<Vec<u8>>,
    mean: f64,
    due: Instant,
    random: u64,
}

impl Timetable {
    fn new(requests: Vec<Vec<u8>>, rate: f64) -> Self {
        Self { requests: requests.into_iter(), mean: 1.0 / rate, due: now(), random: 0x9e37_79b9_7f4a_7c15 }
    }

    /// Waits until the next request is due.
    async fn next_due(&mut self) -> Option<(Vec<u8>, Instant)> {
        let request = self.requests.next()?;
        let since_last = -self.mean * self.uniform().ln();
        self.due += Duration::from_secs_f64(since_last);
        loop {
            let wait = self.due.saturating_duration_since(now());
            if wait.is_zero() {
                return Some((request, self.due));
            } else if wait > SHORT {
                tokio::time::sleep(wait.saturating_sub(SHORT)).await;
            } else {
                tokio::task::yield_now().await;
            }
        }
    }

    /// A number in (0, 1], by xorshift: the same in every run.
    fn uniform(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        ((self.random >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

/// One connection, over which HTTP/1.1 is spoken: no more of it than a server needs to be kept busy.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(8_192) })
    }

    /// Sends a request and waits for the whole answer, which must be a 200; returns its body.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                bail!("the server hung up");
            }
            if let Some(body) = body_of(&self.answer)? {
                return Ok(self.answer.get(body..).unwrap_or_default());
            }
        }
    }
}

/// Where the body begins, once all of it is there.
fn body_of(answer: &[u8]) -> Result<Option<usize>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default()).context("the head is not text")?;
    let (status, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let length = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let body = end + 4;
    if answer.len() < body + length.context("the answer does not say how long it is")? {
        return Ok(None);
    }
    if status != "HTTP/1.1 200 OK" {
        let said = String::from_utf8_lossy(answer.get(body..).unwrap_or_default()).into_owned();
        bail!("the server answered {status}: {said}");
    }
    Ok(Some(body))
}

/// A request to `POST /token`.
pub(crate) fn post(form: &str) -> Vec<u8> {
    let length = form.len();
    format!(
        "POST /token HTTP/1.1\r\nhost: sts.acme.example\r\nuser-agent: daypass-bench\r\naccept: application/json\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}"
    )
    .into_bytes()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(body_of(b"HTTP/1.1 200 OK\r\nConte").unwrap(), None);
        assert_eq!(body_of(&[&head[..], b"{"].concat()).unwrap(), None);
        assert_eq!(body_of(&[&head[..], b"{}"].concat()).unwrap(), Some(head.len()));
    }

    #[test]
    fn a_refusal_ends_the_measurement() {
        let error = body_of(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno").unwrap_err();
        assert!(error.to_string().ends_with("400 Bad Request: no"), "{error}");
    }

    #[test]
    fn due_times_come_to_the_rate() {
        let mut timetable = Timetable::new(Vec::new(), 1_000.0);
        let sum: f64 = (0..100_000).map(|_| -timetable.mean * timetable.uniform().ln()).sum();
        assert!((99.0..101.0).contains(&sum), "{sum}");
    }
}
