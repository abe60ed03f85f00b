//! `keyward keys …`.

use super::{
    open::{Opened, words},
    projects,
};
use crate::{
    config::DatabaseSettings,
    domain::{
        expiry::{DEFAULT_DAYS, ExpiryChoice},
        ids::{KeyId, ProjectId},
        key::Environment,
    },
    service::{
        actor::Actor,
        keys::{Keys as Service, NewKey},
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
        /// Print one JSON object
        #[arg(long)]
        json: bool,
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
        Keys::Create { project, name, expires, environment, scopes, issued_to, json } => {
            let expires = match expires.parse() {
                Ok(choice) => choice,
                Err(_) if expires.contains('-') => ExpiryChoice::Date(expires),
                Err(error) => return Err(error.into()),
            };
            let project = projects::find(&Projects::new(opened.ground.clone()), &project).await?;
            let new = NewKey::read(&name, project, environment, &expires, &scopes, &issued_to, opened.ground.now());
            create(&service, new.map_err(words)?, json).await
        }
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
    opened.close().await;
    done
}

async fn create(service: &Service, new: NewKey, json: bool) -> anyhow::Result<()> {
    let (key, secret) = service.create_as(&Actor::Operator, new).await.map_err(words)?;
    if json {
        let printed = serde_json::json!({
            "secret": secret.expose(), "key_id": key.id, "project_id": key.project_id,
            "name": key.name, "expires_at": key.expires.map(|moment| moment.iso),
        });
        println!("{printed}");
    } else {
        println!("secret      {}", secret.expose());
        println!("key_id      {}", key.id);
        println!("project_id  {}", key.project_id);
        println!("expires     {}", key.expires.map_or_else(|| "never".to_owned(), |moment| moment.exact));
        eprintln!("Save the secret now. It cannot be shown again.");
    }
    Ok(())
}

async fn list(service: &Service, project: Option<ProjectId>, json: bool) -> anyhow::Result<()> {
    let rows = service.all(project).await.map_err(words)?;
    if json {
        let mut printed = Vec::with_capacity(rows.len());
        for row in &rows {
            printed.push(serde_json::json!({
                "key_id": row.id, "project_id": row.project_id, "name": row.name, "preview": row.preview,
                "environment": row.environment, "scopes": row.scopes()?, "status": service.status(row),
                "issued_to": row.issued_to,
            }));
        }
        println!("{}", serde_json::Value::Array(printed));
    } else {
        for row in &rows {
            println!(
                "{}  {:<9}  {}…  {}  ({})",
                row.id,
                service.status(row).as_str(),
                row.preview,
                row.name,
                row.project_name
            );
        }
    }
    Ok(())
}
