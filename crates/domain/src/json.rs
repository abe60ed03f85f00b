//! JSON of a project config: validated against RFC 8259 and stored as written.
//!
//! Only white space changes. Numbers keep their digits: RFC 8259 section 6 lets a parser limit their range and
//! precision, so parsing and formatting could change them (`1e400`, 21 digits). Objects keep the order of their
//! members, and strings keep their escapes.

mod grammar;

/// Maximum nesting depth of arrays and objects, including the outermost object.
pub const DEPTH_MAX: usize = 64;

/// A validated JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Json<'t>(&'t str);

/// Validates one JSON object.
///
/// # Errors
/// A sentence with the position and the problem: "Line 3, column 14: expected `,` or `}`."
pub fn parse(text: &str) -> Result<Json<'_>, String> {
    if text.trim_matches(is_blank).is_empty() {
        return Err("Enter a JSON object. For an empty config, enter {}.".to_owned());
    }
    match grammar::check(text) {
        Ok(()) => Ok(Json(text)),
        Err(fault) => Err(format!("{}: {}.", format_position(text, fault.at), fault.message)),
    }
}

/// Formats the line and column of a byte offset. Both start at one. Columns count characters.
fn format_position(text: &str, at: usize) -> String {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("Line {line}, column {column}")
}

impl Json<'_> {
    /// Returns the same object without white space between tokens.
    pub fn compact(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        for token in Tokens(self.0) {
            out.push_str(token);
        }
        out
    }

    /// Returns the same object pretty-printed, with two spaces per level.
    ///
    /// # Errors
    /// If the result is longer than `most` bytes: a sentence with the position where the limit is exceeded.
    pub fn pretty_print(&self, most: usize) -> Result<String, String> {
        let (mut out, mut level, mut before) = (String::with_capacity(self.0.len()), 0_usize, "");
        for token in Tokens(self.0) {
            let closes = matches!(token, "}" | "]");
            if closes {
                level = level.saturating_sub(1);
            }
            let opened = matches!(before, "{" | "[");
            if if closes { !opened } else { opened || before == "," } {
                out.push('\n');
                out.extend(std::iter::repeat_n("  ", level));
            } else if before == ":" {
                out.push(' ');
            }
            if matches!(token, "{" | "[") {
                level += 1;
            }
            out.push_str(token);
            if out.len() > most {
                let at = token.as_ptr().addr() - self.0.as_ptr().addr();
                return Err(format!(
                    "{}: with one value per line, the config has {} KiB up to this position. The maximum is {} KiB. Use fewer \
                     levels or fewer values.",
                    format_position(self.0, at),
                    out.len().div_ceil(1024),
                    most / 1024
                ));
            }
            before = token;
        }
        Ok(out)
    }
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Tokens of a validated text, without the white space between them.
struct Tokens<'t>(&'t str);

impl<'t> Iterator for Tokens<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let text = self.0.trim_start_matches(is_blank);
        let first = text.chars().next()?;
        let length = match first {
            '"' => {
                let mut escaped = false;
                let end = text[1..].bytes().position(|byte| {
                    let ends = byte == b'"' && !escaped;
                    escaped = byte == b'\\' && !escaped;
                    ends
                });
                end.map_or(text.len(), |end| end + 2)
            }
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => text.find(|c| is_blank(c) || matches!(c, ',' | ':' | ']' | '}')).unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at(length);
        self.0 = rest;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(text: &str) -> Result<String, String> {
        parse(text).map(|json| json.compact())
    }

    #[test]
    fn everything_but_white_space_is_kept() {
        let text = r#" {"z": 1, "a": [1.5, -2, true, null, {"y": "ø\u0000 \"} ", "b": {}}]} "#;
        assert_eq!(compact(text).unwrap(), r#"{"z":1,"a":[1.5,-2,true,null,{"y":"ø\u0000 \"} ","b":{}}]}"#);
    }

    #[test]
    fn numbers_keep_their_digits() {
        let numbers = "[1e400,-1E-400,123456789012345678901,0.1000000000000000055511151231257827,1.0,-0,-0.0,1e+2,9007199254740993]";
        let text = format!("{{\"n\":{numbers}}}");
        assert_eq!(compact(&text).unwrap(), text);
        assert_eq!(compact(&parse(&text).unwrap().pretty_print(10_000).unwrap()).unwrap(), text);
    }

    #[test]
    fn it_is_laid_out_as_serde_does() {
        let text = r#"{"z":1,"e":{},"l":[],"a":[1.5,-2,true,null,{"y":"a, b: [c] \\","b":{"c":[[],{}]}}]}"#;
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let laid_out = parse(text).unwrap().pretty_print(10_000).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&laid_out).unwrap(), value);
        assert_eq!(laid_out.lines().next_back(), Some("}"));
        let sorted = r#"{"a":[1,{"b":[[],{}]}],"b":"x"}"#;
        let value: serde_json::Value = serde_json::from_str(sorted).unwrap();
        assert_eq!(parse(sorted).unwrap().pretty_print(10_000).unwrap(), serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, words) in [
            ("", "Enter a JSON object. For an empty config, enter {}."),
            (" \n\t", "Enter a JSON object. For an empty config, enter {}."),
            ("[]", "Line 1, column 1: expected a JSON object, which starts with `{`."),
            ("\n  5", "Line 2, column 3: expected a JSON object, which starts with `{`."),
            ("{\n  \"a\": 1,\n  \"bø\": 2 \"c\"\n}", "Line 3, column 11: expected `,` or `}`."),
            ("{\"a\": 1", "Line 1, column 7: the text ends inside an object."),
            ("{\"a\":", "Line 1, column 5: the text ends where a value is expected."),
            ("{\"a\": \"ø", "Line 1, column 8: the text ends inside a string."),
            ("{} x", "Line 1, column 4: unexpected text after the end of the object."),
            ("{\"a\": 1,}", "Line 1, column 9: remove the comma before this bracket."),
            ("{\"a\": [1,]}", "Line 1, column 10: remove the comma before this bracket."),
            ("{'a': 1}", "Line 1, column 2: expected a name in double quotes."),
            ("{\"a\" 1}", "Line 1, column 6: expected `:`."),
            ("{\"a\": 01}", "Line 1, column 8: a number cannot have leading zeros."),
            ("{\"a\": 1.}", "Line 1, column 9: expected a digit."),
            ("{\"a\": \"x\ny\"}", "Line 1, column 9: a string cannot contain a line break; write \\n."),
            ("{\"a\": \"x\ty\"}", "Line 1, column 9: a string cannot contain a control character; write \\u0009."),
            ("{\"a\": \"\\x\"}", "Line 1, column 8: unknown escape sequence."),
            ("{\"a\": \"\\ud800\"}", "Line 1, column 8: unpaired surrogate in a string."),
            ("{\"a\": {\n\"b\": 1, \"\\u0062\": 2}}", "Line 2, column 9: the name `b` is already used in this object."),
        ] {
            assert_eq!(compact(text), Err(words.to_owned()), "{text}");
        }
        for text in ["{\n  \"a\": nul\n}", "{\n  \"a\": nullx\n}", "{\n  \"a\": NaN\n}", "{\n  \"a\": +1\n}"] {
            assert!(compact(text).unwrap_err().starts_with("Line 2, column "), "{text}");
            assert!(compact(text).unwrap_err().contains("expected a value"), "{text}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded_with_the_place() {
        let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(DEPTH_MAX - 1)).is_ok());
        assert_eq!(
            compact(&nested(DEPTH_MAX)).unwrap_err(),
            "Line 1, column 69: arrays and objects can be nested at most 64 levels deep."
        );
        assert!(compact(&format!("{{\"a\":{}", "[".repeat(1_000_000))).is_err());
        let long = format!("{{\"a\":[{}1]}}", "1,".repeat(1_000));
        let words = parse(&long).unwrap().pretty_print(4_096).unwrap_err();
        assert!(words.starts_with("Line 1, column ") && words.contains("The maximum is 4 KiB"), "{words}");
    }

    #[test]
    fn what_serde_refuses_is_refused() {
        for text in [
            "{\"a\": tru}",
            "{\"a\": -}",
            "{\"a\": .5}",
            "{\"a\": 1e}",
            "{,}",
            "{\"a\": \"\\udc00\"}",
            "\u{feff}{}",
            "{\"a\":\u{a0}1}",
        ] {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err() && parse(text).is_err(), "{text}");
        }
        for text in ["{\"a\": \"\\ud83d\\uddDD \\/ \\b\"}", "{\r\n\t\"\": 0.0e-0}", "{\"\\\\\": \"\u{7f}\"}"] {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok() && parse(text).is_ok(), "{text}");
        }
    }
}
