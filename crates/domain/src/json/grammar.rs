//! Validator for the JSON grammar of RFC 8259 that reports the position of errors.

use super::DEPTH_MAX;
use std::{collections::HashSet, fmt::Write as _};

/// Syntax error: a message and a byte offset.
pub struct SyntaxError {
    pub at: usize,
    pub message: String,
}

/// Checks that a text is one JSON object.
///
/// # Errors
/// The first syntax error and its position.
pub fn check(text: &str) -> Result<(), SyntaxError> {
    Parser { text, at: 0, depth: 0 }.document()
}

const VALUE: &str = "expected a value: an object, an array, a string, a number, true, false, or null";

/// Recursive-descent parser. The nesting depth is limited to bound stack usage.
struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn fault<T>(&self, words: impl Into<String>) -> Result<T, SyntaxError> {
        // No character exists past the end of the text, so the error points at the last one.
        let last = self.text.char_indices().next_back().map_or(0, |(at, _)| at);
        Err(SyntaxError { at: self.at.min(last), message: words.into() })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn consume(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn document(&mut self) -> Result<(), SyntaxError> {
        self.skip_blanks();
        if self.peek() != Some(b'{') {
            return self.fault("expected a JSON object, which starts with `{`");
        }
        self.value()?;
        self.skip_blanks();
        if self.peek().is_some() { self.fault("unexpected text after the end of the object") } else { Ok(()) }
    }

    fn value(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            None => self.fault("the text ends where a value is expected"),
            Some(b'{' | b'[') => {
                if self.depth == DEPTH_MAX {
                    return self.fault(format!("arrays and objects can be nested at most {DEPTH_MAX} levels deep"));
                }
                self.depth += 1;
                let is_object = self.consume(b'{');
                if is_object {
                    self.object()?
                } else {
                    self.consume(b'[');
                    self.array()?
                }
                self.depth -= 1;
                Ok(())
            }
            Some(b'"') => self.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => {
                let word = ["true", "false", "null"].into_iter().find(|word| self.text[self.at..].starts_with(word));
                match word {
                    Some(word) => self.at += word.len(),
                    None => return self.fault(VALUE),
                }
                // `nullx` is one invalid literal, not `null` followed by other text.
                if self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric()) { self.fault(VALUE) } else { Ok(()) }
            }
        }
    }

    fn object(&mut self) -> Result<(), SyntaxError> {
        let mut names = HashSet::new();
        self.skip_blanks();
        while !self.consume(b'}') {
            let start = self.at;
            match self.peek() {
                None => return self.fault("the text ends inside an object"),
                Some(b'"') => {}
                Some(_) => return self.fault("expected a name in double quotes"),
            }
            let name = self.string()?;
            if let Some(name) = names.replace(name) {
                let name: String = name.chars().take(80).collect();
                // Parsers differ on duplicate names: some use the first member, some the last (RFC 8259 section 4).
                return Err(SyntaxError {
                    at: start,
                    message: format!("the name `{name}` is already used in this object"),
                });
            }
            self.skip_blanks();
            if !self.consume(b':') {
                return match self.peek() {
                    None => self.fault("the text ends inside an object"),
                    Some(_) => self.fault("expected `:`"),
                };
            }
            self.skip_blanks();
            self.value()?;
            self.end_of_item(b'}', "the text ends inside an object", "expected `,` or `}`")?;
        }
        Ok(())
    }

    fn array(&mut self) -> Result<(), SyntaxError> {
        self.skip_blanks();
        while !self.consume(b']') {
            if self.peek().is_none() {
                return self.fault("the text ends inside an array");
            }
            self.value()?;
            self.end_of_item(b']', "the text ends inside an array", "expected `,` or `]`")?;
        }
        Ok(())
    }

    /// Parses the separator after an item: the closing bracket of its array or object, or a comma and another item.
    fn end_of_item(&mut self, close: u8, ends: &str, expected: &str) -> Result<(), SyntaxError> {
        self.skip_blanks();
        match self.peek() {
            None => self.fault(ends),
            Some(byte) if byte == close => Ok(()),
            Some(b',') => {
                self.at += 1;
                self.skip_blanks();
                if self.peek() == Some(close) { self.fault("remove the comma before this bracket") } else { Ok(()) }
            }
            Some(_) => self.fault(expected),
        }
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        self.consume(b'-');
        if !self.consume(b'0') {
            self.digits()?;
        } else if matches!(self.peek(), Some(b'0'..=b'9')) {
            return self.fault("a number cannot have leading zeros");
        }
        if self.consume(b'.') {
            self.digits()?;
        }
        if self.consume(b'e') || self.consume(b'E') {
            if !self.consume(b'+') {
                self.consume(b'-');
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { self.fault("expected a digit") } else { Ok(()) }
    }

    /// Parses a string and returns its value.
    fn string(&mut self) -> Result<String, SyntaxError> {
        self.at += 1;
        let mut value = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c| matches!(c, '"' | '\\' | '\0'..'\u{20}')).unwrap_or(rest.len());
            value.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                None => return self.fault("the text ends inside a string"),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(b'\\') => value.push(self.escape()?),
                Some(byte) => {
                    let mut words = "a string cannot contain a line break; write \\n".to_owned();
                    if byte != b'\n' && byte != b'\r' {
                        words.clear();
                        let _ = write!(words, "a string cannot contain a control character; write \\u{byte:04x}");
                    }
                    return self.fault(words);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let Some(byte) = self.peek() else { return self.fault("the text ends inside a string") };
        let simple = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let lone = |at| SyntaxError { at, message: "unpaired surrogate in a string".to_owned() };
                let first = self.hex()?;
                if !(0xd800..0xe000).contains(&first) {
                    return char::from_u32(first).ok_or_else(|| lone(start));
                }
                if first >= 0xdc00 || !self.text[self.at..].starts_with("\\u") {
                    return Err(lone(start));
                }
                self.at += 1;
                let second = self.hex()?;
                if !(0xdc00..0xe000).contains(&second) {
                    return Err(lone(start));
                }
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
                    .ok_or_else(|| lone(start));
            }
            _ => return Err(SyntaxError { at: start, message: "unknown escape sequence".to_owned() }),
        };
        self.at += 1;
        Ok(simple)
    }

    /// Parses the four hexadecimal digits after `u`.
    fn hex(&mut self) -> Result<u32, SyntaxError> {
        let digits =
            self.text.as_bytes().get(self.at + 1..self.at + 5).filter(|it| it.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                self.at += 5;
                Ok(value)
            }
            None => self.fault("expected four hexadecimal digits after \\u"),
        }
    }
}
