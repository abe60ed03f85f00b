//! `keyward projects …`: project management in the database. With `--url` the reading commands work on a server.

mod print;
mod remote;

use super::{
    database::{Database, terminal_error},
    list::FormatArgs,
    output::{print_change, print_change_line, print_line},
    remote::{Permission, RemoteArgs},
};
use crate::{
    config::DatabaseSettings,
    domain::ids::ProjectId,
    http::project_json,
    service::{actor::Actor, projects::Projects as Service},
};
use anyhow::Context as _;
use clap::Subcommand;
use std::path::PathBuf;

/// Target and subcommand of `keyward projects`.
#[derive(clap::Args)]
pub struct ProjectsArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(subcommand)]
    command: ProjectsCommand,
}

#[derive(Subcommand)]
enum ProjectsCommand {
    /// List projects. With --url: only the project of the key for the server
    List {
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Show a project: the number of keys, the scopes, and the maximum token lifetime
    Show {
        /// Project ID, or name if it is unique [default with --url: the project of the key for the server]
        #[arg(long)]
        project: Option<String>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Create a project
    Create {
        /// Name, 1 to 100 characters
        #[arg(long)]
        name: String,
        /// Email address of the owner
        #[arg(long, value_name = "EMAIL")]
        owner: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Rename a project
    Rename {
        /// Project ID, or name if it is unique
        #[arg(long)]
        project: String,
        /// New name, 1 to 100 characters
        #[arg(long)]
        name: String,
    },
    /// Archive a project: all its keys are rejected from the next request until it is unarchived
    Archive {
        /// Project ID, or name if it is unique
        #[arg(long)]
        project: String,
        /// Unarchive the project
        #[arg(long)]
        back: bool,
    },
    /// List the members of a project, owners first
    Members {
        /// Project ID, or name if it is unique
        #[arg(long)]
        project: String,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Print or set the JSON config of a project. Clients with an access token for the project can read it
    Config {
        /// Project ID, or name if it is unique. With --url, the ID is required if the key for the server cannot read keys
        /// [default with --url: the project of the key for the server]
        #[arg(long)]
        project: Option<String>,
        /// Set the config to the content of this file (- for standard input). Without this option, the config is printed
        #[arg(long, value_name = "FILE")]
        set: Option<PathBuf>,
    },
}

pub async fn run(database: &DatabaseSettings, projects: ProjectsArgs) -> anyhow::Result<()> {
    let ProjectsArgs { remote, command } = projects;
    if let Some(server) = remote.server()? {
        return match command {
            ProjectsCommand::List { format } => {
                remote::list(&server.authenticate(Permission::Read).await?, format).await
            }
            ProjectsCommand::Show { project, json } => {
                remote::show(&server.authenticate(Permission::Read).await?, project.as_deref(), json).await
            }
            ProjectsCommand::Config { project, set: None } => remote::config(server, project.as_deref()).await,
            _ => anyhow::bail!(
                "this command works only on the database, not through the management API. Leave out --url"
            ),
        };
    }
    let opened = Database::open(database).await?;
    let service = Service::new(opened.context.clone());
    let done = match command {
        ProjectsCommand::List { format } => list(&service, format).await,
        ProjectsCommand::Show { project, json } => show(&service, project, json).await,
        ProjectsCommand::Create { name, owner, json } => create(&service, &owner, &name, json).await,
        ProjectsCommand::Rename { project, name } => rename(&service, &project, &name).await,
        ProjectsCommand::Archive { project, back } => archive(&service, &project, back).await,
        ProjectsCommand::Members { project, format } => members(&service, &project, format).await,
        ProjectsCommand::Config { project, set } => config(&service, project, set).await,
    };
    drop(service);
    opened.finish().await;
    done
}

async fn list(service: &Service, format: FormatArgs) -> anyhow::Result<()> {
    let projects = service.list_as_operator().await.map_err(terminal_error)?;
    Ok(print::list(&projects.into_iter().map(project_json).collect::<Vec<_>>(), format)?)
}

async fn show(service: &Service, project: Option<String>, json: bool) -> anyhow::Result<()> {
    let id = find_project(service, &require_project(project)?).await?;
    Ok(print::details(&project_json(service.get_as_operator(id).await.map_err(terminal_error)?), json)?)
}

async fn create(service: &Service, owner: &str, name: &str, json: bool) -> anyhow::Result<()> {
    let id = service.create_as_operator(owner, name).await.map_err(terminal_error)?;
    match json {
        true => print_change(format!("{}\n", project_json(service.get_as_operator(id).await.map_err(terminal_error)?))),
        false => print_change_line!("Created the project “{}” ({id}).", name.trim()),
    }
}

async fn rename(service: &Service, project: &str, name: &str) -> anyhow::Result<()> {
    let id = find_project(service, project).await?;
    service.rename(&Actor::Operator, id, None, name).await.map_err(terminal_error)?;
    print_change_line!("Renamed project {id} to “{}”.", name.trim())
}

async fn archive(service: &Service, project: &str, back: bool) -> anyhow::Result<()> {
    let id = find_project(service, project).await?;
    service.archive(&Actor::Operator, id, back).await.map_err(terminal_error)?;
    match back {
        true => {
            print_change_line!("Unarchived project {id}. The change applies from the next request.")
        }
        false => print_change_line!("Archived project {id}. Its keys are rejected from the next request."),
    }
}

async fn members(service: &Service, project: &str, format: FormatArgs) -> anyhow::Result<()> {
    let members = service.members_as_operator(find_project(service, project).await?).await.map_err(terminal_error)?;
    let rows = members
        .iter()
        .map(|it| serde_json::json!({"user_id": it.user_id, "name": it.name, "email": it.email, "role": it.role}));
    Ok(print::members(rows, format)?)
}

async fn config(service: &Service, project: Option<String>, set: Option<PathBuf>) -> anyhow::Result<()> {
    let project = find_project(service, &require_project(project)?).await?;
    let Some(file) = set else {
        return Ok(print_line!("{}", service.config(project).await.map_err(terminal_error)?)?);
    };
    let text = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).context("the config could not be read from standard input")?
    } else {
        std::fs::read_to_string(&file)
            .with_context(|| format!("the config file {} could not be read", file.display()))?
    };
    service.set_config(&Actor::Operator, project, &text).await.map_err(terminal_error)?;
    print_change_line!("Saved the config of project {project}.")
}

/// Returns the value of `--project`, which is required for the database.
///
/// # Errors
/// If the option is missing: the database can have several projects.
pub fn require_project(project: Option<String>) -> anyhow::Result<String> {
    project.ok_or_else(|| {
        anyhow::anyhow!("the option --project is required; for all projects, run: keyward projects list")
    })
}

/// Returns the project with this id, or the only one with this name.
pub async fn find_project(service: &Service, text: &str) -> anyhow::Result<ProjectId> {
    let found = service.find_as_operator(text).await.map_err(terminal_error)?;
    match found.as_slice() {
        [one] => Ok(*one),
        [] => anyhow::bail!("there is no project “{text}”; for all projects, run: keyward projects list"),
        _ => anyhow::bail!("{} projects are named “{text}”; use an ID from: keyward projects list", found.len()),
    }
}
