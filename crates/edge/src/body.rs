//! Request bodies on the fast path: size and time limits, no copy of a body that arrives in one chunk, and zeroizing of
//! owned buffers.

use super::problem::{Problem, default_for_status};
use axum::{
    body::{Bytes, HttpBody},
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::BodyExt as _;
use std::{
    future::poll_fn,
    ops::Deref,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};
use zeroize::{Zeroize as _, Zeroizing};

/// Longest pause between two chunks of a body.
const PAUSE: Duration = Duration::from_secs(10);
/// Number of polls before a timer is set. A body that arrives in the same packet as the head is ready at the second
/// poll.
const POLLS_BEFORE_TIMER: u32 = 2;

/// Request body, which may contain a secret.
pub enum Payload {
    /// One chunk, in the read buffer of its connection. Zeroized on drop if no other reference to the buffer exists;
    /// otherwise the next request on the connection overwrites it.
    Whole(Bytes),
    /// Copy of a body that arrived in several chunks.
    Joined(Zeroizing<Vec<u8>>),
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Joined(bytes) => bytes,
        }
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        if let Self::Whole(bytes) = self
            && let Ok(mut own) = std::mem::take(bytes).try_into_mut()
        {
            own.zeroize();
        }
    }
}

/// Error code and message for a body with a content coding.
pub const ENCODED: (&str, &str) =
    ("unsupported_content_encoding", "The body has a Content-Encoding. Send the request again without compression.");

/// Whether a body has no content coding (RFC 9110 section 8.4).
pub fn is_unencoded(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_ENCODING).iter().all(|coding| {
        let coding = coding.as_bytes().trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    })
}

fn problem(status: StatusCode) -> Problem {
    let (code, words) = default_for_status(status);
    Problem::new(status, code, words)
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// 413 if the body is longer than `limit`; 408 if it pauses longer than 10 s; 400 if the connection breaks.
pub async fn read_limited<B>(body: B, limit: usize) -> Result<Payload, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    read_with(body, limit, PAUSE).await
}

async fn read_with<B>(mut body: B, limit: usize, pause: Duration) -> Result<Payload, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let size = body.size_hint();
    if size.lower() > limit as u64 {
        return Err(problem(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let mut joined = Zeroizing::new(Vec::new());
    let mut first = Bytes::new();
    while let Some(piece) = next_chunk(&mut body, pause).await? {
        if joined.len() + first.len() + piece.len() > limit {
            return Err(problem(StatusCode::PAYLOAD_TOO_LARGE));
        }
        if joined.is_empty() && first.is_empty() {
            first = piece;
            if body.is_end_stream() {
                break;
            }
            continue;
        }
        if joined.is_empty() {
            // The full capacity is reserved at once: a growing vector would leave unzeroized copies behind.
            joined.reserve_exact(size.exact().map_or(limit, |length| usize::try_from(length).unwrap_or(limit)));
            joined.extend_from_slice(&Payload::Whole(std::mem::take(&mut first)));
        }
        joined.extend_from_slice(&Payload::Whole(piece));
    }
    Ok(if joined.is_empty() { Payload::Whole(first) } else { Payload::Joined(joined) })
}

/// Returns the next nonempty chunk, or `None` at the end of the body. A timer is set only if no chunk is ready.
async fn next_chunk<B>(body: &mut B, pause: Duration) -> Result<Option<Bytes>, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    loop {
        let mut looks = 0;
        let there = poll_fn(|context| match Pin::new(&mut *body).poll_frame(context) {
            Poll::Ready(frame) => Poll::Ready(Some(frame)),
            Poll::Pending if looks < POLLS_BEFORE_TIMER => {
                looks += 1;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => Poll::Ready(None),
        });
        let frame = match there.await {
            Some(frame) => frame,
            None => match Box::pin(tokio::time::timeout(pause, body.frame())).await {
                Ok(frame) => frame,
                Err(_) => return Err(problem(StatusCode::REQUEST_TIMEOUT)),
            },
        };
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(problem(StatusCode::BAD_REQUEST)),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                // Trailers, or an empty chunk.
                _ => {}
            },
        }
    }
}

/// Waits for a future for at most `time`; returns `None` on timeout. A timer is set only if the future is not ready at
/// the first poll.
pub async fn with_timeout<F: Future>(time: Duration, answer: F) -> Option<F::Output> {
    let mut answer = pin!(answer);
    match futures::poll!(&mut answer) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => Box::pin(tokio::time::timeout(time, answer)).await.ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use futures::StreamExt as _;

    async fn status(body: Body, limit: usize) -> Result<Vec<u8>, u16> {
        read_limited(body, limit).await.map(|payload| payload.to_vec()).map_err(|problem| problem.status.as_u16())
    }

    fn pieces(pieces: &'static [&'static str]) -> Body {
        Body::from_stream(futures::stream::iter(pieces.iter().map(|it| Ok::<_, std::io::Error>(*it))))
    }

    #[tokio::test]
    async fn bodies_are_read_to_their_limit() {
        assert_eq!(status(Body::empty(), 4).await, Ok(Vec::new()));
        assert_eq!(status(Body::from("abcd"), 4).await, Ok(b"abcd".to_vec()));
        assert_eq!(status(Body::from("abcde"), 4).await, Err(413));
        assert_eq!(status(pieces(&["a", "", "bc", "d"]), 4).await, Ok(b"abcd".to_vec()));
        assert_eq!(status(pieces(&["abcd", ""]), 4).await, Ok(b"abcd".to_vec()));
        assert_eq!(status(pieces(&["abc", "de"]), 4).await, Err(413));
        let broken = futures::stream::iter([Ok("a"), Err(std::io::Error::other("gone"))]);
        assert_eq!(status(Body::from_stream(broken), 4).await, Err(400));
    }

    #[tokio::test]
    async fn a_body_that_pauses_is_given_up() {
        let silent = futures::stream::once(async { Ok::<_, std::io::Error>("a") }).chain(futures::stream::pending());
        let given_up = read_with(Body::from_stream(silent), 4, Duration::from_millis(1)).await;
        assert_eq!(given_up.map(|_| ()).map_err(|problem| problem.status.as_u16()), Err(408));
    }
}
