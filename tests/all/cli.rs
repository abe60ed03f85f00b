//! Command-line interface: the commands of the binary as an operator runs them, also beside a running server.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

pub(super) const BINARY: &str = env!("CARGO_BIN_EXE_keyward");
pub(super) const PASSWORD: &str = "the tide turns at nine";

pub(super) fn keyward(folder: &Path, arguments: &[&str]) -> Output {
    run(folder, arguments, "")
}

pub(super) fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(BINARY)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("KEYWARD_DATABASE_URL", "sqlite:keyward.db")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that reads no input may end before the write.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

pub(super) fn out(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

pub(super) fn err(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server process on a free port. It is stopped when the value is dropped.
pub(super) struct Server {
    child: Child,
    pub(super) address: String,
    printed: String,
}

impl Server {
    pub(super) fn start(folder: &Path, lines: usize) -> Self {
        Self::start_on(folder, lines, "sqlite:keyward.db", &[])
    }

    /// Starts a server with these arguments.
    pub(super) fn start_with(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_on(folder, 1, "sqlite:keyward.db", arguments)
    }

    /// Starts a server on this database.
    fn start_on(folder: &Path, lines: usize, database: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .arg("serve")
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("KEYWARD_DATABASE_URL", database)
            // An argument takes precedence over this variable.
            .env("KEYWARD_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first_line = String::new();
        for _ in 0..lines {
            reader.read_line(&mut first_line).expect("it speaks");
        }
        let address = first_line
            .split("http://")
            .nth(1)
            .expect("the address")
            .split_whitespace()
            .next()
            .expect("an address")
            .to_owned();
        Self { child, address, printed: first_line }
    }

    /// Stops the server with SIGTERM, and returns whether it exits with success.
    pub(super) fn stop(mut self) -> bool {
        let kill_status = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        kill_status.success() && self.child.wait().expect("it ends").success()
    }

    /// Sends one request over a new connection.
    fn request(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it answers");
        write!(
            stream,
            "{head}\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("read");
        answer
    }

    pub(super) fn verify(&self, secret: &str) -> String {
        self.request(
            "POST /v1/keys/verify HTTP/1.1\r\nContent-Type: application/json",
            &format!(r#"{{"key": "{secret}"}}"#),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary hashes passwords at the cost of [`argon2::Params::DEFAULT`]. Tests use the lowest cost.
#[test]
fn the_binary_hashes_passwords_at_their_full_cost() {
    let folder = tempfile::tempdir().unwrap();
    out(&run(
        folder.path(),
        &["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"],
        PASSWORD,
    ));
    // The last connection writes the write-ahead log back into the file when it closes.
    let stored = std::fs::read(folder.path().join("keyward.db")).unwrap();
    let cost = b"$argon2id$v=19$m=19456,t=2,p=1$";
    assert!(stored.windows(cost.len()).any(|it| it == cost));
}

#[test]
fn the_story_at_the_command_line_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder, 3);
    assert!(server.printed.contains("/setup?code="), "{}", server.printed);

    let made = run(
        folder,
        &["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin", "--admin"],
        &format!("{PASSWORD}\n"),
    );
    assert!(out(&made).contains("Created the user"));
    let projects: serde_json::Value =
        serde_json::from_str(&out(&keyward(folder, &["projects", "list", "--json"]))).unwrap();
    let project = projects[0]["project_id"].as_str().unwrap();

    let create = [
        "keys",
        "create",
        "--project",
        project,
        "--name",
        "Nightly job",
        "--expires",
        "30d",
        "--scope",
        "data:read",
        "--json",
    ];
    let key: serde_json::Value = serde_json::from_str(&out(&keyward(folder, &create))).unwrap();
    let (secret, id) = (key["secret"].as_str().unwrap(), key["key_id"].as_str().unwrap());
    assert_eq!(key["project_id"], project);
    assert!(server.verify(secret).contains(r#""valid":true"#));

    let config = folder.join("config.json");
    std::fs::write(&config, r#"{"model": "harbour"}"#).unwrap();
    out(&keyward(folder, &["projects", "config", "--project", project, "--set", config.to_str().unwrap()]));
    assert_eq!(out(&keyward(folder, &["projects", "config", "--project", project])).trim(), r#"{"model":"harbour"}"#);

    assert!(out(&keyward(folder, &["keys", "list"])).contains("Nightly job"));
    out(&keyward(folder, &["keys", "deactivate", id]));
    let refused = server.verify(secret);
    assert!(refused.contains(r#""code":"inactive""#), "refused at the next request: {refused}");
    let listed = out(&keyward(folder, &["keys", "list", "--json"]));
    assert!(listed.contains(r#""status":"inactive""#) && !listed.contains(secret), "{listed}");
}

#[test]
fn rules_are_set_edited_and_listed_at_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    out(&run(folder, &["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"], PASSWORD));
    let create = |more: &[&str]| {
        let all = [&["keys", "create", "--project", "maren’s project", "--name", "Buoys", "--expires", "never"], more];
        keyward(folder, &all.concat())
    };
    let made = out(&create(&[
        "--network",
        "10.0.0.0/8",
        "--network",
        "192.0.2.7",
        "--not-before",
        "2099-12-01T09:00Z",
        "--rate",
        "100/minute,burst=20",
        "--description",
        "Tide gauges,\nnorth pier",
    ]));
    for words in ["2099-12-01T09:00:00Z", "10.0.0.0/8, 192.0.2.7/32", "100 requests per minute, burst 20"] {
        assert!(made.contains(words), "{words}: {made}");
    }
    let id = made.split("key_id").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    let listed =
        || -> serde_json::Value { serde_json::from_str(&out(&keyward(folder, &["keys", "list", "--json"]))).unwrap() };
    let rules = |key: &serde_json::Value| {
        serde_json::json!([key["status"], key["networks"], key["not_before"], key["rate_limit"], key["scopes"]])
    };
    let before = serde_json::json!([
        "scheduled",
        ["10.0.0.0/8", "192.0.2.7/32"],
        "2099-12-01T09:00:00Z",
        "100/minute,burst=20",
        []
    ]);
    assert_eq!(rules(&listed()[0]), before);
    assert_eq!(listed()[0]["description"], "Tide gauges,\nnorth pier");
    let shown = out(&keyward(folder, &["keys", "show", id]));
    assert!(shown.contains("\ndescription Tide gauges,\n            north pier\n"), "{shown}");
    let shown = out(&keyward(folder, &["keys", "list"]));
    assert!(
        shown.contains("not before 2099-12-01T09:00:00Z, from 10.0.0.0/8 and 1 more, 100 requests per minute"),
        "{shown}"
    );

    let edit = |changes: &[&str]| keyward(folder, &[&["keys", "edit", id], changes].concat());
    let printed = out(&edit(&[
        "--name",
        "Harbour",
        "--scope",
        "data:read",
        "--no-networks",
        "--no-not-before",
        "--rate",
        "5/day",
    ]));
    assert!(printed.contains("Edited “Harbour”"), "{printed}");
    assert_eq!(rules(&listed()[0]), serde_json::json!(["active", [], null, "5/day", ["data:read"]]));
    out(&edit(&["--network", "2001:db8::/32", "--no-rate", "--no-scopes", "--expires", "30d"]));
    let key = &listed()[0];
    assert_eq!(rules(key), serde_json::json!(["active", ["2001:db8::/32"], null, null, []]));
    assert!(key["expires_at"].is_string() && key["name"] == "Harbour", "{key}");
    assert_eq!(key["description"], "Tide gauges,\nnorth pier", "an edit keeps it");

    for (refused, words) in [
        (edit(&[]), "required"),
        (edit(&["--rate", "5/day", "--no-rate"]), "cannot be used with"),
        (edit(&["--network", "10.0.0.5/8", "--rate", "often", "--name", ""]), "inside 10.0.0.0/8"),
        (edit(&["--network", "10.0.0.5/8", "--rate", "often", "--name", ""]), "rate: Enter a limit such as 100/minute"),
        (edit(&["--not-before", "2020-02-29T09:00Z"]), "not_before: 29 February 2020, 09:00:00 UTC has passed"),
        (edit(&["--not-before", "2099-12-01"]), "would expire first"),
        (edit(&["--description", "a\tb"]), "description: Remove the tab or control character."),
        (edit(&["--scope", "no:such"]), "does not offer the scope no:such"),
        (
            keyward(folder, &["keys", "edit", "0199f8a0-0000-7000-8000-000000000000", "--no-rate"]),
            "not found: check the ID",
        ),
        (keyward(folder, &["keys", "show", "abc"]), "use a key ID as printed by: keyward keys list"),
        (keyward(folder, &["keys", "list", "--url", "foo"]), "use a URL such as https://keys.example.com"),
        (create(&["--network", "somewhere"]), "“somewhere” is not a valid network"),
    ] {
        let message = err(&refused);
        assert!(message.contains(words), "{words}: {message}");
    }
    assert_eq!(listed().as_array().unwrap().len(), 1);
    assert_eq!(&listed()[0], key, "what was refused changed nothing");
    let log = out(&keyward(folder, &["audit", "export"]));
    assert_eq!(log.matches("key.edited").count(), 2, "{log}");
    assert!(out(&keyward(folder, &["audit", "verify"])).contains("events"));
}

#[test]
fn a_server_stops_gracefully_and_keeps_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    out(&run(folder, &["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"], PASSWORD));
    let key = out(&keyward(folder, &["keys", "create", "--project", "maren’s project", "--name", "Job", "--json"]));
    let key: serde_json::Value = serde_json::from_str(&key).unwrap();
    let mut server = Server::start(folder, 1);
    assert!(server.verify(key["secret"].as_str().unwrap()).contains(r#""valid":true"#));
    let kill_status = Command::new("kill").arg(server.child.id().to_string()).status().unwrap();
    assert!(kill_status.success());
    assert!(server.child.wait().unwrap().success(), "it ends with success");
    assert!(!folder.join("keyward.db-wal").exists(), "the write-ahead log was taken into the database");
    assert!(folder.join("keyward.key").exists());
    #[cfg(unix)]
    for name in ["keyward.db", "keyward.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} is readable by its owner alone");
    }
}

#[test]
fn a_bad_value_is_named_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (arguments, words) in [
        (&["serve", "--public-url", "keys.example.com/x"][..], "without a path"),
        (&["serve", "--listen", "3000"][..], "--listen"),
        (&["serve", "--trusted-proxies", "10.0.0.0/99"][..], "10.0.0.0/8"),
        (&["--database-url", "mysql://h/d", "projects", "list"][..], "sqlite:PATH"),
        (&["--database-url", "postgres://h/d", "serve"][..], "keyward admin create-key-file"),
        (&["projects", "list"][..], "there is no database at keyward.db"),
        (&["keys", "deactivate", "x"][..], "<ID>"),
    ] {
        let message = err(&keyward(folder, arguments));
        assert!(message.contains(words), "{arguments:?}: {message}");
    }
    for url in ["postgres://u:hunter2hunter2/x@h/d", "mysql://u:hunter2hunter2@h/d"] {
        let message = err(&keyward(folder, &["--database-url", url, "projects", "list"]));
        assert!(message.contains("percent-encoded") && !message.contains("hunter2"), "{message}");
    }
    let message = err(&keyward(folder, &["serve", "--listen", "127.0.0.1:0", "--key-file", "absent/keyward.key"]));
    assert!(message.contains("absent/keyward.key") && message.contains("No such file"), "{message}");
    let weak = run(folder, &["admin", "create-user", "--email", "maren", "--password-stdin"], "short");
    let message = err(&weak);
    assert!(message.contains("email:") && !message.contains("short"), "{message}");
    let once = run(folder, &["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"], PASSWORD);
    out(&once);
    for (arguments, words) in [
        (&["keys", "create", "--project", "nowhere", "--name", "x"][..], "keyward projects list"),
        (&["keys", "create", "--project", "maren’s project", "--name", ""][..], "Enter a name for the key"),
        (
            &["keys", "create", "--project", "maren’s project", "--name", "x", "--expires", "soon"][..],
            "Choose 1 to 36,500 days",
        ),
        (
            &["keys", "create", "--project", "maren’s project", "--name", "x", "--scope", "no:such"][..],
            "does not offer the scope no:such",
        ),
    ] {
        let printed = err(&keyward(folder, arguments));
        assert!(printed.contains(words), "{arguments:?}: {printed}");
    }
}

/// On PostgreSQL the operator creates the key file once and copies it to every node: two nodes serve the same keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_two_nodes_serve_one_database() {
    let folder = tempfile::tempdir().unwrap();
    let keyward::store::Location::Postgres(url) =
        crate::support::database(crate::support::Engine::Postgres, &folder).await
    else {
        unreachable!("the engine is PostgreSQL")
    };
    let folder = folder.path();
    let command =
        |arguments: &[&str], input: &str| run(folder, &[&["--database-url", &url], arguments].concat(), input);
    let message = err(&command(&["serve", "--key-file", "keyward.key"], ""));
    assert!(message.contains("keyward admin create-key-file keyward.key"), "{message}");
    out(&keyward(folder, &["admin", "create-key-file", "keyward.key"]));
    let first = Server::start_on(folder, 3, &url, &["--key-file", "keyward.key"]);
    let second = Server::start_on(folder, 3, &url, &["--key-file", "keyward.key"]);
    out(&command(&["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"], PASSWORD));
    let key = out(&command(&["keys", "create", "--project", "maren’s project", "--name", "Job", "--json"], ""));
    let key: serde_json::Value = serde_json::from_str(&key).unwrap();
    let secret = key["secret"].as_str().unwrap();
    for node in [&first, &second] {
        assert!(node.verify(secret).contains(r#""valid":true"#));
    }
    let jwks = |node: &Server| {
        node.request("GET /.well-known/jwks.json HTTP/1.1", "").split("\r\n\r\n").nth(1).map(ToOwned::to_owned)
    };
    assert_eq!(jwks(&first), jwks(&second), "both sign with the same key");
    out(&command(&["keys", "deactivate", key["key_id"].as_str().unwrap()], ""));
    for node in [&first, &second] {
        assert!(node.verify(secret).contains(r#""code":"inactive""#));
    }
}

/// Returns the printed word after `word`.
fn word_after<'a>(text: &'a str, word: &str) -> &'a str {
    text.split(word).nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_else(|| panic!("{word}: {text}"))
}

/// Fills a database with the demo data, and tests it through a server and with a user's sign-in.
async fn check_demo(engine: crate::support::Engine) {
    let folder = tempfile::tempdir().unwrap();
    let location = crate::support::database(engine, &folder).await;
    let url = match &location {
        keyward::store::Location::Sqlite(_) => "sqlite:keyward.db".to_owned(),
        keyward::store::Location::Postgres(url) => url.clone(),
    };
    let command = |arguments: &[&str]| run(folder.path(), &[&["--database-url", &url], arguments].concat(), "");
    let output = out(&command(&["demo", "--keys", "150"]));
    assert!(output.contains("150 keys") && output.contains("http://127.0.0.1:3000"), "{output}");
    assert!(!output.contains("kw_"), "no secret is printed: {output}");
    let (email, password) = (word_after(&output, "email"), word_after(&output, "password"));
    assert_eq!(email, "maren@pelagic.example");

    let again = err(&command(&["demo"]));
    assert!(again.contains("this database already has accounts") && again.contains("--database-url"), "{again}");

    let bench = crate::support::TestServer::on_database(location, folder, crate::support::URL).await;
    let now = bench.app.context.now();
    let whole = keyward::service::audit::verify(&bench.app.context).await.unwrap();
    let keyward::service::audit::Chain::Intact { events } = whole else { panic!("{whole:?}") };
    assert!(events > 170, "{events}");
    let unordered = "SELECT COUNT(*) FROM audit_events a JOIN audit_events b ON b.seq = a.seq + 1 WHERE b.at < a.at";
    assert_eq!(bench.query_number(unordered).await, 0, "the log goes forward in time");
    assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, 150);
    assert_eq!(bench.events("key.created").await, 150);
    let (now, day) = (now.micros(), 86_400_000_000_i64);
    let (week, old, ended) = (now + 7 * day, now - 190 * day, now - 7 * day);
    let kept = "deleted_at IS NULL AND active";
    for (what, condition) in [
        (
            "active",
            format!(
                "{kept} AND (not_before IS NULL OR not_before <= {now}) AND (expires_at IS NULL OR expires_at > {now})"
            ),
        ),
        ("expired", format!("{kept} AND expires_at <= {now}")),
        ("inactive", "deleted_at IS NULL AND NOT active AND NOT held".to_owned()),
        ("held", "held AND NOT active AND note LIKE '%public repository%' AND note_by = 'Maren Okafor'".to_owned()),
        ("scheduled", format!("{kept} AND not_before > {now}")),
        ("deleted", format!("deleted_at > {ended}")),
        ("ends this week", format!("{kept} AND expires_at > {now} AND expires_at <= {week}")),
        ("never used", format!("{kept} AND last_used_at IS NULL")),
        ("never ends", "expires_at IS NULL".to_owned()),
        ("test", "environment = 'test'".to_owned()),
        ("issued to", "issued_to IS NOT NULL".to_owned()),
        ("described", "description_folded LIKE '%chartplotter%'".to_owned()),
        ("old", format!("created_at < {old}")),
        ("long", "LENGTH(name) = 100".to_owned()),
        ("other scripts", "name = '潮汐予報アプリ'".to_owned()),
    ] {
        assert!(bench.query_number(&format!("SELECT COUNT(*) FROM keys WHERE {condition}")).await > 0, "{what}");
    }
    let wrong = format!(
        "SELECT COUNT(*) FROM keys WHERE created_at > {now} OR last_used_at < created_at OR last_used_at > {now} \
         OR last_used_at > expires_at OR deleted_at < created_at"
    );
    assert_eq!(bench.query_number(&wrong).await, 0, "nothing happened before its time");

    let mut browser = bench.browser();
    let page = browser.post("/login", &[("email", email), ("password", password)]).await;
    assert_eq!((page.status, page.location()), (303, "/keys"), "{}", page.text());
    let maren = bench.caller(email).await;
    let projects = crate::support::json_of(&bench.app.projects.list(&maren).await.unwrap());
    let roles: Vec<_> =
        projects.as_array().unwrap().iter().map(|p| format!("{} {}", p["name"], p["role"]).replace('"', "")).collect();
    assert_eq!(
        roles,
        ["Buoy telemetry viewer", "Harbour pilot owner", "Maren’s project owner", "Tide tables operator"]
    );
    let scopes = bench.app.scopes.list(&maren).await.unwrap();
    assert_eq!(scopes.len(), 10, "{scopes:?}");
    assert!(browser.get("/keys").await.text().contains("Starter Integration"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_on_sqlite() {
    check_demo(crate::support::Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_on_postgres() {
    check_demo(crate::support::Engine::Postgres).await;
}

pub(super) fn json(output: &Output) -> serde_json::Value {
    serde_json::from_str(&out(output)).expect("JSON")
}

#[test]
fn keys_and_projects_at_the_command_line_on_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder, 3);
    let create = ["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"];
    out(&run(folder, &create, &format!("{PASSWORD}\n")));
    let made =
        keyward(folder, &["projects", "create", "--name", "Harbour", "--owner", "Maren@pelagic.example", "--json"]);
    let project = json(&made)["project_id"].as_str().unwrap().to_owned();
    let unknown_owner =
        keyward(folder, &["projects", "create", "--name", "Harbour", "--owner", "nobody@pelagic.example"]);
    assert!(err(&unknown_owner).contains("No active user has this email address"));
    out(&keyward(folder, &["projects", "rename", "--project", "Harbour", "--name", "Haven"]));
    let members = json(&keyward(folder, &["projects", "members", "--project", "Haven", "--json"]));
    assert_eq!((&members[0]["email"], &members[0]["role"]), (&"maren@pelagic.example".into(), &"owner".into()));

    let key = json(&keyward(
        folder,
        &["keys", "create", "--project", &project, "--name", "Buoy", "--issued-to", "Ada", "--json"],
    ));
    let (id, secret) = (key["key_id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    for (verb, status, verdict) in [
        ("deactivate", "inactive", r#""code":"inactive""#),
        ("activate", "active", r#""valid":true"#),
        ("delete", "deleted", r#""code":"deleted""#),
        ("restore", "active", r#""valid":true"#),
    ] {
        assert_eq!(json(&keyward(folder, &["keys", verb, id, "--json"]))["status"], status, "{verb}");
        assert!(server.verify(secret).contains(verdict), "{verb}");
    }
    let listed =
        |more: &[&str]| json(&keyward(folder, &[&["keys", "list", "--json"], more].concat())).as_array().unwrap().len();
    assert_eq!((listed(&["--text", "ADA"]), listed(&["--text", "Eve"]), listed(&["--issued-to", "Ada"])), (1, 0, 1));
    assert_eq!(
        (listed(&["--status", "active"]), listed(&["--status", "deleted"]), listed(&["--environment", "test"])),
        (1, 0, 0)
    );
    out(&keyward(folder, &["keys", "delete", id]));
    assert_eq!((listed(&["--status", "deleted"]), listed(&[])), (1, 0));
    out(&keyward(folder, &["keys", "restore", id]));
    out(&keyward(folder, &["projects", "archive", "--project", "Haven"]));
    assert!(server.verify(secret).contains("project_archived"));
    let shown = json(&keyward(folder, &["projects", "show", "--project", "Haven", "--json"]));
    assert_eq!((&shown["name"], &shown["archived"], &shown["keys"]), (&"Haven".into(), &true.into(), &1.into()));
    assert!(json(&keyward(folder, &["projects", "list", "--json"])).as_array().unwrap().contains(&shown));
    assert!(out(&keyward(folder, &["projects", "list"])).contains("  Haven  (archived)\n"));
    assert!(err(&keyward(folder, &["projects", "show"])).contains("--project"));
    out(&keyward(folder, &["projects", "archive", "--project", "Haven", "--back"]));
    assert!(server.verify(secret).contains(r#""valid":true"#));
}

#[test]
fn help_lists_everything() {
    let folder = tempfile::tempdir().unwrap();
    let help = out(&keyward(folder.path(), &["serve", "--help"]));
    for setting in [
        "DATABASE_URL",
        "LISTEN",
        "PUBLIC_URL",
        "TRUSTED_PROXIES",
        "NAME",
        "SUPPORT_URL",
        "KEY_FILE",
        "TOKEN_KEY_DAYS",
        "LOG",
        "LOG_FORMAT",
    ] {
        assert!(help.contains(&format!("KEYWARD_{setting}")), "{setting}: {help}");
    }
    let help = out(&keyward(folder.path(), &["--help"]));
    for command in ["serve", "migrate", "admin", "audit", "keys", "projects", "demo"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
    }
    let help = out(&keyward(folder.path(), &["migrate", "--help"]));
    assert!(help.contains("Update the schema of the database") && help.contains("--database-url"), "{help}");
}

#[test]
fn the_next_signing_key_is_published_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder, 3);
    let published = || server.request("GET /.well-known/jwks.json HTTP/1.1", "").matches(r#""kid""#).count();
    assert_eq!(published(), 1);
    let output = out(&keyward(folder, &["admin", "rotate-token-key"]));
    assert!(output.contains("Published the signing key") && output.contains("signs with it from 20"), "{output}");
    assert_eq!(published(), 2, "when the command has ended");
    let again = err(&keyward(folder, &["admin", "rotate-token-key"]));
    assert!(again.contains("already published"), "{again}");
    // With another key file, the command would encrypt a key that no server can decrypt.
    out(&keyward(folder, &["admin", "create-key-file", "other.key"]));
    let other = err(&keyward(folder, &["admin", "rotate-token-key", "--key-file", "other.key"]));
    assert!(other.contains("cannot decrypt this database's signing key"), "{other}");
    let missing = err(&keyward(folder, &["admin", "rotate-token-key", "--key-file", "none.key"]));
    assert!(missing.contains("none.key is missing"), "{missing}");
    assert_eq!(published(), 2);
    // Both keys may be compromised.
    let output = out(&keyward(folder, &["admin", "rotate-token-key", "--compromised"]));
    assert!(output.contains("signs tokens from now on") && output.contains("issued before are rejected"), "{output}");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while published() != 1 {
        assert!(std::time::Instant::now() < end, "the server goes on publishing what was discarded");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
