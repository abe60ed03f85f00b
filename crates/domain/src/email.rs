//! Email addresses.

use std::{fmt, str::FromStr};

/// Maximum length of an address as entered, in characters: 64 + `@` + 255 (RFC 5321 section 4.5.3.1).
pub const EMAIL_MAX: usize = 320;
/// Maximum length of the part before the `@`, in characters.
const LOCAL_MAX: usize = 64;

/// An email address: the part before the `@` in lower case, the domain as lower-case A-labels (RFC 5891, mapped by UTS
/// #46).
///
/// Two spellings of one mailbox are one value, so that lookups, limits, and mail use the same address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

/// Validation error of an [`Email`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    #[error("Enter an email address, such as maren@example.com.")]
    Malformed,
    #[error("An email address has at most {EMAIL_MAX} characters. Shorten it.")]
    TooLong,
}

impl FromStr for Email {
    type Err = EmailError;

    /// Trims white space at both ends. The local part is a dot-string (RFC 5321 section 4.1.2, RFC 6531 section 3.3):
    /// quoted local parts and address literals such as `[127.0.0.1]` are invalid.
    fn from_str(text: &str) -> Result<Self, EmailError> {
        if text.chars().take(EMAIL_MAX + 1).count() > EMAIL_MAX {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = text.trim().rsplit_once('@').ok_or(EmailError::Malformed)?;
        let local = local.to_lowercase();
        let fits = local.chars().count() <= LOCAL_MAX && local.split('.').all(is_atom);
        match a_labels(domain) {
            Some(domain) if fits => Ok(Self(format!("{local}@{domain}"))),
            _ => Err(EmailError::Malformed),
        }
    }
}

impl Email {
    /// Parses the address of a stored row. It must not fail, because an earlier release stored domains as U-labels
    /// and accepted more texts.
    pub fn from_row(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self(text.trim().to_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// Returns the address with its domain as U-labels, as an earlier release stored it. Equal to [`Self::as_str`] for
    /// other domains.
    pub fn unicode(&self) -> String {
        let Some((local, domain)) = self.0.rsplit_once('@') else { return self.0.clone() };
        let (domain, _) = idna::domain_to_unicode(domain);
        format!("{local}@{domain}")
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a text is an atom of RFC 5321, or of RFC 6531 with characters outside ASCII.
fn is_atom(text: &str) -> bool {
    let fits = |c: char| match c {
        c if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c),
        c => !super::key::is_invisible(c) && !super::key::is_unprintable(c),
    };
    !text.is_empty() && text.chars().all(fits)
}

/// Converts a domain to lower-case A-labels. `None`: not a host name, such as an address literal or an IPv4 address.
pub fn a_labels(domain: &str) -> Option<String> {
    use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
    let domain = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .ok()?
        .into_owned();
    // No top-level domain is a number (RFC 3696 section 2), so this is an IPv4 address.
    let last = domain.rsplit('.').next()?;
    if last.bytes().all(|byte| byte.is_ascii_digit()) { None } else { Some(domain) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        text.parse::<Email>().unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
    }

    #[test]
    fn one_mailbox_is_one_value() {
        for (text, expected) in [
            (" Maren@Pelagic.Example ", "maren@pelagic.example"),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
            ("ann@bu\u{308}cher.example", "ann@xn--bcher-kva.example"),
            ("ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"),
            ("ann@faß.example", "ann@xn--fa-hia.example"),
            ("ann@例え。テスト", "ann@xn--r8jz45g.xn--zckzah"),
            ("ann@localhost", "ann@localhost"),
            ("o'brien+keys@r3---sn.example", "o'brien+keys@r3---sn.example"),
            ("Øre@pelagic.example", "øre@pelagic.example"),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
            assert_eq!(parsed(expected), expected, "parsed again");
        }
        let ann: Email = "ann@xn--bcher-kva.example".parse().unwrap();
        assert_eq!((ann.unicode().as_str(), ann.local()), ("ann@bücher.example", "ann"));
        assert_eq!(Email::from_row("ann@bücher.example"), ann);
        assert_eq!(Email::from_row("ann@@example.com").as_str(), "ann@@example.com");
    }

    #[test]
    fn other_texts_are_refused() {
        let long = |n: usize| format!("{}@example.com", "a".repeat(n));
        for bad in [
            "",
            "maren",
            "@x",
            "a@",
            "a b@x",
            "a@.x",
            "a@x.",
            "a@x..y",
            "ann@@example.com",
            "ann@[127.0.0.1]",
            "ann@127.0.0.1",
            "ann@[IPv6:::1]",
            "\"ann\"@example.com",
            ".ann@example.com",
            "ann.@example.com",
            "a..b@example.com",
            "ann@exa mple.com",
            "ann@example.com\nx",
            "ann@-example.com",
            "ann@example-.com",
            "ann@xn--a.example",
            "ann@ex\u{202E}ample.com",
            "a\u{202E}nn@example.com",
            "a\u{200B}nn@example.com",
            "ann@exam_ple.com",
            "ann@example.com,bob@example.com",
            "Ann <ann@example.com>",
            "ann@exa<b>mple.com",
            "a\0nn@example.com",
            &long(65),
            &format!("a@{}.com", "b".repeat(64)),
        ] {
            assert_eq!(bad.parse::<Email>(), Err(EmailError::Malformed), "{bad}");
        }
        assert_eq!(parsed(&long(64)), long(64));
        for bad in [format!("a@{}", "b.".repeat(160)), format!("ann@example.com{}", " ".repeat(306))] {
            assert_eq!(bad.parse::<Email>(), Err(EmailError::TooLong), "{bad}");
        }
        assert_eq!(parsed(&format!("ann@example.com{}", " ".repeat(305))), "ann@example.com");
    }
}
