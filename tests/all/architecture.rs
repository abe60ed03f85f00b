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
pub fn files() -> Vec<(String, String)> {
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
const FORBIDDEN: [(&str, &[&str]); 11] = [
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
        "islands/",
        &[
            "axum",
            "leptos_axum",
            "leptos_router",
            "sqlx",
            "server",
            "crate::service",
            "crate::store",
            "crate::http",
            "crate::app",
            "crate::cli",
            "crate::config",
            "crate::secret",
            "crate::live",
        ],
    ),
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

/// Islands draw with the parts of `ui`, and ask server functions: of a feature they know its `api` alone.
#[test]
fn islands_know_only_the_server_functions_of_features() {
    for (path, code) in files().into_iter().filter(|(path, _)| path.starts_with("islands/")) {
        let code: String = code.split_whitespace().collect();
        for (at, _) in code.match_indices("features::") {
            let rest = &code[at + "features::".len()..];
            let api =
                rest.split("::").nth(1).is_some_and(|it| it.split([',', ';', '{', '}', '(']).next() == Some("api"));
            assert!(api, "{path} names features::{}", &rest[..rest.len().min(40)]);
        }
    }
}

/// What keeps the page alive knows the page, not the application: it names none of our rooms, and no module above its own.
#[test]
fn the_live_page_names_none_of_our_rooms() {
    let rooms =
        ["app", "cli", "config", "domain", "error", "features", "http", "islands", "secret", "service", "store", "ui"];
    let mut seen = 0;
    for (path, code) in files().into_iter().filter(|(path, _)| path.starts_with("live/")) {
        seen += 1;
        for name in named(&code) {
            let room = name.strip_prefix("crate::").unwrap_or("live");
            assert!(!rooms.contains(&room), "{path} names {name}");
            assert!(
                !["leptos_router", "leptos_meta", "axum", "sqlx", "tokio"].contains(&name.as_str()),
                "{path} names {name}"
            );
        }
    }
    assert!(seen > 5, "the files were found");
}

/// The browser's library holds server functions and islands, no page: each feature's modules but `api` are the server's alone.
#[test]
fn pages_are_built_for_the_server_alone() {
    let mut seen = 0;
    let is_feature =
        |path: &str| path.starts_with("features/") && path.ends_with("/mod.rs") && path != "features/mod.rs";
    for (path, code) in files().into_iter().filter(|(path, _)| is_feature(path)) {
        let lines: Vec<_> = code.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(module) = line.trim_start_matches("pub ").strip_prefix("mod ") else { continue };
            let module = module.trim_end_matches(';');
            let gated = at > 0 && lines[at - 1] == "#[cfg(feature = \"ssr\")]";
            assert_eq!(gated, module != "api", "{path}: {module}");
            seen += 1;
        }
    }
    assert!(seen > 20, "the modules were found: {seen}");
}

/// Who may do what stands in `service/can.rs` and nowhere else: no other code compares a role, or an administrator's power, by hand.
#[test]
fn one_table_decides_who_may_do_what() {
    let mut wrong = Vec::new();
    for (path, code) in files() {
        if path == "service/can.rs" || path.starts_with("domain/") {
            continue;
        }
        for (at, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            if compares_a_role(line) {
                wrong.push(format!("{path}:{}: ask can(role, Action::…) instead of: {}", at + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `role == Role::Owner`, `matches!(role, Role::Owner)`, `Some(Role::Owner) => …` as an arm that lets pass or refuses.
fn compares_a_role(line: &str) -> bool {
    const SIGNS: [&str; 10] =
        ["== ", "!= ", "matches!(", "if let ", "let else", "contains(&", "=> Ok(", "=> Err(", "=> true", "=> false"];
    line.contains("Role::") && SIGNS.iter().any(|sign| line.contains(sign))
}

/// The reader of roles finds what it looks for, and lets a role be given or named.
#[test]
fn the_reader_of_roles_reads() {
    for line in [
        "may_configure: role == Role::Owner,",
        "if role != Some(Role::Viewer) {",
        "matches!(role, Role::Owner | Role::Operator)",
        "Some(Role::Owner) => Ok(()),",
        "Role::Viewer => false,",
        "if let Some(Role::Owner) = role {",
        "[Role::Owner].contains(&Role::Viewer)",
    ] {
        assert!(compares_a_role(line), "{line}");
    }
    for line in [
        "Role::Owner => \"Owner\",",
        "store::projects::join(tx, id, user, Role::Owner.as_str(), now)",
        "user => user.map(|_| Role::Operator),",
        "view(row, &viewer, Some(Role::Operator), now)",
    ] {
        assert!(!compares_a_role(line), "{line}");
    }
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
        "http/sessions.rs",             // seen, ended; signing out has its event
        "service/accounts/begin.rs",    // a session kept: signing in has its event
        "service/accounts/identity.rs", // it was linked before
        "service/accounts/profile.rs",  // nothing changed
        "service/accounts/reset.rs",    // the hourly limit of emails was reached: no link was made
        "service/accounts/sign_up.rs",
        "service/accounts/sign_up.rs", // the same; a link was made, and no account yet
        "service/audit/sign.rs",       // a checkpoint, which is signed itself
        "service/drafts.rs",
        "service/drafts.rs", // what was typed into a form, kept and given back
        "service/folding.rs",
        "service/folding.rs",     // derived columns: the names are as they were
        "service/keys/change.rs", // nothing changed
        "service/keys/chosen.rs", // nothing of all that was chosen changed
        "service/keys/purge.rs",  // restored meanwhile
        "service/oauth/allow.rs",
        "service/oauth/allow.rs",   // nothing was allowed: the program is told why
        "service/oauth/clients.rs", // the grants of a removed program, each with its event
        "service/oauth/codes.rs",
        "service/oauth/codes.rs",
        "service/oauth/codes.rs",
        "service/oauth/codes.rs", // no such code; redeemed: allowing it has its event; what was ended has its own, twice
        "service/oauth/devices.rs",
        "service/oauth/devices.rs", // a device began, asked: answering it has its event
        "service/oauth/grants.rs",  // what was revoked has its event
        "service/oauth/left.rs",    // so has what nobody came for
        "service/oidc/attempt.rs",
        "service/oidc/attempt.rs", // begun, used: signing in has its events
        "service/policy.rs",
        "service/policy.rs", // nothing changed
        "service/projects/change.rs",
        "service/projects/change.rs",
        "service/projects/change.rs",  // nothing changed
        "service/projects/invite.rs",  // the link was shown: its event says to whom
        "service/projects/join.rs",    // a member already
        "service/projects/members.rs", // nothing changed
        "service/projects/read.rs",    // another page noted the look
        "service/scopes.rs",
        "service/scopes.rs", // in use: nothing removed; retired already
        "service/signer.rs",
        "service/signer.rs", // another node was faster
        "service/tokens/revoke.rs",
        "service/tokens/revoke.rs",
        "service/tokens/revoke.rs", // revoked before, meanwhile by another node; too many were
        "service/tokens/rotate.rs", // another node removed it
        "service/upkeep.rs",        // sessions swept, change notes forgotten
        "service/usage/flush.rs",
        "service/usage/flush.rs",
        "service/usage/flush.rs", // what was counted
        "service/usage/sweep.rs", // forgotten
        "service/users/activity.rs",
        "service/users/activity.rs",
        "service/users/activity.rs",
        "service/users/activity.rs", // nothing changed; the keys of a disabled user, each with its event
        "service/users/power.rs",    // nothing changed
    ];
    assert_eq!(uses, expected);
}
