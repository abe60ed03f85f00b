//! Server whose output is not read: it continues, drops log lines, counts them, and stops on SIGTERM.

use super::cli::BINARY;
use std::{
    io::{BufRead as _, BufReader, PipeReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Time limit for everything that must happen, also on a slow machine.
const LONG: Duration = Duration::from_secs(60);

/// Returns a pipe that is full and stays full until its reader is read or dropped.
fn full_pipe() -> (PipeReader, Stdio) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut filler = writer.try_clone().expect("a descriptor");
    std::thread::spawn(move || while filler.write_all(&[b'x'; 4096]).is_ok() {});
    // Usually long enough to write 64 KiB. If it is not, the test checks less but does not fail.
    std::thread::sleep(Duration::from_millis(200));
    (reader, writer.into())
}

fn serve(folder: &Path, listen: &str, arguments: &[&str], stdout: Stdio, stderr: Stdio) -> Child {
    Command::new(BINARY)
        .args(["serve", "--listen", listen])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("KEYWARD_DATABASE_URL", "sqlite:keyward.db")
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .expect("the server starts")
}

/// Sends a request and returns the response, or an I/O error.
fn send_request(address: &str, head: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONG))?;
    write!(stream, "{head} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n")?;
    write!(stream, "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Sends SIGTERM. Returns whether the server exited with success in time.
fn stops_in_time(child: &mut Child) -> bool {
    let sent = Command::new("kill").arg(child.id().to_string()).status().expect("kill");
    assert!(sent.success());
    let limit = Instant::now() + LONG;
    loop {
        match child.try_wait().expect("a child") {
            Some(status) => return status.success(),
            None if Instant::now() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

#[test]
fn a_server_with_stalled_output_responds_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let (stdout, to_stdout) = full_pipe();
    let (stderr, to_stderr) = full_pipe();
    // The server cannot print its port, so the test chooses one.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let mut child = serve(folder.path(), &address, &["--log", "debug"], to_stdout, to_stderr);
    let limit = Instant::now() + LONG;
    while !send_request(&address, "GET /readyz", "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
        if Instant::now() > limit || child.try_wait().unwrap().is_some() {
            let _ = child.kill();
            panic!("the server does not start: {:?}", child.wait());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    for _ in 0..100 {
        assert!(send_request(&address, "GET /login", "").unwrap().starts_with("HTTP/1.1 303"));
    }
    let verified = send_request(&address, "POST /v1/keys/verify", r#"{"key": "kw_live_x"}"#).unwrap();
    assert!(verified.starts_with("HTTP/1.1 200"), "{verified}");
    assert!(send_request(&address, "GET /healthz", "").unwrap().starts_with("HTTP/1.1 200"));
    assert!(stops_in_time(&mut child), "it ends with success");
    drop((stdout, stderr));
}

/// Returns the number of dropped lines of standard error, from the metrics.
fn dropped_lines(address: &str) -> u64 {
    let metrics = send_request(address, "GET /metrics", "").unwrap();
    let line =
        metrics.lines().find_map(|it| it.strip_prefix(r#"keyward_output_lines_dropped_total{stream="stderr"} "#));
    line.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

/// Requests `/healthz` many times over one connection. Each request writes a log line.
fn flood(address: &str, requests: usize) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let sender = std::thread::spawn(move || {
        for _ in 0..requests / 100 {
            stream.write_all(request.repeat(100).as_bytes()).unwrap();
        }
    });
    let (mut answers, mut line) = (0, String::new());
    while answers < requests / 100 * 100 {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "after {answers} answers");
        answers += usize::from(line.contains("HTTP/1.1 200"));
    }
    sender.join().unwrap();
}

#[test]
fn unread_log_lines_are_dropped_counted_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, to_stderr) = std::io::pipe().unwrap();
    let settings = ["--log", "debug", "--log-format", "json"];
    let mut child = serve(folder.path(), "127.0.0.1:0", &settings, Stdio::piped(), to_stderr.into());
    let mut greeting = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
    let address = greeting.trim().rsplit("http://").next().unwrap().to_owned();
    assert_eq!(dropped_lines(&address), 0);
    // The queue holds 4 MiB, and a line has more than 200 bytes.
    for _ in 0..10 {
        flood(&address, 5_000);
        if dropped_lines(&address) > 0 {
            break;
        }
    }
    let counted = dropped_lines(&address);
    assert!(counted > 0, "lines were dropped");

    let lines = BufReader::new(reader).lines();
    let (report, reported) = std::sync::mpsc::channel();
    let read = std::thread::spawn(move || {
        for line in lines {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).expect("whole lines");
            if line["message"].as_str().is_some_and(|it| it.starts_with("output.lines_dropped")) {
                assert_eq!((&line["stream"], &line["level"]), (&"stderr".into(), &"ERROR".into()), "{line}");
                let _ = report.send(line["lines"].as_u64().unwrap());
            }
        }
    });
    let mut total = 0;
    while total < counted {
        total += reported.recv_timeout(LONG).unwrap_or_else(|error| panic!("{total} of {counted}: {error}"));
    }
    assert!(stops_in_time(&mut child), "it ends with success");
    read.join().expect("whole lines");
}
