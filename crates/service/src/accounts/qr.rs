//! QR codes as SVG paths. The Content Security Policy of the pages allows neither scripts nor styles in them.

use crate::Error;
use qrcode::{Color, QrCode};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// Width of the quiet zone, in modules (ISO/IEC 18004).
const QUIET: usize = 4;

/// Returns the dark modules of the code as a path, and the width of the code with its quiet zone, in modules.
///
/// # Errors
/// If the text is too long for a QR code.
pub fn path(text: &str) -> Result<(Zeroizing<String>, u32), Error> {
    let code = QrCode::new(text).map_err(|cause| Error::failed("a QR code could not be made", cause.to_string()))?;
    let (width, squares) = (code.width(), code.to_colors());
    // Allocate the full capacity, so that growth leaves no copy of the secret in memory.
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
    let size = u32::try_from(width + 2 * QUIET).map_err(|cause| Error::failed("the QR code is too wide", cause))?;
    Ok((path, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_code_has_its_three_corners() {
        let (path, size) = path("keyward").unwrap();
        assert_eq!(size, 21 + 8);
        // The upper edges of the two upper finder patterns, and the lower edge of the lower one.
        assert!(path.starts_with("M4 4h7v1h-7z") && path.contains("M18 4h7v1h-7z") && path.contains("M4 24h7v1h-7z"));
    }
}
