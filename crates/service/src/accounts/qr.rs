//! QR codes as paths of SVG: the policy of the pages allows neither scripts nor styles within them.

use crate::Error;
use qrcode::{Color, QrCode};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// Empty squares around a code, by the standard.
const QUIET: usize = 4;

/// The dark squares of the code for this text, as a path of units, and how many units it is wide with its margin.
///
/// # Errors
/// If the text is too long for any code.
pub fn path(text: &str) -> Result<(Zeroizing<String>, u32), Error> {
    let code = QrCode::new(text).map_err(|_| Error::Internal("a text was too long for a QR code"))?;
    let (width, squares) = (code.width(), code.to_colors());
    // Enough from the start: no copy of it is left behind while it grows.
    let mut path = Zeroizing::new(String::with_capacity(squares.len() * 16));
    for (row, line) in squares.chunks(width).enumerate() {
        let mut from = 0;
        for run in line.chunk_by(|a, b| a == b) {
            if run[0] == Color::Dark {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{} {}h{}v1h-{}z", from + QUIET, row + QUIET, run.len(), run.len());
            }
            from += run.len();
        }
    }
    let size = u32::try_from(width + 2 * QUIET).map_err(|_| Error::Internal("a QR code was too wide"))?;
    Ok((path, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_code_has_its_three_corners() {
        let (path, size) = path("keyward").unwrap();
        assert_eq!(size, 21 + 8);
        // The upper edges of the finder patterns above, and the lower edge of the one below.
        assert!(path.starts_with("M4 4h7v1h-7z") && path.contains("M18 4h7v1h-7z") && path.contains("M4 24h7v1h-7z"));
    }
}
