//! Architecture rules that the compiler does not check: calls of services from pages, and the types of secrets.

use crate::support::rust_source;
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

/// Returns every source file: its path, and its text without its own tests. The path is below `src` for the root
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
            let code = rust_source::without_tests(&text);
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
        // A call is on one line here: a long one is broken in the source.
        let code = rust_source::with_joined_calls(&code, "matches");
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
    let broken = "a\nlet b = matches!(\n    role,\n    Role::Owner // one\n);\nc";
    let joined = rust_source::with_joined_calls(broken, "matches");
    assert_eq!(joined, "a\nlet b = matches!(role,Role::Owner);\n\n\n\nc");
    assert!(joined.lines().any(compares_a_role));
}

/// Only the files `api.rs` find the caller and call the service. A page that called it directly would have no caller.
/// `access.rs` and `view.rs` use permissions, the caller, and formats, and call no service.
#[test]
fn only_the_api_of_a_feature_reaches_the_service() {
    let of_pages = files().into_iter().filter(|(path, _)| path.starts_with("web/features/"));
    let (api, others): (Vec<_>, Vec<_>) = of_pages.partition(|(path, _)| path.ends_with("/api.rs"));
    let calls = |code: &str| {
        // A path may be broken after its first segment: `use crate::{http::{context, …}}`.
        let tokens = rust_source::tokens(code);
        let follows = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.text == text);
        tokens.iter().enumerate().any(|(at, token)| match token.text {
            "service" => follows(at + 1, "::") || follows(at + 1, "as"),
            "context" => at >= 2 && follows(at - 1, "::") && follows(at - 2, "http"),
            "http" => follows(at + 1, "::") && follows(at + 2, "{") && !(at >= 2 && follows(at - 2, "axum")),
            _ => false,
        })
    };
    assert!(api.len() > 8 && api.iter().all(|(_, code)| calls(code)), "the files with the calls were found");
    let wrong: Vec<_> = others
        .iter()
        .filter(|(path, code)| {
            // The 404 page only asks whether there is a session.
            !["web/features/access.rs", "web/features/keys/view.rs", "web/features/session/not_found.rs"]
                .contains(&path.as_str())
                && calls(code)
        })
        .map(|(path, _)| path)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Only two types carry a secret over the wire, and only these are hand-written. A third type must be added to this
/// list.
#[test]
fn two_types_alone_carry_a_secret_over_the_wire() {
    let (_, code) = files().into_iter().find(|(path, _)| path == "domain/sensitive.rs").expect("the file");
    let tokens: Vec<_> = rust_source::tokens(&code).iter().map(|token| token.text).collect();
    let made: Vec<_> = tokens
        .windows(4)
        .filter_map(|it| match it {
            ["sensitive", "!", "(", name] => Some(*name),
            _ => None,
        })
        .collect();
    assert_eq!(made, ["Password", "RevealedSecret"]);
    let mut wrong = Vec::new();
    for (path, code) in files() {
        for field in rust_source::fields(&code).iter().filter(|field| is_named_as_a_secret(field.name)) {
            let exception = (path.as_str(), field.name, field.kind.as_str());
            if !is_of_a_secret_type(&field.kind) && !NOT_OF_A_SECRET_TYPE.contains(&exception) {
                wrong.push(format!("{path}: {}.{}: {}", field.owner, field.name, field.kind));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Declarations with the name of a secret and a type that is not for secrets.
const NOT_OF_A_SECRET_TYPE: [(&str, &str, &str); 2] = [
    // Types of the OpenAPI document, which have no values.
    ("api/openapi/schemas/oauth.rs", "client_secret", "Option<String>"),
    // The command-line parser returns a string. The settings have it as `Zeroizing`.
    ("config/oidc.rs", "oidc_client_secret", "Option<String>"),
];

fn is_named_as_a_secret(name: &str) -> bool {
    ["password", "secret", "secret_key"]
        .iter()
        .any(|secret| name.strip_suffix(secret).is_some_and(|before| before.is_empty() || before.ends_with('_')))
}

/// Returns whether a type is one for secrets, a reference to the text or the bytes of one, or says whether there is one.
fn is_of_a_secret_type(kind: &str) -> bool {
    const KINDS: [&str; 9] = [
        "Password",
        "RevealedSecret",
        "Zeroizing<",
        "PlainSecret",
        "VerifiedPassword",
        "&Password",
        "&PlainSecret",
        "&str",
        "&[u8]",
    ];
    let kind = kind.strip_prefix("Option<").unwrap_or(kind);
    kind == "bool" || KINDS.iter().any(|it| kind.starts_with(it))
}

/// Tests the rule for secrets: each declaration is read, wherever its lines are broken.
#[test]
fn the_reader_of_secrets_reads() {
    for declaration in [
        "struct A { password: String }",
        "struct A { id: u8, pub client_secret:\n Option<String>, }",
        "enum A { B { secret: Vec<u8> } }",
        "fn a(id: u8, new_password: String) {}",
        "form_action! { A(id: u8, secret_key: String) -> () {} }",
    ] {
        let fields = rust_source::fields(declaration);
        let fields: Vec<_> = fields.iter().filter(|field| is_named_as_a_secret(field.name)).collect();
        assert!(matches!(fields[..], [field] if !is_of_a_secret_type(&field.kind)), "{declaration}: {fields:?}");
    }
    for declaration in [
        "struct A { password: Password, secret: Option<Zeroizing<String>> }",
        "fn a(secret: &str, password: &Password) { B { password: String::new() }; }",
        "struct A { secrets: String, password_hash: String }",
    ] {
        let fields = rust_source::fields(declaration);
        let named = |field: &&rust_source::Field<'_>| is_named_as_a_secret(field.name);
        assert!(fields.iter().filter(named).all(|field| is_of_a_secret_type(&field.kind)), "{declaration}: {fields:?}");
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
