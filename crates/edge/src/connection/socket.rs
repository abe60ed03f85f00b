//! Socket of one connection: strict framing of input, a time limit for writes without progress, and a lingering close.

use super::{
    framing::Framing,
    link::{Link, Phase},
};
use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

/// Longest pause in what a client sends after a refused request.
const LINGER_PAUSE: Duration = Duration::from_secs(2);
/// Time limit for reading the rest of a refused request.
const LINGER_TIME: Duration = Duration::from_secs(30);
/// Maximum size of that rest, in bytes: four times the largest form.
const LINGER_MAX: usize = 16 * 1024 * 1024;

/// Socket of one connection.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    link: Arc<Link>,
    framing: Framing,
    /// Longest time in which the client reads nothing of a response.
    write_time: Duration,
    /// Created on first use.
    timer: Option<Pin<Box<Sleep>>>,
    is_stalled: bool,
    linger: Option<Linger>,
}

/// Limits for reading the rest of a refused request.
#[derive(Debug)]
struct Linger {
    until: Instant,
    bytes: usize,
}

impl Socket {
    pub fn new(stream: TcpStream, link: Arc<Link>, write_time: Duration) -> Self {
        Self { stream, link, framing: Framing::default(), write_time, timer: None, is_stalled: false, linger: None }
    }

    fn set_timer(&mut self, deadline: Instant) {
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(deadline),
            timer => {
                let made = timer.insert(Box::pin(sleep(Duration::ZERO)));
                made.as_mut().reset(deadline);
            }
        }
    }

    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.timer.as_mut().map_or(Poll::Ready(()), |timer| timer.as_mut().poll(context))
    }

    /// Reads and discards what the client still sends. A close with unread bytes sends a reset, which can discard the
    /// response.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 16 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Pending => return self.poll_timer(context),
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    let Some(linger) = &mut self.linger else { return Poll::Ready(()) };
                    linger.bytes += buffer.filled().len();
                    let (until, now) = (linger.until, Instant::now());
                    if linger.bytes > LINGER_MAX || now >= until {
                        return Poll::Ready(());
                    }
                    self.set_timer(until.min(now + LINGER_PAUSE));
                }
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.framing.scan(&mut buffer.filled_mut()[start..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(result) => {
                if self.is_stalled {
                    self.is_stalled = false;
                    self.link.enter(Phase::Responded);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                if !self.is_stalled {
                    self.is_stalled = true;
                    self.link.enter(Phase::Stalled);
                    let deadline = Instant::now() + self.write_time;
                    self.set_timer(deadline);
                }
                ready!(self.poll_timer(context));
                // Sends a reset on close: otherwise the kernel would retransmit the unsent response for minutes.
                let _ = self.stream.set_zero_linger();
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing of the response")))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            if self.framing.is_between_requests() {
                return Poll::Ready(Ok(()));
            }
            let now = Instant::now();
            self.linger = Some(Linger { until: now + LINGER_TIME, bytes: 0 });
            self.set_timer(now + LINGER_PAUSE);
            self.link.enter(Phase::Lingering);
        }
        ready!(self.poll_linger(context));
        Poll::Ready(Ok(()))
    }
}
