//! A server that a command works on through its management API, in place of the database.

use crate::service::{
    fetch::{Answer, Call, Fetch},
    program::{READ, WRITE},
};
use anyhow::Context as _;
use http::{HeaderName, Method, StatusCode, header};
use serde_json::Value;
use std::path::PathBuf;
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

/// The grant type and the kinds of token of an exchange (RFC 8693); that of a key is ours.
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const KEY_TYPE: &str = "urn:keyward:token-type:key";
/// The variable that may hold the key. A flag would stand in the list of processes.
const VARIABLE: &str = "KEYWARD_KEY";

/// Which server, and where the key for it stands.
#[derive(clap::Args)]
pub struct RemoteArgs {
    /// Work on this server through its management API, with the key in KEYWARD_KEY or --secret-file; without it, on the database
    #[arg(long, value_name = "URL", global = true)]
    url: Option<Url>,
    /// File with the secret of a key that has keyward:keys.read or keyward:keys.write (- for standard input)
    #[arg(long, value_name = "FILE", global = true, requires = "url")]
    secret_file: Option<PathBuf>,
}

/// What a command needs to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Read,
    Write,
}

/// A server, with a token for its management API.
pub struct Remote {
    fetch: Fetch,
    url: Url,
    token: Zeroizing<String>,
}

impl RemoteArgs {
    /// The server, if one is named.
    ///
    /// # Errors
    /// If there is no key for it, or the server refuses the key; in a sentence.
    pub async fn open(&self, need: Need) -> anyhow::Result<Option<Remote>> {
        let Some(url) = &self.url else { return Ok(None) };
        let mut remote = Remote { fetch: Fetch::new(), url: url.clone(), token: Zeroizing::default() };
        remote.token = remote.exchange(&self.secret()?, need).await?;
        Ok(Some(remote))
    }

    /// Refuses a server, for what only the database can do.
    ///
    /// # Errors
    /// A sentence, if one is named.
    pub fn none(&self, what: &str) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.url.is_none(),
            "{what} is done on the database: the management API has nothing for it. Leave out --url"
        );
        Ok(())
    }

    fn secret(&self) -> anyhow::Result<Zeroizing<String>> {
        let mut text = match (&self.secret_file, std::env::var(VARIABLE)) {
            (Some(file), _) if file.as_os_str() == "-" => {
                std::io::read_to_string(std::io::stdin()).context("the key could not be read from standard input")?
            }
            (Some(file), _) => std::fs::read_to_string(file)
                .with_context(|| format!("the key in {} could not be read", file.display()))?,
            (None, Ok(key)) => key,
            (None, Err(_)) => anyhow::bail!(
                "give the key for the server: in {VARIABLE}, or with --secret-file FILE (- for standard input)"
            ),
        };
        let key = Zeroizing::new(text.trim().to_owned());
        text.zeroize();
        Ok(key)
    }
}

impl Remote {
    /// A token of the key, with what the key can do of management. A key that may write need not be one that may read.
    async fn exchange(&self, secret: &str, need: Need) -> anyhow::Result<Zeroizing<String>> {
        let both = format!("{READ} {WRITE}");
        let wishes: &[&str] = if need == Need::Read { &[READ] } else { &[&both, WRITE] };
        let mut refusal = String::new();
        for scope in wishes {
            let form = Zeroizing::new(
                url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("grant_type", EXCHANGE)
                    .append_pair("subject_token_type", KEY_TYPE)
                    .append_pair("subject_token", secret)
                    .append_pair("scope", scope)
                    .finish(),
            );
            let kind = (header::CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned());
            let call = Call { method: Method::POST, heads: vec![kind], body: Some(&form) };
            let answer = self.fetch.call(&self.at("/oauth/token"), &call).await?;
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if answer.status == StatusCode::OK {
                return Ok(Zeroizing::new(body["access_token"].as_str().unwrap_or_default().to_owned()));
            }
            refusal = ["error_description", "detail", "error"]
                .iter()
                .find_map(|it| body[*it].as_str())
                .unwrap_or("no word")
                .to_owned();
            if body["error"] != "invalid_scope" {
                break;
            }
        }
        anyhow::bail!("the server made no token of this key: {refusal}")
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        url
    }

    /// Calls, and gives the body of what was answered well.
    ///
    /// # Errors
    /// What the server refused with, in its words.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        head: Option<(HeaderName, &str)>,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let mut heads = vec![(header::AUTHORIZATION, format!("Bearer {}", *self.token))];
        heads.extend(head.map(|(name, value)| (name, value.to_owned())));
        let text = body.map(ToString::to_string);
        if text.is_some() {
            heads.push((header::CONTENT_TYPE, "application/json".to_owned()));
        }
        let call = Call { method, heads, body: text.as_deref() };
        let answer = self.fetch.call(&self.at(path), &call).await?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body).context("the server answered with something else than JSON");
        }
        Err(refused(&answer))
    }

    /// The project with this id or name; without either, the one that the key belongs to.
    ///
    /// # Errors
    /// If the key belongs to another.
    pub async fn project(&self, named: Option<&str>) -> anyhow::Result<String> {
        if let Some(id) = named.and_then(|it| it.parse::<uuid::Uuid>().ok()) {
            return Ok(id.to_string());
        }
        let listed = self.call(Method::GET, "/v1/projects", None, None).await;
        let listed = listed.context("a key that may only write needs --project with the id of its project")?;
        let project = &listed["projects"][0];
        if named.is_some_and(|name| project["name"] != name) {
            anyhow::bail!("this key is one of the project “{}”", project["name"].as_str().unwrap_or_default());
        }
        Ok(project["project_id"].as_str().unwrap_or_default().to_owned())
    }
}

/// A refusal in the words of the server.
fn refused(answer: &Answer) -> anyhow::Error {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said =
        body["detail"].as_str().map_or_else(|| format!("the server answered {}", answer.status), ToOwned::to_owned);
    let wrong = body["errors"].as_array().into_iter().flatten();
    let wrong = wrong.map(|it| {
        format!("\n  {}: {}", it["name"].as_str().unwrap_or_default(), it["detail"].as_str().unwrap_or_default())
    });
    // The key that an idempotency key has made already.
    let made = answer.heads.get("x-keyward-key-id").and_then(|id| id.to_str().ok());
    let made = made.map(|id| format!("\n  That key is {id}.")).unwrap_or_default();
    anyhow::anyhow!("{said}{}{made}", wrong.collect::<String>())
}
