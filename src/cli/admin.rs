//! `keyward admin …`.

use super::open::{Opened, words};
use crate::{
    config::{Config, DatabaseSettings},
    domain::sensitive::Password,
    service::{
        accounts::{Accounts, NewPerson},
        actor::Actor,
        random::SystemRandom,
        signer,
    },
};
use anyhow::Context as _;
use clap::Subcommand;
use std::{io::Read as _, path::PathBuf, sync::Arc};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub enum Admin {
    /// Make a person, with a project of their own
    CreateUser {
        /// The e-mail address that they sign in with
        #[arg(long)]
        email: String,
        /// Their name as others see it [default: what stands before the @]
        #[arg(long)]
        name: Option<String>,
        /// Read the password from standard input (required: a password in a flag would stand in the process list)
        #[arg(long, required = true)]
        password_stdin: bool,
        /// They look after all keys and people
        #[arg(long)]
        admin: bool,
    },
    /// Make the key file that seals the signing key; an existing file is left as it is
    CreateKeyFile {
        /// Where; readable by its owner alone
        path: PathBuf,
    },
}

pub async fn run(database: &DatabaseSettings, command: Admin) -> anyhow::Result<()> {
    match command {
        Admin::CreateUser { email, name, password_stdin: _, admin } => create_user(database, email, name, admin).await,
        Admin::CreateKeyFile { path } => {
            if signer::create_key_file(&path, &SystemRandom)? {
                println!(
                    "Made {}. Give every node this file, and keep a copy: without it no token can be signed.",
                    path.display()
                );
                Ok(())
            } else {
                anyhow::bail!("{} is there already and was left as it is", path.display())
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
    let opened = Opened::open(database, true).await?;
    let accounts = Accounts::new(opened.ground.clone(), Arc::new(Config::for_commands()));
    let person = NewPerson { email, name, password, admin, project: String::new() };
    let made = accounts.create_user(&Actor::Operator, person).await.map_err(words);
    drop(accounts);
    opened.close().await;
    println!("Made the user {}.", made?);
    Ok(())
}
