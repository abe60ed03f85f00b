//! The administration commands of the binary.

use super::*;

/// The command-line commands that restore a user's access, and the requests that they reject.
#[test]
fn the_command_line_looks_after_people() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = crate::cli::run(folder.path(), arguments, PASSWORD);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), text)
    };
    let create = |email: &str, more: &[&str]| {
        let (done, text) = run(&[&["admin", "create-user", "--email", email, "--password-stdin"], more].concat());
        assert!(done, "{text}");
    };
    create(ROOT, &["--admin"]);
    create(MAREN, &[]);
    let people = || -> Value { serde_json::from_str(&run(&["admin", "list-users", "--json"]).1).unwrap() };
    let facts = |email: &str| {
        let all = people();
        let found = all.as_array().unwrap().iter().find(|it| it["email"] == email).unwrap().clone();
        assert!(found.get("password_hash").is_none());
        (found["admin"].as_bool().unwrap(), found["active"].as_bool().unwrap())
    };
    assert_eq!((facts(ROOT), facts(MAREN)), ((true, true), (false, true)));
    for verb in ["unmake-admin", "disable-user"] {
        let (done, text) = run(&["admin", verb, "--email", ROOT]);
        assert!(!done && text.contains("No other administrator can sign in"), "{text}");
    }
    let off = |email: &str| run(&["admin", "second-factor-off", "--email", email]);
    let (done, text) = off(MAREN);
    assert!(!done && text.contains(&format!("two-factor authentication of {MAREN} is already off")), "{text}");
    let (done, text) = off("nobody@x.example");
    assert!(!done && text.contains("no user has the email address nobody@x.example"), "{text}");
    let (done, text) = run(&["admin", "make-admin", "--email", " Maren@pelagic.example"]);
    assert!(done && text.contains("is now an administrator"), "{text}");
    let made = run(&["keys", "create", "--project", "maren’s project", "--name", "Job", "--json"]);
    assert!(made.0, "{}", made.1);
    let (done, text) = run(&["admin", "disable-user", "--email", ROOT, "--keys", "--reason", "Lost."]);
    assert!(done && text.contains("Keys deactivated: 0."), "{text}");
    assert_eq!((facts(ROOT), facts(MAREN)), ((true, false), (true, true)));
    assert!(run(&["admin", "list-users"]).1.contains("disabled  administrator  root@keys.example"));
    assert!(run(&["admin", "enable-user", "--email", ROOT]).0);
    assert!(run(&["admin", "unmake-admin", "--email", ROOT]).0);
    assert_eq!((facts(ROOT), facts(MAREN)), ((false, true), (true, true)));
    let (done, text) = run(&["admin", "make-admin", "--email", "nobody@x.example"]);
    assert!(!done && text.contains("not found: check the ID"), "{text}");
}
