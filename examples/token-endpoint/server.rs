//! Example server that issues temporary Keyward tokens to its own users. The key stays on this server; a token is valid
//! for one day.
//!
//! Usage: `KEYWARD_URL=… KEYWARD_PROJECT=… KEYWARD_KEY=… APP_PASSWORD=… token-endpoint`. Needs the crates `axum`,
//! `base64`, `percent-encoding`, `serde_json`, `sha2`, `subtle`, `tokio`, and `ureq` (feature `json`).
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{env, error::Error, sync::Arc, time::Duration};
use subtle::ConstantTimeEq as _;

type Fault = Box<dyn Error + Send + Sync>;

/// One day, in seconds.
const DAY: u32 = 86_400;

struct App {
    keyward: ureq::Agent,
    url: String,
    key: String,
    password: String,
    page: String,
}

/// Returns the name of the authenticated user, or `None`. Replace this with your own sessions: the example has a single
/// password, checked with HTTP Basic authentication.
fn user(app: &App, headers: &HeaderMap) -> Option<String> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':').filter(|(name, _)| !name.is_empty())?;
    let same = Sha256::digest(password).ct_eq(&Sha256::digest(&app.password));
    (scheme.eq_ignore_ascii_case("basic") && bool::from(same)).then(|| name.to_owned())
}

/// Requests a token that is valid for one day. Any response except a complete token is an error.
fn temporary_token(app: &App) -> Result<Value, Fault> {
    let request = json!({"secret_key": app.key, "expires_in": DAY});
    let mut response = app.keyward.post(format!("{}/authentication/token", app.url)).send_json(request)?;
    let answer: Value = response.body_mut().read_json()?;
    if response.status() != 200 {
        return Err(format!("Keyward responded with {} {}", response.status(), answer["code"]).into());
    }
    match (answer["access_token"].as_str(), answer["expires_in"].as_u64()) {
        (Some(token), Some(life)) => Ok(json!({"access_token": token, "expires_in": life})),
        _ => Err("the response of Keyward contains no token".into()),
    }
}

fn json_response(status: StatusCode, body: Value) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Returns 401 with a Basic challenge, for both paths: on the page, the browser prompts for a name and a password.
fn unauthorized() -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, r#"Basic realm="Pelagic", charset="UTF-8""#)];
    (challenge, json_response(StatusCode::UNAUTHORIZED, json!({"error": "unauthorized"}))).into_response()
}

async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    user(&app, &headers).map_or_else(unauthorized, |_| Html(app.page.clone()).into_response())
}

async fn auth(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if user(&app, &headers).is_none() {
        return unauthorized();
    }
    let result = tokio::task::spawn_blocking(move || temporary_token(&app)).await;
    match result.map_err(Fault::from).and_then(|token| token) {
        Ok(token) => json_response(StatusCode::OK, token),
        Err(error) => {
            eprintln!("token request failed: {error}");
            json_response(StatusCode::BAD_GATEWAY, json!({"error": "unavailable"}))
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let need = |name: &str| env::var(name).ok().filter(|it| !it.is_empty()).ok_or(format!("Set {name}."));
    let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(3))).max_redirects(0);
    let url = need("KEYWARD_URL")?.trim_end_matches('/').to_owned();
    let project = need("KEYWARD_PROJECT")?;
    let project = percent_encoding::utf8_percent_encode(&project, percent_encoding::NON_ALPHANUMERIC).to_string();
    let page = include_str!("page.html").replace("{keyward}", &url).replace("{project}", &project);
    let keyward = agent.http_status_as_error(false).build().new_agent();
    let app = App { keyward, url, key: need("KEYWARD_KEY")?, password: need("APP_PASSWORD")?, page };

    let routes = Router::new().route("/", get(self::page)).route("/api/eyepop/auth", post(auth));
    let listener = tokio::net::TcpListener::bind(env::var("APP_LISTEN").unwrap_or("127.0.0.1:8080".into())).await?;
    println!("listening at http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, routes.with_state(Arc::new(app))).await?)
}
