//! Patterns for `LIKE … ESCAPE '!'`.

use keyward_domain::fold::fold;

/// Returns a pattern that matches a folded text anywhere in a folded column. `%` and `_` match literally. Line breaks
/// are spaces, as in the columns.
pub(super) fn folded(text: &str) -> String {
    anywhere(&fold(&text.replace("\r\n", "\n").replace('\n', " ")))
}

/// Returns a pattern that matches a text in lower case anywhere.
pub(super) fn lower(text: &str) -> String {
    anywhere(&text.to_lowercase())
}

fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    // PostgreSQL does not accept NUL in text.
    for c in text.chars().filter(|c| *c != '\0') {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_looked_for_as_it_is() {
        assert_eq!(folded("Émile 50%_!\0"), "%emile 50!%!_!!%");
        assert_eq!(lower("É%"), "%é!%%");
    }
}
