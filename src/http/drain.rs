//! The orderly end of a connection when the server stops: requests that are complete get time, the others do not.
//!
//! hyper ends an idle connection at once, but it waits for a head of which a part has arrived, and for the first head of a new
//! connection. Here such a connection is closed as soon as it is known that no response is under way on it.

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
    time::{Instant, interval_at},
};

/// How long requests that are under way may take once the server is to stop.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How often a connection that is to end is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What a connection is doing.
#[derive(Debug, Default)]
pub struct Activity {
    /// Requests whose response is not complete.
    requests: AtomicUsize,
    /// The client does not take what was written.
    blocked: AtomicBool,
}

impl Activity {
    /// Counts a request until the guard is dropped.
    pub fn request(self: &Arc<Self>) -> Running {
        self.requests.fetch_add(1, Ordering::AcqRel);
        Running(self.clone())
    }

    /// Whether no response is under way: the connection waits for a request, or for the rest of one.
    fn is_waiting(&self) -> bool {
        self.requests.load(Ordering::Acquire) == 0 && !self.blocked.load(Ordering::Acquire)
    }
}

/// A request that is under way.
#[derive(Debug)]
pub struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The stream of a connection; notes whether the client takes what is written.
pub struct Tracked<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Tracked<S> {
    pub fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tracked<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tracked<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, buf);
        self.activity.blocked.store(written.is_pending(), Ordering::Release);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A response body that is made while it is sent: its request is under way until it is dropped.
pub struct Guarded {
    body: Body,
    _running: Running,
}

impl Guarded {
    pub fn new(body: Body, running: Running) -> Self {
        Self { body, _running: running }
    }
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// A connection that can be told to take no further request.
pub trait Graceful: Future<Output = hyper::Result<()>> {
    fn stop(self: Pin<&mut Self>);
}

impl<I, B, S> Graceful for hyper::server::conn::http1::Connection<I, S>
where
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: HttpBody + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn stop(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Serves a connection to its end. When `stopped` changes, it ends with the response that is under way, at once if there is
/// none, and after [`DRAIN`] in any case.
///
/// # Errors
/// What broke the connection.
pub async fn run(
    connection: impl Graceful,
    activity: &Activity,
    mut stopped: watch::Receiver<bool>,
) -> hyper::Result<()> {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().stop();
    let end = Instant::now() + DRAIN;
    let mut looks = interval_at(Instant::now() + LOOK, LOOK);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => return ended,
            now = looks.tick() => {
                if activity.is_waiting() {
                    return Ok(());
                }
                if now >= end {
                    tracing::warn!(seconds = DRAIN.as_secs(), "connection.cut_off: a request took longer than the server waits when it stops");
                    return Ok(());
                }
            }
        }
    }
}
