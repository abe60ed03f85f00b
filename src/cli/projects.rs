//! `keyward projects …`.

use super::open::{Opened, words};
use crate::{
    config::DatabaseSettings,
    domain::ids::ProjectId,
    service::{actor::Actor, projects::Projects as Service},
};
use anyhow::Context as _;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Projects {
    /// List projects
    List {
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Read or set the JSON config that token holders of a project read
    Config {
        /// The project's id, or its name if only one project has it
        #[arg(long)]
        project: String,
        /// Set it to this file's content (- for standard input); without it, print the config
        #[arg(long, value_name = "FILE")]
        set: Option<PathBuf>,
    },
}

pub async fn run(database: &DatabaseSettings, command: Projects) -> anyhow::Result<()> {
    let opened = Opened::open(database, false).await?;
    let service = Service::new(opened.ground.clone());
    let done = match command {
        Projects::List { json } => list(&service, json).await,
        Projects::Config { project, set } => config(&service, &project, set).await,
    };
    drop(service);
    opened.done().await;
    done
}

async fn list(service: &Service, json: bool) -> anyhow::Result<()> {
    let projects = service.all().await.map_err(words)?;
    if json {
        let printed: Vec<_> = projects
            .iter()
            .map(|p| serde_json::json!({"project_id": p.id, "name": p.name, "archived": p.archived_at.is_some()}))
            .collect();
        println!("{}", serde_json::Value::Array(printed));
    } else {
        for project in projects {
            println!("{}  {}", project.id, project.name);
        }
    }
    Ok(())
}

async fn config(service: &Service, project: &str, set: Option<PathBuf>) -> anyhow::Result<()> {
    let project = find(service, project).await?;
    let Some(file) = set else {
        println!("{}", service.config(project).await.map_err(words)?);
        return Ok(());
    };
    let text = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).context("the config could not be read from standard input")?
    } else {
        std::fs::read_to_string(&file).with_context(|| format!("the config {} could not be read", file.display()))?
    };
    service.set_config(&Actor::Operator, project, &text).await.map_err(words)?;
    println!("The config of project {project} is set.");
    Ok(())
}

/// The project with this id, or the only one with this name.
pub async fn find(service: &Service, text: &str) -> anyhow::Result<ProjectId> {
    let projects = service.all().await.map_err(words)?;
    let id = text.parse::<ProjectId>().ok();
    let found: Vec<_> = projects.iter().filter(|p| Some(p.id.into()) == id || p.name == text).collect();
    match found.as_slice() {
        [one] => Ok(one.id.into()),
        [] => anyhow::bail!("there is no project “{text}”; see: keyward projects list"),
        _ => anyhow::bail!(
            "{} projects are named “{text}”; give the id of one, as in: keyward projects list",
            found.len()
        ),
    }
}
