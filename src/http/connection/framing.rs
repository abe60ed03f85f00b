//! Strict framing of the requests on one connection (RFC 9112).
//!
//! hyper takes a bare LF for the end of a line and `Transfer-Encoding: gzip, chunked`. A proxy in front may read the same bytes in
//! another way and see another number of requests (request smuggling). This scanner follows the framing beside hyper. At the first
//! byte that it refuses it writes a NUL, which no parser of heads accepts, so that hyper answers 400 and closes the connection.

/// Longest line whose header is interpreted, in bytes: `Content-Length` and `Transfer-Encoding` with their values.
const LINE_MAX: usize = 64;
/// Most digits of a content length; 19 digits fit a `u64`.
const LENGTH_DIGITS_MAX: usize = 19;
/// Most hexadecimal digits of a chunk size.
const SIZE_DIGITS_MAX: u32 = 15;

/// The position in the stream of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a request line; empty lines are skipped (RFC 9112 section 2.2).
    Start,
    Head,
    /// A body with a length, of which this many bytes are missing.
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
    Refused,
}

/// The scanner of one connection.
#[derive(Debug)]
pub struct Framing {
    state: State,
    /// The beginning of a line that did not arrive in one piece.
    line: [u8; LINE_MAX],
    /// Length of that line so far, also past [`LINE_MAX`].
    line_len: usize,
    /// Whether its last byte was a CR.
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

    /// Follows the next bytes. Writes a NUL over the first byte that violates the framing.
    pub fn scan(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Refused {
            let rest = &bytes[at..];
            let (used, result) = match self.state {
                State::Start | State::Head | State::Trailers => self.scan_line(rest),
                _ => self.scan_body(rest),
            };
            at += used;
            if result.is_err() {
                bytes[at - 1] = 0;
                self.state = State::Refused;
            }
        }
    }

    /// Takes bytes up to the end of a line.
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
            // Too long for a header that is interpreted, unless it is padded.
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
            (_, line) => self.read_header(line)?,
        }
        Ok(())
    }

    /// Reads `Content-Length` and `Transfer-Encoding`: one of the two, once (RFC 9112 sections 6.1 to 6.3).
    fn read_header(&mut self, line: &[u8]) -> Result<(), Violation> {
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

    /// Takes bytes of a body.
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

/// A header that decides where a request ends, with its trimmed value.
enum FramingHeader<'a> {
    ContentLength(&'a [u8]),
    TransferEncoding(&'a [u8]),
}

fn framing_header(line: &[u8]) -> Option<FramingHeader<'_>> {
    // Most lines are told apart by their first byte.
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

    /// Whether the bytes are refused when they come in pieces of each size, and whether they end between two requests.
    fn scan(text: &str) -> (bool, bool) {
        let mut results = (1..=text.len()).map(|size| {
            let mut framing = Framing::default();
            let mut bytes = text.as_bytes().to_vec();
            bytes.chunks_mut(size).for_each(|piece| framing.scan(piece));
            let is_refused = framing.state == State::Refused;
            assert_eq!(is_refused, bytes.contains(&0), "{text:?}");
            (is_refused, framing.is_between_requests())
        });
        let first = results.next().unwrap();
        assert!(results.all(|it| it == first), "{text:?}");
        first
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
        for text in [
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
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n",
        ] {
            assert_eq!(scan(text), (true, false), "{text:?}");
        }
        // In one piece it can be read, in several it cannot be told from a longer one.
        let mut framing = Framing::default();
        let (start, end) = padded.split_at(40);
        framing.scan(&mut start.as_bytes().to_vec());
        framing.scan(&mut end.as_bytes().to_vec());
        assert_eq!(framing.state, State::Refused);
    }
}
