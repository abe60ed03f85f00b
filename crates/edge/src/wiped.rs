//! A text that holds a secret: where it had to be copied to be read, the copy is wiped.

use std::{borrow::Cow, ops::Deref};
use zeroize::Zeroize as _;

/// Borrowed from the request, or a copy of ours. No `Debug`.
pub struct Wiped<'a>(Cow<'a, str>);

impl<'a> From<Cow<'a, str>> for Wiped<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl Deref for Wiped<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Wiped<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(copy) = &mut self.0 {
            copy.zeroize();
        }
    }
}
