//! Reading the cookies that say nothing of a person: how pages look, and what the browser has already.

use axum::http::{HeaderMap, header};

/// The value of a cookie, as it stands in the request.
pub fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(it, _)| *it == name).map(|(_, value)| value)
}
