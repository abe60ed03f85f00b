//! `keyward serve`.

use super::{log, open::Opened};
use crate::{
    config::{Config, DatabaseSettings, ServeSettings, key_file},
    http::{self, AppState},
    service::{App, accounts::SetupCode, signer::Signer, upkeep},
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
    let config = Config::new(settings, listener.local_addr()?).map_err(|e| anyhow!(e))?;
    let opened = Opened::open(database, true).await?;
    let signer = Signer::open(&opened.ground, &key_file).await?;
    let app = App::new(Arc::new(config), opened.ground.clone(), signer);
    greet(&app).await?;

    let upkeep = tokio::spawn(upkeep::run(app.clone()));
    let usage = tokio::spawn(app.usage.clone().run());
    http::serve::serve(listener, http::router(AppState::new(app.clone())), stopped()?).await;

    upkeep.abort();
    usage.abort();
    if let Err(error) = app.usage.flush().await {
        tracing::error!(%error, "usage.flush_failed");
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
    app.accounts.open_setup(setup).await?;
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
