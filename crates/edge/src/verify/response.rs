//! Verify response.

use keyward_core::time_format::Rfc3339;
use keyward_domain::{ids::ProjectId, key::Environment, time::Timestamp};
use keyward_verify::{
    limits::Quota,
    tokens::{Accepted, TokenDecision, TokenDenyReason},
    verify::DenyReason,
};
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// The response to one verify request.
#[derive(Serialize)]
#[serde(untagged)]
enum VerifyResponse<'a> {
    Valid(Valid<'a>),
    Denied(Denied),
}

/// The key or token is valid for the request.
#[derive(Serialize)]
struct Valid<'a> {
    valid: bool,
    key_id: Uuid,
    project_id: ProjectId,
    name: &'a str,
    environment: Environment,
    #[serde(serialize_with = "serialize_scopes")]
    scopes: &'a Accepted,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_to: Option<&'a str>,
    /// `null`: no expiry.
    #[serde(serialize_with = "serialize_expiry")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<RateLimitState>,
}

/// The key or token is denied.
#[derive(Serialize)]
struct Denied {
    valid: bool,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<RateLimitState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
}

/// The state of a key's rate limit. Times are in seconds.
#[derive(Serialize)]
struct RateLimitState {
    limit: u32,
    window: u32,
    burst: u32,
    remaining: u32,
    reset: u32,
}

impl<'a> From<&'a TokenDecision> for VerifyResponse<'a> {
    fn from(decision: &'a TokenDecision) -> Self {
        match decision {
            Ok(accepted) => Self::Valid(accepted.into()),
            Err(why) => Self::Denied(why.into()),
        }
    }
}

impl<'a> From<&'a Accepted> for Valid<'a> {
    fn from(accepted: &'a Accepted) -> Self {
        let snapshot = &accepted.verified.snapshot;
        Self {
            valid: true,
            key_id: snapshot.subject().into(),
            project_id: snapshot.project,
            name: &snapshot.name,
            environment: snapshot.environment,
            scopes: accepted,
            issued_to: snapshot.issued_to.as_deref(),
            expires_at: snapshot.lifecycle.expires_at,
            rate_limit: accepted.verified.quota.as_ref().map(RateLimitState::from),
        }
    }
}

impl From<&TokenDenyReason> for Denied {
    fn from(why: &TokenDenyReason) -> Self {
        let quota = match why {
            TokenDenyReason::Key(DenyReason::RateLimited(quota)) => Some(quota),
            _ => None,
        };
        Self {
            valid: false,
            code: why.code(),
            message: why.to_string(),
            rate_limit: quota.map(RateLimitState::from),
            retry_after: quota.map(|quota| quota.retry_after),
        }
    }
}

impl From<&Quota> for RateLimitState {
    fn from(quota: &Quota) -> Self {
        let limit = &quota.limit;
        Self {
            limit: limit.calls(),
            window: limit.per().seconds(),
            burst: limit.burst(),
            remaining: quota.remaining,
            reset: quota.reset,
        }
    }
}

/// Serializes the effective scopes without collecting them.
fn serialize_scopes<S: Serializer>(accepted: &&Accepted, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(accepted.scopes())
}

fn serialize_expiry<S: Serializer>(expires_at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match expires_at {
        Some(at) => serializer.serialize_some(Rfc3339::new(*at).as_str()),
        None => serializer.serialize_none(),
    }
}

/// Writes a decision as JSON. Writing to memory cannot fail.
pub fn write_decision(out: &mut Vec<u8>, decision: &TokenDecision) {
    let _ = serde_json::to_writer(out, &VerifyResponse::from(decision));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(why: TokenDenyReason) -> String {
        let mut out = Vec::new();
        write_decision(&mut out, &Err(why));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn denials_are_written_with_their_numbers() {
        assert_eq!(
            written(TokenDenyReason::Key(DenyReason::MissingScope("a\"b".into()))),
            r#"{"valid":false,"code":"missing_scope","message":"This key does not have the scope a\"b."}"#
        );
        let quota = Quota { limit: "6/minute,burst=3".parse().unwrap(), remaining: 0, reset: 30, retry_after: 10 };
        assert_eq!(
            written(TokenDenyReason::Key(DenyReason::RateLimited(quota))),
            concat!(
                r#"{"valid":false,"code":"rate_limited","message":"Rate limit exceeded. Try again in 10 seconds.","#,
                r#""rate_limit":{"limit":6,"window":60,"burst":3,"remaining":0,"reset":30},"retry_after":10}"#
            )
        );
    }
}
