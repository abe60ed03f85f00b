//! SQL statements of the store, extracted from its source files: constants of literals, `concat!`, and the macros of
//! the store.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// A statement and its location.
pub struct Statement {
    /// The path below `crates/store/src`, the function if it is in one, and the constant: `usage/merge.rs merge TAKE`.
    pub name: String,
    pub sql: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Text(String),
    /// With a leading `$` for a macro parameter, and a trailing `!` for a macro call.
    Word(String),
    Sign(char),
}

/// The rules of a macro: the parameters (name and fragment specifier) and the expansion of each.
type Macro = Vec<(Vec<(String, String)>, Vec<Token>)>;

/// Returns all statements of the store.
pub fn load_statements() -> Vec<Statement> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/store/src");
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    let sources: Vec<_> = paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a source file");
            let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            (path.strip_prefix(&folder).expect("below it").display().to_string(), tokens(&text))
        })
        .collect();
    let everywhere: HashMap<String, Macro> = sources.iter().flat_map(|(_, tokens)| macros(tokens)).collect();
    let mut found = Vec::new();
    for (file, tokens) in &sources {
        let mut known = everywhere.clone();
        known.extend(macros(tokens));
        constants(file, tokens, &known, &mut found);
    }
    found
}

fn files(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, paths);
        } else if path.extension().is_some_and(|it| it == "rs") {
            paths.push(path);
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let (chars, mut found, mut at) = (text.chars().collect::<Vec<_>>(), Vec::new(), 0);
    let get = |at: usize| chars.get(at).copied().unwrap_or('\0');
    while at < chars.len() {
        let c = get(at);
        if c == '/' && get(at + 1) == '/' {
            while at < chars.len() && get(at) != '\n' {
                at += 1;
            }
        } else if c == 'r' && get(at + 1) == '"' {
            let end = (at + 2..chars.len()).find(|at| get(*at) == '"').expect("the end of a raw text");
            found.push(Token::Text(chars[at + 2..end].iter().collect()));
            at = end + 1;
        } else if c == '"' {
            at = text_from(&chars, at + 1, &mut found);
        } else if c == '\'' && get(at + 1) == '\\' {
            at += if get(at + 3) == '\'' { 4 } else { 2 };
        } else if c == '\'' && get(at + 2) == '\'' {
            at += 3;
        } else if c.is_alphanumeric() || c == '_' || c == '$' {
            let end = (at + 1..chars.len()).find(|at| !(get(*at).is_alphanumeric() || get(*at) == '_'));
            let end = end.unwrap_or(chars.len());
            let calls = get(end) == '!' && get(end + 1) != '=';
            let end = end + usize::from(calls);
            found.push(Token::Word(chars[at..end].iter().collect()));
            at = end;
        } else {
            if !c.is_whitespace() {
                found.push(Token::Sign(c));
            }
            at += 1;
        }
    }
    found
}

/// Reads a string literal and returns the position after it.
fn text_from(chars: &[char], mut at: usize, found: &mut Vec<Token>) -> usize {
    let mut text = String::new();
    loop {
        match (chars[at], chars.get(at + 1)) {
            ('"', _) => break,
            ('\\', Some('\n')) => {
                at += 1;
                while chars[at].is_whitespace() {
                    at += 1;
                }
            }
            ('\\', Some(next)) => {
                text.push(if *next == 'n' { '\n' } else { *next });
                at += 2;
            }
            (c, _) => {
                text.push(c);
                at += 1;
            }
        }
    }
    found.push(Token::Text(text));
    at + 1
}

fn word(token: Option<&Token>) -> &str {
    match token {
        Some(Token::Word(word)) => word,
        _ => "",
    }
}

/// Returns the position of the bracket that closes the one at `at`.
fn close(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (n, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return n;
        }
    }
    panic!("a bracket is not closed");
}

fn macros(tokens: &[Token]) -> Vec<(String, Macro)> {
    let mut found = Vec::new();
    for at in (0..tokens.len()).filter(|at| word(tokens.get(*at)) == "macro_rules!") {
        let (name, end) = (word(tokens.get(at + 1)).to_owned(), close(tokens, at + 2));
        let (mut ways, mut at) = (Vec::new(), at + 3);
        while at < end {
            let after = close(tokens, at);
            let parameters = tokens[at + 1..after].split(|token| *token == Token::Sign(','));
            let parameters = parameters
                .filter(|it| it.len() == 3)
                .map(|it| (word(it.first()).to_owned(), word(it.get(2)).to_owned()))
                .collect();
            let body = after + 3;
            let closed = close(tokens, body);
            ways.push((parameters, tokens[body + 1..closed].to_vec()));
            at = closed + 1 + usize::from(tokens.get(closed + 1) == Some(&Token::Sign(';')));
        }
        found.push((name, ways));
    }
    found
}

fn constants(file: &str, tokens: &[Token], known: &HashMap<String, Macro>, found: &mut Vec<Statement>) {
    let mut function = String::new();
    for at in 0..tokens.len() {
        if word(tokens.get(at)) == "fn" {
            function = format!("{} ", word(tokens.get(at + 1)));
        }
        let is_text = tokens.get(at + 2) == Some(&Token::Sign(':'))
            && tokens.get(at + 3) == Some(&Token::Sign('&'))
            && word(tokens.get(at + 4)) == "str";
        if word(tokens.get(at)) != "const" || !is_text {
            continue;
        }
        let name = word(tokens.get(at + 1));
        let end = (at..tokens.len()).find(|at| tokens[*at] == Token::Sign(';')).expect("the end of a constant");
        let sql = value(&tokens[at + 6..end], known, &HashMap::new())
            .unwrap_or_else(|| panic!("{file} {name}: teach support/sql_statements.rs how it is written"));
        if ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|verb| sql.starts_with(verb)) {
            let inside = if tokens[..at].iter().filter(|it| **it == Token::Sign('{')).count()
                == tokens[..at].iter().filter(|it| **it == Token::Sign('}')).count()
            {
                ""
            } else {
                &function
            };
            found.push(Statement { name: format!("{file} {inside}{name}"), sql });
        }
    }
}

fn value(tokens: &[Token], known: &HashMap<String, Macro>, given: &HashMap<String, String>) -> Option<String> {
    match tokens {
        [Token::Text(text)] => Some(text.clone()),
        [Token::Word(name)] => given.get(name).cloned(),
        [Token::Word(name), Token::Sign('('), inner @ .., Token::Sign(')')] => {
            let name = match name.strip_prefix('$') {
                Some(parameter) => given.get(&format!("${}", parameter.trim_end_matches('!')))?.clone(),
                None => name.trim_end_matches('!').to_owned(),
            };
            let arguments = split(inner);
            if name == "concat" {
                return arguments.into_iter().map(|it| value(it, known, given)).collect();
            }
            let ways = known.get(&name)?;
            let (parameters, body) = ways.iter().find(|(parameters, _)| parameters.len() == arguments.len())?;
            let mut inside = HashMap::new();
            for ((parameter, kind), argument) in parameters.iter().zip(arguments) {
                let argument = match kind.as_str() {
                    "ident" => word(argument.first()).to_owned(),
                    _ => value(argument, known, given)?,
                };
                inside.insert(parameter.clone(), argument);
            }
            value(body, known, &inside)
        }
        _ => None,
    }
}

/// Splits the arguments of a call.
fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth -= 1,
            Token::Sign(',') if depth == 0 => {
                parts.push(&tokens[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    if from < tokens.len() {
        parts.push(&tokens[from..]);
    }
    parts
}
