//! String with a secret that zeroizes its own copy on drop.

use serde::Deserialize;
use std::{borrow::Cow, ops::Deref};
use zeroize::Zeroize as _;

/// Borrowed from the request, or an owned copy. Does not implement `Debug`.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct ZeroizingStr<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> From<Cow<'a, str>> for ZeroizingStr<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl Deref for ZeroizingStr<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for ZeroizingStr<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(copy) = &mut self.0 {
            copy.zeroize();
        }
    }
}
