//! Command-line interface of the binary.

mod admin;
mod audit;
mod bench_create;
mod bench_empty;
mod database;
mod demo;
mod environment;
mod keys;
mod list;
mod log;
mod migrate;
mod output;
mod projects;
mod remote;
mod serve;

use crate::{
    config::{DatabaseSettings, LogFormat, LogLevel, ServeSettings},
    line_writer, service,
    store::{self, Location},
};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, error::ErrorKind};
use output::OutputError;
use std::{process::ExitCode, time::Duration};

/// Self-hosted API keys for products that have an API.
///
/// Settings are options or environment variables (in brackets). To start the server, run: keyward serve
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
    /// Run the server: the website and the API
    Serve(Box<ServeSettings>),
    /// Update the schema of the database to this release. The server does this too when it starts
    Migrate,
    /// Manage users, the key file, and signing keys
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Verify and export the audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Manage API keys in the database, or on a server with --url
    Keys(keys::KeysArgs),
    /// Manage projects in the database, or read one on a server with --url
    Projects(projects::ProjectsArgs),
    /// Fill an empty database with sample users, projects, and keys
    Demo(demo::DemoArgs),
    /// Create keys for some seconds and print the number and the latency
    #[command(hide = true)]
    BenchCreate(bench_create::BenchCreate),
    /// Serve an empty route, as a baseline
    #[command(hide = true)]
    BenchEmpty(bench_empty::BenchEmpty),
}

/// Whether clap rejected the value of the database URL.
fn is_database_url_error(error: &clap::Error) -> bool {
    use clap::error::{ContextKind, ContextValue};
    matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(flag)) if flag.starts_with("--database-url"))
}

/// Returns the command tree with every setting.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parses the command line. An empty environment variable counts as unset.
///
/// # Errors
/// An error from clap, or a request for the help or the version.
fn parse() -> Result<Cli, clap::Error> {
    let arguments: Vec<_> = std::env::args_os().collect();
    let command = environment::without_empty(command(), |name| std::env::var_os(name));
    let matches = command.try_get_matches_from(&arguments).map_err(|error| match error.kind() {
        // The help text also lists variables that are empty.
        ErrorKind::DisplayHelp => self::command().try_get_matches_from(&arguments).err().unwrap_or(error),
        ErrorKind::InvalidUtf8 if arguments.iter().all(|it| it.to_str().is_some()) => {
            match environment::find_non_utf8(&self::command(), |name| std::env::var_os(name)) {
                Some(name) => {
                    clap::Error::raw(error.kind(), format_args!("the value of the variable {name} is not UTF-8\n"))
                }
                None => error,
            }
        }
        _ => environment::name_variable(error, &self::command(), |name| std::env::var_os(name)),
    })?;
    Cli::from_arg_matches(&matches)
}

/// Prints help and the version to standard output, and argument errors to standard error.
fn print_argument_error(error: &clap::Error) -> ExitCode {
    if is_database_url_error(error) {
        // clap would quote the value, which can contain a password.
        output::print_note(
            "error: the value of --database-url (KEYWARD_DATABASE_URL) is invalid: use sqlite:PATH or \
             postgres://USER:PASSWORD@HOST/DATABASE, with / # ? @ in the password percent-encoded",
        );
        return ExitCode::from(2);
    }
    let code = u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
    let printed = error.print().map_err(OutputError::from).and_then(|()| output::print(""));
    match printed {
        Err(failed) if !error.use_stderr() => exit_code(Err(failed.into()), None),
        _ => code,
    }
}

/// Time limit for flushing the output of a server at exit.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// Time limit for blocking work at exit, such as a DNS lookup or a file that does not respond.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs the command of the process arguments.
pub fn main() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => return print_argument_error(&error),
    };
    let warnings = environment::warnings(&command(), std::env::vars_os().map(|(name, _)| name));
    if !matches!(cli.command, Command::Serve(_)) {
        log::start(LogLevel::Error, LogFormat::Text);
        warnings.iter().for_each(|warning| output::print_note(format_args!("keyward: warning: {warning}")));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::print_note(format_args!("keyward: the async runtime did not start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let location = cli.database.database.clone();
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(settings) => serve::run(&cli.database, &settings, &warnings).await,
            Command::Migrate => migrate::run(&cli.database).await,
            Command::Admin(command) => admin::run(&cli.database, command).await,
            Command::Audit(command) => audit::run(&cli.database, command).await,
            Command::Keys(command) => keys::run(&cli.database, command).await,
            Command::Projects(command) => projects::run(&cli.database, command).await,
            Command::Demo(command) => demo::run(&cli.database, command).await,
            Command::BenchCreate(command) => bench_create::run(&cli.database, &command).await,
            Command::BenchEmpty(command) => bench_empty::run(&command).await,
        }
    });
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    let code = exit_code(done, Some(&location));
    line_writer::flush(FLUSH_TIMEOUT);
    code
}

/// Prints the error of a failed command with advice, and returns the exit code. A pipe that its reader closed early is
/// a success.
fn exit_code(done: anyhow::Result<()>, location: Option<&Location>) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    if error.chain().any(|cause| cause.downcast_ref().is_some_and(OutputError::is_closed_pipe)) {
        return ExitCode::SUCCESS;
    }
    // Each cause appears once: a context often quotes its source.
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    let advice = location.and_then(|location| {
        let inner = error.chain().filter_map(|cause| match cause.downcast_ref() {
            // The variant is transparent: its `source` skips the error that it contains.
            Some(service::Error::Store(inner)) => Some(inner as &(dyn std::error::Error + 'static)),
            _ => None,
        });
        error.chain().chain(inner).find_map(|cause| store::advice(cause, location))
    });
    let advice = advice.map(|advice| format!(". {advice}")).unwrap_or_default();
    output::print_note(format_args!("keyward: {message}{advice}"));
    ExitCode::FAILURE
}
