//! `keyward keys …`.

mod edit;
mod print;

use super::{
    open::{Opened, words},
    projects,
};
use crate::{
    config::DatabaseSettings,
    domain::{
        expiry::DEFAULT_DAYS,
        ids::{KeyId, ProjectId},
        key::Environment,
    },
    service::{
        keys::{KeyDraft, Keys as Service, RulesDraft},
        projects::Projects,
    },
};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Keys {
    /// Make a key and print its secret, once
    Create {
        /// The project's id, or its name if only one project has it
        #[arg(long)]
        project: String,
        /// A label, 1 to 100 characters
        #[arg(long)]
        name: String,
        /// When it ends: a number of days such as 90d, a date such as 2027-02-18 (its end in UTC), or never
        #[arg(long, default_value_t = format!("{DEFAULT_DAYS}d"))]
        expires: String,
        /// live or test
        #[arg(long, default_value = "live")]
        environment: Environment,
        /// A scope that the project offers; may be given several times
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Whom it is for
        #[arg(long, default_value = "")]
        issued_to: String,
        /// A network from which it may be used, such as 203.0.113.0/24; may be given several times. None: from anywhere
        #[arg(long = "network", value_name = "CIDR")]
        networks: Vec<String>,
        /// From when it works, in RFC 3339, such as 2026-12-01T09:00Z; without an offset in UTC
        #[arg(long, value_name = "TIME", default_value = "", hide_default_value = true)]
        not_before: String,
        /// How often it may be used: 100/minute, or 100/minute,burst=20; a second, minute, hour or day
        #[arg(long, value_name = "LIMIT", default_value = "", hide_default_value = true)]
        rate: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Change a key from the next request on; what is not named stays as it is
    Edit {
        /// The key's id, as the list prints it
        id: KeyId,
        #[command(flatten)]
        changes: edit::Changes,
    },
    /// List keys, the newest first
    List {
        /// Of this project alone: its id, or its name
        #[arg(long)]
        project: Option<String>,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Refuse a key from the next request on, until it is activated in the browser
    Deactivate {
        /// The key's id, as the list prints it
        id: KeyId,
    },
}

pub async fn run(database: &DatabaseSettings, command: Keys) -> anyhow::Result<()> {
    let opened = Opened::open(database, false).await?;
    let service = Service::new(opened.ground.clone());
    let done = match command {
        Keys::Create { project, name, expires, environment, scopes, issued_to, networks, not_before, rate, json } => {
            let project = projects::find(&Projects::new(opened.ground.clone()), &project).await?;
            let networks = networks.join("\n");
            let draft = KeyDraft {
                number: opened.ground.new_id().into(),
                name,
                project,
                environment: environment.to_string(),
                expires: choice(expires),
                expires_on: String::new(),
                scopes,
                issued_to,
                rules: RulesDraft { networks, not_before, rate, ..RulesDraft::default() },
            };
            create(&service, draft, json).await
        }
        Keys::Edit { id, changes } => service
            .edit_as_operator(id, &changes.into())
            .await
            .map(|key| println!("Edited “{}” ({}). It holds from the next request on.", key.name, key.id))
            .map_err(words),
        Keys::List { project, json } => {
            let project = match project {
                Some(project) => Some(projects::find(&Projects::new(opened.ground.clone()), &project).await?),
                None => None,
            };
            list(&service, project, json).await
        }
        Keys::Deactivate { id } => service
            .deactivate_as_operator(id)
            .await
            .map(|key| println!("Deactivated “{}” ({}). It is refused from the next request on.", key.name, key.id))
            .map_err(words),
    };
    drop(service);
    opened.done().await;
    done
}

/// An end as the form's dropdown names it: a date stands there behind a word.
fn choice(expires: String) -> String {
    if expires.contains('-') { format!("date:{expires}") } else { expires }
}

async fn create(service: &Service, draft: KeyDraft, json: bool) -> anyhow::Result<()> {
    let (key, secret) = service.create_as_operator(draft).await.map_err(words)?;
    print::created(&key, &secret, json);
    Ok(())
}

async fn list(service: &Service, project: Option<ProjectId>, json: bool) -> anyhow::Result<()> {
    let rows = service.all(project).await.map_err(words)?;
    print::list(&rows, |row| service.status(row), json)
}
