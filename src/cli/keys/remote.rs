//! `keyward keys … --url`: key management through the management API.

use super::{
    args::{Create, Listed},
    edit::Changes,
    print,
};
use crate::{
    cli::remote::Remote,
    domain::{expiry::ExpiryChoice, ids::KeyId, time::Timestamp},
    service::moments::rfc3339,
};
use anyhow::Context as _;
use http::{HeaderName, Method, header};
use serde_json::{Map, Value, json};

/// Converts an expiry into the name and value of the API member.
fn end(expires: &str) -> anyhow::Result<(&'static str, Value)> {
    Ok(match super::choice(expires.to_owned()).parse::<ExpiryChoice>().context("expires")? {
        ExpiryChoice::Days(days) => ("expires_in_days", json!(days)),
        ExpiryChoice::Date(date) => ("expires_at", json!(format!("{date}T23:59:59Z"))),
        ExpiryChoice::Never => ("expires_at", Value::Null),
    })
}

/// Converts a time into RFC 3339. A time without an offset is in UTC.
fn instant(text: &str) -> String {
    let civil = text.trim().parse::<jiff::civil::DateTime>().and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
    match (text.trim().parse::<jiff::Timestamp>(), civil) {
        (Err(_), Ok(at)) => rfc3339(Timestamp::from_micros(at.timestamp().as_microsecond())),
        _ => text.to_owned(),
    }
}

/// Creates a key and prints its secret, once.
pub async fn create(remote: &Remote, asked: &Create) -> anyhow::Result<()> {
    let project = remote.project(asked.project.as_deref()).await?;
    let mut body = Map::from_iter([("name".to_owned(), json!(asked.name)), ("scopes".to_owned(), json!(asked.scopes))]);
    let mut say = |name: &str, value: Value| body.insert(name.to_owned(), value);
    if let Some(expires) = &asked.expires {
        let (name, value) = end(expires)?;
        say(name, value);
    }
    if let Some(environment) = asked.environment {
        say("environment", json!(environment));
    }
    if !asked.issued_to.is_empty() {
        say("issued_to", json!(asked.issued_to));
    }
    if !asked.networks.is_empty() {
        say("networks", json!(asked.networks));
    }
    if !asked.not_before.is_empty() {
        say("not_before", json!(instant(&asked.not_before)));
    }
    if !asked.rate.is_empty() {
        say("rate_limit", json!(asked.rate));
    }
    let once = asked.idempotency_key.as_deref().map(|it| (HeaderName::from_static("idempotency-key"), it));
    let made = remote.call(Method::POST, &format!("/v1/projects/{project}/keys"), once, Some(&body.into())).await?;
    print::created(&made, asked.json)
}

/// Prints a key.
pub async fn show(remote: &Remote, project: Option<&str>, id: KeyId, json: bool) -> anyhow::Result<()> {
    let project = remote.project(project).await?;
    let key = remote.call(Method::GET, &format!("/v1/projects/{project}/keys/{id}"), None, None).await?;
    Ok(print::one(&key, json)?)
}

/// Prints the keys of all pages.
pub async fn list(remote: &Remote, asked: &Listed) -> anyhow::Result<()> {
    let project = remote.project(asked.project.as_deref()).await?;
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", "200");
        let said = [
            ("status", asked.status.map(|it| it.as_str().to_owned())),
            ("environment", asked.environment.map(|it| it.to_string())),
            ("text", asked.text.clone()),
            ("issued_to", asked.issued_to.clone()),
            ("cursor", cursor.take()),
        ];
        for (name, value) in said {
            // An empty filter matches every key.
            value.filter(|value| !value.is_empty()).map(|value| query.append_pair(name, &value));
        }
        let path = format!("/v1/projects/{project}/keys?{}", query.finish());
        let mut page = remote.call(Method::GET, &path, None, None).await?;
        if let Value::Array(keys) = page["keys"].take() {
            all.extend(keys);
        }
        cursor = page["next_cursor"].as_str().map(ToOwned::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    Ok(print::list(&all, |_| None, asked.json)?)
}

/// Edits a key. `If-Match: *` applies the changes to any version of the key.
pub async fn edit(
    remote: &Remote,
    project: Option<&str>,
    id: KeyId,
    changes: &Changes,
    json: bool,
) -> anyhow::Result<()> {
    let project = remote.project(project).await?;
    let body = changes.body(end, instant)?;
    let any = Some((header::IF_MATCH, "*"));
    let key = remote.call(Method::PATCH, &format!("/v1/projects/{project}/keys/{id}"), any, Some(&body)).await?;
    print::changed(&key, super::EDITED, json)
}

/// Deactivates, activates, deletes or restores a key.
pub async fn change(
    remote: &Remote,
    project: Option<&str>,
    id: KeyId,
    verb: super::Verb,
    json: bool,
) -> anyhow::Result<()> {
    let project = remote.project(project).await?;
    let key = format!("/v1/projects/{project}/keys/{id}");
    let (method, path) = match verb {
        super::Verb::Delete => (Method::DELETE, key),
        verb => (Method::POST, format!("{key}/{}", verb.as_str())),
    };
    let key = remote.call(method, &path, None, None).await?;
    print::changed(&key, verb.words(), json)
}
