//! Strict framing of the requests on one connection (RFC 9112).
//!
//! hyper accepts a bare LF as the end of a line, and `Transfer-Encoding: gzip, chunked`. A proxy in front may parse the
//! same bytes differently and see another number of requests (request smuggling). This scanner parses the framing in
//! parallel to hyper. It overwrites the first violation and all bytes after it with bytes that hyper rejects in that
//! state. hyper then reports an error, responds with 400 if the head is invalid, and reads no other request from the
//! connection.

/// Maximum length of a line whose header is interpreted, in bytes: `Content-Length` and `Transfer-Encoding` with their
/// values.
const LINE_MAX: usize = 64;
/// Maximum number of digits of a content length; 19 digits fit a `u64`.
const LENGTH_DIGITS_MAX: usize = 19;
/// Maximum number of hexadecimal digits of a chunk size.
const SIZE_DIGITS_MAX: u32 = 15;

/// Position in the stream of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a request line; empty lines are skipped (RFC 9112 section 2.2).
    Start,
    Head,
    /// In a body with a length. The value is the number of missing bytes.
    Body(u64),
    ChunkSize {
        size: u64,
        digits: u32,
    },
    ChunkExtension {
        size: u64,
    },
    ChunkSizeLf {
        size: u64,
    },
    ChunkData(u64),
    ChunkDataCr,
    ChunkDataLf,
    Trailers,
    /// After a violation. All bytes are replaced by `filler`.
    Rejected {
        filler: u8,
    },
}

impl State {
    /// Returns the replacement for a violation in this state and the filler for the bytes after it, so that hyper
    /// rejects the request.
    fn rejection(self) -> (u8, u8) {
        match self {
            // hyper parses a head that arrives in pieces after an empty line, and then rejects the NUL.
            Self::Start | Self::Head => (0, b'\n'),
            // hyper parses trailers at their end, but rejects a CR without LF at once.
            Self::Trailers => (0, b'\r'),
            // hyper skips an extension up to a CR, and rejects a bare LF.
            Self::ChunkExtension { .. } => (b'\n', 0),
            _ => (0, 0),
        }
    }
}

/// Framing scanner of one connection.
#[derive(Debug)]
pub struct Framing {
    state: State,
    /// Start of a line that did not arrive in one piece.
    line: [u8; LINE_MAX],
    /// Length of that line so far. It can exceed [`LINE_MAX`].
    line_len: usize,
    /// Whether the last byte of that line is a CR.
    has_cr: bool,
    content_length: Option<u64>,
    is_chunked: bool,
}

/// A violation of the framing.
struct Violation;

impl Default for Framing {
    fn default() -> Self {
        Self {
            state: State::Start,
            line: [0; LINE_MAX],
            line_len: 0,
            has_cr: false,
            content_length: None,
            is_chunked: false,
        }
    }
}

impl Framing {
    /// Whether every byte so far belongs to a complete request.
    pub fn is_between_requests(&self) -> bool {
        self.state == State::Start && self.line_len == 0
    }

    /// Scans the next bytes. Replaces the first byte that violates the framing, and all bytes after it.
    pub fn scan(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            let state = self.state;
            let (used, result) = match state {
                State::Rejected { filler } => {
                    bytes[at..].fill(filler);
                    return;
                }
                State::Start | State::Head | State::Trailers => self.scan_line(&bytes[at..]),
                _ => self.scan_body(&bytes[at..]),
            };
            at += used;
            if result.is_err() {
                let (byte, filler) = state.rejection();
                bytes[at - 1] = byte;
                self.state = State::Rejected { filler };
            }
        }
    }

    /// Consumes bytes up to the end of a line. Returns the number of consumed bytes.
    fn scan_line(&mut self, rest: &[u8]) -> (usize, Result<(), Violation>) {
        let Some(end) = memchr::memchr(b'\n', rest) else {
            let free = LINE_MAX.saturating_sub(self.line_len).min(rest.len());
            if free > 0 {
                self.line[self.line_len..self.line_len + free].copy_from_slice(&rest[..free]);
            }
            self.line_len += rest.len();
            self.has_cr = rest.last() == Some(&b'\r');
            return (rest.len(), Ok(()));
        };
        let has_cr = if end == 0 { self.has_cr } else { rest[end - 1] == b'\r' };
        let result = match (has_cr, self.line_len) {
            (false, _) => Err(Violation),
            (true, 0) => self.end_line(&rest[..end - 1]),
            (true, held) if held + end <= LINE_MAX => {
                let mut line = self.line;
                line[held..held + end].copy_from_slice(&rest[..end]);
                self.end_line(&line[..held + end - 1])
            }
            // The line is too long for an interpreted header, unless the header is padded.
            (true, held) => {
                let line = self.line;
                let held = held.min(LINE_MAX);
                if framing_header(&line[..held]).is_some() { Err(Violation) } else { self.end_line(&line[..held]) }
            }
        };
        self.line_len = 0;
        self.has_cr = false;
        (end + 1, result)
    }

    /// Interprets a line without its CRLF.
    fn end_line(&mut self, line: &[u8]) -> Result<(), Violation> {
        match (self.state, line) {
            (State::Start, []) => {}
            (State::Start, _) => {
                self.content_length = None;
                self.is_chunked = false;
                self.state = State::Head;
            }
            (State::Trailers, []) => self.state = State::Start,
            (State::Trailers, _) => {}
            (_, []) => {
                self.state = match (self.is_chunked, self.content_length) {
                    (true, _) => State::ChunkSize { size: 0, digits: 0 },
                    (false, Some(1..)) => State::Body(self.content_length.unwrap_or_default()),
                    (false, _) => State::Start,
                }
            }
            (_, line) => self.parse_header(line)?,
        }
        Ok(())
    }

    /// Parses `Content-Length` and `Transfer-Encoding`. Only one of the two is allowed, once (RFC 9112 sections 6.1 to
    /// 6.3).
    fn parse_header(&mut self, line: &[u8]) -> Result<(), Violation> {
        let Some(header) = framing_header(line) else { return Ok(()) };
        if self.is_chunked || self.content_length.is_some() {
            return Err(Violation);
        }
        match header {
            FramingHeader::TransferEncoding(coding) if coding.eq_ignore_ascii_case(b"chunked") => {
                self.is_chunked = true;
            }
            FramingHeader::TransferEncoding(_) => return Err(Violation),
            FramingHeader::ContentLength(digits) => {
                if digits.is_empty()
                    || digits.len() > LENGTH_DIGITS_MAX
                    || !digits.iter().all(|digit| digit.is_ascii_digit())
                {
                    return Err(Violation);
                }
                self.content_length =
                    Some(digits.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')));
            }
        }
        Ok(())
    }

    /// Consumes bytes of a body. Returns the number of consumed bytes.
    fn scan_body(&mut self, rest: &[u8]) -> (usize, Result<(), Violation>) {
        let skip = |left: u64| usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let byte = rest[0];
        let mut used = 1;
        self.state = match self.state {
            State::Body(left) => {
                used = skip(left);
                match left - used as u64 {
                    0 => State::Start,
                    left => State::Body(left),
                }
            }
            State::ChunkData(left) => {
                used = skip(left);
                match left - used as u64 {
                    0 => State::ChunkDataCr,
                    left => State::ChunkData(left),
                }
            }
            State::ChunkSize { size, digits } => match (char::from(byte).to_digit(16), byte) {
                (Some(digit), _) if digits < SIZE_DIGITS_MAX => {
                    State::ChunkSize { size: size * 16 + u64::from(digit), digits: digits + 1 }
                }
                (None, b'\r') if digits > 0 => State::ChunkSizeLf { size },
                (None, b';' | b' ' | b'\t') if digits > 0 => State::ChunkExtension { size },
                _ => return (1, Err(Violation)),
            },
            State::ChunkExtension { size } => match byte {
                b'\r' => State::ChunkSizeLf { size },
                b'\n' => return (1, Err(Violation)),
                _ => State::ChunkExtension { size },
            },
            State::ChunkSizeLf { size } => match (byte, size) {
                (b'\n', 0) => State::Trailers,
                (b'\n', size) => State::ChunkData(size),
                _ => return (1, Err(Violation)),
            },
            State::ChunkDataCr if byte == b'\r' => State::ChunkDataLf,
            State::ChunkDataLf if byte == b'\n' => State::ChunkSize { size: 0, digits: 0 },
            _ => return (1, Err(Violation)),
        };
        (used, Ok(()))
    }
}

/// Header that determines the end of a request, with its trimmed value.
enum FramingHeader<'a> {
    ContentLength(&'a [u8]),
    TransferEncoding(&'a [u8]),
}

fn framing_header(line: &[u8]) -> Option<FramingHeader<'_>> {
    // The first byte rules out most lines.
    let name = match line.first()? | 0x20 {
        b'c' => &b"content-length:"[..],
        b't' => &b"transfer-encoding:"[..],
        _ => return None,
    };
    let (start, value) = line.split_at_checked(name.len())?;
    let value = value.trim_ascii();
    match start.eq_ignore_ascii_case(name) {
        false => None,
        true if name[0] == b'c' => Some(FramingHeader::ContentLength(value)),
        true => Some(FramingHeader::TransferEncoding(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use std::{convert::Infallible, time::Duration};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Requests whose end two parsers find in different places.
    const AMBIGUOUS: [&str; 21] = [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
        "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nabcde",
        "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nabcde",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;\nabc\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;\nxx\r\n45\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2 \nxx\r\n45\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\rabc\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\r0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n",
    ];

    /// Returns whether the bytes are rejected, and whether they end between two requests. Checks that the result is the
    /// same for pieces of each size.
    fn scan(text: &str) -> (bool, bool) {
        let mut results = (1..=text.len()).map(|size| {
            let mut framing = Framing::default();
            let mut bytes = text.as_bytes().to_vec();
            bytes.chunks_mut(size).for_each(|piece| framing.scan(piece));
            let is_refused = matches!(framing.state, State::Rejected { .. });
            assert_eq!(is_refused, bytes != text.as_bytes(), "{text:?}");
            (is_refused, framing.is_between_requests(), bytes)
        });
        let first = results.next().unwrap();
        assert!(results.all(|it| it == first), "{text:?}");
        (first.0, first.1)
    }

    /// Returns hyper's responses to scanned bytes in pieces of this size. The service responds with 400 to an invalid
    /// body.
    async fn responses(text: &str, size: usize) -> String {
        let (mut client, server) = tokio::io::duplex(64 * 1024);
        let service = service_fn(|request: Request<Incoming>| async move {
            let is_whole = request.into_body().collect().await.is_ok();
            let mut response = Response::new(String::new());
            *response.status_mut() = if is_whole { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            Ok::<_, Infallible>(response)
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), service));
        let mut framing = Framing::default();
        let mut bytes = text.as_bytes().to_vec();
        for piece in bytes.chunks_mut(size) {
            framing.scan(piece);
            // hyper may close the connection before the last piece.
            if client.write_all(piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let mut responses = String::new();
        let end = client.read_to_string(&mut responses);
        tokio::time::timeout(Duration::from_secs(60), end).await.expect("hyper closes the connection").unwrap();
        responses
    }

    #[test]
    fn whole_requests_pass() {
        let long = format!("GET / HTTP/1.1\r\nX-Long: {}\r\nContent-Length: 3\r\n\r\n\n\n\n", "x".repeat(500));
        for text in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length:  4 \r\n\r\n\nab\n",
            "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\n\n\n\n\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nTE: trailers\r\n\r\n",
            &long,
        ] {
            assert_eq!(scan(text), (false, true), "{text:?}");
        }
    }

    #[test]
    fn parts_of_requests_are_known_as_such() {
        for text in [
            "GET",
            "GET / HTTP/1.1\r\nHost: a\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r",
            "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabc",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
            "GET / HTTP/1.1\r\n\r\nGE",
        ] {
            assert_eq!(scan(text), (false, false), "{text:?}");
        }
    }

    #[test]
    fn what_two_parsers_read_differently_is_refused() {
        let padded = format!("POST / HTTP/1.1\r\nContent-Length:{}4\r\n\r\nabcd", " ".repeat(64));
        for text in AMBIGUOUS {
            assert_eq!(scan(text), (true, false), "{text:?}");
        }
        // In one piece the line can be parsed. In several pieces it cannot be distinguished from a longer line.
        let mut framing = Framing::default();
        let (start, end) = padded.split_at(40);
        framing.scan(&mut start.as_bytes().to_vec());
        framing.scan(&mut end.as_bytes().to_vec());
        assert!(matches!(framing.state, State::Rejected { .. }));
    }

    #[test]
    fn bytes_after_a_violation_do_not_pass() {
        let mut framing = Framing::default();
        let mut first = *b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;a\nxx\r\n";
        let mut next = *b"45\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
        framing.scan(&mut first);
        framing.scan(&mut next);
        assert!(first.ends_with(b"\r\n\r\n2;a\n\0\0\0\0"), "hyper refuses the LF, not a NUL in its place");
        assert!(next.iter().all(|byte| *byte == 0));
    }

    #[tokio::test]
    async fn hyper_refuses_ambiguous_requests_and_ends_the_connection() {
        for text in AMBIGUOUS {
            let text = format!("{text}GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            for size in [1, 7, text.len()] {
                let responses = responses(&text, size).await;
                assert!(responses.starts_with("HTTP/1.1 400 "), "{text:?} in pieces of {size}: {responses:?}");
                assert_eq!(responses.matches("HTTP/1.1 ").count(), 1, "{text:?} in pieces of {size}: {responses:?}");
            }
        }
    }
}
