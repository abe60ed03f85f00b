//! Email addresses and URLs that wrap at their punctuation.

use super::markup::escape_text;
use leptos::prelude::*;

/// Characters after which an address can wrap.
const PUNCTUATION: [char; 7] = ['@', '.', '/', '?', '&', '=', '-'];

/// Renders an address with a line break opportunity, `<wbr>`, after each group of punctuation. Copied text does not
/// contain the breaks.
pub fn breakable(address: &str) -> AnyView {
    let html = parts(address).into_iter().map(escape_text).collect::<Vec<_>>().join("<wbr>");
    view! { <span inner_html=html></span> }.into_any()
}

/// Splits an address after each group of punctuation: "https://", "a.", "example/".
fn parts(address: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, letter) in address.char_indices() {
        let ends_group = last.is_some_and(|it| PUNCTUATION.contains(&it)) && !PUNCTUATION.contains(&letter);
        if ends_group && at > start {
            parts.push(&address[start..at]);
            start = at;
        }
        last = Some(letter);
    }
    parts.push(&address[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_after_punctuation() {
        assert_eq!(parts("maren@pelagic.example"), ["maren@", "pelagic.", "example"]);
        assert_eq!(parts("https://a.example/cb?x=ü"), ["https://", "a.", "example/", "cb?", "x=", "ü"]);
        assert_eq!(parts("plain"), ["plain"]);
        assert_eq!(parts(""), [""]);
    }

    #[test]
    fn the_text_of_an_address_does_not_change() {
        let address = "https://login.pelagic.example/callback/ü?state=1";
        assert_eq!(parts(address).concat(), address);
    }
}
