//! Verify response, serialized directly into the output buffer.

use keyward_core::time_format;
use keyward_domain::{ids::ProjectId, key::Environment};
use keyward_verify::{
    limits::Quota,
    tokens::{Accepted, TokenDecision, TokenDenyReason},
    verify::DenyReason,
};
use uuid::Uuid;

/// Writes a decision as JSON.
pub fn write_decision(out: &mut Vec<u8>, decision: &TokenDecision) {
    match decision {
        Ok(accepted) => write_accepted(out, accepted),
        Err(why) => write_denied(out, why),
    }
}

fn write_accepted(out: &mut Vec<u8>, accepted: &Accepted) {
    let facts = &accepted.verified.snapshot;
    let project: ProjectId = facts.project;
    out.extend_from_slice(br#"{"valid":true,"key_id":""#);
    write_uuid(out, facts.subject().into());
    out.extend_from_slice(br#"","project_id":""#);
    write_uuid(out, project.into());
    out.extend_from_slice(br#"","name":"#);
    write_string(out, &facts.name);
    out.extend_from_slice(match facts.environment {
        Environment::Live => br#","environment":"live","scopes":["#,
        Environment::Test => br#","environment":"test","scopes":["#,
    });
    for (at, scope) in accepted.scopes().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_string(out, scope);
    }
    out.push(b']');
    if let Some(name) = facts.issued_to.as_deref() {
        out.extend_from_slice(br#","issued_to":"#);
        write_string(out, name);
    }
    match facts.lifecycle.expires_at {
        None => out.extend_from_slice(br#","expires_at":null"#),
        Some(end) => {
            out.extend_from_slice(br#","expires_at":""#);
            time_format::write_rfc3339(end, out);
            out.push(b'"');
        }
    }
    if let Some(quota) = &accepted.verified.quota {
        write_rate_limit(out, quota);
    }
    out.push(b'}');
}

fn write_denied(out: &mut Vec<u8>, why: &TokenDenyReason) {
    out.extend_from_slice(br#"{"valid":false,"code":""#);
    out.extend_from_slice(why.code().as_bytes());
    out.extend_from_slice(br#"","message":"#);
    write_string(out, &why.to_string());
    if let TokenDenyReason::Key(DenyReason::RateLimited(quota)) = why {
        write_rate_limit(out, quota);
        write_number(out, br#","retry_after":"#, quota.retry_after);
    }
    out.push(b'}');
}

fn write_rate_limit(out: &mut Vec<u8>, quota: &Quota) {
    let limit = &quota.limit;
    write_number(out, br#","rate_limit":{"limit":"#, limit.calls());
    write_number(out, br#","window":"#, limit.per().seconds());
    write_number(out, br#","burst":"#, limit.burst());
    write_number(out, br#","remaining":"#, quota.remaining);
    write_number(out, br#","reset":"#, quota.reset);
    out.push(b'}');
}

fn write_number(out: &mut Vec<u8>, name: &[u8], number: u32) {
    out.extend_from_slice(name);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn write_uuid(out: &mut Vec<u8>, id: Uuid) {
    let mut buffer = Uuid::encode_buffer();
    out.extend_from_slice(id.hyphenated().encode_lower(&mut buffer).as_bytes());
}

/// Writes a JSON string. Writing to memory cannot fail.
fn write_string(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}
