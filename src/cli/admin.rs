//! `keyward admin …`: administration of users and of the key file.

mod token_key;

use super::{
    database::{Database, terminal_error},
    list::{Columns, FormatArgs, ListPrinter, Row},
    output::{self, print_change_line},
};
use crate::{
    config::{Config, DatabaseSettings, PublicUrl, key_file},
    domain::sensitive::Password,
    service::{
        Error,
        accounts::{Accounts, NewUser},
        actor::Actor,
        database_record::{check_database_exists, check_has_events},
        encryption_at_rest,
        random::SystemRandom,
        users::Users,
    },
    store::{Location, SchemaMode},
};
use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use std::{io::Read as _, path::PathBuf, sync::Arc};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub enum AdminCommand {
    /// Create a user with their own project
    CreateUser {
        /// Email address of the user
        #[arg(long)]
        email: String,
        /// Display name [default: the part of the email address before the @]
        #[arg(long)]
        name: Option<String>,
        /// Read the password from standard input (required: arguments are visible in the process list)
        #[arg(long, required = true)]
        password_stdin: bool,
        /// Give the user the administrator role
        #[arg(long)]
        admin: bool,
    },
    /// Turn off two-factor authentication for a user who lost the device and the recovery codes. The user then signs in
    /// with only the password
    SecondFactorOff {
        /// Email address of the user
        #[arg(long)]
        email: String,
    },
    /// Print a password reset link for a user. It is valid for 1 hour and can be used once
    ResetLink {
        /// Email address of the user
        #[arg(long)]
        email: String,
        /// Public URL of this Keyward instance, for the link
        #[arg(long, env = "KEYWARD_PUBLIC_URL", default_value = "http://127.0.0.1:3000", value_name = "URL")]
        public_url: PublicUrl,
    },
    /// List users, sorted by name
    ListUsers {
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Disable a user: end all sessions and block sign-in
    DisableUser {
        /// Email address of the user
        #[arg(long)]
        email: String,
        /// Also deactivate the keys that the user created
        #[arg(long)]
        keys: bool,
        /// Reason, recorded in the audit log
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Enable a disabled user: allow sign-in again
    EnableUser {
        /// Email address of the user
        #[arg(long)]
        email: String,
    },
    /// Give a user the administrator role
    #[command(name = "make-admin")]
    Promote {
        /// Email address of the user
        #[arg(long)]
        email: String,
    },
    /// Remove the administrator role from a user. The last administrator keeps it
    #[command(name = "unmake-admin")]
    Demote {
        /// Email address of the user
        #[arg(long)]
        email: String,
    },
    /// Create a key file, which encrypts signing keys and other secrets in the database. An existing file is not changed
    CreateKeyFile {
        /// Path of the file. Only its owner can read it
        path: PathBuf,
    },
    /// Publish the next token signing key. It signs tokens 15 minutes later, when all verifiers have received it
    RotateTokenKey {
        /// Use this if an attacker may have a signing key. A new key signs at once, and all earlier tokens are rejected
        #[arg(long)]
        compromised: bool,
        /// File with the key that encrypts the signing keys [default with SQLite: keyward.key beside the database]
        #[arg(long, env = "KEYWARD_KEY_FILE", value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
}

pub async fn run(database: &DatabaseSettings, command: AdminCommand) -> anyhow::Result<()> {
    match command {
        AdminCommand::CreateUser { email, name, password_stdin: _, admin } => {
            create_user(database, email, name, admin).await
        }
        AdminCommand::SecondFactorOff { email } => second_factor_off(database, &email).await,
        AdminCommand::ResetLink { email, public_url } => reset_link(database, &email, public_url).await,
        AdminCommand::ListUsers { format } => list_users(database, format).await,
        AdminCommand::DisableUser { email, keys, reason } => {
            change(database, &email, UserAction::Disable { keys, reason }).await
        }
        AdminCommand::EnableUser { email } => change(database, &email, UserAction::Enable).await,
        AdminCommand::Promote { email } => change(database, &email, UserAction::Promote).await,
        AdminCommand::Demote { email } => change(database, &email, UserAction::Demote).await,
        AdminCommand::RotateTokenKey { compromised, key_file } => {
            token_key::rotate(database, key_file.as_ref(), compromised).await
        }
        AdminCommand::CreateKeyFile { path } => {
            if encryption_at_rest::create_key_file(&path, &SystemRandom)? {
                print_change_line!(
                    "Created {}. Copy it to every node and keep a backup: without it, Keyward does not start.",
                    path.display()
                )
            } else {
                anyhow::bail!("{} already exists and was not changed", path.display())
            }
        }
    }
}

async fn create_user(
    database: &DatabaseSettings,
    email: String,
    name: Option<String>,
    admin: bool,
) -> anyhow::Result<()> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin().read_to_string(&mut text).context("the password could not be read from standard input")?;
    let password = Password::new(text.strip_suffix('\n').unwrap_or(&text).trim_end_matches('\r').to_owned());
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
    let key_file = match &database.database {
        Location::Sqlite(path) => {
            let key_file = key_file(&database.database, None).map_err(|e| anyhow!(e))?.path;
            check_database_exists(path, &key_file)?;
            Some(key_file)
        }
        Location::Postgres(_) => None,
    };
    let opened = Database::open_with(database, SchemaMode::Create).await?;
    if let Some(key_file) = key_file {
        check_has_events(&opened.context, &key_file).await?;
    }
    let accounts = Accounts::new(opened.context.clone(), Arc::new(Config::for_commands()));
    let person = NewUser { email, name, password, admin, project: String::new() };
    let made = accounts.create_user(&Actor::Operator, person).await.map_err(terminal_error);
    drop(accounts);
    opened.finish().await;
    print_change_line!("Created the user {}.", made?)
}

async fn second_factor_off(database: &DatabaseSettings, email: &str) -> anyhow::Result<()> {
    let opened = Database::open(database).await?;
    let accounts = Accounts::new(opened.context.clone(), Arc::new(Config::for_commands()));
    let done = accounts.turn_off_second_factor_of(&Actor::Operator, email).await.map_err(|error| match error {
        Error::Conflict(_) => anyhow!("two-factor authentication of {email} is already off"),
        other => unknown_user_error(other, email),
    });
    drop(accounts);
    opened.finish().await;
    done?;
    print_change_line!(
        "Turned off two-factor authentication of {email}. The user signs in with only the password, and can set it up again."
    )
}

async fn reset_link(database: &DatabaseSettings, email: &str, public_url: PublicUrl) -> anyhow::Result<()> {
    let opened = Database::open(database).await?;
    let config = Config { public_url, ..Config::for_commands() };
    let accounts = Accounts::new(opened.context.clone(), Arc::new(config));
    let made = accounts.reset_link(&Actor::Operator, email).await.map_err(|error| unknown_user_error(error, email));
    drop(accounts);
    opened.finish().await;
    let link = Zeroizing::new(format!("{}\n", made?));
    output::print(link.as_bytes()).map_err(|error| {
        output::lost_secret_error(
            &error,
            "The link was created but cannot be shown again: repeat the command to replace it with another link",
        )
    })
}

fn unknown_user_error(error: Error, email: &str) -> anyhow::Error {
    match error {
        Error::NotFound => anyhow::anyhow!("no user has the email address {email}"),
        other => terminal_error(other),
    }
}

/// Action on a user, who is identified by email address.
enum UserAction {
    Disable { keys: bool, reason: String },
    Enable,
    Promote,
    Demote,
}

async fn change(database: &DatabaseSettings, email: &str, verb: UserAction) -> anyhow::Result<()> {
    let opened = Database::open(database).await?;
    let users = Users::new(opened.context.clone());
    let done = apply(&users, email, verb).await;
    drop(users);
    opened.finish().await;
    print_change_line!("{}", done?)
}

/// Applies the action and returns a message about the result.
async fn apply(users: &Users, email: &str, verb: UserAction) -> anyhow::Result<String> {
    let id = users.find_by_email(email).await.map_err(terminal_error)?;
    let message = match verb {
        UserAction::Disable { keys, reason } => {
            let done = users.disable(&Actor::Operator, id, &reason, keys).await.map_err(terminal_error)?;
            let (keys, sessions) = (done.keys, done.sessions);
            format!("Disabled {email}. Sessions ended: {sessions}. Keys deactivated: {keys}.")
        }
        UserAction::Enable => {
            users.enable(&Actor::Operator, id).await.map_err(terminal_error)?;
            format!("Enabled {email}.")
        }
        UserAction::Promote => {
            users.grant_administrator(&Actor::Operator, id).await.map_err(terminal_error)?;
            format!("{email} is now an administrator.")
        }
        UserAction::Demote => {
            users.revoke_administrator(&Actor::Operator, id).await.map_err(terminal_error)?;
            format!("{email} is not an administrator.")
        }
    };
    Ok(message)
}

async fn list_users(database: &DatabaseSettings, format: FormatArgs) -> anyhow::Result<()> {
    const COLUMNS: Columns = Columns {
        table: &["USER ID", "STATE", "ROLE", "PROJECTS", "KEYS", "EMAIL", "NAME"],
        csv: &["user_id", "email", "name", "admin", "active", "projects", "keys"],
    };
    let opened = Database::open(database).await?;
    let users = Users::new(opened.context.clone());
    let rows = users.list_rows().await.map_err(terminal_error);
    drop(users);
    opened.finish().await;
    let mut printer = ListPrinter::new(format, COLUMNS);
    printer.page(rows?.into_iter().map(|row| {
        let state = if row.active { "active" } else { "disabled" };
        let admin = if row.admin { "administrator" } else { "" };
        Row {
            line: format!("{}  {state:<8}  {admin:<13}  {}  ({})", row.id, row.email, row.name),
            cells: vec![
                row.id.to_string(),
                state.to_owned(),
                if row.admin { "administrator" } else { "user" }.to_owned(),
                row.projects.to_string(),
                row.keys.to_string(),
                row.email.clone(),
                row.name.clone(),
            ],
            json: serde_json::json!({
                "user_id": row.id, "email": row.email, "name": row.name, "admin": row.admin, "active": row.active,
                "projects": row.projects, "keys": row.keys,
            }),
        }
    }))?;
    Ok(printer.end()?)
}
