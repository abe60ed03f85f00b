//! Shared state of the edge and its fast path.

use super::{metrics::Metrics, request_id::Ids};
use axum::http::StatusCode;
use keyward_config::Config;
use keyward_core::Ground;
use keyward_store::log_limit::LogLimit;
use keyward_verify::{tokens::Tokens, usage::Usage, verify::Verifier};
use std::{ops::Deref, sync::Arc, time::Duration};

/// State of all edge handlers, behind one pointer.
#[derive(Clone)]
pub struct EdgeState(Arc<Parts>);

/// Fields of [`EdgeState`].
pub struct Parts {
    pub config: Arc<Config>,
    pub ground: Ground,
    pub verify: Verifier,
    pub tokens: Tokens,
    pub usage: Usage,
    pub(super) metrics: Arc<Metrics>,
    /// Generator of request ids.
    pub ids: Ids,
    /// Limits the log lines about requests with an unknown host.
    pub(super) misdirected: LogLimit,
}

impl Deref for EdgeState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl EdgeState {
    /// Creates the state. `routes`: route patterns of the router that get their own counters.
    pub fn new(
        config: Arc<Config>,
        ground: Ground,
        verify: Verifier,
        tokens: Tokens,
        usage: Usage,
        routes: Vec<&'static str>,
    ) -> Self {
        let ids = Ids::new(&*ground.random);
        let metrics = Arc::new(Metrics::new(routes));
        Self(Arc::new(Parts { config, ground, verify, tokens, usage, metrics, ids, misdirected: LogLimit::new() }))
    }

    /// Counts a request and its duration. `matched`: the route pattern of the router.
    pub fn count(&self, matched: &str, status: StatusCode, took: Duration) {
        self.metrics.answered(self.metrics.route(matched), status, took);
    }
}
