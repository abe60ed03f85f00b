//! HTTP service of a listener: the fast path and the routers.

use super::{Endpoint, Listener, ResponseBody, respond};
use crate::{EdgeState, client::Peer, problem::Problem, serve::Limits};
use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{self, StatusCode, header},
    response::Response,
};
use ipnet::IpNet;
use keyward_config::Config;
use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{BoxError, Service, ServiceExt as _};

/// HTTP service of a listener. Clones share the state.
#[derive(Clone)]
pub struct HttpService(Arc<ListenerKind>);

enum ListenerKind {
    /// Fast path in front of the routers.
    Public { state: EdgeState, router: Router },
    /// Fast path only, for the operator's own programs.
    Internal { state: EdgeState },
    /// A router without the fast path.
    Plain { router: Router },
}

impl From<Router> for HttpService {
    fn from(router: Router) -> Self {
        Self(Arc::new(ListenerKind::Plain { router }))
    }
}

impl HttpService {
    /// Creates the service of the public listener. Requests outside the fast path go to `router`.
    pub fn public(state: EdgeState, router: Router) -> Self {
        Self(Arc::new(ListenerKind::Public { state, router }))
    }

    /// Creates the service of the internal listener.
    pub fn internal(state: EdgeState) -> Self {
        Self(Arc::new(ListenerKind::Internal { state }))
    }

    fn config(&self) -> Option<&Config> {
        match &*self.0 {
            ListenerKind::Public { state, .. } | ListenerKind::Internal { state } => Some(&state.config),
            ListenerKind::Plain { .. } => None,
        }
    }

    /// Returns the trusted proxies, whose connections carry requests of many clients.
    pub fn trusted_proxies(&self) -> Vec<IpNet> {
        self.config().map(|config| config.trusted_proxies.clone()).unwrap_or_default()
    }

    /// Returns the connection limits. The internal listener has no limit per address: its clients are the operator's
    /// own programs.
    pub fn limits(&self) -> Limits {
        let per_address = match (&*self.0, self.config()) {
            (ListenerKind::Public { .. }, Some(config)) => config.connections_per_address,
            _ => usize::MAX,
        };
        Limits { per_address, ..Limits::default() }
    }

    /// Responds to health checks; all other requests get 503.
    pub async fn respond_health<B>(&self, peer: SocketAddr, request: http::Request<B>) -> http::Response<ResponseBody>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        if Endpoint::from_path(request.uri().path()).is_some_and(Endpoint::is_health) {
            return self.respond(Some(peer), request).await;
        }
        let words = "This server has too many connections. Try again in a moment.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", words).header(header::RETRY_AFTER, "1");
        problem.into_http_response(None).map(ResponseBody::from)
    }

    /// Responds to a request from `peer`.
    pub async fn respond<B>(&self, peer: Option<SocketAddr>, request: http::Request<B>) -> http::Response<ResponseBody>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let (state, router) = match &*self.0 {
            ListenerKind::Internal { state } => {
                let address = Endpoint::from_path(request.uri().path());
                return respond(state, Listener::Internal, address, peer, request).await.map(ResponseBody::from);
            }
            ListenerKind::Public { state, router } => (Some(state), router),
            ListenerKind::Plain { router } => (None, router),
        };
        if let Some(state) = state
            && let Some(address) = Endpoint::from_path(request.uri().path())
        {
            return respond(state, Listener::Public, Some(address), peer, request).await.map(ResponseBody::from);
        }
        // Boxed: the future of the routers is many times larger than that of the fast path.
        Box::pin(call_router(router.clone(), peer, request.map(Body::new))).await.map(ResponseBody::Stream)
    }
}

/// Passes a request to a router, with the peer as an extension for its layers.
async fn call_router(router: Router, peer: Option<SocketAddr>, mut request: Request) -> Response {
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer));
    }
    let Ok(response) = router.oneshot(request).await;
    response
}

/// Allows wrapping in a router, as the tests do.
impl Service<Request> for HttpService {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let site = self.clone();
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        Box::pin(async move { Ok(site.respond(peer, request).await.map(Body::from)) })
    }
}
