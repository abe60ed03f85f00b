//! Listening: connections with limits of time, and an orderly end.

use super::{Site, listeners::Listeners, timer::ConnectionTimer};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// How long the head of a request may take to arrive, and a kept-alive connection may idle.
const HEAD: Duration = Duration::from_secs(15);
/// How long requests that are under way may take once the server is to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// Connections at a time: each costs some kilobytes and a descriptor.
const CONNECTIONS: usize = 4096;
/// Rest after a failed accept (too many open files, say), so that the loop does not spin.
const REST: Duration = Duration::from_millis(50);

/// Serves until `stop` is done, then lets the requests under way end.
pub async fn serve(listener: impl Into<Listeners>, site: impl Into<Site>, stop: impl Future<Output = ()>) {
    let (listener, site) = (listener.into(), site.into());
    // HTTP/1.1 alone: whatever ends TLS in front speaks it, and a builder that first waits to see which protocol a silent
    // connection will speak waits for ever.
    let mut builder = http1::Builder::new();
    // An answer is small, and copied to its head: one piece costs the kernel less than two.
    builder.header_read_timeout(HEAD).writev(false);
    let graceful = GracefulShutdown::new();
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
        let service = service_fn(move |request| {
            let site = site.clone();
            async move { Ok::<_, Infallible>(site.answer(Some(peer), request).await) }
        });
        let connection =
            builder.clone().timer(ConnectionTimer::new(HEAD)).serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                // Clients go away in the middle of things all the time.
                tracing::debug!(%error, "connection.ended");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests took longer than the drain time and were cut off");
    }
}
