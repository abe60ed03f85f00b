//! The listener: connections with limits of time and number, and an orderly end.

use super::{
    Site,
    connection::{Link, Order, Phase, Place, Registry, RequestBody, Socket, read_rest},
    front::Content,
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

/// How long the head of a request may take to arrive, and a kept-alive connection may idle.
const HEAD: Duration = Duration::from_secs(15);
/// How long requests that are under way may take once the server is to stop.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How long the tasks of connections that were cut off may take to run once more.
pub const CUT: Duration = Duration::from_secs(1);
/// Rest after a failed accept (too many open files, say), so that the loop does not spin.
const REST: Duration = Duration::from_millis(50);

/// Serves until `stop` is done, then lets the requests under way end, for at most [`DRAIN`].
pub async fn serve(listener: impl Into<Listeners>, site: impl Into<Site>, stop: impl Future<Output = ()>) {
    let site = site.into();
    let limits = site.limits();
    serve_within(listener, site, limits, stop).await;
}

/// [`serve`], with limits other than the usual ones.
pub async fn serve_within(
    listener: impl Into<Listeners>,
    site: impl Into<Site>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let (listener, site) = (listener.into(), site.into());
    // HTTP/1.1 alone: whatever ends TLS in front speaks it, and a builder that first waits to see which protocol a silent
    // connection will speak waits for ever.
    let mut builder = http1::Builder::new();
    // An answer is small, and copied to its head: one piece costs the kernel less than two.
    builder.header_read_timeout(HEAD).writev(false);
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
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        if let Some(place) = registry.admit(peer.ip()) {
            tokio::spawn(converse(builder.clone(), stream, peer, place, limits.write, site.clone()));
        }
    }
    drop(listener);
    registry.tell_all(Order::Stop);
    if tokio::time::timeout(DRAIN, registry.ended()).await.is_err() {
        let connections = registry.tell_all(Order::Cut);
        tracing::warn!(
            seconds = DRAIN.as_secs(),
            connections,
            "connection.cut_off: requests took longer than the server waits when it stops"
        );
        let _ = tokio::time::timeout(CUT, registry.ended()).await;
    }
}

/// Answers the requests of one connection.
async fn converse(
    builder: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    write_time: Duration,
    site: Site,
) {
    // Answers are small: they go out at once.
    let _ = stream.set_nodelay(true);
    let (link, shared) = (&place.link, &site);
    let socket = TokioIo::new(Socket::new(stream, link.clone(), write_time));
    let service =
        service_fn(move |request| async move { Ok::<_, Infallible>(respond(shared, link, peer, request).await) });
    let mut builder = builder;
    let mut connection = pin!(builder.timer(ConnectionTimer::new(HEAD)).serve_connection(socket, service));
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
        // Clients go away in the middle of things all the time.
        tracing::debug!(%error, "connection.ended");
    }
}

/// Answers one request. The response says whether it is the last one (RFC 9112 section 9.6).
async fn respond(site: &Site, link: &Arc<Link>, peer: SocketAddr, request: Request<Incoming>) -> Response<Content> {
    link.enter(Phase::Handling);
    let expects_continue = request.headers().contains_key(header::EXPECT);
    let mut is_read = true;
    let request = request.map(|body| {
        let body = RequestBody::new(body, link);
        is_read = axum::body::HttpBody::is_end_stream(&body);
        body
    });
    let mut response = match link.is_reserved {
        true => Box::pin(site.answer_health(peer, request)).await,
        false => site.answer(Some(peer), request).await,
    };
    if !is_read && !read_rest(link, expects_continue).await || link.is_reserved {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    link.enter(Phase::Responded);
    response
}
