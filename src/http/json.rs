//! JSON bodies of programs: what is wrong with one is said in a problem document.

use super::problem::Problem;
use axum::{
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{fmt, marker::PhantomData};

/// A JSON body. Unknown members are refused by the types themselves (`deny_unknown_fields`).
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<Members<T>>::from_request(request, state).await {
            Ok(axum::Json(Members(body))) => Ok(Self(body)),
            Err(rejection) => Err(problem(&rejection)),
        }
    }
}

/// An object. By itself serde takes an array for a struct, its members in order: nobody means that.
pub struct Members<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Object(PhantomData)).map(Self)
    }
}

/// The words are ours: those of the libraries can quote what was sent, and a secret may be in it.
fn problem(rejection: &JsonRejection) -> Problem {
    match rejection {
        JsonRejection::JsonSyntaxError(_) => malformed(),
        JsonRejection::JsonDataError(_) => invalid(),
        JsonRejection::MissingJsonContentType(_) => not_json(),
        other => {
            let (code, detail) = super::problem::of_status(other.status());
            Problem::new(other.status(), code, detail)
        }
    }
}

/// Reads an object, borrowing its texts from the body.
///
/// # Errors
/// 400 if it is no JSON, 422 if it is not what was asked for.
pub fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Problem> {
    match serde_json::from_slice::<Members<T>>(body) {
        Ok(Members(read)) => Ok(read),
        Err(error) if error.is_data() => Err(invalid()),
        Err(_) => Err(malformed()),
    }
}

fn malformed() -> Problem {
    let words = "The body is not JSON. Check quotes, commas and braces.";
    Problem::new(StatusCode::BAD_REQUEST, "malformed_json", words)
}

/// JSON, but not what was asked for.
pub fn invalid() -> Problem {
    let words = "The body is JSON, but a member is missing, unknown or of the wrong type. See the README for what this address takes.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", words)
}

/// A body of another kind.
pub fn not_json() -> Problem {
    let words = "Send JSON, with Content-Type: application/json.";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", words)
}
