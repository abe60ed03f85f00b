//! `POST /v1/projects/{id}/keys`: creates a key. Only this response contains its secret.

use crate::management::{
    NO_STORE, etag,
    extractors::CanWrite,
    invalid_body, key_location, parse_id,
    schema::{CreatedKey, Expiry, Key, NewKey},
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use keyward_domain::sensitive::RevealedSecret;
use keyward_edge::{json::Json, problem::Problem};
use keyward_service::{Services, actor::Actor, keys::IdempotencyKey};

/// The header of draft-ietf-httpapi-idempotency-key-header.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Maximum length of the header's value, in characters.
const IDEMPOTENCY_KEY_MAX: usize = 255;

/// Returns the idempotency key of a request, if it has one.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let wrong = || {
        let words = "Send exactly one Idempotency-Key header with 1 to 255 ASCII characters.";
        Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", words)
    };
    let mut all = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(value), rest) = (all.next(), all.next()) else { return Ok(None) };
    let text = value.to_str().ok().map(str::trim).filter(|text| (1..=IDEMPOTENCY_KEY_MAX).contains(&text.len()));
    text.filter(|_| rest.is_none()).map(Some).ok_or_else(wrong)
}

pub async fn handle(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Result<Json<NewKey>, Problem>,
) -> Result<Response, Problem> {
    let project = parse_id(&project)?;
    program.check_project(project)?;
    let Json(new) = body?;
    // Serialized again, so that white space and member order do not count as a different request.
    let request = serde_json::to_vec(&new).unwrap_or_default();
    let once = idempotency_key(&headers)?.map(|number| IdempotencyKey::new(&program, number, &request));
    let expiry = new.expiry().map_err(invalid_body)?;
    let actor = Actor::Program(program);
    let defaults = app.keys.defaults(&actor, once.as_ref()).await?;
    let spec = new.parse(project, expiry.as_ref(), &defaults)?.with_idempotency_key(once.as_ref());
    let made = app.keys.create(&actor, spec).await;
    let (key, secret) = made.map_err(|error| Expiry::rename_error(expiry.as_ref(), error))?;
    let head = [(header::ETAG, etag::from_version(key.version)), (header::LOCATION, key_location(project, key.id))];
    let made = CreatedKey { secret: RevealedSecret::new(secret.expose().to_owned()), key: Key::from(key) };
    Ok((StatusCode::CREATED, [NO_STORE], head, axum::Json(made)).into_response())
}
