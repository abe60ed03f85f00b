//! Time-based one-time passwords (RFC 6238): SHA-1, six digits, and 30 s steps, which every authenticator app supports.

use keyward_domain::time::Timestamp;
use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

/// Length of a secret in bytes, as recommended by RFC 4226.
pub const SECRET: usize = 20;
const DIGITS: u8 = 6;
/// Length of a time step, in seconds.
const STEP: u64 = 30;
/// Accepted clock skew, in time steps to either side.
const SKEW: u16 = 1;

fn totp(secret: &[u8]) -> Option<Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_step_duration(STEP)
        .with_skew(SKEW)
        .with_secret(secret)
        .build()
        .ok()
}

/// Returns whether the text is six digits, optionally with spaces.
pub fn is_code(typed: &str) -> bool {
    let mut digits = typed.chars().filter(|c| !c.is_whitespace());
    typed.chars().all(|c| c.is_ascii_digit() || c.is_whitespace())
        && digits.by_ref().take(usize::from(DIGITS)).count() == usize::from(DIGITS)
        && digits.next().is_none()
}

/// Returns the time step of a correct code. The code may be one step early or late. Compares in constant time.
pub fn matching_step(secret: &[u8], typed: &str, now: Timestamp) -> Option<i64> {
    let code: Zeroizing<String> = Zeroizing::new(typed.chars().filter(|c| !c.is_whitespace()).collect());
    let step = totp(secret)?.check(&code, u64::try_from(now.seconds()).ok()?)?;
    i64::try_from(step).ok()
}

/// Returns the secret in Base32 (RFC 4648, without padding), the format of authenticator apps.
pub fn base32(secret: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(Secret::from(secret).to_base32())
}

/// Returns the `otpauth` URI of the QR code, in the key URI format of authenticator apps.
pub fn otpauth_uri(secret: &[u8], issuer: &str, account: &str) -> Zeroizing<String> {
    let part = |text: &str| -> String {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
    };
    // A colon separates issuer and account, so the issuer must not contain one.
    let issuer = issuer.replace(':', " ");
    Zeroizing::new(format!(
        "otpauth://totp/{}:{}?secret={}&issuer={}&algorithm=SHA1&digits={DIGITS}&period={STEP}",
        part(&issuer),
        part(account),
        *base32(secret),
        part(&issuer),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of RFC 6238, appendix B, for SHA-1, truncated to six digits.
    #[test]
    fn the_vectors_of_the_rfc() {
        let secret = b"12345678901234567890";
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(matching_step(secret, code, Timestamp::from_seconds(at)), Some(at / 30), "{at}");
        }
    }

    #[test]
    fn a_step_to_either_side_and_no_more() {
        let (secret, code) = (b"12345678901234567890", "005924");
        let first = 1_234_567_890;
        for (at, taken) in [(-31, false), (-30, true), (-1, true), (0, true), (29, true), (59, true), (60, false)] {
            let found = matching_step(secret, code, Timestamp::from_seconds(first + at));
            assert_eq!(found, taken.then_some(first / 30), "{at}");
        }
    }

    #[test]
    fn codes_are_six_digits() {
        for code in ["123456", "123 456", " 1 2 3 4 5 6 "] {
            assert!(is_code(code), "{code}");
        }
        for other in ["", "12345", "1234567", "12345a", "123-456", "abcd-efgh-ijkl-mnop", "１２３４５６"] {
            assert!(!is_code(other), "{other}");
        }
    }

    #[test]
    fn the_address_names_issuer_and_account() {
        let address = otpauth_uri(b"12345678901234567890", "Pelagic: Data", "maren+keys@pelagic.example");
        assert_eq!(
            *address,
            "otpauth://totp/Pelagic%20%20Data:maren%2Bkeys%40pelagic.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Pelagic%20%20Data&algorithm=SHA1&digits=6&period=30"
        );
    }
}
