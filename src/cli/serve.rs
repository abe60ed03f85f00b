//! `keyward serve`.

use super::{log, open::Opened};
use crate::{
    config::{Config, DatabaseSettings, ServeSettings, key_file},
    domain::policy::SignUp,
    http::{self, AppState, Site},
    service::{App, accounts::SetupCode, signer::Keyring, smtp::SmtpMailer, upkeep},
};
use anyhow::{Context as _, anyhow};
use std::{io::Write as _, sync::Arc};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

pub async fn run(database: &DatabaseSettings, settings: &ServeSettings) -> anyhow::Result<()> {
    log::start(settings.log, settings.log_format);
    let key_file = key_file(&database.database, settings.key_file.as_ref()).map_err(|e| anyhow!(e))?;
    let listener = TcpListener::bind(settings.listen).await.with_context(|| {
        format!("{} could not be listened on; give another address with --listen (KEYWARD_LISTEN)", settings.listen)
    })?;
    let internal = match settings.programs.internal_listen {
        None => None,
        Some(address) => Some(TcpListener::bind(address).await.with_context(|| {
            format!(
                "{address} could not be listened on; give another address with --internal-listen (KEYWARD_INTERNAL_LISTEN)"
            )
        })?),
    };
    let config = Config::new(settings, listener.local_addr()?).map_err(|e| anyhow!(e))?;
    let mail = settings.mail.read().map_err(|e| anyhow!(e))?;
    let mut opened = Opened::open(database, true).await?;
    if let Some(mail) = mail {
        let mailer = SmtpMailer::new(&mail, &config.public_url, opened.ground.random.clone());
        opened.ground.mail = Arc::new(mailer.map_err(|e| anyhow!(e))?);
    }
    let keyring = Keyring::open(&opened.ground, &key_file).await?;
    let app = App::new(Arc::new(config), opened.ground.clone(), keyring);
    app.usage.resume().await?;
    // Before anything is said: whoever hears it may ask at once that the server stop.
    let stopped = stopped()?;
    greet(&app).await?;
    if let Some(internal) = &internal {
        say(&format!("Programs are answered at http://{}", internal.local_addr()?));
    }

    app.audit.tell(|checkpoint| say(&checkpoint.line()));
    let audit = tokio::spawn(app.audit.clone().run());
    let upkeep = tokio::spawn(upkeep::run(app.clone()));
    let usage = tokio::spawn(app.usage.clone().run());
    let state = AppState::new(app.clone());
    let (ended, end) = tokio::sync::watch::channel(());
    let inside = internal.map(|internal| {
        let mut end = end.clone();
        let stop = async move {
            let _ = end.changed().await;
        };
        tokio::spawn(http::serve::serve(internal, Site::internal(state.clone()), stop))
    });
    let stopped = async {
        stopped.await;
        let _ = ended.send(());
    };
    http::serve::serve(listener, Site::public(state), stopped).await;
    if let Some(inside) = inside {
        let _ = inside.await;
    }

    for task in [audit, upkeep, usage] {
        task.abort();
    }
    if let Err(error) = app.usage.flush().await {
        tracing::error!(%error, "usage.flush_failed");
    }
    if let Err(error) = app.audit.sign(true).await {
        tracing::error!(%error, "audit.unsigned");
    }
    drop(app);
    opened.close().await;
    Ok(())
}

/// Says on standard output where to go: it is for the person at the terminal, not for the log.
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

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody may be reading: a server runs all the same.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Done when the process is asked to stop.
fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("server.stopping");
    })
}
