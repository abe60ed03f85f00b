//! `keyward serve`: startup, background jobs, and graceful shutdown of the server.

use super::{log, open::Opened};
use crate::{
    config::{Config, DatabaseSettings, ListenAddress, ServeSettings, exposure, key_file},
    domain::policy::SignUp,
    http::{self, AppState, Listeners, Site},
    line_writer::{self, LineWriter, Stream},
    service::{
        App, Error,
        accounts::SetupCode,
        database_record::{DatabaseRecord, refuse_vanished, refuse_without_events},
        signer::Keyring,
        smtp::SmtpMailer,
        upkeep,
    },
    store::Location,
};
use anyhow::{Context as _, anyhow};
use std::{sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, timeout_at},
};

/// Time limit for all shutdown steps after the drain. With the drain and the end of the process it makes 25 s, less
/// than the 30 s of Kubernetes.
const AFTER_DRAIN: Duration = Duration::from_secs(11);
/// Time limit for the last flush of the usage counts.
const FLUSH: Duration = Duration::from_secs(5);
/// Time limit for the last checkpoint of the audit log.
const SIGN: Duration = Duration::from_secs(3);
/// Time limit for the last database record. Closing the database gets the remaining time.
const RECORD: Duration = Duration::from_secs(1);

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
    let mail = settings.mail.read().map_err(|e| anyhow!(e))?;
    if let (Location::Sqlite(path), false) = (&database.database, settings.new) {
        refuse_vanished(path, &key_file.path)?;
    }
    http::name_database(&database.database);
    let mut opened = Opened::open(database, true).await?;
    if !settings.new && !settings.accept_older_database {
        refuse_without_events(&opened.ground, &key_file.path).await?;
    }
    if let Some(mail) = mail {
        let mailer = SmtpMailer::new(&mail, &config.public_url, opened.ground.random.clone());
        opened.ground.mail = Arc::new(mailer.map_err(|e| anyhow!(e))?);
    }
    let keyring = Keyring::open_for(&opened.ground, &key_file, config.programs.token_alg).await?;
    let secret_files = [
        ("the key file", Some(key_file.path.as_path())),
        ("the database file", database.database.file()),
        ("the file of the OpenID Connect client's secret", settings.sign_in.secret_file()),
    ];
    for (what, path) in secret_files {
        if let Some(warning) = path.and_then(|path| exposure(what, path)) {
            tracing::warn!("files.exposed: {warning}");
        }
    }
    let record = DatabaseRecord::check(&opened.ground, &key_file.path, settings.accept_older_database).await?;
    let app = App::new(Arc::new(config), opened.ground.clone(), keyring);
    app.usage.resume().await?;
    // Installed before the first output: a process that reads the output can send a stop signal at once.
    let stopped = stopped()?;
    greet(&app).await?;
    if let Some(internal) = &internal {
        say(&format!("Programs are answered at http://{}", internal.local_addr()?));
    }

    app.audit.tell(|checkpoint| say(&checkpoint.line()));
    let hearing = tokio::spawn(app.clone().follow_changes());
    let audit = tokio::spawn(app.audit.clone().run());
    let upkeep = tokio::spawn(upkeep::run(app.clone()));
    let usage = tokio::spawn(app.usage.clone().run());
    let recording = tokio::spawn(record.run());
    let state = AppState::new(app.clone());
    let (ended, end) = tokio::sync::watch::channel(());
    let inside = internal.map(|internal| {
        let mut end = end.clone();
        let stop = async move {
            let _ = end.changed().await;
        };
        tokio::spawn(http::serve::serve(internal, Site::internal(state.edge.clone()), stop))
    });
    let stopped = async {
        stopped.await;
        let _ = ended.send(());
    };
    http::serve::serve(listener, http::site(state), stopped).await;
    if let Some(inside) = inside {
        let _ = inside.await;
    }

    let end = Instant::now() + AFTER_DRAIN;
    for task in [audit, upkeep, usage, recording] {
        task.abort();
        // Resources of the task, such as a running flush, are released only when it has ended.
        let _ = timeout_at(end, task).await;
    }
    // The change feed task continues, because it detects whether the database responds.
    let written = write_rest(&app, end).await;
    // Without this record the next start compares only with an older one.
    let record = DatabaseRecord::check(&opened.ground, &key_file.path, true);
    if !matches!(timeout_at(end.min(Instant::now() + RECORD), record).await, Ok(Ok(_))) {
        tracing::warn!("database_record.not_written");
    }
    hearing.abort();
    let _ = timeout_at(end, hearing).await;
    drop(app);
    if timeout_at(end, opened.close()).await.is_err() {
        tracing::warn!("store.not_closed: the time to stop is over");
    }
    written
}

/// Writes pending data when the server stops, within [`FLUSH`] and [`SIGN`], and before `end`.
///
/// # Errors
/// A message that names the data that was not written.
async fn write_rest(app: &App, end: Instant) -> anyhow::Result<()> {
    let mut unwritten = Vec::new();
    if let Err(why) = in_time(FLUSH, end, app.usage.flush()).await {
        tracing::error!(error = %why, "usage.flush_failed");
        unwritten.push(format!("the usage counts of {} calls were not written ({why})", app.usage.unwritten_calls()));
    }
    if let Err(why) = in_time(SIGN, end, app.audit.sign(true)).await {
        tracing::error!(error = %why, "audit.unsigned");
        unwritten.push(format!("the last events of the audit log were not signed; the next start signs them ({why})"));
    }
    match unwritten.is_empty() {
        true => Ok(()),
        false => Err(anyhow!("the server has stopped, but {}", unwritten.join(", and "))),
    }
}

async fn in_time<T>(limit: Duration, end: Instant, work: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
    match timeout_at(end.min(Instant::now() + limit), work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err(format!("the database did not answer within {} s", limit.as_secs())),
    }
}

/// Binds all addresses of a host.
async fn listen(address: &ListenAddress, setting: &str) -> anyhow::Result<Listeners> {
    let wrong = || format!("{address} could not be listened on; give another address with {setting}");
    let addresses = address.resolve().await.with_context(wrong)?;
    Listeners::bind(&addresses).await.with_context(wrong)
}

/// Prints the server's address to standard output, for the person at the terminal and not for the log.
async fn greet(app: &App) -> anyhow::Result<()> {
    let url = app.config.public_url.to_string();
    let setup = {
        let url = url.clone();
        move |code: &SetupCode| {
            say(&format!(
                "Nobody has an account yet. Make the administrator at\n  {url}/setup?code={code}\n\
                 (setup code: {code})",
                code = code.expose()
            ));
        }
    };
    say(&format!("Keyward {} answers at {url}", env!("CARGO_PKG_VERSION")));
    if app.config.sign_in.passwords {
        app.accounts.open_setup(setup).await?;
    } else if app.accounts.needs_setup().await? {
        say(
            "Nobody has an account yet, and passwords are off. Sign in there, and then make yourself the administrator with\n  \
             keyward admin make-admin --email YOU@EXAMPLE.COM",
        );
    }
    if app.policy.get().await?.sign_up == SignUp::Open && !app.ground.mail.is_set() {
        tracing::warn!(
            "sign_up.closed_without_mail: sign-up is open by policy and stays closed until KEYWARD_SMTP_URL is set"
        );
    }
    Ok(())
}

/// Queues text for standard output. The server does not depend on a reader.
fn say(text: &str) {
    if let Some(writer) = line_writer::opened(Stream::Stdout) {
        writer.line(text);
    }
}

/// Returns a future that completes on SIGINT, SIGTERM or SIGHUP. SIGHUP stops the server too, because settings are read
/// only at startup.
fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
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
        let process = cli::SHUTDOWN + cli::FLUSH;
        assert!(http::serve::DRAIN + http::serve::CUT + AFTER_DRAIN + process <= Duration::from_secs(25));
        assert!(FLUSH + SIGN + RECORD < AFTER_DRAIN, "time is left to close the database");
    }
}
