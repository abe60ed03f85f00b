//! Reads declarations from Rust source text, however their lines are broken: fields, parameters, and the names of JSON
//! members.

use std::collections::BTreeSet;

/// A token of Rust source text. A comment is no token, and a string literal is one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    /// Position of its first byte in the source text.
    pub start: usize,
}

impl Token<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Returns whether it is an identifier, a keyword, a number or a lifetime.
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '\''))
    }
}

/// Returns the tokens of a source text.
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let mut start = 0;
    while let Some(first) = source[start..].chars().next() {
        let text = &source[start..][..length_of_first(&source[start..])];
        if !first.is_whitespace() && !text.starts_with("//") && !text.starts_with("/*") {
            all.push(Token { text, start });
        }
        start += text.len();
    }
    all
}

/// Returns the length of the white space, comment or token at the start of a text, in bytes. It is at least one
/// character.
fn length_of_first(text: &str) -> usize {
    let word_length = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let first = text.chars().next().unwrap_or_default();
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return comment_length(text);
    }
    if let Some(length) = raw_string_length(text) {
        return length;
    }
    match first {
        '"' => 1 + quoted_length(&text[1..], '"'),
        '\'' => {
            let mut inside = text[1..].chars();
            match (inside.next(), inside.next()) {
                (Some('\\'), _) => 1 + quoted_length(&text[1..], '\''),
                (Some(letter), Some('\'')) => 2 + letter.len_utf8(),
                // A lifetime.
                _ => 1 + word_length(&text[1..]),
            }
        }
        first if first.is_alphanumeric() || first == '_' => word_length(text),
        _ if ["::", "->", "=>"].iter().any(|it| text.starts_with(it)) => 2,
        first => first.len_utf8(),
    }
}

/// Returns the length of a block comment, which may contain others.
fn comment_length(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Returns the length of the raw string literal at the start of a text, if there is one.
fn raw_string_length(text: &str) -> Option<usize> {
    let after = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let content = after.trim_start_matches('#');
    let hashes = after.len() - content.len();
    let content = content.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = content.find(&end).map_or(content.len(), |at| at + end.len());
    Some(text.len() - content.len() + length)
}

/// Returns the length of a literal up to its closing quote, inclusive.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The pairs of delimiters.
static PAIRS: [(&str, &str); 4] = [("(", ")"), ("[", "]"), ("{", "}"), ("<", ">")];

/// Returns the index of the delimiter that closes the one at `open`.
fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let Some((left, right)) = PAIRS.iter().find(|(left, _)| *left == tokens[open].text) else { return open };
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.text == *left {
            depth += 1;
        } else if token.text == *right {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
    }
    tokens.len()
}

/// Returns the tokens between the delimiter at `open` and the one that closes it.
fn inside<'t, 'a>(tokens: &'t [Token<'a>], open: usize) -> &'t [Token<'a>] {
    &tokens[open + 1..closing(tokens, open).max(open + 1)]
}

/// Returns the change of the nesting depth at a token.
fn nesting(token: &Token<'_>) -> i32 {
    let (opens, closes) = PAIRS.iter().fold((false, false), |(opens, closes), (left, right)| {
        (opens || *left == token.text, closes || *right == token.text)
    });
    i32::from(opens) - i32::from(closes)
}

/// Splits a list at its commas, except within delimiters.
fn list_items<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut depth = 0;
    let items = tokens.split(|token| {
        depth += nesting(token);
        depth == 0 && token.text == ","
    });
    items.collect()
}

/// Returns the index of the `=` or `;` that ends the pattern and the type of a `let` statement.
fn end_of_type(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0;
    let end = tokens.iter().position(|token| {
        depth += nesting(token);
        depth == 0 && ["=", ";"].contains(&token.text)
    });
    end.unwrap_or(tokens.len())
}

/// Removes the attributes and modifiers at the start of an item.
fn without_modifiers<'t, 'a>(mut item: &'t [Token<'a>]) -> &'t [Token<'a>] {
    loop {
        item = match item {
            [hash, open, ..] if hash.text == "#" && open.text == "[" => &item[(closing(item, 1) + 1).min(item.len())..],
            [public, open, ..] if public.text == "pub" && open.text == "(" => {
                &item[(closing(item, 1) + 1).min(item.len())..]
            }
            [first, rest @ ..] if ["pub", "mut", "ref"].contains(&first.text) => rest,
            _ => return item,
        };
    }
}

/// A field of a struct or of an enum variant, a parameter of a function or of a form action, or a variable with a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Name of the type or the function. `let` for a variable.
    pub owner: &'a str,
    pub name: &'a str,
    /// The type, without white space.
    pub kind: String,
}

fn type_text(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    for token in tokens {
        if token.is_word() && text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            text.push(' ');
        }
        text.push_str(token.text);
    }
    text
}

/// Returns the items `name: type` of a list.
fn named<'a>(owner: &'a str, list: &[Token<'a>]) -> Vec<Field<'a>> {
    let items = list_items(list).into_iter().map(without_modifiers);
    let fields = items.filter_map(|item| match item {
        [name, colon, kind @ ..] if name.is_word() && colon.text == ":" => {
            Some(Field { owner, name: name.text, kind: type_text(kind) })
        }
        _ => None,
    });
    fields.collect()
}

/// Returns the index after the generic parameters at `at`, if there are any.
fn after_generics(tokens: &[Token<'_>], at: usize) -> usize {
    if tokens.get(at).is_some_and(|token| token.text == "<") { closing(tokens, at) + 1 } else { at }
}

/// Returns the tokens in the braces of the struct or enum whose name is at `name`. `None` for a tuple or unit struct.
fn body<'t, 'a>(tokens: &'t [Token<'a>], name: usize) -> Option<&'t [Token<'a>]> {
    let start = after_generics(tokens, name + 1);
    if tokens.get(start)?.text == "(" {
        return None;
    }
    let open = (start..tokens.len()).find(|at| ["{", ";"].contains(&tokens[*at].text))?;
    (tokens[open].text == "{").then(|| inside(tokens, open))
}

/// Returns the variants of an enum: the name, and the tokens after it.
fn variants<'t, 'a>(body: &'t [Token<'a>]) -> Vec<(&'a str, &'t [Token<'a>])> {
    let items = list_items(body).into_iter().map(without_modifiers);
    items.filter_map(|item| item.split_first().map(|(name, rest)| (name.text, rest))).collect()
}

/// Returns the fields of a variant.
fn variant_fields<'a>(owner: &'a str, rest: &[Token<'a>]) -> Vec<Field<'a>> {
    match rest.first() {
        Some(open) if open.text == "{" => named(owner, inside(rest, 0)),
        _ => Vec::new(),
    }
}

/// Returns the fields that a source text declares.
pub fn fields(source: &str) -> Vec<Field<'_>> {
    let tokens = tokens(source);
    let mut all = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let [keyword, name] = pair else { continue };
        match keyword.text {
            "struct" if name.is_word() => {
                let body = body(&tokens, at + 1).unwrap_or_default();
                all.extend(named(name.text, body));
            }
            "enum" if name.is_word() => {
                let variants = body(&tokens, at + 1).map(variants).unwrap_or_default();
                all.extend(variants.into_iter().flat_map(|(_, rest)| variant_fields(name.text, rest)));
            }
            "fn" if name.is_word() => {
                let open = after_generics(&tokens, at + 2);
                if tokens.get(open).is_some_and(|token| token.text == "(") {
                    all.extend(named(name.text, inside(&tokens, open)));
                }
            }
            "form_action" if name.text == "!" => {
                let action = without_modifiers(tokens.get(at + 3..).unwrap_or_default());
                if let [name, open, ..] = action
                    && open.text == "("
                {
                    all.extend(named(name.text, inside(action, 1)));
                }
            }
            "let" => {
                let rest = without_modifiers(&tokens[at + 1..]);
                all.extend(named("let", &rest[..end_of_type(rest)]));
            }
            _ => {}
        }
    }
    all
}

/// Returns whether the struct or enum whose keyword is at `item` derives a trait.
fn derives(tokens: &[Token<'_>], item: usize, name: &str) -> bool {
    let attributes = tokens[..item].iter().rposition(|token| ["}", ";"].contains(&token.text)).map_or(0, |at| at + 1);
    let tokens = &tokens[attributes..item];
    let has = |attribute: &[Token<'_>]| {
        attribute.iter().any(|it| it.text == "derive") && attribute.iter().any(|it| it.text == name)
    };
    tokens.iter().enumerate().any(|(at, token)| token.text == "[" && has(inside(tokens, at)))
}

/// Returns a name in the case of `rename_all = "snake_case"`.
fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

/// Returns the names of the JSON members of all types in a source text that derive `Serialize`.
pub fn json_names(source: &str) -> BTreeSet<String> {
    let tokens = tokens(source);
    let mut names = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        if !["struct", "enum"].contains(&token.text) || !derives(&tokens, at, "Serialize") {
            continue;
        }
        let Some(body) = body(&tokens, at + 1) else { continue };
        let mut add = |fields: Vec<Field<'_>>| names.extend(fields.into_iter().map(|field| field.name.to_owned()));
        if token.text == "struct" {
            add(named("", body));
            continue;
        }
        for (_, rest) in variants(body) {
            add(variant_fields("", rest));
        }
        // The name of a variant with content is a member. The name of another variant is a value.
        let with_content = variants(body).into_iter().filter(|(_, rest)| !rest.is_empty());
        names.extend(with_content.map(|(name, _)| snake_case(name)));
    }
    names
}

/// Writes each call of a macro on one line, without comments. Its line breaks follow the line.
pub fn with_joined_calls(source: &str, name: &str) -> String {
    let tokens = tokens(source);
    let (mut joined, mut from) = (String::new(), 0);
    for (at, token) in tokens.iter().enumerate() {
        let is_call = token.text == name
            && tokens.get(at + 1).is_some_and(|it| it.text == "!")
            && tokens.get(at + 2).is_some_and(|it| it.text == "(");
        let last = if is_call { closing(&tokens, at + 2) } else { continue };
        let Some(end) = tokens.get(last).map(Token::end).filter(|_| token.start >= from) else { continue };
        joined.push_str(&source[from..token.start]);
        joined.push_str(&type_text(&tokens[at..=last]));
        // The rest of the line, then the line breaks of the call.
        let rest = end + source[end..].find('\n').unwrap_or(source.len() - end);
        joined.push_str(&source[end..rest]);
        joined.extend(source[token.start..end].matches('\n'));
        from = rest;
    }
    joined.push_str(&source[from..]);
    joined
}

/// Replaces the items with `#[cfg(test)]` by their line breaks.
pub fn without_tests(source: &str) -> String {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let tokens = tokens(source);
    let (mut kept, mut from, mut at) = (String::new(), 0, 0);
    while at < tokens.len() {
        if !tokens[at..].iter().map(|token| token.text).take(ATTRIBUTE.len()).eq(ATTRIBUTE) {
            at += 1;
            continue;
        }
        let last = last_of_item(&tokens, at);
        let (start, end) = (tokens[at].start, tokens.get(last).map_or(source.len(), Token::end));
        kept.push_str(&source[from..start]);
        kept.extend(source[start..end].matches('\n'));
        (from, at) = (end, last + 1);
    }
    kept.push_str(&source[from..]);
    kept
}

/// Returns the index of the last token of the item that starts at `at`.
fn last_of_item(tokens: &[Token<'_>], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.text {
            "{" => return closing(tokens, at),
            ";" => return at,
            "(" | "[" => at = closing(tokens, at) + 1,
            _ => at += 1,
        }
    }
    tokens.len()
}

#[test]
fn declarations_are_read_however_their_lines_are_broken() {
    let source = r##"
        /* pub struct Hidden { password: String } /* nested */ */
        #[derive(Clone, serde::Serialize)]
        pub struct One { pub(crate) password: String, #[serde(default)] pub names: Vec<(u8, &'static str)> }
        // struct Comment { secret: String }
        const TEXT: &str = "struct Text { secret: String } \" fn f(secret: String) {}";
        const RAW: &str = r#"struct Raw { secret: "String" }"#;
        #[derive(serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Two<T> { Nothing, OneOf(T), Both { secret:
            Option<String>, } }
        struct Tuple(String);
        fn three<'a, T: Fn(u8) -> u8>(&self, mut secret: &'a str, (x, y): (u8, char)) -> u8 { let mut secret : [u8; 2] = [b'{', b'\'']; x == '"' }
        form_action! {
            /// Text.
            Four(#[serde(default)] password: Password) -> () { let a = b < c; }
        }
    "##;
    let found = fields(source);
    let found: Vec<_> = found.iter().map(|it| (it.owner, it.name, it.kind.as_str())).collect();
    let expected = [
        ("One", "password", "String"),
        ("One", "names", "Vec<(u8,&'static str)>"),
        ("Two", "secret", "Option<String>"),
        ("three", "secret", "&'a str"),
        ("let", "secret", "[u8;2]"),
        ("Four", "password", "Password"),
    ];
    for field in expected {
        assert!(found.contains(&field), "{field:?}: {found:?}");
    }
    assert!(!found.iter().any(|(owner, ..)| ["Hidden", "Comment", "Text", "f", "Raw"].contains(owner)), "{found:?}");
    let names: Vec<_> = json_names(source).into_iter().collect();
    assert_eq!(names, ["both", "names", "one_of", "password", "secret"]);
}

#[test]
fn only_the_items_of_tests_are_removed() {
    let source = "mod a;\n#[cfg(test)]\n#[path = \"x.rs\"]\nmod b;\nfn c() {}\n#[cfg(test)]\nmod tests {\n    const D: char = '}';\n}\nfn e() {}\n";
    assert_eq!(without_tests(source), "mod a;\n\n\n\nfn c() {}\n\n\n\n\nfn e() {}\n");
}
