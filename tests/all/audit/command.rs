//! The audit commands of the binary, beside a running server, on a separate database.

use crate::cli::{BINARY, out, run};
use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// Returns the output of a failed command, from both streams.
fn failure_output(output: &Output) -> String {
    let bytes = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}

fn serve(folder: &Path) -> (Child, BufReader<std::process::ChildStdout>, String) {
    let mut child = Command::new(BINARY)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .current_dir(folder)
        .env_clear()
        .env("KEYWARD_DATABASE_URL", "sqlite:keyward.db")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts");
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut first_line = String::new();
    while !first_line.contains("audit checkpoint ") {
        assert!(reader.read_line(&mut first_line).expect("it speaks") > 0, "{first_line}");
    }
    (child, reader, first_line)
}

/// The server prints each checkpoint: at its start for earlier events, and at its end for the rest. `verify`
/// reports how far the log is signed. An export is verified without a database, with the stored public key.
#[test]
fn signed_printed_exported_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = failure_output(&run(folder, &["audit", "verify"], ""));
    assert!(text.contains("there is no database"), "{text}");
    let person = ["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin", "--admin"];
    out(&run(folder, &person, "the tide turns at nine"));
    let text = failure_output(&run(folder, &["audit", "key"], ""));
    assert!(text.contains("there is no key yet"), "{text}");
    let text = out(&run(folder, &["audit", "verify"], ""));
    assert!(text.contains("2 events, 1 to 2") && text.contains("Signed: none"), "{text}");

    let (mut server, mut reader, mut printed) = serve(folder);
    let keys = ["keys", "create", "--project", "maren’s project", "--name", "Job"];
    out(&run(folder, &keys, ""));
    let verified = out(&run(folder, &["audit", "verify"], ""));
    assert!(verified.contains("5 events, 1 to 5") && verified.contains("Signed: events 1 to 4,"), "{verified}");
    assert!(verified.contains("Not signed: 1 event after event 4"), "{verified}");
    assert!(Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
    reader.read_to_string(&mut printed).unwrap();
    assert!(server.wait().unwrap().success());
    assert!(printed.contains("audit checkpoint 4 ") && printed.contains("audit checkpoint 5 "), "{printed}");
    let verified = out(&run(folder, &["audit", "verify"], ""));
    assert!(verified.contains("Signed: events 1 to 5,") && !verified.contains("Not signed"), "{verified}");
    assert!(verified.contains("comes from the database itself"), "{verified}");

    let pem = out(&run(folder, &["audit", "key"], ""));
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{pem}");
    let jwks: serde_json::Value = serde_json::from_str(&out(&run(folder, &["audit", "key", "--jwk"], ""))).unwrap();
    let x = jwks["keys"][0]["x"].as_str().unwrap();
    let export = out(&run(folder, &["audit", "export"], ""));
    assert_eq!(export.lines().count(), 1 + 6 + 2, "its own event is in it: {export}");

    let elsewhere = tempfile::tempdir().unwrap();
    let elsewhere = elsewhere.path();
    let write = |name: &str, text: &str| std::fs::write(elsewhere.join(name), text).unwrap();
    write("log.ndjson", &export);
    write("key.pem", &pem);
    write("printed.txt", &printed);
    for key in ["key.pem", x] {
        let verify = ["audit", "verify", "--file", "log.ndjson", "--public-key", key, "--checkpoints", "printed.txt"];
        let text = out(&run(elsewhere, &verify, ""));
        assert!(text.contains("6 events, 1 to 6") && text.contains("events 1 to 5,"), "{text}");
        assert!(!text.contains("comes from the"), "{text}");
    }
    let text = out(&run(elsewhere, &["audit", "verify", "--file", "-"], &export));
    assert!(text.contains("comes from the export itself"), "{text}");
    assert!(!elsewhere.join("keyward.db").exists(), "no database is needed");

    write("changed.ndjson", &export.replacen("Job", "Bob", 1));
    let text = failure_output(&run(elsewhere, &["audit", "verify", "--file", "changed.ndjson"], ""));
    assert!(text.contains("is not intact from event 5 on: the event does not match its own hash"), "{text}");
    assert!(text.contains("Signed: events 1 to 4,"), "{text}");
    let other = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    for verify in [
        &["audit", "verify", "--public-key", other][..],
        &["audit", "verify", "--public-key", other, "--file", "log.ndjson"],
    ] {
        let folder = if verify.len() == 4 { folder } else { elsewhere };
        let text = failure_output(&run(folder, verify, ""));
        assert!(text.contains("is not signed with the trusted key"), "{text}");
    }
    write("empty.txt", "nothing");
    for (arguments, words) in [
        (&["audit", "verify", "--public-key", "nonsense"][..], "neither a file nor a public key"),
        (&["audit", "verify", "--file", "empty.txt"], "not the header of an exported audit log"),
        (&["audit", "verify", "--file", "absent"], "absent could not be read"),
        (&["audit", "verify", "--file", "log.ndjson", "--checkpoints", "empty.txt"], "there are no checkpoints in"),
    ] {
        let text = failure_output(&run(elsewhere, arguments, ""));
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
    let text = failure_output(&run(folder, &["audit", "export", "--from", "yesterday"], ""));
    assert!(text.contains("from: Enter a date in the format YYYY-MM-DD, such as 2026-11-20."), "{text}");
    let help = out(&run(folder, &["audit", "--help"], ""));
    for command in ["verify", "export", "key"] {
        assert!(help.contains(command), "{help}");
    }
}
