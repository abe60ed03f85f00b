//! Emails as a mail server receives them: required headers (RFC 5322, RFC 2045, RFC 3834), and refused certificates.

use crate::{
    registration::{mailer, smtp, test_email},
    support::tls,
};
use keyward::{
    config::SmtpTls,
    service::{
        clock::{Clock as _, SystemClock},
        mail::Mailer as _,
    },
};
use std::collections::BTreeMap;
use tokio::net::TcpListener;

/// Parses a message. Returns its unfolded headers by lowercase name, and its body.
fn parse(text: &str) -> (BTreeMap<String, String>, String) {
    let (head, body) = text.split_once("\n\n").expect("an empty line between headers and body");
    let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
    let mut headers = BTreeMap::new();
    for line in unfolded.lines() {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line}"));
        assert!(name.bytes().all(|b| b.is_ascii_graphic()), "{name}");
        assert!(headers.insert(name.to_lowercase(), value.trim().to_owned()).is_none(), "{name} twice");
    }
    (headers, body.to_owned())
}

/// Returns the message that an SMTP server received, without dot-stuffing.
fn message(session: &str) -> String {
    let data = session.split_once("\nDATA\n").expect("a message").1;
    let data = data.split_once("\n.\n").expect("its end").0;
    data.lines().map(|line| line.strip_prefix('.').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn decoded(encoding: &str, body: &str) -> String {
    match encoding {
        "7bit" => body.to_owned(),
        "quoted-printable" => {
            let joined = body.replace("=\n", "");
            let mut bytes = Vec::new();
            let mut rest = joined.bytes();
            while let Some(byte) = rest.next() {
                if byte != b'=' {
                    bytes.push(byte);
                    continue;
                }
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            String::from_utf8(bytes).unwrap()
        }
        "base64" => {
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            String::from_utf8(STANDARD.decode(body.replace('\n', "")).unwrap()).unwrap().replace("\r\n", "\n")
        }
        other => panic!("an encoding that a 7-bit server may not take: {other}"),
    }
}

#[tokio::test]
async fn a_message_has_every_required_header() {
    let long = "x".repeat(2_000);
    for text in [
        "Hello.\n.\nA line that begins with a dot.\n",
        "Ærø: 例え, 5 °C\n",
        &format!("{long}\nend\n"),
        "https://keys.example/a?b=c\n",
    ] {
        let (port, received) = smtp("250-mail.example\r\n250-AUTH PLAIN LOGIN\r\n250 OK\r\n").await;
        let mut sent = test_email("ann@bücher.example");
        sent.text = text.to_owned();
        mailer(port, SmtpTls::None).send(sent).await.unwrap();
        let session = received.lock().unwrap().clone();
        assert!(session.contains("RCPT TO:<ann@xn--bcher-kva.example>\n"), "{session}");
        let message = message(&session);
        assert!(message.is_ascii() && message.lines().all(|line| line.len() <= 998), "{message}");
        let (headers, body) = parse(&message);
        for (name, value) in [
            ("mime-version", "1.0"),
            ("content-type", "text/plain; charset=utf-8"),
            ("auto-submitted", "auto-generated"),
            ("from", "Pelagic <keys@pelagic.example>"),
            ("to", "ann@xn--bcher-kva.example"),
        ] {
            assert_eq!(headers.get(name).map(String::as_str), Some(value), "{name}: {message}");
        }
        let date = jiff::fmt::rfc2822::parse(&headers["date"]).expect("a date of RFC 5322");
        let age = SystemClock.now().seconds() - date.timestamp().as_second();
        assert!((-600..600).contains(&age), "{}", headers["date"]);
        let id = headers["message-id"].strip_prefix('<').and_then(|id| id.strip_suffix('>')).expect("angle brackets");
        let (left, right) = id.split_once('@').expect("two parts");
        assert!(left.len() == 32 && right == "keys.pelagic.example", "{id}");
        assert!(
            headers["subject"].starts_with("Your account at Pelagic =?utf-8?")
                || headers["subject"].contains("=?utf-8?")
        );
        assert_eq!(decoded(&headers["content-transfer-encoding"], &body).trim_end(), text.trim_end());
    }
}

#[tokio::test]
async fn a_rejected_certificate_names_the_setting() {
    for (ca, words) in [
        (
            true,
            [
                "127.0.0.1 is a CA certificate (basicConstraints CA:TRUE)",
                "basicConstraints=critical,CA:FALSE",
                "SSL_CERT_FILE",
            ],
        ),
        (
            false,
            [
                "127.0.0.1 is not signed by an authority that this machine trusts",
                "trusted certificates",
                "SSL_CERT_FILE",
            ],
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (acceptor, _) = tls::self_signed(ca, &["127.0.0.1"]);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // The client refuses the certificate, so the handshake fails.
                let _ = acceptor.accept(stream).await;
            }
        });
        let refused =
            mailer(port, SmtpTls::Implicit).send(test_email("maren@pelagic.example")).await.unwrap_err().to_string();
        for word in words {
            assert!(refused.contains(word), "{word}: {refused}");
        }
    }
}
