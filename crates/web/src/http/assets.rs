//! Static assets, embedded in the binary. The URL prefix contains a hash of all files, so responses under it are
//! immutable.

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

#[derive(Embed)]
#[folder = "../../target/site"]
#[allow_missing = true]
struct EmbeddedAssets;

/// `pkg/<hash of all embedded files>`. Uses the file hashes that were computed at build time.
static PREFIX: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = EmbeddedAssets::iter().collect();
    names.sort_unstable();
    let mut hash = Sha256::new();
    for name in names {
        if let Some(file) = EmbeddedAssets::get(&name) {
            hash.update(name.as_bytes());
            hash.update(file.metadata.sha256_hash());
        }
    }
    format!("pkg/{}", hex::encode(&hash.finalize()[..8]))
});

/// Returns the prefix without leading and trailing slash.
pub fn prefix() -> &'static str {
    if watched_folder().is_some() { "pkg" } else { &PREFIX }
}

/// Under `make dev`: the folder that the watcher writes to. Other files come from the embedded assets.
fn watched_folder() -> Option<&'static std::path::Path> {
    static FOLDER: LazyLock<Option<std::path::PathBuf>> = LazyLock::new(|| {
        let root = std::env::var_os("LEPTOS_SITE_ROOT").filter(|_| cfg!(debug_assertions))?;
        Some(std::path::Path::new(&root).join("pkg"))
    });
    FOLDER.as_deref()
}

/// Reads a file of the watched folder. Rejects paths that lead out of it.
fn read_watched_file(path: &str) -> Option<Vec<u8>> {
    let ordinary = std::path::Path::new(path).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    watched_folder().filter(|_| ordinary).and_then(|folder| std::fs::read(folder.join(path)).ok())
}

/// Returns the file in the best encoding that the browser accepts, and the name of the encoding.
fn find_encoded(path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let accepts = |name: &str| {
        accepted.split(',').map(str::trim).any(|part| {
            let (coding, weight) = part.split_once(';').unwrap_or((part, ""));
            coding.trim().eq_ignore_ascii_case(name) && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        })
    };
    [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(coding, _)| accepts(coding))
        .find_map(|(coding, suffix)| Some((EmbeddedAssets::get(&format!("{path}.{suffix}"))?, Some(coding))))
        .or_else(|| Some((EmbeddedAssets::get(path)?, None)))
}

/// Serves an embedded file.
pub async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response {
    if let Some(bytes) = read_watched_file(&path) {
        let kind = mime_guess::from_path(&path).first_or_octet_stream();
        return ([(header::CONTENT_TYPE, kind.as_ref()), (header::CACHE_CONTROL, "no-store")], bytes).into_response();
    }
    let Some((file, coding)) = find_encoded(&path, &headers) else {
        return (StatusCode::NOT_FOUND, "There is no such file.").into_response();
    };
    let kind = mime_guess::from_path(&path).first_or_octet_stream();
    let mut response = (
        [
            (header::CONTENT_TYPE, kind.as_ref()),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::VARY, "accept-encoding"),
        ],
        file.data,
    )
        .into_response();
    if let Some(coding) = coding {
        response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static(coding));
    }
    response
}
