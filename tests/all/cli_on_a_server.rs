//! Remote commands: `keyward keys` and `keyward projects` with `--url` do through a server what they do on the
//! database.

use super::cli::{BINARY, PASSWORD, Server, err, json, keyward, out, run};
use keyward::service::{
    clock::{Clock as _, SystemClock},
    time_format,
};
use serde_json::Value;
use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Output},
};

const READ: &str = "keyward:keys.read";
const WRITE: &str = "keyward:keys.write";

/// A server with one user and a management key.
struct RemoteFixture {
    server: Server,
    folder: tempfile::TempDir,
    manager: Value,
}

impl RemoteFixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), 3);
        let create = ["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"];
        out(&run(folder.path(), &create, &format!("{PASSWORD}\n")));
        let mut stage = Self { server, folder, manager: Value::Null };
        stage.manager = stage.create_key(&[READ, WRITE, "data:read"]);
        stage
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Creates a key with these scopes directly in the database.
    fn create_key(&self, scopes: &[&str]) -> Value {
        let scopes: Vec<_> = scopes.iter().flat_map(|it| ["--scope", it]).collect();
        let create = ["keys", "create", "--project", "maren’s project", "--name", "Manager", "--json"];
        json(&keyward(self.folder(), &[&create[..], &scopes].concat()))
    }

    fn secret(&self) -> &str {
        self.manager["secret"].as_str().unwrap()
    }

    fn project(&self) -> &str {
        self.manager["project_id"].as_str().unwrap()
    }

    /// Runs a command on the server, with the management key.
    fn run_remote(&self, arguments: &[&str]) -> Output {
        self.run_remote_with_key(self.secret(), arguments)
    }

    /// Runs a command on the server, with this key in the environment.
    fn run_remote_with_key(&self, key: &str, arguments: &[&str]) -> Output {
        Command::new(BINARY)
            .args(arguments)
            .args(["--url", &format!("http://{}", self.server.address)])
            .current_dir(self.folder())
            .env_clear()
            .env("KEYWARD_KEY", key)
            // The command must not open this database.
            .env("KEYWARD_DATABASE_URL", "sqlite:nowhere.db")
            .output()
            .expect("it runs")
    }
}

/// Removes the last-use times: each command on the server uses the management key.
fn without_last_use(json: &str) -> String {
    let mut parts = json.split(r#""last_used_at":"#);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(',').map_or(part, |(_, rest)| rest))
}

#[test]
fn keys() {
    let stage = RemoteFixture::new();
    let folder = stage.folder();
    let on = |arguments: &[&str]| stage.run_remote(arguments);
    assert_eq!(json(&on(&["projects", "list", "--json"]))[0]["project_id"], stage.manager["project_id"]);
    let create = [
        "keys",
        "create",
        "--name",
        "Buoy",
        "--description",
        "Counts buoys\nin the harbour",
        "--scope",
        "data:read",
        "--expires",
        "7d",
        "--rate",
        "5/minute",
        "--json",
    ];
    let made = json(&on(&create));
    let id = made["key_id"].as_str().unwrap();
    assert!(stage.server.verify(made["secret"].as_str().unwrap()).contains(r#""valid":true"#));
    assert_eq!((&made["created_by"], &made["rate_limit"]), (&"Manager".into(), &"5/minute".into()));
    let once = [&create[..], &["--idempotency-key", "tonight"]].concat();
    out(&on(&once));
    assert!(err(&on(&once)).contains("This idempotency key was already used to create a key"));

    assert!(err(&on(&once)).contains("Key ID: 01"), "{}", err(&on(&once)));

    // Database and server give the same output, as text and as JSON.
    for more in [&["--json"][..], &[]] {
        for what in [
            &["keys", "show", id][..],
            &["keys", "list", "--text", "Buoy"],
            &["keys", "list", "--text", "", "--issued-to", ""],
        ] {
            let arguments = [what, more].concat();
            let [here, there] = [out(&keyward(folder, &arguments)), out(&on(&arguments))];
            // On the database the output names the project, because there may be several.
            let here = without_last_use(&here.replace("  (maren’s project)", ""));
            assert_eq!(here, without_last_use(&there), "{arguments:?}");
            assert!(there.contains("Buoy") && there.contains(id) && !there.contains("kw_live_ "), "{there}");
        }
    }
    let shown = out(&on(&["keys", "show", id]));
    assert!(shown.contains("rate limit  5 requests per minute") && shown.contains("scopes      data:read"), "{shown}");
    assert!(shown.contains("\ndescription Counts buoys\n            in the harbour\n"), "{shown}");
    assert_eq!(json(&on(&["keys", "list", "--text", "BUOYS IN", "--json"])).as_array().unwrap().len(), 2);

    let day = |days: i64| time_format::rfc3339(SystemClock.now().plus_seconds(days * 86_400))[..10].to_owned();
    let (start, end) = (day(10), day(30));
    let edited = json(&on(&[
        "keys",
        "edit",
        id,
        "--name",
        "Float",
        "--description",
        "",
        "--no-rate",
        "--expires",
        &end,
        "--not-before",
        &format!("{start}T09:00"),
        "--json",
    ]));
    assert_eq!((&edited["name"], &edited["rate_limit"]), (&"Float".into(), &serde_json::Value::Null));
    assert_eq!(
        (&made["description"], &edited["description"]),
        (&"Counts buoys\nin the harbour".into(), &serde_json::Value::Null)
    );
    assert_eq!(
        (&edited["expires_at"], &edited["not_before"]),
        (&format!("{end}T23:59:59Z").into(), &format!("{start}T09:00:00Z").into())
    );
    assert_eq!(json(&on(&["keys", "edit", id, "--no-not-before", "--json"]))["status"], "active");
    for (verb, status) in
        [("deactivate", "inactive"), ("activate", "active"), ("delete", "deleted"), ("restore", "active")]
    {
        assert_eq!(json(&on(&["keys", verb, id, "--json"]))["status"], status, "{verb}");
    }
    assert!(out(&on(&["keys", "deactivate", id])).starts_with("Deactivated “Float”"));
    let listed = json(&on(&["keys", "list", "--status", "inactive", "--json"]));
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["name"]), (1, &"Float".into()));
    assert!(out(&on(&["keys", "list"])).contains("Manager"));

    // Denied commands explain the reason, and print no secret.
    let wider = on(&["keys", "create", "--name", "Wider", "--scope", "data:write"]);
    assert!(err(&wider).contains("Your key does not have these scopes: data:write"), "{}", err(&wider));
    let reader = stage.create_key(&[READ]);
    let refused = stage.run_remote_with_key(reader["secret"].as_str().unwrap(), &["keys", "deactivate", id]);
    assert!(err(&refused).contains("did not issue a token for this key"), "{}", err(&refused));
    let writer = stage.create_key(&[WRITE]);
    let writes = |arguments: &[&str]| stage.run_remote_with_key(writer["secret"].as_str().unwrap(), arguments);
    assert!(err(&writes(&["keys", "deactivate", id])).contains("--project"));
    out(&writes(&["keys", "deactivate", id, "--project", stage.project()]));
    let nothing = Command::new(BINARY)
        .args(["keys", "list", "--url", &format!("http://{}", stage.server.address)])
        .env_clear()
        .output()
        .unwrap();
    assert!(err(&nothing).contains("KEYWARD_KEY"));
}

#[test]
fn the_project_and_its_config() {
    let stage = RemoteFixture::new();
    let folder = stage.folder();
    let on = |arguments: &[&str]| stage.run_remote(arguments);
    // The project of the key and its config, exactly as stored. The config has the maximum size.
    let project = stage.project();
    let config = format!(r#"{{"model": "{}"}}"#, "harbour ".repeat(32 * 1024 - 3));
    std::fs::write(folder.join("config.json"), config).unwrap();
    out(&keyward(folder, &["projects", "config", "--project", project, "--set", "config.json"]));
    for what in [
        &["projects", "list"][..],
        &["projects", "list", "--json"],
        &["projects", "show", "--project", project],
        &["projects", "show", "--project", "maren’s project", "--json"],
        &["projects", "config", "--project", "maren’s project"],
        &["projects", "config", "--project", project],
    ] {
        let [here, there] = [out(&keyward(folder, what)), out(&on(what))];
        assert!(here == there && here.len() > 30, "{what:?}: {} and {} characters", here.len(), there.len());
    }
    assert_eq!(json(&on(&["projects", "show", "--json"]))["project_id"], stage.manager["project_id"]);
    assert!(out(&on(&["projects", "config"])).contains(r#"{"model":"harbour harbour"#));
    assert!(
        err(&on(&["projects", "show", "--project", "Elsewhere"])).contains("belongs to the project “maren’s project”")
    );
    assert!(err(&on(&["projects", "config", "--set", "config.json"])).contains("Leave out --url"));
    // A key without a management scope can also read the config if the project is given.
    let plain = stage.create_key(&["data:read"]);
    let reads = |arguments: &[&str]| stage.run_remote_with_key(plain["secret"].as_str().unwrap(), arguments);
    assert!(out(&reads(&["projects", "config", "--project", project])).contains("harbour"));
    assert!(err(&reads(&["projects", "config"])).contains("keyward:keys.read"));
    let elsewhere = reads(&["projects", "config", "--project", "0198f2c0-0000-7000-8000-000000000000"]);
    assert!(err(&elsewhere).contains("token"), "{}", err(&elsewhere));
}

#[test]
fn what_is_refused_and_why() {
    let stage = RemoteFixture::new();
    let folder = stage.folder();
    let on = |arguments: &[&str]| stage.run_remote(arguments);
    let (secret, project) = (stage.secret(), stage.project());
    let made = json(&on(&["keys", "create", "--name", "Float", "--json"]));
    let id = made["key_id"].as_str().unwrap();
    assert!(err(&on(&["projects", "rename", "--project", "x", "--name", "y"])).contains("Leave out --url"));
    let plain = Command::new(BINARY)
        .args(["keys", "list", "--url", "http://keys.example.com"])
        .env_clear()
        .env("KEYWARD_KEY", secret)
        .output()
        .unwrap();
    assert!(err(&plain).contains("neither https nor on this machine"), "{}", err(&plain));

    // Options that require a server (`--url`, which may also come before the command).
    for options in [&["keys", "list", "--secret-file", "secret"][..], &["keys", "show", id, "--project", project]] {
        assert!(err(&keyward(folder, options)).contains("requires a server: set --url"), "{options:?}");
    }
    let once = ["keys", "create", "--project", project, "--name", "Once", "--idempotency-key", "x"];
    assert!(err(&keyward(folder, &once)).contains("--idempotency-key requires a server"));

    // Errors of an unusable URL name it. The key is sent only to the root URL of a server.
    let asks = |url: &str, key: &str| {
        let output =
            Command::new(BINARY).args(["keys", "list", "--url", url]).env_clear().env("KEYWARD_KEY", key).output();
        let message = err(&output.unwrap());
        assert!(!message.contains(secret), "{message}");
        message
    };
    let own = format!("http://{}", stage.server.address);
    for behind in ["/v1", "/?x=1", "/#x"] {
        assert!(asks(&format!("{own}{behind}"), secret).contains("only a scheme, a host, and a port"), "{behind}");
    }
    assert!(asks(&own.replace("//", "//maren:x@"), secret).contains("only a scheme, a host, and a port"));
    assert!(asks(&own, " ").contains("is empty"));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(asks(&format!("http://{closed}"), secret).contains(&closed.to_string()));
    for (head, status) in [("404 Not Found", "404"), ("200 OK", "200")] {
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        let answers = std::thread::spawn(move || {
            let (mut stream, _) = other.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            write!(stream, "HTTP/1.1 {head}\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwell").unwrap();
        });
        let message = asks(&format!("http://{address}"), secret);
        answers.join().unwrap();
        assert!(
            message.contains("is not from Keyward. Check the address in --url") && message.contains(status),
            "{message}"
        );
    }
    // A rate-limited key gets the rate-limit message, not advice to add `--project`.
    let seldom =
        ["keys", "create", "--project", project, "--name", "Seldom", "--scope", READ, "--rate", "1/hour", "--json"];
    let seldom = json(&keyward(folder, &seldom));
    let refused = err(&stage.run_remote_with_key(seldom["secret"].as_str().unwrap(), &["keys", "list"]));
    assert!(refused.contains("Rate limit exceeded") && !refused.contains("--project"), "{refused}");

    // The key comes from a file, or from standard input.
    std::fs::write(folder.join("secret"), format!("{secret}\n")).unwrap();
    let url = format!("http://{}", stage.server.address);
    assert!(out(&keyward(folder, &["keys", "list", "--url", &url, "--secret-file", "secret"])).contains("Float"));
    assert!(out(&run(folder, &["keys", "list", "--url", &url, "--secret-file", "-"], secret)).contains("Float"));
    for before in [
        &["keys", "--url", &url, "list", "--secret-file", "secret"][..],
        &["keys", "--secret-file", "secret", "list", "--url", &url],
    ] {
        assert!(out(&keyward(folder, before)).contains("Float"), "{before:?}");
    }
    let before =
        ["keys", "--url", &url, "create", "--name", "Ahead", "--secret-file", "secret", "--idempotency-key", "ahead"];
    out(&keyward(folder, &before));
}
