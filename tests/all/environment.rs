//! Environment variables: an empty variable counts as unset, and a misspelled name causes a warning.

use super::cli::{BINARY, PASSWORD, run};
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
};

/// Collects the variables of all settings from clap's command tree.
fn variables(command: &clap::Command, found: &mut BTreeSet<String>) {
    found.extend(command.get_arguments().filter_map(|it| it.get_env()).map(|it| it.to_str().unwrap().to_owned()));
    command.get_subcommands().for_each(|it| variables(it, found));
}

/// Starts a server with these variables. Returns its first output line and its log.
pub(super) fn serve(folder: &Path, variables: &[(String, &str)]) -> (String, String) {
    let mut child = Command::new(BINARY)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut line = String::new();
    let _ = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
    let _ = Command::new("kill").arg(child.id().to_string()).status();
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    child.wait().unwrap();
    (line, log)
}

#[test]
fn an_empty_variable_is_an_unset_one_for_every_setting() {
    let mut names = BTreeSet::new();
    variables(&keyward::cli::command(), &mut names);
    assert!(names.len() > 15 && names.contains("KEYWARD_NAME"), "{names:?}");
    let empty: Vec<_> = names.iter().map(|name| (name.clone(), "")).collect();
    let folder = tempfile::tempdir().unwrap();
    let (line, log) = serve(folder.path(), &empty);
    assert!(line.contains("is running at http://127.0.0.1:"), "{log}");
    assert!(folder.path().join("data/keyward.db").exists(), "the default of KEYWARD_DATABASE_URL");
    for (name, _) in &empty {
        let run = |value: Option<&str>| {
            let mut command = Command::new(BINARY);
            command.args(["admin", "list-users"]).current_dir(folder.path()).env_clear();
            value.map(|value| command.env(name, value));
            let output = command.output().unwrap();
            (output.status.code(), output.stdout, output.stderr)
        };
        assert_eq!(run(Some("")), run(None), "{name}");
    }
    let help = Command::new(BINARY).args(["serve", "--help"]).env_clear().envs(empty).output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for name in names.iter().filter(|name| *name != "KEYWARD_KEY") {
        assert!(help.contains(name.as_str()), "{name}: {help}");
    }
}

/// `KEYWARD_KEY`, the key for `--url`, is not a clap setting but follows the same rule.
#[test]
fn an_empty_key_is_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |key: Option<&str>| {
        let mut command = Command::new(BINARY);
        command.args(["keys", "list", "--url", "http://127.0.0.1:1"]).current_dir(folder.path()).env_clear();
        key.map(|key| command.env("KEYWARD_KEY", key));
        command.output().unwrap()
    };
    assert_eq!(ask(Some("")).stderr, ask(None).stderr);
    assert!(String::from_utf8_lossy(&ask(None).stderr).contains("the key for the server is missing: set KEYWARD_KEY"));
}

#[test]
fn a_misspelt_variable_is_warned_of_with_the_nearest_name() {
    let folder = tempfile::tempdir().unwrap();
    let database = ("KEYWARD_DATABASE_URL".to_owned(), "sqlite:keyward.db");
    let misspelt = ("KEYWARD_LISTN".to_owned(), "hunter2hunter2");
    let (line, log) = serve(folder.path(), &[database, misspelt]);
    assert!(line.contains("is running at"), "a warning stops nothing: {log}");
    assert!(
        log.contains("WARN") && log.contains("KEYWARD_LISTN") && log.contains("did you mean KEYWARD_LISTEN?"),
        "{log}"
    );
    assert!(!log.contains("hunter2"), "{log}");

    let made = run(folder.path(), &["admin", "create-user", "--email", "a@b.example", "--password-stdin"], PASSWORD);
    assert!(made.stderr.is_empty(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut command = Command::new(BINARY);
    command.args(["admin", "list-users"]).current_dir(folder.path()).env_clear();
    let output =
        command.env("KEYWARD_DATABASE_URL", "sqlite:keyward.db").env("KEYWARD_DATABSE_URL", "x").output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && message.contains("did you mean KEYWARD_DATABASE_URL?"), "{message}");
}

/// clap names only the option. The error message also names the variable, because that is what the operator set.
#[test]
fn a_wrong_value_of_a_variable_is_reported_with_its_name() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let folder = tempfile::tempdir().unwrap();
    let serve = |arguments: &[&str], variable: Option<(&str, &OsStr)>| {
        let mut command = Command::new(BINARY);
        command.arg("serve").args(arguments).current_dir(folder.path()).env_clear().envs(variable);
        let output = command.output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        message
    };
    for (variable, value) in [
        ("KEYWARD_LISTEN", "nowhere"),
        ("KEYWARD_PUBLIC_URL", "keys.example.com"),
        ("KEYWARD_TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
        ("KEYWARD_CACHE_KEYS", "many"),
        ("KEYWARD_TOKEN_ALG", "none"),
        ("KEYWARD_LOG", "loud"),
        ("KEYWARD_DATABASE_URL", "mysql://host"),
    ] {
        let message = serve(&[], Some((variable, OsStr::new(value))));
        let option = variable.trim_start_matches("KEYWARD").to_lowercase().replace('_', "-");
        assert!(message.contains(&format!("-{option}")) && message.contains(&format!("({variable})")), "{message}");
    }
    let message = serve(&["--listen", "nowhere"], None);
    assert!(message.contains("--listen") && !message.contains("KEYWARD_LISTEN"), "{message}");
    let message = serve(&[], Some(("KEYWARD_NAME", OsStr::from_bytes(b"\xff"))));
    assert!(message.contains("KEYWARD_NAME is not UTF-8"), "{message}");
}
