//! Tests for all gateways.

mod allowed;
mod denied;

use super::{Gateway, GatewayFixture, GatewayProcess, GatewayResponse, Recorder, recorder::RecordedRequest};
pub use {
    allowed::{accepts_uploads, admits, forwards_few_headers, passes_preflights},
    denied::{fails_closed, keeps_identity, limits, networks, refuses},
};

const PROJECT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// The test vector of `docs/reference/secret-format.md`: well-formed, but not the secret of any key.
const VECTOR: &str = "kw_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn2f8raQ";
const IDENTITY_HEADERS: [&str; 5] =
    ["x-keyward-key-id", "x-keyward-project-id", "x-keyward-scopes", "x-keyward-issued-to", "x-keyward-code"];

fn bearer(credential: &str) -> String {
    format!("Authorization: Bearer {credential}")
}

/// Returns headers that a client sends to forge an identity.
fn forged_headers(gateway: &Gateway) -> Vec<String> {
    let mut lines: Vec<_> = IDENTITY_HEADERS.iter().map(|name| format!("{name}: forged")).collect();
    lines.extend(
        [
            "X-KEYWARD-KEY-ID: forged",
            "X_Keyward_Key_Id: forged",
            "X-Keyward_Scopes: forged",
            "X-Keyward-Project: forged",
        ]
        .map(String::from),
    );
    if gateway.patterns {
        lines.push("X-Keyward-Role: forged".into());
    }
    lines
}

/// Returns the only request that reached the API, without headers that the client forged.
fn single_request(seen: Vec<RecordedRequest>) -> RecordedRequest {
    let [seen] = seen.try_into().expect("one request, and no more");
    for (name, value) in &seen.headers {
        assert_ne!(value, "forged", "{name}");
    }
    seen
}

/// Returns the value of a header that Keyward sent to the API, or an empty string.
fn identity_header(seen: &RecordedRequest, name: &str) -> String {
    match seen.header_values(name)[..] {
        [] => String::new(),
        [value] => value.to_owned(),
        ref more => panic!("{name}: {more:?}"),
    }
}

fn assert_denied(world: &GatewayFixture, answer: &GatewayResponse, status: u16, code: &str) {
    assert_eq!((answer.status, answer.header("x-keyward-code")), (status, code), "{answer:?}");
    assert!(world.gateway.api.take().is_empty(), "{code}: it reached the API");
}
