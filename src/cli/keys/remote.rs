//! `keyward keys … --url`: key management through the management API.

use super::{
    args::{CreateArgs, KeyArg, ListArgs},
    edit::EditArgs,
    print,
};
use crate::{
    cli::remote::ApiClient,
    domain::{expiry::ExpiryChoice, ids::KeyId, time::Timestamp, transition::Transition},
    service::time_format::rfc3339,
};
use anyhow::Context as _;
use http::{HeaderName, Method, header};
use serde_json::{Map, Value, json};

/// Converts an expiry into the name and value of the API member.
fn expiry_member(expires: &str) -> anyhow::Result<(&'static str, Value)> {
    Ok(match super::expiry_field_value(expires.to_owned()).parse::<ExpiryChoice>().context("expires")? {
        ExpiryChoice::Days(days) => ("expires_in_days", json!(days)),
        ExpiryChoice::Date(date) => ("expires_at", json!(format!("{date}T23:59:59Z"))),
        ExpiryChoice::Never => ("expires_at", Value::Null),
    })
}

/// Converts a time into RFC 3339. A time without an offset is in UTC.
fn to_rfc3339(text: &str) -> String {
    let civil = text.trim().parse::<jiff::civil::DateTime>().and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
    match (text.trim().parse::<jiff::Timestamp>(), civil) {
        (Err(_), Ok(at)) => rfc3339(Timestamp::from_micros(at.timestamp().as_microsecond())),
        _ => text.to_owned(),
    }
}

/// Creates a key and prints its secret, once.
pub async fn create(remote: &ApiClient, args: &CreateArgs) -> anyhow::Result<()> {
    let project = remote.resolve_project(args.project.as_deref()).await?;
    let mut body = Map::from_iter([("name".to_owned(), json!(args.name)), ("scopes".to_owned(), json!(args.scopes))]);
    let mut insert = |name: &str, value: Value| body.insert(name.to_owned(), value);
    if let Some(expires) = &args.expires {
        let (name, value) = expiry_member(expires)?;
        insert(name, value);
    }
    if let Some(environment) = args.environment {
        insert("environment", json!(environment));
    }
    if !args.issued_to.is_empty() {
        insert("issued_to", json!(args.issued_to));
    }
    if !args.networks.is_empty() {
        insert("networks", json!(args.networks));
    }
    if !args.not_before.is_empty() {
        insert("not_before", json!(to_rfc3339(&args.not_before)));
    }
    if !args.rate.is_empty() {
        insert("rate_limit", json!(args.rate));
    }
    let once = args.idempotency_key.as_deref().map(|it| (HeaderName::from_static("idempotency-key"), it));
    let made = remote.request(Method::POST, &format!("/v1/projects/{project}/keys"), once, Some(&body.into())).await?;
    print::created(&made, args.json)
}

/// Prints a key.
pub async fn show(remote: &ApiClient, project: Option<&str>, id: KeyId, json: bool) -> anyhow::Result<()> {
    let project = remote.resolve_project(project).await?;
    let key = remote.request(Method::GET, &format!("/v1/projects/{project}/keys/{id}"), None, None).await?;
    Ok(print::details(&key, json)?)
}

/// Prints the keys of all pages.
pub async fn list(remote: &ApiClient, args: &ListArgs) -> anyhow::Result<()> {
    let project = remote.resolve_project(args.project.as_deref()).await?;
    let (mut printer, mut cursor) = (print::ListPrinter::new(args.json), None::<String>);
    loop {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", "200");
        let filters = [
            ("status", args.status.map(|it| it.as_str().to_owned())),
            ("environment", args.environment.map(|it| it.to_string())),
            ("text", args.text.clone()),
            ("issued_to", args.issued_to.clone()),
            ("cursor", cursor.take()),
        ];
        for (name, value) in filters {
            // An empty filter matches every key.
            value.filter(|value| !value.is_empty()).map(|value| query.append_pair(name, &value));
        }
        let path = format!("/v1/projects/{project}/keys?{}", query.finish());
        let mut page = remote.request(Method::GET, &path, None, None).await?;
        if let Value::Array(keys) = page["keys"].take() {
            printer.page(keys.into_iter().map(|key| (key, None)))?;
        }
        cursor = page["next_cursor"].as_str().map(ToOwned::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    Ok(printer.end()?)
}

/// Edits a key. `If-Match: *` applies the changes to any version of the key.
pub async fn edit(
    remote: &ApiClient,
    project: Option<&str>,
    id: KeyId,
    changes: &EditArgs,
    json: bool,
) -> anyhow::Result<()> {
    let project = remote.resolve_project(project).await?;
    let body = changes.body(expiry_member, to_rfc3339)?;
    let any = Some((header::IF_MATCH, "*"));
    let key = remote.request(Method::PATCH, &format!("/v1/projects/{project}/keys/{id}"), any, Some(&body)).await?;
    print::changed(&key, super::EDIT_RESULT, json)
}

/// Deactivates, activates, deletes or restores a key.
pub async fn change(remote: &ApiClient, one: &KeyArg, transition: Transition) -> anyhow::Result<()> {
    let project = remote.resolve_project(one.project.as_deref()).await?;
    let key = format!("/v1/projects/{project}/keys/{}", one.id);
    let (method, path) = match transition {
        Transition::Delete => (Method::DELETE, key),
        _ => (Method::POST, format!("{key}/{}", transition.as_str())),
    };
    let key = remote.request(method, &path, None, None).await?;
    print::changed(&key, super::result_text(transition), one.json)
}
