//! Client of a server's management API, for commands that use it instead of the database.

use super::output::print_note;
use crate::{
    config::exposure,
    service::{
        http_client::{ApiRequest, HttpClient, HttpResponse},
        management_client::{READ_SCOPE, WRITE_SCOPE},
    },
};
use anyhow::Context as _;
use http::{HeaderName, Method, StatusCode, header};
use serde_json::Value;
use std::path::PathBuf;
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

/// Grant type and subject token type of a token exchange (RFC 8693). The type for a key is Keyward's own.
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const KEY_TYPE: &str = "urn:keyward:token-type:key";
const NOT_JSON: &str = "the response of the server is not JSON";
/// Variable with the key. A flag would be visible in the process list.
pub(super) const KEY_VARIABLE: &str = "KEYWARD_KEY";

/// Server of a command, and the source of the key for it.
#[derive(clap::Args)]
pub struct RemoteArgs {
    /// Use the management API of this server instead of the database, with the key in KEYWARD_KEY or --secret-file
    #[arg(long, value_name = "URL", global = true, value_parser = parse_url)]
    url: Option<Url>,
    /// File with the secret of a key that has the scope keyward:keys.read or keyward:keys.write (- for standard input)
    #[arg(long, value_name = "FILE", global = true)]
    secret_file: Option<PathBuf>,
}

/// Parses the value of `--url`, with an error that shows a valid one.
fn parse_url(text: &str) -> Result<Url, &'static str> {
    text.parse().map_err(|_| "use a URL such as https://keys.example.com")
}

/// Permission that a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    Read,
    Write,
    /// Reading the config of the key's project. Every key has this permission.
    Config,
}

/// Server and key.
pub struct Server {
    fetch: HttpClient,
    url: Url,
    secret: Zeroizing<String>,
}

/// Server and access token for its API.
pub struct ApiClient {
    server: Server,
    token: Zeroizing<String>,
}

impl RemoteArgs {
    /// Returns the server, if `--url` is set.
    ///
    /// # Errors
    /// If the server has no key, or there is a key but no server.
    pub fn server(&self) -> anyhow::Result<Option<Server>> {
        let Some(url) = &self.url else {
            // Checked here and not by clap: clap does not apply the rule to an option that precedes the subcommand.
            require_url(self.secret_file.is_none(), "--secret-file")?;
            return Ok(None);
        };
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        anyhow::ensure!(
            is_bare && url.username().is_empty() && url.password().is_none(),
            "--url must contain only a scheme, a host, and a port, such as https://keys.example.com"
        );
        let secret = self.secret()?;
        anyhow::ensure!(!secret.is_empty(), "the key for the server is empty: set {KEY_VARIABLE} or --secret-file");
        Ok(Some(Server { fetch: HttpClient::new(), url: url.clone(), secret }))
    }

    fn secret(&self) -> anyhow::Result<Zeroizing<String>> {
        let mut text = match (&self.secret_file, std::env::var(KEY_VARIABLE)) {
            (Some(file), _) if file.as_os_str() == "-" => {
                std::io::read_to_string(std::io::stdin()).context("the key could not be read from standard input")?
            }
            (Some(file), _) => {
                if let Some(warning) = exposure("the secret file", file) {
                    print_note(format_args!("keyward: warning: {warning}"));
                }
                std::fs::read_to_string(file)
                    .with_context(|| format!("the key in {} could not be read", file.display()))?
            }
            (None, Ok(key)) if !key.is_empty() => key,
            (None, _) => anyhow::bail!(
                "the key for the server is missing: set {KEY_VARIABLE} or --secret-file FILE (- for standard input)"
            ),
        };
        let key = Zeroizing::new(text.trim().to_owned());
        text.zeroize();
        Ok(key)
    }
}

/// Rejects an option that requires a server, if no server is set.
///
/// # Errors
/// Unless the option is `absent`.
pub fn require_url(absent: bool, option: &str) -> anyhow::Result<()> {
    anyhow::ensure!(absent, "{option} requires a server: set --url, or leave out {option}");
    Ok(())
}

impl Server {
    /// Exchanges the key for a token with this permission.
    ///
    /// # Errors
    /// If the server rejects the key.
    pub async fn authenticate(self, need: Permission) -> anyhow::Result<ApiClient> {
        Ok(ApiClient { token: self.exchange_key(need).await?, server: self })
    }

    /// Requests a token for the key. A key that can write keys need not be able to read them, so both scopes are
    /// requested first and then one.
    async fn exchange_key(&self, need: Permission) -> anyhow::Result<Zeroizing<String>> {
        let both = format!("{READ_SCOPE} {WRITE_SCOPE}");
        let wishes = match need {
            Permission::Read => vec![self.management_token_request(READ_SCOPE)],
            Permission::Write => vec![self.management_token_request(&both), self.management_token_request(WRITE_SCOPE)],
            Permission::Config => vec![self.project_token_request()],
        };
        let mut refusal = String::new();
        for (path, kind, body) in wishes {
            let heads = vec![(header::CONTENT_TYPE, kind.to_owned())];
            let call = ApiRequest { method: Method::POST, headers: heads, body: Some(&body) };
            let answer = self.send(path, &call).await?;
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if let Some(token) = body["access_token"].as_str().filter(|_| answer.status == StatusCode::OK) {
                return Ok(Zeroizing::new(token.to_owned()));
            }
            let message = ["error_description", "detail", "error"].iter().find_map(|it| body[*it].as_str());
            let Some(message) = message else {
                anyhow::bail!(
                    "{} responded with {}, and the response is not from Keyward. Check the address in --url",
                    self.url,
                    answer.status
                );
            };
            message.clone_into(&mut refusal);
            if body["error"] != "invalid_scope" {
                break;
            }
        }
        anyhow::bail!("the server did not issue a token for this key: {refusal}")
    }

    /// Returns path, content type and body of a request for a management token.
    fn management_token_request(&self, scope: &str) -> (&'static str, &'static str, Zeroizing<String>) {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", EXCHANGE)
            .append_pair("subject_token_type", KEY_TYPE)
            .append_pair("subject_token", &self.secret)
            .append_pair("scope", scope)
            .finish();
        ("/oauth/token", "application/x-www-form-urlencoded", Zeroizing::new(form))
    }

    /// Returns path, content type and body of a request for a token of the key's own project.
    fn project_token_request(&self) -> (&'static str, &'static str, Zeroizing<String>) {
        // Serialized from the original: a `Value` would contain a copy that is not zeroized.
        let body = Zeroizing::new(serde_json::to_string(self.secret.as_str()).unwrap_or_default());
        let body = format!(r#"{{"expires_in": 3600, "secret_key": {}}}"#, body.as_str());
        ("/authentication/token", "application/json", Zeroizing::new(body))
    }

    async fn send(&self, path: &str, call: &ApiRequest<'_>) -> anyhow::Result<HttpResponse> {
        let answer = self.fetch.call_api(&self.endpoint(path), call).await;
        answer.with_context(|| {
            format!(
                "there is no response from {}; check the address in --url and whether the server is running",
                self.url
            )
        })
    }

    fn endpoint(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        url
    }
}

impl ApiClient {
    /// Replaces the token by one with another permission.
    ///
    /// # Errors
    /// If the server rejects the key.
    pub async fn with_permission(self, need: Permission) -> anyhow::Result<Self> {
        self.server.authenticate(need).await
    }

    /// Sends a request and returns the body of a successful response.
    ///
    /// # Errors
    /// The server's error message.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        head: Option<(HeaderName, &str)>,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let mut heads = self.auth_headers();
        heads.extend(head.map(|(name, value)| (name, value.to_owned())));
        let text = body.map(ToString::to_string);
        if text.is_some() {
            heads.push((header::CONTENT_TYPE, "application/json".to_owned()));
        }
        let answer =
            check_status(self.server.send(path, &ApiRequest { method, headers: heads, body: text.as_deref() }).await?)?;
        serde_json::from_slice(&answer.body).context(NOT_JSON)
    }

    /// Returns a response body as text, unchanged.
    ///
    /// # Errors
    /// The server's error message.
    pub async fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let answer = check_status(
            self.server.send(path, &ApiRequest { headers: self.auth_headers(), ..ApiRequest::default() }).await?,
        )?;
        String::from_utf8(answer.body).context("the response of the server is not text")
    }

    fn auth_headers(&self) -> Vec<(HeaderName, String)> {
        vec![(header::AUTHORIZATION, format!("Bearer {}", *self.token))]
    }

    /// Returns the id of the project with this id or name; without either, of the key's project.
    ///
    /// # Errors
    /// If the key belongs to another project.
    pub async fn resolve_project(&self, named: Option<&str>) -> anyhow::Result<String> {
        if let Some(id) = named.and_then(|it| it.parse::<uuid::Uuid>().ok()) {
            return Ok(id.to_string());
        }
        let answer = self
            .server
            .send("/v1/projects", &ApiRequest { headers: self.auth_headers(), ..ApiRequest::default() })
            .await?;
        if answer.status == StatusCode::FORBIDDEN {
            anyhow::bail!("this key cannot read keys: set --project to the ID of its project");
        }
        let listed: Value = serde_json::from_slice(&check_status(answer)?.body).context(NOT_JSON)?;
        let project = &listed["projects"][0];
        if named.is_some_and(|name| project["name"] != name) {
            anyhow::bail!("this key belongs to the project “{}”", project["name"].as_str().unwrap_or_default());
        }
        Ok(project["project_id"].as_str().unwrap_or_default().to_owned())
    }
}

/// Returns a successful response, or its error.
fn check_status(answer: HttpResponse) -> anyhow::Result<HttpResponse> {
    if answer.status.is_success() { Ok(answer) } else { Err(error_from_response(&answer)) }
}

/// Converts an error response into an error with the server's message.
fn error_from_response(answer: &HttpResponse) -> anyhow::Error {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let message = body["detail"]
        .as_str()
        .map_or_else(|| format!("the server responded with {}", answer.status), ToOwned::to_owned);
    // The invalid fields follow below.
    let message = message.replace(": see errors.", ":");
    let wrong = body["errors"].as_array().into_iter().flatten();
    let wrong = wrong.map(|it| {
        format!("\n  {}: {}", it["name"].as_str().unwrap_or_default(), it["detail"].as_str().unwrap_or_default())
    });
    // Id of the key that an earlier request with the same idempotency key created.
    let made = answer.headers.get("x-keyward-key-id").and_then(|id| id.to_str().ok());
    let made = made.map(|id| format!("\n  Key ID: {id}")).unwrap_or_default();
    anyhow::anyhow!("{message}{}{made}", wrong.collect::<String>())
}
