//! Browser SDK: `/sdk/v1.js` and its type declarations, imported by pages of other origins. The interface is stable, as
//! promised by `v1` in the name.

use super::etag::not_modified;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// A file with its entity tag. The tag is weak, because the file is also sent compressed.
struct File {
    text: &'static str,
    kind: HeaderValue,
    etag: String,
}

impl File {
    fn new(text: &'static str, kind: &'static str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        Self { text, kind: HeaderValue::from_static(kind), etag: format!("W/\"{}\"", hex::encode(&digest[..12])) }
    }
}

static SCRIPT: LazyLock<File> =
    LazyLock::new(|| File::new(include_str!("../../../sdk/v1.js"), "text/javascript; charset=utf-8"));
static TYPES: LazyLock<File> =
    LazyLock::new(|| File::new(include_str!("../../../sdk/v1.d.ts"), "application/typescript; charset=utf-8"));

/// Fresh for an hour; for a day a stale copy may be used while the cache revalidates it.
const CACHE_POLICY: HeaderValue = HeaderValue::from_static("public, max-age=3600, stale-while-revalidate=86400");

/// Returns the module.
pub async fn script(headers: HeaderMap) -> Response {
    serve(&SCRIPT, &headers)
}

/// Returns its type declarations.
pub async fn types(headers: HeaderMap) -> Response {
    serve(&TYPES, &headers)
}

fn serve(file: &File, headers: &HeaderMap) -> Response {
    let mut response = ([(header::CONTENT_TYPE, file.kind.clone())], file.text).into_response();
    let response_headers = response.headers_mut();
    response_headers.insert(header::CACHE_CONTROL, CACHE_POLICY);
    response_headers
        .insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    if let Ok(etag) = HeaderValue::from_str(&file.etag) {
        response_headers.insert(header::ETAG, etag);
    }
    not_modified(headers, response)
}
