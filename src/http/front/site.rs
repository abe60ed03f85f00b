//! What a listener answers with.

use super::{Address, Content, Side, answer};
use crate::http::{AppState, client::Peer};
use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http,
    response::Response,
};
use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{BoxError, Service, ServiceExt as _};

/// What a listener answers with. Clones share it.
#[derive(Clone)]
pub struct Site(Arc<Face>);

enum Face {
    /// The hot path in front of the routers.
    Public { state: AppState, router: Router },
    /// What programs of the house call, and nothing else.
    Internal { state: AppState },
    /// A router that has all of it.
    Plain { router: Router },
}

impl From<Router> for Site {
    fn from(router: Router) -> Self {
        Self(Arc::new(Face::Plain { router }))
    }
}

impl Site {
    /// The public address. Making it walks all pages for the list of their routes.
    pub fn public(state: AppState) -> Self {
        let router = crate::http::router::pages_and_programs(state.clone());
        Self(Arc::new(Face::Public { state, router }))
    }

    /// The internal listener.
    pub fn internal(state: AppState) -> Self {
        Self(Arc::new(Face::Internal { state }))
    }

    /// Answers a request that came from this peer.
    pub async fn answer<B>(&self, peer: Option<SocketAddr>, request: http::Request<B>) -> http::Response<Content>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let (state, router) = match &*self.0 {
            Face::Internal { state } => {
                let address = Address::of(request.uri().path());
                return answer(state, Side::Internal, address, peer, request).await.map(Content::from);
            }
            Face::Public { state, router } => (Some(state), router),
            Face::Plain { router } => (None, router),
        };
        if let Some(state) = state
            && let Some(address) = Address::of(request.uri().path())
        {
            return answer(state, Side::Public, Some(address), peer, request).await.map(Content::from);
        }
        // On the heap: what the routers hold while they wait is many times what the hot path does.
        Box::pin(pass(router.clone(), peer, request.map(Body::new))).await.map(Content::Made)
    }
}

/// On to a router, with the peer where its layers look for it.
async fn pass(router: Router, peer: Option<SocketAddr>, mut request: Request) -> Response {
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer));
    }
    let Ok(response) = router.oneshot(request).await;
    response
}

/// So that a router can stand around it, as the tests' does.
impl Service<Request> for Site {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let site = self.clone();
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        Box::pin(async move { Ok(site.answer(peer, request).await.map(Body::from)) })
    }
}
