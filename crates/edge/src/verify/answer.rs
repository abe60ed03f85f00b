//! Verify response, serialized directly into the output buffer.

use keyward_core::moments;
use keyward_domain::{ids::ProjectId, key::Environment};
use keyward_verify::{
    limits::Quota,
    tokens::{Accepted, Checked, TokenRefused},
    verify::Refused,
};
use uuid::Uuid;

/// Writes a decision as JSON.
pub fn write(out: &mut Vec<u8>, decision: &Checked) {
    match decision {
        Ok(accepted) => good(out, accepted),
        Err(why) => refused(out, why),
    }
}

fn good(out: &mut Vec<u8>, accepted: &Accepted) {
    let facts = &accepted.good.facts;
    let project: ProjectId = facts.project;
    out.extend_from_slice(br#"{"valid":true,"key_id":""#);
    id(out, facts.key.into());
    out.extend_from_slice(br#"","project_id":""#);
    id(out, project.into());
    out.extend_from_slice(br#"","name":"#);
    text(out, &facts.name);
    out.extend_from_slice(match facts.environment {
        Environment::Live => br#","environment":"live","scopes":["#,
        Environment::Test => br#","environment":"test","scopes":["#,
    });
    for (at, scope) in accepted.scopes().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        text(out, scope);
    }
    out.push(b']');
    if let Some(name) = facts.issued_to.as_deref() {
        out.extend_from_slice(br#","issued_to":"#);
        text(out, name);
    }
    match facts.lifecycle.expires_at {
        None => out.extend_from_slice(br#","expires_at":null"#),
        Some(end) => {
            out.extend_from_slice(br#","expires_at":""#);
            moments::write_rfc3339(end, out);
            out.push(b'"');
        }
    }
    if let Some(quota) = &accepted.good.quota {
        limit(out, quota);
    }
    out.push(b'}');
}

fn refused(out: &mut Vec<u8>, why: &TokenRefused) {
    out.extend_from_slice(br#"{"valid":false,"code":""#);
    out.extend_from_slice(why.code().as_bytes());
    out.extend_from_slice(br#"","message":"#);
    text(out, &why.to_string());
    if let TokenRefused::Key(Refused::RateLimited(quota)) = why {
        limit(out, quota);
        member(out, br#","retry_after":"#, quota.retry_after);
    }
    out.push(b'}');
}

fn limit(out: &mut Vec<u8>, quota: &Quota) {
    let limit = &quota.limit;
    member(out, br#","rate_limit":{"limit":"#, limit.calls());
    member(out, br#","window":"#, limit.per().seconds());
    member(out, br#","burst":"#, limit.burst());
    member(out, br#","remaining":"#, quota.remaining);
    member(out, br#","reset":"#, quota.reset);
    out.push(b'}');
}

fn member(out: &mut Vec<u8>, name: &[u8], number: u32) {
    out.extend_from_slice(name);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn id(out: &mut Vec<u8>, id: Uuid) {
    let mut buffer = Uuid::encode_buffer();
    out.extend_from_slice(id.hyphenated().encode_lower(&mut buffer).as_bytes());
}

/// Writes a JSON string. Writing to memory cannot fail.
fn text(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}
