//! `keyward keys … --url`: key management through the management API.

use super::{
    args::{KeyArg, ListArgs},
    fields::{CreateArgs, EditArgs},
    print,
};
use crate::{
    cli::{list::ListPrinter, remote::ApiClient},
    domain::{ids::KeyId, transition::Transition},
};
use http::{HeaderName, Method, header};
use serde_json::Value;

/// Creates a key and prints its secret, once.
pub async fn create(remote: &ApiClient, args: &CreateArgs) -> anyhow::Result<()> {
    let project = remote.resolve_project(args.project.as_deref()).await?;
    let body = args.body()?;
    let once = args.idempotency_key.as_deref().map(|it| (HeaderName::from_static("idempotency-key"), it));
    let made = remote.request(Method::POST, &format!("/v1/projects/{project}/keys"), once, Some(&body)).await?;
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
    let (mut printer, mut cursor) = (ListPrinter::new(args.format, print::COLUMNS), None::<String>);
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
            printer.page(keys.into_iter().map(|key| print::row(key, None)))?;
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
    let body = changes.body()?;
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
