//! Request bodies from a socket.
//!
//! A body that a handler does not read to its end returns to the connection. A small rest is read, so that the
//! connection can stay open. Otherwise the response announces the close (RFC 9112 sections 9.3 and 9.6).

use super::link::{Link, Phase};
use axum::body::{Bytes, HttpBody};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// Maximum size of an unread rest that is read before the response, in bytes.
const REST_MAX: u64 = 64 * 1024;
/// Time limit for reading the rest. A body that is already sent arrives within a round trip.
const REST_TIME: Duration = Duration::from_secs(1);

/// The body of a request.
pub struct RequestBody {
    /// `None` once it has ended.
    inner: Option<Incoming>,
    /// `None` for a request without a body.
    link: Option<Arc<Link>>,
    is_waiting: bool,
    /// Whether the body ended with an error. The start of the next request is then unknown.
    is_broken: bool,
}

impl RequestBody {
    pub fn new(inner: Incoming, link: &Arc<Link>) -> Self {
        let has_body = !inner.is_end_stream();
        if has_body {
            link.begin_body();
        }
        Self {
            inner: has_body.then_some(inner),
            link: has_body.then(|| link.clone()),
            is_waiting: false,
            is_broken: false,
        }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let frame = Pin::new(inner).poll_frame(context);
        let is_waiting = frame.is_pending();
        if is_waiting != self.is_waiting {
            self.is_waiting = is_waiting;
            if let Some(link) = &self.link {
                link.enter(if is_waiting { Phase::Body } else { Phase::Handling });
            }
        }
        match frame {
            Poll::Ready(None) => self.inner = None,
            // After an error, hyper's body reports its end as if it were complete.
            Poll::Ready(Some(Err(_))) => {
                self.inner = None;
                self.is_broken = true;
            }
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.as_ref().map_or_else(|| http_body::SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            if self.is_waiting {
                link.enter(Phase::Handling);
            }
            // A broken body counts as unread: the response announces the close (RFC 9112 section 9.6).
            if !self.is_broken {
                link.store_rest(self.inner.take().filter(|body| !body.is_end_stream()));
            }
        }
    }
}

/// Returns whether the connection can accept another request after this response: the body was read, or a small rest
/// arrives within 1 s.
///
/// A client that waits for `100 Continue` has not sent its body. Polling the body would request it, so it is not
/// polled.
pub async fn read_rest(link: &Link, expects_continue: bool) -> bool {
    let mut body = match link.take_rest() {
        Ok(body) => body,
        Err(is_read) => return is_read,
    };
    if expects_continue || body.size_hint().lower() > REST_MAX {
        return false;
    }
    let mut read = 0;
    let rest = async {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            read += frame.data_ref().map_or(0, |data| data.len() as u64);
            if read > REST_MAX {
                return false;
            }
        }
        true
    };
    link.enter(Phase::Body);
    tokio::time::timeout(REST_TIME, rest).await.unwrap_or(false)
}
