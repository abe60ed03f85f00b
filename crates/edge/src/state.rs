//! Shared state of the edge and its fast path.

use super::{metrics::Metrics, request_id::RequestIds};
use axum::http::StatusCode;
use keyward_config::Config;
use keyward_core::Context;
use keyward_store::log_limit::LogLimit;
use keyward_verify::{tokens::Tokens, usage::Usage, verify::Verifier};
use std::{ops::Deref, sync::Arc, time::Duration};

/// State of all edge handlers, behind one pointer.
#[derive(Clone)]
pub struct EdgeState(Arc<Parts>);

/// Fields of [`EdgeState`].
pub struct Parts {
    pub config: Arc<Config>,
    pub context: Context,
    pub verify: Verifier,
    pub tokens: Tokens,
    pub usage: Usage,
    pub(super) metrics: Arc<Metrics>,
    /// Generator of request ids.
    pub ids: RequestIds,
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
        context: Context,
        verify: Verifier,
        tokens: Tokens,
        usage: Usage,
        routes: Vec<&'static str>,
    ) -> Self {
        let ids = RequestIds::new(&*context.random);
        let metrics = Arc::new(Metrics::new(routes));
        Self(Arc::new(Parts { config, context, verify, tokens, usage, metrics, ids, misdirected: LogLimit::new() }))
    }

    /// Counts a request and its duration. `matched`: the route pattern of the router.
    pub fn count(&self, matched: &str, status: StatusCode, took: Duration) {
        self.metrics.record_request(self.metrics.route(matched), status, took);
    }
}
