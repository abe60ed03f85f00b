//! `keyward serve`: startup, background jobs, and graceful shutdown of the server.

use super::{database::Database, log};
use crate::{
    config::{Config, DatabaseSettings, ListenAddress, LogLevel, ServeSettings, exposure, key_file},
    domain::policy::SignUp,
    http::{self, AppState, HttpService, Listeners},
    line_writer::{self, LineWriter, Stream},
    service::{
        Error, Services,
        accounts::SetupCode,
        database_record::{DatabaseRecord, check_database_exists, check_has_events},
        maintenance,
        signer::Keyring,
        smtp::SmtpMailer,
    },
    store::{Location, SchemaMode},
};
use anyhow::{Context as _, anyhow};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, interval_at, timeout_at},
};

/// Time limit for all shutdown steps after the drain. With the drain and the end of the process it makes 25 s, less
/// than the 30 s of Kubernetes.
const AFTER_DRAIN: Duration = Duration::from_secs(11);
/// Time limit for the last flush of the usage counts.
const USAGE_FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for the last checkpoint of the audit log.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_secs(3);
/// Time limit for the last database record. Closing the database gets the remaining time.
const RECORD_TIMEOUT: Duration = Duration::from_secs(1);

/// Interval at which the setup link is printed until an account exists.
const SETUP_LINK_INTERVAL: Duration = Duration::from_secs(120);

/// Runs the server. `warnings` are logged as soon as the log is available.
pub async fn run(database: &DatabaseSettings, settings: &ServeSettings, warnings: &[String]) -> anyhow::Result<()> {
    log::start_in_background(settings.log, settings.log_format).context("the log could not be started")?;
    LineWriter::open(Stream::Stdout).context("standard output could not be prepared")?;
    for warning in warnings {
        tracing::warn!("settings.unknown: {warning}");
    }
    let key_file = key_file(&database.database, settings.key_file.as_ref()).map_err(|e| anyhow!(e))?;
    let listener = listen(&settings.listen, "--listen (KEYWARD_LISTEN)").await?;
    let internal = match &settings.programs.internal_listen {
        None => None,
        Some(address) => Some(listen(address, "--internal-listen (KEYWARD_INTERNAL_LISTEN)").await?),
    };
    let config = Config::new(settings, listener.local_addr()?).map_err(|e| anyhow!(e))?;
    let mail = settings.mail.to_settings().map_err(|e| anyhow!(e))?;
    if let (Location::Sqlite(path), false) = (&database.database, settings.new) {
        check_database_exists(path, &key_file.path)?;
    }
    http::set_database_location(&database.database);
    let mut opened = Database::open_with(database, SchemaMode::Migrate).await?;
    if !settings.new && !settings.accept_older_database {
        check_has_events(&opened.context, &key_file.path).await?;
    }
    if let Some(mail) = mail {
        let mailer = SmtpMailer::new(&mail, &config.public_url, opened.context.random.clone());
        opened.context.mail = Arc::new(mailer.map_err(|e| anyhow!(e))?);
    }
    let keyring = Keyring::open_for(&opened.context, &key_file, config.programs.token_alg).await?;
    let secret_files = [
        ("the key file", Some(key_file.path.as_path())),
        ("the database file", database.database.file()),
        ("the OpenID Connect client secret file", settings.sign_in.secret_file()),
    ];
    for (what, path) in secret_files {
        if let Some(warning) = path.and_then(|path| exposure(what, path)) {
            tracing::warn!("files.exposed: {warning}");
        }
    }
    let record = DatabaseRecord::check(&opened.context, &key_file.path, settings.accept_older_database).await?;
    let app = Services::new(Arc::new(config), opened.context.clone(), keyring);
    app.usage.restore_quotas().await?;
    // Installed before the first output: a process that reads the output can send a stop signal at once.
    let stopped = stop_signal()?;
    let internal_address = internal.as_ref().map(Listeners::local_addr).transpose()?;
    print_startup_message(&app, internal_address).await?;
    let setup = tokio::spawn(repeat_setup_link(app.clone()));

    let is_verbose = matches!(settings.log, LogLevel::Debug | LogLevel::Trace);
    app.audit.set_checkpoint_callback(move |checkpoint| {
        queue_stdout(&if is_verbose { checkpoint.complete_line() } else { checkpoint.line() });
    });
    let hearing = tokio::spawn(app.clone().follow_changes());
    let audit = tokio::spawn(app.audit.clone().run());
    let upkeep = tokio::spawn(maintenance::run(app.clone()));
    let usage = tokio::spawn(app.usage.clone().run());
    let recording = tokio::spawn(record.run());
    let state = AppState::new(app.clone());
    let (ended, end) = tokio::sync::watch::channel(());
    let inside = internal.map(|internal| {
        let mut end = end.clone();
        let stop = async move {
            let _ = end.changed().await;
        };
        tokio::spawn(http::serve::serve(internal, HttpService::internal(state.edge.clone()), stop))
    });
    let stopped = async {
        stopped.await;
        let _ = ended.send(());
    };
    http::serve::serve(listener, http::http_service(state), stopped).await;
    if let Some(inside) = inside {
        let _ = inside.await;
    }

    let end = Instant::now() + AFTER_DRAIN;
    for task in [setup, audit, upkeep, usage, recording] {
        task.abort();
        // Resources of the task, such as a running flush, are released only when it has ended.
        let _ = timeout_at(end, task).await;
    }
    // The change feed task continues, because it detects whether the database responds.
    let written = write_pending(&app, end).await;
    // Without this record the next start compares only with an older one.
    let record = DatabaseRecord::check(&opened.context, &key_file.path, true);
    if !matches!(timeout_at(end.min(Instant::now() + RECORD_TIMEOUT), record).await, Ok(Ok(_))) {
        tracing::warn!("database_record.not_written");
    }
    hearing.abort();
    let _ = timeout_at(end, hearing).await;
    drop(app);
    if timeout_at(end, opened.close()).await.is_err() {
        tracing::warn!("store.not_closed: the time limit of the shutdown was exceeded");
    }
    written
}

/// Writes pending data when the server stops, within [`USAGE_FLUSH_TIMEOUT`] and [`CHECKPOINT_TIMEOUT`], and before
/// `end`.
///
/// # Errors
/// A message that names the data that was not written.
async fn write_pending(app: &Services, end: Instant) -> anyhow::Result<()> {
    let mut unwritten = Vec::new();
    if let Err(why) = with_timeout(USAGE_FLUSH_TIMEOUT, end, app.usage.flush()).await {
        tracing::error!(error = %why, "usage.flush_failed");
        unwritten.push(format!("the usage counts of {} calls were not written ({why})", app.usage.unwritten_calls()));
    }
    if let Err(why) = with_timeout(CHECKPOINT_TIMEOUT, end, app.audit.sign(true)).await {
        tracing::error!(error = %why, "audit.unsigned");
        unwritten.push(format!("the last events of the audit log were not signed; the next start signs them ({why})"));
    }
    match unwritten.is_empty() {
        true => Ok(()),
        false => Err(anyhow!("the server has stopped, but {}", unwritten.join(", and "))),
    }
}

async fn with_timeout<T>(
    limit: Duration,
    end: Instant,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, String> {
    match timeout_at(end.min(Instant::now() + limit), work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err(format!("the database did not respond within {} s", limit.as_secs())),
    }
}

/// Binds all addresses of a host.
async fn listen(address: &ListenAddress, setting: &str) -> anyhow::Result<Listeners> {
    let wrong = || format!("cannot listen on {address}: set another address with {setting}");
    let addresses = address.resolve().await.with_context(wrong)?;
    Listeners::bind(&addresses).await.with_context(wrong)
}

/// Prints the server's address to standard output, for the person at the terminal and not for the log. The setup link is
/// the last line.
async fn print_startup_message(app: &Services, internal: Option<SocketAddr>) -> anyhow::Result<()> {
    let url = app.config.public_url.to_string();
    let setup = {
        let url = url.clone();
        move |code: &SetupCode| {
            queue_stdout(&format!(
                "There are no accounts yet. To create the administrator (setup code: {code}), open\n  {url}/setup?code={code}",
                code = code.expose()
            ));
        }
    };
    queue_stdout(&format!("Keyward {} is running at {url}", env!("CARGO_PKG_VERSION")));
    if let Some(internal) = internal {
        queue_stdout(&format!("The internal listener is at http://{internal}"));
    }
    if app.policy.get().await?.sign_up == SignUp::Open && !app.context.mail.is_configured() {
        tracing::warn!(
            "sign_up.closed_without_mail: the policy allows sign-up, but sign-up is closed until KEYWARD_SMTP_URL is set"
        );
    }
    if app.config.sign_in.passwords {
        app.accounts.open_setup(setup).await?;
    } else if app.accounts.needs_setup().await? {
        queue_stdout(
            "There are no accounts yet, and passwords are off. Sign in at this address, then give yourself the administrator role with\n  \
             keyward admin make-admin --email YOU@EXAMPLE.COM",
        );
    }
    Ok(())
}

/// Prints the setup link again at a fixed interval, because log lines move it out of the terminal. Ends once an account
/// exists.
async fn repeat_setup_link(app: Services) {
    let mut tick = interval_at(Instant::now() + SETUP_LINK_INTERVAL, SETUP_LINK_INTERVAL);
    loop {
        tick.tick().await;
        // A failure is in the log of the store; the next tick tries again.
        if matches!(app.accounts.repeat_setup_code().await, Ok(false)) {
            return;
        }
    }
}

/// Queues text for standard output. The server does not depend on a reader.
fn queue_stdout(text: &str) {
    if let Some(writer) = line_writer::open_writer(Stream::Stdout) {
        writer.line(text);
    }
}

/// Returns a future that completes on SIGINT, SIGTERM or SIGHUP. SIGHUP stops the server too, because settings are read
/// only at startup.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
        tracing::info!("server.stopping");
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    /// `docs/operations/install.md` promises 25 s. Kubernetes kills a server after 30 s.
    #[test]
    fn a_server_stops_within_25_seconds() {
        let process = cli::SHUTDOWN_TIMEOUT + cli::FLUSH_TIMEOUT;
        assert!(
            http::serve::DRAIN_TIMEOUT + http::serve::CUT_TIMEOUT + AFTER_DRAIN + process <= Duration::from_secs(25)
        );
        assert!(
            USAGE_FLUSH_TIMEOUT + CHECKPOINT_TIMEOUT + RECORD_TIMEOUT < AFTER_DRAIN,
            "time is left to close the database"
        );
    }
}
