//! Listening: connections with limits of time, and an orderly end.

use super::{
    Site,
    drain::{self, Activity, DRAIN, Guarded, Tracked},
    front::Content,
    listeners::Listeners,
    timer::ConnectionTimer,
};
use axum::body::Body;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};
use tokio::sync::{Semaphore, watch};

/// How long the head of a request may take to arrive, and a kept-alive connection may idle.
const HEAD: Duration = Duration::from_secs(15);
/// Connections at a time: each costs some kilobytes and a descriptor.
const CONNECTIONS: usize = 4096;
/// Rest after a failed accept (too many open files, say), so that the loop does not spin.
const REST: Duration = Duration::from_millis(50);

/// Serves until `stop` is done, then lets the requests under way end, for at most [`DRAIN`].
pub async fn serve(listener: impl Into<Listeners>, site: impl Into<Site>, stop: impl Future<Output = ()>) {
    let (listener, site) = (listener.into(), site.into());
    // HTTP/1.1 alone: whatever ends TLS in front speaks it, and a builder that first waits to see which protocol a silent
    // connection will speak waits for ever.
    let mut builder = http1::Builder::new();
    // An answer is small, and copied to its head: one piece costs the kernel less than two.
    builder.header_read_timeout(HEAD).writev(false);
    // Each connection has a receiver: when all are dropped, all connections have ended.
    let (stopping, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    loop {
        // Past the bound a connection waits in the kernel's queue until another ends.
        let accept = async {
            let place = places.clone().acquire_owned().await;
            listener.accept().await.map(|(stream, peer)| (stream, peer, place))
        };
        let accepted = tokio::select! {
            accepted = accept => accepted,
            () = &mut stop => break,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "listener.accept_failed");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        // Answers are small: they go out at once.
        let _ = stream.set_nodelay(true);
        let site = site.clone();
        let activity = Arc::new(Activity::default());
        let running = activity.clone();
        let service = service_fn(move |request| {
            let (site, running) = (site.clone(), running.request());
            async move {
                let response = site.answer(Some(peer), request).await;
                Ok::<_, Infallible>(response.map(|content| match content {
                    Content::Made(body) => Content::Made(Body::new(Guarded::new(body, running))),
                    whole @ Content::Whole(_) => whole,
                }))
            }
        });
        let stream = TokioIo::new(Tracked::new(stream, activity.clone()));
        let connection = builder.clone().timer(ConnectionTimer::new(HEAD)).serve_connection(stream, service);
        let stopped = stopped.clone();
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = drain::run(connection, &activity, stopped).await {
                // Clients go away in the middle of things all the time.
                tracing::debug!(%error, "connection.ended");
            }
        });
    }
    drop((listener, stopped));
    stopping.send_replace(true);
    // Each connection ends by itself; the second is for the last of them to be scheduled.
    let _ = tokio::time::timeout(DRAIN + Duration::from_secs(1), stopping.closed()).await;
}
