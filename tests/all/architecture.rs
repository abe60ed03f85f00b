//! Architecture rules that the compiler does not check: calls of services from pages, and the types of secrets.

use std::path::{Path, PathBuf};

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

/// Returns every source file: its path, and its text before its own tests. The path is below `src` for the root
/// package, and `CRATE/PATH` for the other crates.
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

/// Permissions are decided only in `core/permissions.rs`: no other code compares a role, or checks the administrator
/// role.
#[test]
fn one_table_decides_permissions() {
    let mut wrong = Vec::new();
    for (path, code) in files() {
        if path == "core/permissions.rs" || path.starts_with("domain/") {
            continue;
        }
        for (at, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            if compares_a_role(line) {
                wrong.push(format!(
                    "{path}:{}: call `role_allows(role, Action::…)` instead of: {}",
                    at + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns whether a line decides by a role: `role == Role::Owner`, `matches!(role, Role::Owner)`, or a
/// match arm such as `Some(Role::Owner) => Ok(())`.
fn compares_a_role(line: &str) -> bool {
    const SIGNS: [&str; 10] =
        ["== ", "!= ", "matches!(", "if let ", "let else", "contains(&", "=> Ok(", "=> Err(", "=> true", "=> false"];
    line.contains("Role::") && SIGNS.iter().any(|sign| line.contains(sign))
}

/// Tests `compares_a_role`: it finds comparisons, and ignores code that only assigns or names a role.
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

/// Only the files `api.rs` find the caller and call the service. A page that called it directly would have no caller.
/// `access.rs` names permissions, and calls nothing.
#[test]
fn only_the_api_of_a_feature_reaches_the_service() {
    let of_pages = files().into_iter().filter(|(path, _)| path.starts_with("web/features/"));
    let (api, others): (Vec<_>, Vec<_>) = of_pages.partition(|(path, _)| path.ends_with("/api.rs"));
    let calls = |code: &str| {
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.into_iter().any(|line| line.contains("service::") || line.contains("http::context"))
    };
    assert!(api.len() > 8 && api.iter().all(|(_, code)| calls(code)), "the files with the calls were found");
    let wrong: Vec<_> = others
        .iter()
        .filter(|(path, code)| path != "web/features/access.rs" && calls(code))
        .map(|(path, _)| path)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Only two types carry a secret over the wire, and only these are hand-written. A third type must be added to this
/// list.
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
        // A field with the name of a secret has one of the types for secrets.
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

/// Writes without an audit event are background jobs or no-ops. Each use is listed here with its reason.
#[test]
fn unrecorded_writes_are_listed() {
    let mut uses: Vec<_> = files()
        .into_iter()
        .flat_map(|(path, code)| vec![path; code.matches("WriteOutcome::unaudited").count()])
        .filter(|path| path != "store/write_queue.rs")
        .collect();
    uses.sort();
    let expected = [
        "core/sweep.rs",                // background deletion: expired sessions, old change notes
        "service/accounts/identity.rs", // no-op: the identity is already linked
        "service/accounts/profile.rs",  // no-op
        "service/accounts/reset.rs",    // no-op: the hourly limit of emails is reached
        "service/accounts/session_records.rs",
        "service/accounts/session_records.rs", // last-seen time; deletion: sign-out has its own event
        "service/accounts/sign_up.rs",
        "service/accounts/sign_up.rs", // no-op: the same limit; link created: no account exists yet
        "service/accounts/start_session.rs", // session inserted: sign-in has its own event
        "service/audit/sign.rs",       // checkpoint: it is signed itself
        "service/drafts.rs",
        "service/drafts.rs", // form draft stored; form draft restored
        "service/folding.rs",
        "service/folding.rs",         // derived columns: the names do not change
        "service/keys/bulk.rs",       // no-op for all selected keys
        "service/keys/purge.rs",      // no-op: restored in the meantime
        "service/keys/transition.rs", // no-op
        "service/oauth/clients.rs",   // grants of a removed program, each with its own event
        "service/oauth/codes.rs",
        "service/oauth/codes.rs",
        "service/oauth/codes.rs",
        "service/oauth/codes.rs", // unknown code; redeemed: consent has its event; ended (twice): own events
        "service/oauth/device_authorization.rs",
        "service/oauth/device_authorization.rs", // device authorization started; polled: the user's response has an event
        "service/oauth/expired_grants.rs",       // each unredeemed grant has its own event
        "service/oauth/grant_consent.rs",
        "service/oauth/grant_consent.rs", // no grant: the client receives the error response
        "service/oauth/grants.rs",        // each revoked grant has its own event
        "service/oidc/attempt.rs",
        "service/oidc/attempt.rs", // attempt started; attempt used: sign-in has its own events
        "service/policy.rs",
        "service/policy.rs", // no-op
        "service/projects/change.rs",
        "service/projects/change.rs",
        "service/projects/change.rs",  // no-op
        "service/projects/invite.rs",  // link shown: its event names the recipient
        "service/projects/join.rs",    // no-op: already a member
        "service/projects/members.rs", // no-op
        "service/projects/read.rs",    // no-op: another request recorded the view
        "service/scopes.rs",
        "service/scopes.rs", // no-op: the scope is in use; the scope is already retired
        "service/users/activity.rs",
        "service/users/activity.rs",
        "service/users/activity.rs",
        "service/users/activity.rs", // no-op; keys of a disabled user, each with its own event
        "service/users/admin_role.rs", // no-op
        "verify/signer.rs",
        "verify/signer.rs", // no-op: another node inserted the key first
        "verify/tokens/revoke.rs",
        "verify/tokens/revoke.rs",
        "verify/tokens/revoke.rs", // already revoked; limit reached; revoked by another node
        "verify/tokens/rotate.rs", // no-op: another node removed the key
        "verify/usage/flush.rs",
        "verify/usage/flush.rs",
        "verify/usage/flush.rs", // usage counts
        "verify/usage/sweep.rs", // deletion of old usage counts
    ];
    assert_eq!(uses, expected);
}
