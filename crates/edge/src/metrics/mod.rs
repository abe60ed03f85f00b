//! Request metrics: counts and durations by route and outcome, and decision counts.
//!
//! The counters are plain atomics and their number is fixed. No client input becomes a label.

mod text;

use axum::http::StatusCode;
use keyward_verify::tokens::{TokenDecision, TokenDenyReason};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

pub use text::scrape;

/// Upper bounds of the histogram buckets, in microseconds.
const BUCKET_BOUNDS: [u64; 14] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000];
/// Outcomes of a request: a response (including a denied key), a client error, or a server error.
const OUTCOMES: [&str; 3] = ["ok", "client_error", "server_error"];
/// Label values of routes outside the route table: server functions, static files, and pages.
const OTHERS: [&str; 3] = ["functions", "files", "pages"];
/// Endpoints that make decisions, in the order of [`DecisionSource`].
const DECISION_SOURCES: [&str; 3] = ["verify", "batch", "auth"];
/// Decision labels: `accepted`, or the reason code of a denial.
const DECISIONS: [&str; 16] = [
    "accepted",
    "malformed",
    "unknown",
    "deleted",
    "project_archived",
    "inactive",
    "not_yet_valid",
    "expired",
    "wrong_project",
    "wrong_network",
    "missing_scope",
    "rate_limited",
    "invalid_token",
    "token_expired",
    "wrong_audience",
    "token_revoked",
];

/// Endpoint that made a decision.
#[derive(Clone, Copy, Debug)]
pub enum DecisionSource {
    Verify,
    Batch,
    Auth,
}

/// Duration histogram: the number of requests per bucket and the total duration.
#[derive(Debug, Default)]
struct Durations {
    /// Counts per bucket. The last bucket has no upper bound.
    buckets: [AtomicU64; BUCKET_BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// Index of a route in the request counters.
#[derive(Clone, Copy, Debug)]
pub struct Route(usize);

/// Counters of this process.
#[derive(Debug)]
pub struct Metrics {
    /// Paths that have their own counters.
    routes: Vec<&'static str>,
    /// Counters of each route, followed by those of each kind in [`OTHERS`].
    requests: Box<[[Durations; OUTCOMES.len()]]>,
    decisions: [[AtomicU64; DECISIONS.len()]; DECISION_SOURCES.len()],
}

impl Metrics {
    pub fn new(routes: Vec<&'static str>) -> Self {
        let requests = (0..routes.len() + OTHERS.len()).map(|_| Default::default()).collect();
        Self { routes, requests, decisions: Default::default() }
    }

    /// Returns the counter index of a matched route. `matched` is the route pattern of the router.
    pub fn route(&self, matched: &str) -> Route {
        let in_table = self.routes.iter().position(|path| *path == matched);
        let other = if matched.starts_with("/api/") {
            0
        } else if matched.ends_with("/{*path}") {
            1
        } else {
            2
        };
        Route(in_table.unwrap_or(self.routes.len() + other))
    }

    /// Counts a request and its duration.
    pub fn record_request(&self, route: Route, status: StatusCode, took: Duration) {
        let outcome = match status.as_u16() {
            // A denial is a successful response: the decision is what the caller requested.
            ..400 | 401 | 403 | 429 => 0,
            400..500 => 1,
            _ => 2,
        };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = BUCKET_BOUNDS.iter().position(|end| micros <= *end).unwrap_or(BUCKET_BOUNDS.len());
        let durations = &self.requests[route.0][outcome];
        durations.buckets[class].fetch_add(1, Ordering::Relaxed);
        durations.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Counts a decision.
    pub fn record_decision(&self, place: DecisionSource, decision: &TokenDecision) {
        let at = match decision {
            Ok(_) => 0,
            Err(why) => decision_index(why),
        };
        self.decisions[place as usize][at].fetch_add(1, Ordering::Relaxed);
    }
}

fn decision_index(why: &TokenDenyReason) -> usize {
    let code = why.code();
    // A test checks that the table contains every code.
    DECISIONS.iter().position(|it| *it == code).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyward_domain::secret::Malformed;
    use keyward_verify::{limits::Quota, verify::DenyReason};

    #[test]
    fn every_refusal_is_counted_under_its_code() {
        let quota = Quota { limit: "1/day".parse().unwrap(), remaining: 0, reset: 1, retry_after: 1 };
        let keys = [
            DenyReason::Malformed(Malformed::Length),
            DenyReason::Unknown,
            DenyReason::Deleted,
            DenyReason::ProjectArchived,
            DenyReason::Inactive,
            DenyReason::NotYetValid,
            DenyReason::Expired,
            DenyReason::WrongProject,
            DenyReason::WrongNetwork,
            DenyReason::MissingScope("a".into()),
            DenyReason::RateLimited(quota),
        ];
        let tokens = [
            TokenDenyReason::Malformed,
            TokenDenyReason::Expired,
            TokenDenyReason::WrongAudience,
            TokenDenyReason::Revoked,
        ];
        let all: Vec<_> = keys.into_iter().map(TokenDenyReason::Key).chain(tokens).collect();
        for (at, why) in all.iter().enumerate() {
            assert_eq!(DECISIONS[at + 1], why.code());
            assert_eq!(decision_index(why), at + 1);
        }
        assert_eq!(DECISIONS.len(), all.len() + 1);
    }

    #[test]
    fn durations_fall_into_their_classes() {
        let metrics = Metrics::new(vec!["/v1/keys/verify"]);
        let route = metrics.route("/v1/keys/verify");
        for (micros, status) in [(50, 200), (51, 403), (5_000_001, 200), (1, 404), (1, 503)] {
            metrics.record_request(route, StatusCode::from_u16(status).unwrap(), Duration::from_micros(micros));
        }
        let count =
            |outcome: usize, class: usize| metrics.requests[route.0][outcome].buckets[class].load(Ordering::Relaxed);
        assert_eq!((count(0, 0), count(0, 1), count(0, BUCKET_BOUNDS.len())), (1, 1, 1));
        assert_eq!((count(1, 0), count(2, 0)), (1, 1));
    }
}
