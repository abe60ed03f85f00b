//! Rules that the compiler does not check: imports within the server's crate, and which types may hold a secret.

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

/// Every source file with its path, and its text up to its own tests. The path is below `src` for the root package, and
/// `CRATE/PATH` for the others.
pub fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (own, crates) = (root.join("src"), root.join("crates"));
    let mut found = Vec::new();
    sources(&own, &mut found);
    sources(&crates, &mut found);
    assert!(found.len() > 60, "the sources were found");
    found
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("readable");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            let below = path.strip_prefix(&own).or_else(|_| path.strip_prefix(&crates)).expect("below a source folder");
            (below.to_string_lossy().replacen("/src/", "/", 1), code)
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
const FORBIDDEN: [(&str, &[&str]); 4] = [
    ("features/", &["crate::store", "crate::cli", "sqlx", "crate::secret"]),
    ("http/", &["sqlx", "crate::cli"]),
    ("cli/", &["sqlx", "leptos", "crate::features", "crate::ui"]),
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

/// Who may do what stands in `core/can.rs` and nowhere else: no other code compares a role, or an administrator's power, by hand.
#[test]
fn one_table_decides_who_may_do_what() {
    let mut wrong = Vec::new();
    for (path, code) in files() {
        if path == "core/can.rs" || path.starts_with("domain/") {
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

/// The files `api.rs` find the caller and call the service. A page that called it directly would have no caller.
#[test]
fn only_the_api_of_a_feature_reaches_the_service() {
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
        "core/sweep.rs", // sessions swept, change notes forgotten
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
        "service/users/activity.rs",
        "service/users/activity.rs",
        "service/users/activity.rs",
        "service/users/activity.rs", // nothing changed; the keys of a disabled user, each with its event
        "service/users/power.rs",    // nothing changed
        "verify/signer.rs",
        "verify/signer.rs", // another node was faster
        "verify/tokens/revoke.rs",
        "verify/tokens/revoke.rs",
        "verify/tokens/revoke.rs", // revoked before, meanwhile by another node; too many were
        "verify/tokens/rotate.rs", // another node removed it
        "verify/usage/flush.rs",
        "verify/usage/flush.rs",
        "verify/usage/flush.rs", // what was counted
        "verify/usage/sweep.rs", // forgotten
    ];
    assert_eq!(uses, expected);
}
