//! Signals that are meant for the command.

#[cfg(unix)]
pub(super) use self::unix::{Signals, wait};

#[cfg(unix)]
mod unix {
    use std::future::poll_fn;
    use std::io::{self, IsTerminal};
    use std::process::ExitStatus;
    use std::task::Poll;

    use rustix::process::{Pid, Signal, kill_process};
    use tokio::process::Child;
    use tokio::signal::unix::{SignalKind, signal};

    /// Signals whose default is to end a process, and by which users and CI runners talk to one.
    const FORWARDED: [Signal; 6] =
        [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2];

    /// Signals that come here instead of ending us.
    pub(crate) struct Signals {
        queues: Vec<(Signal, tokio::signal::unix::Signal)>,
        /// A terminal sends its keys' signals to the command as well; it must not get them twice.
        has_terminal: bool,
    }

    impl Signals {
        pub(crate) fn take_over() -> io::Result<Self> {
            let queue = |kind: Signal| Ok((kind, signal(SignalKind::from_raw(kind.as_raw()))?));
            let queues = FORWARDED.into_iter().map(queue).collect::<io::Result<_>>()?;
            Ok(Self { queues, has_terminal: io::stdin().is_terminal() })
        }

        /// The next one that the command has to be sent.
        async fn next(&mut self) -> Signal {
            poll_fn(|context| {
                for (kind, queue) in &mut self.queues {
                    let from_keys = matches!(*kind, Signal::INT | Signal::QUIT);
                    // Until it is empty, which is when it will call again.
                    while queue.poll_recv(context).is_ready() {
                        if !(from_keys && self.has_terminal) {
                            return Poll::Ready(*kind);
                        }
                    }
                }
                Poll::Pending
            })
            .await
        }
    }

    /// Waits for the command's end.
    pub(crate) async fn wait(mut child: Child, mut signals: Signals) -> io::Result<ExitStatus> {
        loop {
            tokio::select! {
                status = child.wait() => return status,
                signal = signals.next() => forward(&child, signal),
            }
        }
    }

    /// The id is the child's own until it has been waited for.
    fn forward(child: &Child, signal: Signal) {
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid
            && let Err(error) = kill_process(pid, signal)
        {
            tracing::warn!(%error, ?signal, "a signal could not be forwarded");
        }
    }
}

/// There are no signals here.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn take_over() -> std::io::Result<Self> {
        Ok(Self)
    }
}

/// Waits for the command's end.
#[cfg(not(unix))]
pub(super) async fn wait(
    mut child: tokio::process::Child,
    _: Signals,
) -> std::io::Result<std::process::ExitStatus> {
    child.wait().await
}
