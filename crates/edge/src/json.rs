//! JSON request bodies of the program interfaces, with errors as problem documents.

use super::{
    body::{ENCODED, Payload, is_unencoded},
    problem::Problem,
};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};
use std::{fmt, marker::PhantomData};

/// Extractor for a JSON body. The types themselves reject unknown members (`deny_unknown_fields`).
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            let (code, detail) = super::problem::default_for_status(rejection.status());
            Problem::new(rejection.status(), code, detail)
        })?;
        // Zeroized on drop: the body may contain a secret.
        parse(&Payload::Whole(body)).map(Self)
    }
}

/// JSON object. By default serde also accepts an array for a struct, with the members in order; this type rejects it.
pub struct JsonObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
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

/// Integer in any JSON notation: `30.0` is an integer too (JSON Schema 2020-12, section 4.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct JsonInteger(pub i64);

/// 2^53. Below this limit an `f64` represents every integer exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'de> Deserialize<'de> for JsonInteger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = JsonInteger;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<JsonInteger, E> {
                Ok(JsonInteger(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<JsonInteger, E> {
                let too_large = || E::invalid_value(Unexpected::Unsigned(number), &self);
                // The error of the conversion has no details.
                i64::try_from(number).map(JsonInteger).map_err(|_| too_large())
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<JsonInteger, E> {
                if number.fract() != 0.0 || number.abs() >= EXACT {
                    return Err(E::invalid_type(Unexpected::Float(number), &self));
                }
                // An integer within the exact range of `f64`.
                Ok(JsonInteger(number as i64))
            }
        }

        deserializer.deserialize_i64(Number)
    }
}

/// Checks the media type (`application/json` or `application/*+json`) and that there is no content coding.
///
/// # Errors
/// 415 for another media type or a content coding. For a content coding the response has `Accept-Encoding` (RFC 9110
/// section 15.5.16).
pub fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    if !is_unencoded(headers) {
        let (code, words) = ENCODED;
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, words);
        return Err(problem.header(header::ACCEPT_ENCODING, "identity"));
    }
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let named = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let json = named.eq_ignore_ascii_case(b"application/json")
        || named.len() > 17
            && named[..12].eq_ignore_ascii_case(b"application/")
            && named[named.len() - 5..].eq_ignore_ascii_case(b"+json");
    if json { Ok(()) } else { Err(not_json()) }
}

/// Parses an object. Its strings borrow from the body. Error messages are our own, because those of the libraries can
/// quote the input.
///
/// # Errors
/// 400 if the body is not JSON, 422 if it does not match the schema.
pub fn parse<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Problem> {
    match serde_json::from_slice::<JsonObject<T>>(body) {
        Ok(JsonObject(read)) => Ok(read),
        Err(error) if error.is_data() => Err(schema_error(&error)),
        Err(_) => Err(malformed()),
    }
}

fn malformed() -> Problem {
    let words = "The body is not valid JSON. Check quotes, commas, and braces.";
    Problem::new(StatusCode::BAD_REQUEST, "malformed_json", words)
}

/// Error for JSON that does not match the schema.
///
/// A missing or duplicate member is named: these names come from the schema and cannot contain a secret. An unknown
/// member and a value of the wrong type are not quoted: they are client input.
fn schema_error(error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let member =
        |before: &str| message.strip_prefix(before).and_then(|rest| rest.split('`').next()).map(ToOwned::to_owned);
    let what = match (member("missing field `"), member("duplicate field `")) {
        (Some(name), _) => format!("the field {name} is missing"),
        (_, Some(name)) => format!("the field {name} occurs more than once"),
        _ if message.starts_with("unknown field `") => "it contains an unknown field".to_owned(),
        _ if message.starts_with("invalid type") => "a field has the wrong type".to_owned(),
        _ => "a field is missing, unknown, or has an invalid value".to_owned(),
    };
    let words = format!("The body is not valid: {what}. See /docs/api for the expected fields.");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", words)
}

/// Error for a body with another media type.
fn not_json() -> Problem {
    let words = "Send JSON with Content-Type: application/json.";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_its_names() {
        let is_accepted = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            check_media_type(&headers).is_ok()
        };
        for kind in
            ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json", "application/json;"]
        {
            assert!(is_accepted(kind), "{kind}");
        }
        for kind in ["", "text/plain", "application/jsonx", "text/json", "application/+jso", "multipart/form-data"] {
            assert!(!is_accepted(kind), "{kind}");
        }
        assert!(check_media_type(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_whole_number_may_have_a_point() {
        let read = |text: &str| serde_json::from_str::<JsonInteger>(text).ok().map(|it| it.0);
        for (text, number) in [("30", 30), ("30.0", 30), ("3e1", 30), ("-1", -1), ("9223372036854775807", i64::MAX)] {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for wrong in ["30.5", "\"30\"", "null", "true", "1e-1", "1e30", "9007199254740993.0", "18446744073709551615"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
