//! `keyward projects … --url`: reads a key's project through the management API.

use super::print;
use crate::cli::{
    list::FormatArgs,
    output::print_line,
    remote::{ApiClient, Permission, Server},
};
use http::Method;
use uuid::Uuid;

/// Prints the project of the key as a list with one element.
pub async fn list(remote: &ApiClient, format: FormatArgs) -> anyhow::Result<()> {
    let page = remote.request(Method::GET, "/v1/projects", None, None).await?;
    Ok(print::list(page["projects"].as_array().map_or(&[][..], Vec::as_slice), format)?)
}

pub async fn show(remote: &ApiClient, named: Option<&str>, json: bool) -> anyhow::Result<()> {
    let project = remote.resolve_project(named).await?;
    let project = remote.request(Method::GET, &format!("/v1/projects/{project}"), None, None).await?;
    Ok(print::details(&project, json)?)
}

/// Prints the config as it was saved.
///
/// Any key can read the config of its project. Without the project's id the key also needs permission to read keys, to
/// find the project.
pub async fn config(server: Server, named: Option<&str>) -> anyhow::Result<()> {
    let id = named.and_then(|it| it.parse::<Uuid>().ok());
    let need = if id.is_some() { Permission::Config } else { Permission::Read };
    let mut remote = server.authenticate(need).await?;
    let project = remote.resolve_project(named).await?;
    if id.is_none() {
        remote = remote.with_permission(Permission::Config).await?;
    }
    Ok(print_line!("{}", remote.get_text(&format!("/v1/projects/{project}/config")).await?)?)
}
