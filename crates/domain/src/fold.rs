//! Case and accent folding for search and for the order of lists.

use unicode_normalization::{UnicodeNormalization as _, char::canonical_combining_class};

/// Maximum length of a folded text in an index, in bytes. It must fit into a PostgreSQL index entry (2,704 bytes).
const MAX: usize = 1_000;

/// Folds a text: Unicode NFKD without accents, in lower case. `Émile` equals `emile`, and `Straße` equals `STRASSE`.
///
/// An accent is a character with a nonzero canonical combining class. Vowel signs of Indic scripts have class 0 and
/// remain. The text is converted to upper case and then, character by character, to lower case, so that the two forms
/// of small sigma are equal. A text that consists only of accents is returned without folding: only an empty text
/// folds to an empty text. The result has at most 1,000 bytes, so that an index can hold it.
pub fn fold(text: &str) -> String {
    fold_to(text, MAX)
}

/// As [`fold`], without a maximum length: for columns that no index holds.
pub fn fold_unbounded(text: &str) -> String {
    fold_to(text, usize::MAX)
}

fn fold_to(text: &str, max: usize) -> String {
    let bare = text.nfkd().filter(|c| canonical_combining_class(*c) == 0);
    // To lower case first: the capital ẞ is its own upper case.
    let upper = bare.flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    let lower = upper.flat_map(char::to_lowercase).filter(|c| canonical_combining_class(*c) == 0);
    let mut folded = String::with_capacity(text.len());
    for c in lower {
        if folded.len() + c.len_utf8() > max {
            break;
        }
        folded.push(c);
    }
    if folded.is_empty() { text.chars().take(max / 4).collect() } else { folded }
}

#[cfg(test)]
mod tests {
    use super::{fold, fold_unbounded};

    #[test]
    fn case_accents_and_widths_are_folded() {
        for (text, folded) in [
            ("Ольга Петрова", "ольга петрова"),
            ("ОЛЬГА", "ольга"),
            ("Émile", "emile"),
            ("E\u{301}mile", "emile"),
            ("Straße", "strasse"),
            ("STRAẞE", "strasse"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
            ("Οδυσσεύς", "οδυσσευσ"),
            ("İstanbul", "istanbul"),
            ("ＫＥＹ ﬁle", "key file"),
            ("50%_a", "50%_a"),
            ("", ""),
            ("\u{301}", "\u{301}"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
        assert!(fold(&"\u{fdfa}".repeat(100)).len() <= 1_000, "it fits into an index");
    }

    #[test]
    fn a_long_text_is_folded_to_its_end() {
        let text = format!("{} Ende", "漢".repeat(500));
        assert_eq!(fold_unbounded(&text), format!("{} ende", "漢".repeat(500)));
        assert_eq!(fold(&text), "漢".repeat(333));
        assert_eq!(fold_unbounded("\u{301}"), "\u{301}");
    }
}
