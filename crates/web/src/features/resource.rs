//! [`Resource`]s with boxed futures.

use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::pin::Pin;
use tracing::{Instrument as _, Span};

/// Creates a [`Resource`] whose futures are boxed.
///
/// Leptos copies the future of a resource several times on the stack when it creates one; the future of a page is up to
/// 60 KB in an unoptimized build. With boxed futures the code is also compiled once per response type and not once per
/// page.
///
/// Leptos runs each future in a task of its own. It runs in the span of the request, so that its log lines have the id.
#[track_caller]
pub fn resource<S, T, F>(
    source: impl Fn() -> S + Send + Sync + 'static,
    fetch: impl Fn(S) -> F + Send + Sync + 'static,
) -> Resource<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let span = Span::current();
    Resource::new(source, move |value| -> Pin<Box<dyn Future<Output = T> + Send>> {
        Box::pin(fetch(value).instrument(span.clone()))
    })
}
