//! `keyward projects … --url`: what a key sees of its project.

use super::print;
use crate::cli::{
    output::print_line,
    remote::{Need, Remote, Server},
};
use http::Method;
use uuid::Uuid;

/// The project of a key, as a list of one.
pub async fn list(remote: &Remote, json: bool) -> anyhow::Result<()> {
    let page = remote.call(Method::GET, "/v1/projects", None, None).await?;
    Ok(print::list(page["projects"].as_array().map_or(&[][..], Vec::as_slice), json)?)
}

pub async fn show(remote: &Remote, named: Option<&str>, json: bool) -> anyhow::Result<()> {
    let project = remote.project(named).await?;
    let project = remote.call(Method::GET, &format!("/v1/projects/{project}"), None, None).await?;
    Ok(print::one(&project, json)?)
}

/// Prints the config, as it was saved. Any key may read that of its project; to find the project without its id it must be one
/// that may read keys.
pub async fn config(server: Server, named: Option<&str>) -> anyhow::Result<()> {
    let id = named.and_then(|it| it.parse::<Uuid>().ok());
    let need = if id.is_some() { Need::Config } else { Need::Read };
    let mut remote = server.open(need).await?;
    let project = remote.project(named).await?;
    if id.is_none() {
        remote = remote.again(Need::Config).await?;
    }
    Ok(print_line!("{}", remote.text(&format!("/v1/projects/{project}/config")).await?)?)
}
