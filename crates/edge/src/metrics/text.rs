//! Metrics exposition in the OpenMetrics text format, for Prometheus.

use super::{BUCKET_BOUNDS, DECISION_SOURCES, DECISIONS, Durations, Metrics, OTHERS, OUTCOMES};
use crate::{EdgeState, line_writer};
use axum::{
    body::Bytes,
    http::{HeaderValue, Response, header},
};
use keyward_verify::verify::Counts;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, text::encode},
    metrics::{MetricType, exemplar::Exemplar},
    registry::{Registry, Unit},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, atomic::Ordering},
};

type NoExemplars = Option<&'static HashMap<usize, Exemplar<[(&'static str, &'static str); 0], f64>>>;
type NoExemplar = Option<&'static Exemplar<[(&'static str, &'static str); 0], u64>>;

/// A service metric: name, help text, type, and value.
type Reading = (&'static str, &'static str, MetricType, u64);

/// Reads the service metrics at each scrape.
fn readings(state: &EdgeState) -> Vec<Reading> {
    let lost = "Calls that were not counted because the usage buffer was full";
    let waiting = "Changes waiting in the write queue";
    let (failing, batches) = ("1 while database writes fail or stall", "Batches of changes that were lost");
    let available = "0 while PostgreSQL is unavailable and requests fail without a query";
    let mut all = vec![
        ("keyward_usage_lost", lost, MetricType::Counter, state.usage.lost_calls()),
        ("keyward_write_queue_waiting", waiting, MetricType::Gauge, state.context.queue.waiting() as u64),
        ("keyward_writes_failing", failing, MetricType::Gauge, u64::from(state.context.queue.trouble().is_some())),
        ("keyward_write_batches_lost", batches, MetricType::Counter, state.context.queue.lost_batches()),
        ("keyward_database_available", available, MetricType::Gauge, u64::from(state.context.pool.is_available())),
    ];
    for (name, old_name, help, kind, value) in snapshot_readings(&state.verify.counts()) {
        all.push((name, help, kind, value));
        all.push((old_name, "Deprecated name of a metric of keyward_key_snapshots", kind, value));
    }
    all
}

/// A metric of the key snapshots: name, deprecated name, help text, type, and value.
type SnapshotReading = (&'static str, &'static str, &'static str, MetricType, u64);

fn snapshot_readings(counts: &Counts) -> [SnapshotReading; 6] {
    let (hits, lookups) = ("Decisions made from key snapshots in memory", "Key snapshot lookups in the database");
    let (unknown, cached) = ("Unknown secrets denied without a database lookup", "Key snapshots in memory");
    let (indexed, fresh) = ("Keys in the in-memory index", "1 while changes from other processes are received");
    let (counter, gauge) = (MetricType::Counter, MetricType::Gauge);
    [
        ("keyward_key_snapshots_hits", "keyward_facts_hits", hits, counter, counts.hits),
        ("keyward_key_snapshots_lookups", "keyward_facts_look_ups", lookups, counter, counts.look_ups),
        ("keyward_key_snapshots_unknown", "keyward_facts_unknown", unknown, counter, counts.unknown),
        ("keyward_key_snapshots_cached", "keyward_facts_resident", cached, gauge, counts.cached as u64),
        ("keyward_key_snapshots_indexed", "keyward_facts_known", indexed, gauge, counts.indexed as u64),
        ("keyward_key_snapshots_fresh", "keyward_facts_hearing", fresh, gauge, counts.is_fresh.into()),
    ]
}

/// Responds to `GET /metrics`.
pub fn scrape(state: &EdgeState) -> Response<Bytes> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape { metrics: state.metrics.clone(), readings: readings(state) }));
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &registry);
    let mut response = Response::new(text.into());
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Debug)]
struct Scrape {
    metrics: Arc<Metrics>,
    readings: Vec<Reading>,
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Request duration by route and outcome; a denied key has the outcome ok";
        let name = "keyward_http_request_duration";
        let mut family = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        let routes = self.metrics.routes.iter().copied().chain(OTHERS);
        for (route, outcomes) in routes.zip(&self.metrics.requests) {
            for (outcome, durations) in OUTCOMES.iter().zip(outcomes) {
                let (sum, count, classes) = totals(durations);
                // A route without requests has no line.
                if count > 0 {
                    let labels = [("route", route), ("outcome", outcome)];
                    let mut encoder = family.encode_family(&labels)?;
                    encoder.encode_histogram(sum, count, &classes, NoExemplars::None)?;
                }
            }
        }
        let help = "Decisions on keys and tokens by endpoint";
        let mut family = encoder.encode_descriptor("keyward_decisions", help, None, MetricType::Counter)?;
        for (place, decisions) in DECISION_SOURCES.iter().zip(&self.metrics.decisions) {
            for (decision, count) in DECISIONS.iter().zip(decisions) {
                let labels = [("place", *place), ("decision", *decision)];
                let count = count.load(Ordering::Relaxed);
                family.encode_family(&labels)?.encode_counter(&count, NoExemplar::None)?;
            }
        }
        let help = "Output lines dropped because the stream was too slow or writing failed";
        let mut family = encoder.encode_descriptor("keyward_output_lines_dropped", help, None, MetricType::Counter)?;
        for (stream, lines) in line_writer::dropped() {
            family.encode_family(&[("stream", stream)])?.encode_counter(&lines, NoExemplar::None)?;
        }
        for (name, help, kind, value) in &self.readings {
            let mut metric = encoder.encode_descriptor(name, help, None, *kind)?;
            match kind {
                MetricType::Counter => metric.encode_counter(value, NoExemplar::None)?,
                _ => metric.encode_gauge(&i64::try_from(*value).unwrap_or(i64::MAX))?,
            }
        }
        Ok(())
    }
}

/// Returns the total duration in seconds, the number of requests, and the number of requests per bucket.
fn totals(durations: &Durations) -> (f64, u64, Vec<(f64, u64)>) {
    let ends = BUCKET_BOUNDS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
    let classes: Vec<_> = ends.zip(&durations.buckets).map(|(end, n)| (end, n.load(Ordering::Relaxed))).collect();
    let count = classes.iter().map(|(_, n)| n).sum();
    (durations.micros.load(Ordering::Relaxed) as f64 / 1e6, count, classes)
}
