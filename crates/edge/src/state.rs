//! The state of the hot path.

use super::{metrics::Metrics, request_id::Ids};
use axum::http::StatusCode;
use keyward_config::Config;
use keyward_core::Ground;
use keyward_store::log_limit::LogLimit;
use keyward_verify::{tokens::Tokens, usage::Usage, verify::Verifier};
use std::{ops::Deref, sync::Arc, time::Duration};

/// What every handler of the edge needs, behind one pointer.
#[derive(Clone)]
pub struct EdgeState(Arc<Parts>);

/// The parts of [`EdgeState`].
pub struct Parts {
    pub config: Arc<Config>,
    pub ground: Ground,
    pub verify: Verifier,
    pub tokens: Tokens,
    pub usage: Usage,
    pub(super) metrics: Arc<Metrics>,
    /// Makes request ids.
    pub ids: Ids,
    /// Limits the log lines about requests for other hosts.
    pub(super) misdirected: LogLimit,
}

impl Deref for EdgeState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl EdgeState {
    /// `routes`: the paths whose requests are counted one by one, as the router names them.
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

    /// Counts a request that was answered. `matched`: its route, as the router names it.
    pub fn count(&self, matched: &str, status: StatusCode, took: Duration) {
        self.metrics.answered(self.metrics.route(matched), status, took);
    }
}
