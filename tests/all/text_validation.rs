//! Names and pasted keys: lengths are counted in characters, and an error message names the mistake.

use crate::support::{
    PASSWORD, TestServer,
    browser::Browser,
    html::elements,
    oauth::{self, ACCESS_TOKEN, KEY},
};
use axum::http::Request;
use serde_json::{Value, json};

const EMAIL: &str = "maren@pelagic.example";
/// Zero-width space, word joiner, and Hangul filler: characters without a visible or clickable glyph.
const INVISIBLE: &str = "\u{200B}\u{2060}\u{3164}";
const WORDS: &str = "Use at least one visible character.";

async fn assert_rejected(browser: &mut Browser, path: &str, fields: &[(&str, &str)], words: &str) {
    let page = browser.post(path, fields).await;
    assert_eq!(page.status, 422, "{path}: {}", page.text());
    assert!(page.text().contains(words), "{path}: {}", page.text());
}

async fn stored(bench: &TestServer) -> (i64, Vec<String>) {
    (
        bench.query_number("SELECT COUNT(*) FROM audit_events").await,
        bench.query_texts("SELECT name FROM keys ORDER BY name").await,
    )
}

/// Returns the comparable parts of a verification response: validity, reason code, and message.
fn verification_result(body: &Value) -> (bool, String, String) {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (body["valid"] == true, text("code"), text("message"))
}

on_both_engines! {
    /// A name needs a visible character. A name of zero-width characters would make a link of no width.
    async fn a_name_has_something_to_see(bench: TestServer) {
        let root = bench.create_user(EMAIL, true).await;
        let made = bench.create_key(&root, "Gateway").await;
        let mut browser = bench.signed_in(EMAIL).await;
        let (project, key) = (made.project.to_string(), made.id.to_string());
        let number = bench.app.context.new_id().to_string();
        let version = bench.key_row(made.id).await.unwrap().updated_at.to_string();
        let before = stored(&bench).await;
        let new = [("number", number.as_str()), ("project", &project), ("environment", "live"), ("expires", "30d")];
        assert_rejected(&mut browser, "/keys/new", &[&new[..], &[("name", INVISIBLE)]].concat(), WORDS).await;
        for field in ["issued_to", "description"] {
            assert_rejected(&mut browser, "/keys/new", &[&new[..], &[("name", "Fine"), (field, INVISIBLE)]].concat(), WORDS).await;
        }
        let edit = [("id", key.as_str()), ("version", &version), ("expires", "keep"), ("name", INVISIBLE)];
        assert_rejected(&mut browser, &format!("/keys/{key}/edit"), &edit, WORDS).await;
        assert_rejected(&mut browser, "/projects/new", &[("name", INVISIBLE)], WORDS).await;
        let rename = [("id", project.as_str()), ("version", "x"), ("name", INVISIBLE)];
        assert_rejected(&mut browser, &format!("/projects/{project}/edit"), &rename, WORDS).await;
        assert_rejected(&mut browser, "/settings/account", &[("name", INVISIBLE), ("zone", "")], WORDS).await;
        let scope = [("name", "probe:read"), ("description", INVISIBLE), ("granted_by", "owner")];
        assert_rejected(&mut browser, "/admin/scopes/new", &scope, WORDS).await;
        let client = [("id", project.as_str()), ("name", INVISIBLE), ("redirects", "http://127.0.0.1/cb")];
        assert_rejected(&mut browser, &format!("/projects/{project}/clients/new"), &client, WORDS).await;
        let reason = [("id", key.as_str()), ("reason", INVISIBLE)];
        assert_rejected(&mut browser, &format!("/admin/keys/{key}/deactivate"), &reason, WORDS).await;
        assert_eq!(stored(&bench).await, before);
        let person = keyward::service::accounts::NewUser {
            email: "new@drift.example".into(),
            name: "New".into(),
            password: keyward::domain::sensitive::Password::new(PASSWORD.into()),
            admin: false,
            project: INVISIBLE.into(),
        };
        assert!(bench.app.accounts.create_user(&keyward::service::actor::Actor::Operator, person).await.is_err());
    }

    /// The server counts characters, and its message has the limit and the count.
    ///
    /// No field has a `maxlength`: browsers count UTF-16 code units. Of 60 emoji (120 units), only 50 were kept.
    async fn a_name_is_counted_in_characters(bench: TestServer) {
        let root = bench.create_user(EMAIL, true).await;
        let made = bench.create_key(&root, "Gateway").await;
        let mut browser = bench.signed_in(EMAIL).await;
        let (project, key) = (made.project.to_string(), made.id.to_string());
        for path in ["/keys/new".to_owned(), format!("/keys/{key}/edit"), format!("/projects/{project}/edit"), "/projects/new".into(),
            "/settings/account".into(), "/admin/scopes/new".into(), format!("/admin/keys/{key}/deactivate"), "/admin/policy".into(),
            "/admin/users".into(), "/admin/audit".into(), format!("/projects/{project}/clients/new"), "/admin/users/invite".into()] {
            let page = browser.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            let found = elements(&page);
            assert!(found.iter().any(|it| it.name == "input"), "{path}");
            assert!(found.iter().all(|it| it.attribute("maxlength").is_none()), "{path}");
        }
        for count in [60, 100, 101] {
            let name = "😀".repeat(count);
            let number = bench.app.context.new_id().to_string();
            let fields = [("number", number.as_str()), ("project", &project), ("environment", "live"), ("expires", "30d"), ("name", &name)];
            let page = browser.post("/keys/new", &fields).await;
            if count > 100 {
                assert_eq!(page.status, 422);
                assert!(page.text().contains("Use at most 100 characters. You entered 101."), "{}", page.text());
            } else {
                assert_eq!(page.status, 200, "{}", page.text());
                assert!(bench.query_texts("SELECT name FROM keys").await.contains(&name));
            }
        }
    }

    /// White space around a pasted key is ignored in responses, usage counts, and rate limits.
    async fn white_space_around_a_key_does_not_count(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.execute_sql(&format!("UPDATE keys SET rate_limit = '20/day' WHERE id = {}", bench.literal(made.id))).await;
        let pasted = format!(" \t{}\r\n", made.secret);
        let mut program = bench.browser();
        let one = program.json("/v1/keys/verify", &json!({"key": pasted})).await.json();
        assert_eq!((&one["valid"], &one["key_id"]), (&json!(true), &json!(made.id)));
        let batch = program.json("/v1/keys/verify:batch", &json!({"keys": [{"key": pasted}, {"key": made.secret}]})).await.json();
        assert_eq!((&batch["results"][0]["valid"], &batch["results"][1]["valid"]), (&json!(true), &json!(true)));
        let token = program.json("/authentication/token", &json!({"secret_key": pasted})).await;
        assert_eq!(token.status, 200, "{}", token.text());
        let exchanged = oauth::exchange(&bench, &pasted, KEY, &[]).await.token();
        assert!(oauth::exchange(&bench, &exchanged, ACCESS_TOKEN, &[]).await.token().len() > 40);
        let id = format!("key:{}", made.id);
        let client = [("client_id", id.as_str()), ("client_secret", pasted.as_str())];
        let granted = oauth::post(&mut program, "/oauth/token", "", &[&[("grant_type", "client_credentials")], &client[..]].concat()).await;
        let granted = granted.token();
        let fields = [&[("token", granted.as_str())], &client[..]].concat();
        let known = oauth::post(&mut program, "/oauth/introspect", "", &fields).await;
        assert_eq!(known.json()["active"], true, "{}", known.text());
        let verified = program.json("/v1/keys/verify", &json!({"token": granted})).await.json();
        assert_eq!(verified["valid"], true, "{verified}");
        assert_eq!(oauth::post(&mut program, "/oauth/revoke", "", &fields).await.status, 200);
        let verified = program.json("/v1/keys/verify", &json!({"key": granted})).await.json();
        assert_eq!(verified["code"], "token_revoked", "{verified}");
        let gateway = Request::get("/v1/auth").header("x-api-key", format!("{} ", made.secret));
        assert_eq!(program.send(gateway, String::new()).await.status, 200);
        // All spellings use one quota of 20 calls a day, of which some are used already.
        let mut refused = None;
        for n in 0..30 {
            let spelling = format!("{}{}{}", " ".repeat(n % 7), made.secret, "\n".repeat(n % 5));
            let answer = program.json("/v1/keys/verify", &json!({"key": spelling})).await.json();
            if answer["valid"] == false {
                assert_eq!(answer["code"], "rate_limited", "{answer}");
                refused.get_or_insert(n);
            } else {
                assert_eq!(refused, None, "what is used up stays so");
            }
        }
        assert!(refused.is_some_and(|n| n < 20), "{refused:?}");
    }

    /// One Cyrillic letter among 64 characters makes 65 bytes. The message has its position, but no part of the key.
    async fn a_letter_of_another_alphabet_is_named(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut letters: Vec<char> = made.secret.chars().collect();
        letters[29] = 'а';
        let wrong: String = letters.iter().collect();
        assert_eq!(wrong.chars().count(), 64);
        let mut program = bench.browser();
        let answer = program.json("/v1/keys/verify", &json!({"key": format!("{wrong}\n")})).await;
        let (valid, code, words) = verification_result(&answer.json());
        assert_eq!((valid, code.as_str()), (false, "malformed"));
        assert!(words.contains("a character that is not a letter") && words.contains("at position 30."), "{words}");
        let token = program.json("/authentication/token", &json!({"secret_key": wrong})).await;
        assert_eq!((token.status, token.problem().as_str()), (401, "malformed"));
        assert!(token.json()["detail"].as_str().unwrap().contains("at position 30."));
        let exchanged = oauth::exchange(&bench, &wrong, KEY, &[]).await;
        assert!(exchanged.json()["error_description"].as_str().unwrap().contains("at position 30."), "{}", exchanged.text());
        for page in [answer, token, exchanged] {
            assert!(!page.text().contains(&made.secret[8..20]) && !page.text().contains(&made.secret[40..]));
        }
    }
}
