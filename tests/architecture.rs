//! The rules of the house that a compiler does not hold: who may import whom, and what may carry a secret.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Every source file with its path below `src`, and its text up to its own tests.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    assert!(found.len() > 60, "the sources were found");
    found
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("readable");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            (path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned(), code)
        })
        .collect()
}

/// The first segments of all paths that a file names: crates, and rooms as `crate::room`.
fn named(code: &str) -> BTreeSet<String> {
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut names = BTreeSet::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in code.match_indices("::") {
        let start =
            code[..at].rfind(|c| !is_word(c)).map_or(0, |i| i + code[i..].chars().next().map_or(1, char::len_utf8));
        let word = &code[start..at];
        if code[..start].ends_with("::") || word.is_empty() {
            continue;
        }
        if word == "crate" {
            let rest = &code[at + 2..];
            if let Some(group) = rest.strip_prefix('{') {
                names.extend(group_heads(group).into_iter().map(|room| format!("crate::{room}")));
            } else {
                let room: String = rest.chars().take_while(|c| is_word(*c)).collect();
                names.insert(format!("crate::{room}"));
            }
        } else {
            names.insert(word.to_owned());
        }
    }
    names
}

/// The first words of the members of a `use` group, nested groups left out.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut word, mut fresh) = (0, Vec::new(), String::new(), true);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(std::mem::take(&mut word));
                fresh = true;
            }
            c if depth == 0 && fresh && (c.is_alphanumeric() || c == '_') => word.push(c),
            c if depth == 0 && !c.is_whitespace() => fresh = false,
            _ => {}
        }
    }
    heads.push(word);
    heads.retain(|head| !head.is_empty());
    heads
}

/// A room, and what nothing in it may name.
const FORBIDDEN: [(&str, &[&str]); 10] = [
    (
        "domain/",
        &[
            "leptos",
            "axum",
            "sqlx",
            "tokio",
            "std::time",
            "crate::ui",
            "crate::features",
            "crate::service",
            "crate::store",
            "crate::http",
            "crate::config",
            "crate::secret",
            "crate::error",
            "crate::app",
            "crate::cli",
        ],
    ),
    (
        "ui/",
        &[
            "server",
            "crate::features",
            "crate::service",
            "crate::store",
            "crate::http",
            "crate::cli",
            "crate::app",
            "sqlx",
            "axum",
        ],
    ),
    ("features/", &["crate::store", "crate::cli", "sqlx", "crate::secret"]),
    (
        "service/",
        &[
            "leptos",
            "axum",
            "leptos_axum",
            "crate::http",
            "crate::features",
            "crate::ui",
            "crate::app",
            "crate::cli",
            "crate::error",
        ],
    ),
    (
        "store/",
        &[
            "leptos",
            "axum",
            "crate::service",
            "crate::http",
            "crate::features",
            "crate::ui",
            "crate::app",
            "crate::cli",
            "crate::config",
            "crate::error",
        ],
    ),
    ("http/", &["sqlx", "crate::cli"]),
    ("cli/", &["sqlx", "leptos", "crate::features", "crate::ui"]),
    (
        "secret.rs",
        &["crate", "crate::domain", "crate::service", "crate::store", "crate::http", "leptos", "axum", "sqlx"],
    ),
    ("error.rs", &["sqlx", "axum", "crate::service", "crate::store", "crate::http"]),
    ("app.rs", &["server", "sqlx", "crate::store", "crate::service"]),
];

#[test]
fn arrows_point_one_way() {
    let mut wrong = Vec::new();
    for (path, code) in files() {
        for (room, forbidden) in FORBIDDEN {
            if path.starts_with(room) {
                wrong.extend(
                    named(&code)
                        .iter()
                        .filter(|n| forbidden.contains(&n.as_str()))
                        .map(|n| format!("{path} names {n}")),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The reader of the arrows finds what it looks for.
#[test]
fn the_reader_reads() {
    let code = "use crate::{\n  domain::{ids::KeyId, key},\n  store,\n  service::Error};\nuse leptos::prelude::*;\n// use axum::x\n\
                fn f() { crate::http::context::app(); sqlx::query(SQL) }";
    let names = named(code);
    for name in ["crate::domain", "crate::store", "crate::service", "crate::http", "leptos", "sqlx"] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    assert!(!names.contains("axum") && !names.contains("prelude"), "{names:?}");
}

/// Server functions say who asks and hand over: a page that reached around them would have no caller.
#[test]
fn only_server_functions_reach_the_service() {
    for (path, code) in files() {
        if path.starts_with("features/") && !path.ends_with("/api.rs") {
            let names = named(&code);
            assert!(!names.contains("crate::service") && !names.contains("crate::http"), "{path}: {names:?}");
        }
    }
}

/// Two types alone carry a secret over the wire, and they alone are written by hand; whoever adds a third lists it here.
#[test]
fn two_types_alone_carry_a_secret_over_the_wire() {
    let (_, code) = files().into_iter().find(|(path, _)| path == "domain/sensitive.rs").expect("the file");
    let made: Vec<_> = code
        .split("sensitive!(")
        .skip(1)
        .filter_map(|rest| {
            rest.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("///")).map(ToOwned::to_owned)
        })
        .collect();
    assert_eq!(made, ["Password", "RevealedSecret"]);
    for (path, code) in files() {
        // A field that is called like a secret has one of the types made for it.
        for line in code.lines().map(str::trim) {
            let Some((name, kind)) = line.trim_end_matches(',').split_once(": ") else { continue };
            let name = name.trim_start_matches("pub ").trim();
            if ["password", "secret", "secret_key"].contains(&name)
                && !line.starts_with("//")
                && !kind.contains("Error")
            {
                let kinds =
                    ["Password", "RevealedSecret", "Zeroizing", "PlainSecret", "&Password", "&str", "RevealedSecret::"];
                assert!(kinds.iter().any(|k| kind.starts_with(k)), "{path}: {line}");
            }
        }
    }
}

/// An unaudited write is upkeep, and its uses can be counted.
#[test]
fn unrecorded_writes_are_listed() {
    let mut uses: Vec<_> = files()
        .into_iter()
        .flat_map(|(path, code)| vec![path; code.matches("Kept::unrecorded").count()])
        .filter(|path| path != "store/queue.rs")
        .collect();
    uses.sort();
    let expected = [
        "http/sessions.rs",
        "http/sessions.rs",
        "http/sessions.rs",       // kept, seen, ended; signing in and out have their events
        "service/keys/change.rs", // nothing changed
        "service/keys/purge.rs",  // restored meanwhile
        "service/signer.rs",      // another node was faster
        "service/upkeep.rs",      // sessions swept, change notes forgotten
        "service/usage.rs",       // last used
    ];
    assert_eq!(uses, expected);
}
