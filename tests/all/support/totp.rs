//! TOTP codes (RFC 6238), computed without the library that the server uses.

use super::browser::Page;
use aws_lc_rs::hmac;

/// Decodes base32 (RFC 4648).
pub fn base32(text: &str) -> Vec<u8> {
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.chars().filter(|c| !c.is_whitespace()) {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("a letter of base32");
        bits = bits << 5 | u32::try_from(value).unwrap();
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xFF).unwrap());
        }
    }
    bytes
}

/// Returns the code at this Unix time in seconds (RFC 6238: 6 digits, 30 s, HMAC-SHA-1).
pub fn code(secret: &[u8], at: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let mac = hmac::sign(&key, &u64::try_from(at / 30).unwrap().to_be_bytes());
    let mac = mac.as_ref();
    let from = usize::from(mac[19] & 0xF);
    let number = u32::from_be_bytes(mac[from..from + 4].try_into().unwrap()) & 0x7FFF_FFFF;
    format!("{:06}", number % 1_000_000)
}

/// Returns the contents of the elements with this name.
pub fn elements(page: &Page, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let parts = page.text().split(&open).skip(1);
    // Leptos puts the marker `<!>` between adjacent text nodes.
    parts.filter_map(|rest| Some(rest.split_once('>')?.1.split(&close).next()?.replace("<!>", ""))).collect()
}
