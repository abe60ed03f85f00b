//! SQL statements of the store, extracted from its source files: constants of literals, `concat!`, and the macros of
//! the store. Also finds the code that runs other texts.

use super::{Engine, rust_source};
use std::{
    collections::{BTreeSet, HashMap},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// Words with which a statement begins. Transaction control, PRAGMA, and SET are not tested as statements.
const VERBS: [&str; 5] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];

/// Parameter types of the statements in `keys/list.rs`: PostgreSQL does not infer the type of a parameter that is first
/// compared with null.
const LIST_TYPES: [&str; 19] = [
    "bigint", "uuid", "text", "uuid", "text", "bigint", "text", "uuid", "bigint", "bigint", "boolean", "bigint",
    "bigint", "text", "text", "text", "text", "uuid", "bigint",
];

/// A statement and its location.
pub struct Statement {
    /// The path below `crates/store/src`, the function if it is in one, and the constant: `usage/merge.rs merge TAKE`.
    pub name: String,
    pub sql: String,
}

impl Statement {
    /// Returns whether this engine runs the statement.
    pub fn is_for(&self, engine: Engine) -> bool {
        match engine {
            Engine::Sqlite => !(self.name.ends_with("_POSTGRES") || self.sql.contains("FOR UPDATE")),
            Engine::Postgres => !self.name.ends_with("_SQLITE"),
        }
    }

    /// Returns whether the constant is an insert without rows. The function that uses it adds them.
    pub fn lacks_rows(&self) -> bool {
        self.sql.starts_with("INSERT") && self.sql.ends_with(") ")
    }

    /// Returns the numbers of the parameters.
    fn parameters(&self) -> BTreeSet<usize> {
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
        self.sql.split('$').skip(1).filter_map(|text| digits(text).parse().ok()).collect()
    }

    /// Returns whether each number from 1 to that of the last parameter is used.
    pub fn uses_all_values(&self) -> bool {
        self.parameters().into_iter().eq(1..=self.parameter_count())
    }

    /// Returns the number of values to bind.
    fn parameter_count(&self) -> usize {
        self.parameters().last().copied().unwrap_or(0)
    }

    /// Returns two lists for PostgreSQL, each in parentheses, or empty without parameters: the types of the parameters
    /// for `PREPARE`, and a null for each of them for `EXECUTE`.
    pub fn postgres_parameters(&self) -> (String, String) {
        let (used, count) = (self.parameters(), self.parameter_count());
        if count == 0 {
            return (String::new(), String::new());
        }
        let is_list = self.name.starts_with("keys/list.rs") && !self.name.ends_with("SEARCH_END");
        let types = (1..=count).map(|n| match used.contains(&n) {
            false => "text",
            true if is_list => LIST_TYPES[n - 1],
            true => "unknown",
        });
        let list = |words: Vec<&str>| format!("({})", words.join(", "));
        (list(types.collect()), list(vec!["NULL"; count]))
    }
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
    let sources = sources();
    let mut found = Vec::new();
    for (file, tokens) in &sources {
        constants(file, tokens, &known_macros(&sources, tokens), &mut found);
    }
    found
}

/// Returns the statements that are written outside of constants, each with its file and function.
pub fn inline_statements() -> Vec<String> {
    let sources = sources();
    let mut found = Vec::new();
    for (file, tokens) in &sources {
        let known = known_macros(&sources, tokens);
        visit_code(tokens, |at, function| {
            let is_call = tokens.get(at + 1) == Some(&Token::Sign('('));
            let sql = match &tokens[at] {
                Token::Text(text) => Some(text.clone()),
                Token::Word(word) if word.ends_with('!') && is_call => {
                    value(&tokens[at..=close(tokens, at + 1)], &known, &HashMap::new())
                }
                _ => None,
            };
            if let Some(sql) = sql.filter(|sql| is_statement(sql)) {
                found.push(format!("{file} {function}: {sql}"));
            }
        });
    }
    found
}

/// Returns the functions that assemble a statement from parts, each after its file.
pub fn assembling_functions() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (file, tokens) in &sources() {
        visit_code(tokens, |at, function| {
            if word(tokens.get(at)) == "QueryBuilder" && tokens.get(at + 1) == Some(&Token::Sign(':')) {
                found.insert(format!("{file} {function}"));
            }
        });
    }
    found
}

/// Checks the calls that run a constant: returns their number, and those that bind another number of values than the
/// statement has parameters.
pub fn wrong_bindings() -> (usize, Vec<String>) {
    let statements: HashMap<_, _> = load_statements().into_iter().map(|it| (it.name.clone(), it)).collect();
    let (mut count, mut wrong) = (0, Vec::new());
    for (file, tokens) in &sources() {
        visit_code(tokens, |at, function| {
            let is_query = matches!(word(tokens.get(at)), "query" | "query_as" | "query_scalar");
            if !is_query || tokens.get(at + 1) != Some(&Token::Sign('(')) {
                return;
            }
            let name = word(tokens.get(at + 2));
            let own = statements.get(&format!("{file} {function} {name}"));
            // Another argument is a variable, which holds one of several constants.
            let Some(statement) = own.or_else(|| statements.get(&format!("{file} {name}"))) else { return };
            let (mut next, mut bound) = (close(tokens, at + 1) + 1, 0);
            while tokens.get(next) == Some(&Token::Sign('.')) && word(tokens.get(next + 1)) == "bind" {
                next = close(tokens, next + 2) + 1;
                bound += 1;
            }
            count += 1;
            let parameters = statement.parameter_count();
            if bound != parameters {
                wrong.push(format!("{}: {parameters} parameters, {bound} values", statement.name));
            }
        });
    }
    (count, wrong)
}

fn is_statement(sql: &str) -> bool {
    VERBS.iter().any(|verb| sql.starts_with(verb))
}

/// Reads the source files of the store: their paths below `crates/store/src`, and their tokens before their own tests.
fn sources() -> Vec<(String, Vec<Token>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/store/src");
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    let source = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).expect("a source file");
        let text = rust_source::without_tests(&text);
        (path.strip_prefix(&folder).expect("below it").display().to_string(), tokens(&text))
    };
    paths.iter().map(source).collect()
}

/// Returns the macros that a file can use: those of all files, and its own in place of others with the same name.
fn known_macros(sources: &[(String, Vec<Token>)], own: &[Token]) -> HashMap<String, Macro> {
    let mut known: HashMap<_, _> = sources.iter().flat_map(|(_, tokens)| macros(tokens)).collect();
    known.extend(macros(own));
    known
}

/// Returns the positions of the macro definitions and text constants.
fn definitions(tokens: &[Token]) -> Vec<RangeInclusive<usize>> {
    let range = |at: usize| match word(tokens.get(at)) {
        "macro_rules!" => Some(at..=close(tokens, at + 2)),
        "const" if is_text_constant(tokens, at) => Some(at..=end_of_constant(tokens, at)),
        _ => None,
    };
    (0..tokens.len()).filter_map(range).collect()
}

/// Calls `visit` with the position of each token outside of definitions, and the name of the function that contains it.
fn visit_code(tokens: &[Token], mut visit: impl FnMut(usize, &str)) {
    let definitions = definitions(tokens);
    let mut function = "";
    for at in 0..tokens.len() {
        if word(tokens.get(at)) == "fn" {
            function = word(tokens.get(at + 1));
        }
        if !definitions.iter().any(|range| range.contains(&at)) {
            visit(at, function);
        }
    }
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

fn is_text_constant(tokens: &[Token], at: usize) -> bool {
    word(tokens.get(at)) == "const"
        && tokens.get(at + 2) == Some(&Token::Sign(':'))
        && tokens.get(at + 3) == Some(&Token::Sign('&'))
        && word(tokens.get(at + 4)) == "str"
}

fn end_of_constant(tokens: &[Token], at: usize) -> usize {
    (at..tokens.len()).find(|at| tokens[*at] == Token::Sign(';')).expect("the end of a constant")
}

fn constants(file: &str, tokens: &[Token], known: &HashMap<String, Macro>, found: &mut Vec<Statement>) {
    let mut function = String::new();
    for at in 0..tokens.len() {
        if word(tokens.get(at)) == "fn" {
            function = format!("{} ", word(tokens.get(at + 1)));
        }
        if !is_text_constant(tokens, at) {
            continue;
        }
        let name = word(tokens.get(at + 1));
        let end = end_of_constant(tokens, at);
        let sql = value(&tokens[at + 6..end], known, &HashMap::new())
            .unwrap_or_else(|| panic!("{file} {name}: teach support/sql_statements.rs how it is written"));
        if is_statement(&sql) {
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
