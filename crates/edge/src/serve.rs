//! HTTP/1.1 listener: time limits, connection limits, and graceful shutdown.

use super::{
    HttpService,
    connection::{ConnectionSlot, Link, Order, Phase, Registry, RequestBody, Socket, read_rest},
    fast_path::ResponseBody,
    listeners::Listeners,
    timer::ConnectionTimer,
};
use axum::http::{HeaderValue, Request, Response, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::net::TcpStream;

pub use super::connection::Limits;

/// Time limit for the arrival of a request head, and for an idle keep-alive connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Time limit for requests in progress at shutdown.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for the tasks of connections that were cut off, which must be polled once more.
pub const CUT_TIMEOUT: Duration = Duration::from_secs(1);
/// Pause after a failed accept (for example too many open files), to avoid a busy loop.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Serves until `stop` completes. Then requests in progress may finish within [`DRAIN_TIMEOUT`].
pub async fn serve(listener: impl Into<Listeners>, site: impl Into<HttpService>, stop: impl Future<Output = ()>) {
    let site = site.into();
    let limits = site.limits();
    serve_with_limits(listener, site, limits, stop).await;
}

/// [`serve`] with other limits than the default ones.
pub async fn serve_with_limits(
    listener: impl Into<Listeners>,
    site: impl Into<HttpService>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let (listener, site) = (listener.into(), site.into());
    // HTTP/1.1 only: the reverse proxy that terminates TLS uses it. A builder that detects the protocol waits without a
    // limit for the first bytes of a silent connection.
    let mut builder = http1::Builder::new();
    // A response is small and is copied behind its head: one buffer costs the kernel less than two.
    builder.header_read_timeout(HEAD_TIMEOUT).writev(false);
    let registry = Registry::new(limits, site.trusted_proxies());
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "listener.accept_failed");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        if let Some(place) = registry.admit(peer.ip()) {
            tokio::spawn(serve_connection(builder.clone(), stream, peer, place, limits.write, site.clone()));
        }
    }
    drop(listener);
    registry.send_order_to_all(Order::Stop);
    if tokio::time::timeout(DRAIN_TIMEOUT, registry.wait_until_empty()).await.is_err() {
        let connections = registry.send_order_to_all(Order::Cut);
        tracing::warn!(
            seconds = DRAIN_TIMEOUT.as_secs(),
            connections,
            "connection.cut_off: requests did not end within the time limit of the shutdown"
        );
        let _ = tokio::time::timeout(CUT_TIMEOUT, registry.wait_until_empty()).await;
    }
}

/// Serves the requests of one connection.
async fn serve_connection(
    builder: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    place: ConnectionSlot,
    write_time: Duration,
    site: HttpService,
) {
    // Responses are small and are sent without delay.
    let _ = stream.set_nodelay(true);
    let (link, shared) = (&place.link, &site);
    let socket = TokioIo::new(Socket::new(stream, link.clone(), write_time));
    let service =
        service_fn(move |request| async move { Ok::<_, Infallible>(respond(shared, link, peer, request).await) });
    let mut builder = builder;
    let mut connection = pin!(builder.timer(ConnectionTimer::new(HEAD_TIMEOUT)).serve_connection(socket, service));
    let mut is_ending = false;
    let ended = poll_fn(|context| {
        link.register(context.waker());
        match link.order() {
            Some(order) if link.must_drop(order) => return Poll::Ready(Ok(())),
            Some(_) if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            _ => {}
        }
        connection.as_mut().poll(context)
    });
    if let Err(error) = ended.await {
        // Clients often disconnect in the middle of a request; this is not an error of the server.
        tracing::debug!(%error, "connection.ended");
    }
}

/// Responds to one request. `Connection: close` announces the last response (RFC 9112 section 9.6).
async fn respond(
    site: &HttpService,
    link: &Arc<Link>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    link.enter(Phase::Handling);
    let expects_continue = request.headers().contains_key(header::EXPECT);
    let mut is_read = true;
    let request = request.map(|body| {
        let body = RequestBody::new(body, link);
        is_read = axum::body::HttpBody::is_end_stream(&body);
        body
    });
    let mut response = match link.is_reserved {
        true => Box::pin(site.respond_health(peer, request)).await,
        false => site.respond(Some(peer), request).await,
    };
    if !is_read && !read_rest(link, expects_continue).await || link.is_reserved {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    link.enter(Phase::Responded);
    response
}
