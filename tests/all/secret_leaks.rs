//! Secret leaks: the tests use searchable secrets (canaries) in realistic workflows, then search every sink for them.
//! No secret may appear in the log at its most verbose level, in a page that a GET can fetch, or in the database and
//! the files beside it.

use crate::support::{
    PASSWORD, TestServer,
    browser::Page,
    forged_tokens,
    log::LogCapture,
    totp::{base32, code, elements},
};
use axum::http::Request;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use keyward::{domain::filter::KeyFilter, store::Pool};
use std::sync::{Arc, Mutex};

const EMAIL: &str = "maren@pelagic.example";

/// Returns the properties for the hydration of the islands of a page.
fn islands(page: &Page) -> String {
    let tags = page.text().split("data-props=\"").skip(1);
    tags.map(|rest| rest.split('"').next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Returns the contents of the scripts of a page.
fn scripts(page: &Page) -> String {
    let tags = page.text().split("<script").skip(1);
    tags.map(|rest| rest.split("</script>").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

/// The secrets that no sink may contain, each with its name.
#[derive(Default)]
struct Canaries(Vec<(String, Vec<u8>)>);

impl Canaries {
    fn plant(&mut self, name: &str, text: &str) {
        assert!(text.len() >= 8, "{name} is too short to be searched for");
        self.0.push((name.to_owned(), text.as_bytes().to_vec()));
    }

    /// Adds bytes in each of their usual text encodings.
    fn plant_bytes(&mut self, name: &str, bytes: &[u8]) {
        self.0.push((name.to_owned(), bytes.to_vec()));
        for text in
            [hex::encode(bytes), STANDARD.encode(bytes), STANDARD_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)]
        {
            self.plant(name, &text);
        }
    }

    /// Adds the id in a session cookie: as it is sent, and as bytes and numbers.
    fn plant_session(&mut self, name: &str, cookie: &str) {
        let value = cookie.split_once('=').expect("a pair").1;
        self.plant(name, value);
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(value).expect("base64url").try_into().expect("128 bits");
        self.plant_bytes(name, &bytes);
        self.plant(name, &i128::from_le_bytes(bytes).to_string());
    }

    fn search(&self, sink: &str, hay: &[u8]) {
        for (name, needle) in &self.0 {
            assert!(!contains(hay, needle), "{sink} holds {name}");
        }
    }
}

/// Returns the whole content of the database: its files, or every row of every table as text.
async fn stored(bench: &TestServer) -> Vec<(String, Vec<u8>)> {
    let mut sinks = Vec::new();
    for entry in std::fs::read_dir(bench.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        sinks.push((path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()));
    }
    if let Pool::Postgres(_) = bench.app.context.pool {
        let tables = bench.query_texts("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'").await;
        for table in tables {
            let rows = bench.query_texts(&format!("SELECT t::text FROM \"{table}\" t")).await;
            sinks.push((format!("table {table}"), rows.join("\n").into_bytes()));
        }
    }
    sinks
}

on_both_engines! {
    /// The life cycle of a key and of its owner, with erroneous requests.
    async fn no_sink_holds_a_secret(bench: TestServer) {
        let log = LogCapture::start();
        let mut canaries = Canaries::default();
        let unique = |word: &str| format!("{word} {}", hex::encode(crate::support::random::<8>()));
        let (password, wrong, typed_as_email) = (unique("quiet harbour"), unique("loud harbour"), unique("misplaced"));
        canaries.plant("the password", &password);
        canaries.plant("the password, in a form", &password.replace(' ', "+"));
        canaries.plant("the wrong password", &wrong);
        canaries.plant("the wrong password, in a form", &wrong.replace(' ', "+"));
        canaries.plant("the password that was typed as an address", &typed_as_email);

        // First-run setup.
        let printed = Arc::new(Mutex::new(String::new()));
        let printer = printed.clone();
        bench.app.accounts.open_setup(move |code| code.expose().clone_into(&mut printer.lock().unwrap())).await.unwrap();
        let code = printed.lock().unwrap().clone();
        canaries.plant("the setup code", &code);
        let mut browser = bench.browser();
        browser.get(&format!("/setup?code={code}")).await;
        let setup = |code, password| [("code", code), ("name", "Maren"), ("email", EMAIL), ("password", password), ("project", "Buoys")];
        assert_eq!(browser.post("/setup", &setup("WRONG", password.as_str())).await.status, 422);
        assert_eq!(browser.post("/setup", &setup(code.as_str(), "short")).await.status, 422);
        assert_eq!(browser.post("/setup", &setup(code.as_str(), password.as_str())).await.status, 303);
        canaries.plant_session("the first session", browser.cookie.as_deref().unwrap());
        assert_eq!(browser.post("/logout", &[]).await.status, 303);

        // Failed and successful sign-ins.
        for (email, password) in [(EMAIL, &wrong), (typed_as_email.as_str(), &wrong), ("nobody@pelagic.example", &password)] {
            assert_eq!(browser.post("/login", &[("email", email), ("password", password)]).await.status, 422);
            assert_eq!(browser.post_live("/login", &[("email", email), ("password", password)]).await.status, 422);
        }
        let mut dead = bench.browser();
        dead.cookie = browser.cookie.clone().or_else(|| Some(format!("keyward={}", URL_SAFE_NO_PAD.encode(crate::support::random::<16>()))));
        canaries.plant_session("a session that is none", dead.cookie.clone().as_deref().unwrap());
        dead.get("/keys").await;
        assert_eq!(browser.post("/login", &[("email", EMAIL), ("password", &password)]).await.status, 303);
        canaries.plant_session("the session", browser.cookie.as_deref().unwrap());

        // Keys, created through the service and through forms.
        let maren = bench.caller(EMAIL).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let (id, project, by_service) = (made.id.to_string(), made.project.to_string(), made.secret);
        let (two, three) = (bench.app.context.new_id().to_string(), bench.app.context.new_id().to_string());
        let form = |number| [("number", number), ("project", project.as_str()), ("name", "Gateway"), ("expires", "30d"), ("scopes[]", "data:read")];
        let page = browser.post("/keys/new", &form(two.as_str())).await;
        let by_form = page.text().split("KEYWARD_SECRET_KEY=").nth(1).expect("the secret is shown")[..64].to_owned();
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
        assert!(islands(&page).is_empty() && !page.text().contains("<leptos-island"), "without scripts nothing wakes");
        let live = browser.post_live("/keys/new", &form(three.as_str())).await;
        assert_eq!((live.status, live.header("cache-control")), (200, "no-store"));
        let by_live = live.text().split("KEYWARD_SECRET_KEY=").nth(1).expect("the secret is shown")[..64].to_owned();
        assert_ne!(by_service, by_form);
        assert_ne!(by_live, by_form);
        // The island properties and the scripts of the page contain no secret.
        let props = islands(&live);
        assert!(!props.is_empty() && live.text().contains("<leptos-island"), "{}", live.text());
        for (what, hay) in [("the props of the islands", props), ("the scripts", scripts(&live))] {
            assert!(!hay.contains(&by_live[12..40]) && !hay.contains(&by_live[40..]), "{what} of the reveal hold the secret: {hay}");
        }
        // No attribute contains the secret, because a style or a URL could read it there.
        for tag in live.text().split('<').filter_map(|rest| rest.split('>').next()) {
            assert!(!tag.contains(&by_live[12..40]), "a tag holds the secret: {tag}");
        }
        assert_eq!(live.text().matches(&by_live[12..]).count(), 3, "bare, in the command, in the lines for a file");
        let keys = [("the key created by the service", &by_service), ("the key made by form", &by_form), ("the key made alive", &by_live)];
        for (name, secret) in keys {
            // The part of the secret after the preview.
            canaries.plant(name, &secret[12..]);
            canaries.plant(name, &secret[12..40]);
        }
        assert_eq!(browser.post("/keys/new", &form(two.as_str())).await.status, 409);

        // Requests of programs.
        let mut program = bench.browser();
        let page = program.json("/authentication/token", &serde_json::json!({"secret_key": by_service})).await;
        let token = page.json()["access_token"].as_str().unwrap().to_owned();
        let (claims, signature) = token.rsplit_once('.').unwrap();
        canaries.plant("the access token", &token);
        canaries.plant("the access token's signature", signature);
        canaries.plant("the access token's claims", claims.split_once('.').unwrap().1);
        let config = format!("/pops/{project}/config?auto_start=false");
        assert_eq!(program.bearer(&config, &token).await.status, 200);
        assert_eq!(program.json("/v1/keys/verify", &serde_json::json!({"key": by_form})).await.status, 200);

        // Invalid requests with a secret in them.
        for path in ["/authentication/token", "/v1/keys/verify", "/v1/nothing", "/keys/new", "/login", "/api/keys/called"] {
            let bodies = [
                by_service.clone(),
                format!("{{\"key\": \"{by_service}\""),
                format!("{{\"{by_service}\": 1}}"),
                format!("{{\"key\": [\"{by_service}\"], \"secret_key\": 5}}"),
                format!("{{\"key\": \"{by_service}!\", \"expires_in\": \"{by_form}\"}}"),
            ];
            for body in bodies {
                for kind in ["application/json", "text/plain", "application/x-www-form-urlencoded"] {
                    let request = Request::post(path).header("content-type", kind).header("origin", crate::support::URL);
                    let page = program.send(request, body.clone()).await;
                    assert!((303..500).contains(&page.status), "{path}: {}", page.status);
                }
            }
        }
        for bad in [by_service.clone(), format!("{token}x"), "x".repeat(20)] {
            assert_eq!(program.bearer(&config, &bad).await.status, 401);
        }
        program.get(&format!("/v1/projects/{by_service}/config?token={token}")).await;
        program.get(&format!("/nothing/{by_form}?{by_service}")).await;
        browser.get(&format!("/keys/{by_form}/delete?key={by_service}")).await;
        browser.get(&format!("/keys?after={by_service}&status={by_form}")).await;
        let foreign = Request::post("/login").header("origin", "https://evil.example").header("x-secret", &by_service);
        program.send(foreign, by_service.clone()).await;
        browser.call("keys/called", &[("id", &by_service)]).await;
        browser.post_live("/keys/new", &[("number", &by_service), ("project", &password), ("name", &by_form)]).await;

        // The key is deactivated and deleted.
        assert_eq!(browser.post(&format!("/keys/{id}/deactivate"), &[("id", &id)]).await.status, 303);
        assert_eq!(program.bearer(&config, &token).await.status, 401);
        assert_eq!(browser.post(&format!("/keys/{id}/delete"), &[("id", &id)]).await.status, 303);
        bench.app.usage.flush().await.unwrap();

        // Every page that a GET can fetch, with and without a session.
        // The user is the first administrator and can open every page.
        let mut paths: Vec<_> = keyward::http::page_paths().into_iter().map(ToOwned::to_owned).collect();
        assert!(paths.len() > 20, "{paths:?}");
        for path in &mut paths {
            let it = if path.starts_with("/projects/") { &project } else { &id };
            *path = path.replace("{id}", it).replace("{name}", "data:read");
        }
        for more in [
            "/keys?status=deleted", &format!("/keys?done=deleted&key={id}"), &format!("/admin/keys?done=deleted&key={id}"),
            "/settings/account?done=saved", "/admin/scopes?done=added", &format!("/projects/{project}?done=saved"), "/nothing",
            "/.well-known/jwks.json", "/v1/nothing",
        ] {
            paths.push(more.to_owned());
        }
        let there = bench.app.keys.list(&maren, &KeyFilter::default(), "").await.unwrap().keys;
        assert_eq!(there.len(), 2, "those that are not deleted: {there:?}");
        for key in there {
            for verb in ["", "/edit", "/deactivate"] {
                paths.push(format!("/keys/{}{verb}", key.id));
            }
        }
        let mut pages = Vec::new();
        for path in &paths {
            let page = browser.get(path).await;
            assert!(page.status < 500, "{path}: {}", page.status);
            pages.push((format!("GET {path}"), page.bytes));
        }
        assert_eq!(browser.post("/logout", &[]).await.status, 303);
        for path in &paths {
            pages.push((format!("GET {path}, signed out"), browser.get(path).await.bytes));
        }
        // No response header contains a secret, including redirects and cookies, except for the session cookie.
        for (whose, heads) in [("hers", &browser.heads), ("a program's", &program.heads)] {
            assert!(heads.contains("x-request-id") && heads.contains("content-type"));
            let headers_without_session: String = heads.lines().filter(|line| !line.starts_with("set-cookie: keyward=")).collect();
            canaries.search(&format!("the heads of the answers, {whose}"), headers_without_session.as_bytes());
        }
        assert!(browser.heads.contains("location: /keys?done=deleted&key="), "{}", browser.heads);

        // The seed of the token signing key is encrypted, and the file beside the database holds another key.
        let (seed, _) = forged_tokens::seed(&bench).await;
        canaries.plant_bytes("the seed of the signing key", &seed);

        let sinks = stored(&bench).await;
        let logged = log.logged();
        for (sink, hay) in pages.iter().chain(&sinks) {
            canaries.search(sink, hay);
        }
        canaries.search("the log", &logged);

        // The search finds values that are present.
        let found = |hays: &[(String, Vec<u8>)], needle: &str| hays.iter().any(|(_, hay)| contains(hay, needle.as_bytes()));
        assert!(found(&pages, &by_service[..12]), "the list shows the preview");
        for present in [EMAIL, &by_service[..12], &by_form[..12], "session.refused", "key.deleted"] {
            assert!(found(&sinks, present), "{present} is stored");
        }
        for present in ["/authentication/token", "/v1/keys/verify", "/setup", "http.status=409", "request.id"] {
            assert!(contains(&logged, present.as_bytes()), "{present} is logged");
        }
        if let Pool::Sqlite { .. } = bench.app.context.pool {
            let names: Vec<_> = sinks.iter().map(|(name, _)| name.as_str()).collect();
            for name in ["keyward.db", "keyward.db-wal", "keyward.key"] {
                assert!(names.contains(&name), "{name} was searched: {names:?}");
            }
        }
        // The search also finds a canary that was written on purpose: in the database, and in the log.
        bench.execute_sql(&format!("UPDATE projects SET name = '{by_service}'")).await;
        let caught = std::panic::AssertUnwindSafe(async {
            for (sink, hay) in stored(&bench).await {
                canaries.search(&sink, &hay);
            }
        });
        assert!(futures::FutureExt::catch_unwind(caught).await.is_err(), "the search is blind");
        tracing::error!(target: "keyward", "{by_service}");
        let logged = log.logged();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| canaries.search("the log", &logged)));
        assert!(caught.is_err(), "the search of the log is blind");
    }

    /// A second factor: its secret, its recovery codes, and the passwords typed for reauthentication.
    async fn no_sink_holds_a_second_factor(bench: TestServer) {
        let log = LogCapture::start();
        let mut canaries = Canaries::default();
        let unique = |word: &str| format!("{word} {}", hex::encode(crate::support::random::<8>()));
        let (new, wrong) = (unique("quiet harbour"), unique("loud harbour"));
        for (name, text) in [("the new password", &new), ("a wrong proof", &wrong)] {
            canaries.plant(name, text);
            canaries.plant(name, &text.replace(' ', "+"));
        }
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.signed_in(EMAIL).await;
        let second_factor = "/settings/security/second-factor";
        let page = browser.get(second_factor).await;
        let (text, sealed) = (elements(&page, "code")[0].clone(), page.input("sealed").to_owned());
        let secret = base32(&text);
        canaries.plant_bytes("the secret of the second factor", &secret);
        canaries.plant("the secret of the second factor, to be typed", &text);
        canaries.plant("the secret of the second factor, in base32", &text.replace(' ', ""));
        canaries.plant("the secret that is not confirmed", &sealed);
        let now = || bench.app.context.now().seconds();
        let fields = [("sealed", sealed.as_str()), ("one_time_code", "000000")];
        assert_eq!(browser.post(second_factor, &fields).await.status, 422);
        let fields = [("sealed", sealed.as_str()), ("one_time_code", &*code(&secret, now()))];
        let page = browser.post(second_factor, &fields).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let mut codes = elements(&page, "code");
        let used = codes[0].clone();
        assert_eq!(browser.post("/confirm", &[("proof", &wrong)]).await.status, 403);
        bench.clock.advance(901);
        let dialog = "/settings/security/recovery-codes";
        assert_eq!(browser.post(dialog, &[("proof", &wrong)]).await.status, 403);
        let page = browser.post(dialog, &[("proof", &used)]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        codes.extend(elements(&page, "code"));
        for recovery in &codes {
            canaries.plant("a recovery code", recovery);
            canaries.plant("a recovery code, in one", &recovery.replace('-', ""));
        }
        let fields = [("password", PASSWORD), ("new_password", &new)];
        assert_eq!(browser.post("/settings/security/password", &fields).await.status, 303);
        for typed in [wrong.as_str(), &codes[1], &codes[12]] {
            assert_eq!(browser.post("/logout", &[]).await.status, 303);
            assert_eq!(browser.post("/login", &[("email", EMAIL), ("password", &new)]).await.location(), "/login/code");
            canaries.plant_session("a session that waits", browser.cookie.as_deref().unwrap());
            let right = typed == codes[12];
            let status = browser.post("/login/code", &[("one_time_code", typed)]).await.status;
            assert_eq!(status, if right { 303 } else { 422 });
        }
        canaries.plant_session("the session", browser.cookie.as_deref().unwrap());
        for path in ["/settings/security", second_factor, dialog, "/settings/security/second-factor/off", "/confirm", "/keys"] {
            canaries.search(path, &browser.get(path).await.bytes);
        }
        let sinks = stored(&bench).await;
        for (sink, hay) in &sinks {
            canaries.search(sink, hay);
        }
        let logged = log.logged();
        canaries.search("the log", &logged);
        for present in ["second_factor.enrolled", "step_up.refused", "password.changed"] {
            assert!(sinks.iter().any(|(_, hay)| contains(hay, present.as_bytes())), "{present} is stored");
        }
        assert!(contains(&logged, b"/settings/security/recovery-codes"));
    }
}
