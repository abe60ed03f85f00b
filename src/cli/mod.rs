//! The commands of the binary.

mod admin;
mod audit;
mod bench_create;
mod bench_empty;
mod demo;
mod keys;
mod log;
mod open;
mod projects;
mod remote;
mod serve;

use crate::config::{DatabaseSettings, LogFormat, LogLevel, ServeSettings};
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
    /// Check and export the audit log, beside a running server too
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Make, list, edit, stop and start keys, beside a running server too, or on one with --url
    Keys(keys::Keys),
    /// Make, list and change projects, beside a running server too
    Projects(projects::ProjectsArgs),
    /// Fill an empty database with people, projects and keys to look around in
    Demo(demo::Demo),
    /// Make keys for some seconds, and say how many
    #[command(hide = true)]
    BenchCreate(bench_create::BenchCreate),
    /// Answer an empty request, to compare with
    #[command(hide = true)]
    BenchEmpty(bench_empty::BenchEmpty),
}

/// Whether clap refused the value of the database's URL.
fn names_the_database(error: &clap::Error) -> bool {
    use clap::error::{ContextKind, ContextValue};
    matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(flag)) if flag.starts_with("--database-url"))
}

/// Runs the command that was given.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| {
        if names_the_database(&error) {
            // clap would quote the value, and a password may stand in it.
            eprintln!(
                "error: the value of --database-url (KEYWARD_DATABASE_URL) cannot be read: use sqlite:PATH or \
                 postgres://USER:PASSWORD@HOST/DATABASE, with / # ? @ in the password percent-encoded"
            );
            std::process::exit(2);
        }
        error.exit()
    });
    if !matches!(cli.command, Command::Serve(_)) {
        log::start(LogLevel::Error, LogFormat::Text);
    }
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
            Command::Audit(command) => audit::run(&cli.database, command).await,
            Command::Keys(command) => keys::run(&cli.database, command).await,
            Command::Projects(command) => projects::run(&cli.database, command).await,
            Command::Demo(command) => demo::run(&cli.database, command).await,
            Command::BenchCreate(command) => bench_create::run(&cli.database, &command).await,
            Command::BenchEmpty(command) => bench_empty::run(&command).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Every cause once: a context often quotes the one below it.
            let mut said = error.to_string();
            for cause in error.chain().skip(1).map(ToString::to_string) {
                if !said.contains(&cause) {
                    said = format!("{said}: {cause}");
                }
            }
            eprintln!("keyward: {said}");
            ExitCode::FAILURE
        }
    }
}
