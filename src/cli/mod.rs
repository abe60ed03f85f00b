//! The commands of the binary.

mod admin;
mod keys;
mod log;
mod open;
mod projects;
mod serve;

use crate::config::{DatabaseSettings, ServeSettings};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Self-hosted API keys for a product that has an API.
///
/// Settings are flags, or variables named in brackets. Start with: keyward serve
#[derive(Parser)]
#[command(name = "keyward", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the site and the API
    Serve(Box<ServeSettings>),
    /// Look after people and the key file
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Make, list and deactivate keys, beside a running server too
    #[command(subcommand)]
    Keys(keys::Keys),
    /// List projects and set their config, beside a running server too
    #[command(subcommand)]
    Projects(projects::Projects),
}

/// Runs the command that was given.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("keyward: the async runtime did not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(settings) => serve::run(&cli.database, &settings).await,
            Command::Admin(command) => admin::run(&cli.database, command).await,
            Command::Keys(command) => keys::run(&cli.database, command).await,
            Command::Projects(command) => projects::run(&cli.database, command).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("keyward: {error}");
            ExitCode::FAILURE
        }
    }
}
