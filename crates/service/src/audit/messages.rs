//! Audit event messages: formats events as text for the log and the history pages.

use crate::{
    actor::Caller,
    time_format::{format_moment, moment_from_micros, zoned},
};
use jiff::tz::TimeZone;
use keyward_domain::{
    audit::{AuditEvent, ValueChange, format_message},
    rate::RateLimit,
    time::Timestamp,
};
use keyward_store::audit::EventRow;
use serde_json::{Map, Value};

/// Numbers above this value are timestamps in microseconds (September 2001).
const TIMESTAMP_MIN: i64 = 1_000_000_000_000_000;

/// Formats an event for a reader, without the details for administrators.
pub(super) fn describe_event(row: &EventRow, reader: &Caller) -> AuditEvent {
    AuditEvent {
        seq: row.seq,
        at: moment_from_micros(row.at, &reader.zone),
        time: zoned(Timestamp::from_micros(row.at), &reader.zone).strftime("%H:%M:%S").to_string(),
        own: row.actor == format!("user:{}", reader.user),
        message: format_message(&row.action, &row.target_name, row.actor == row.target),
        who: row.actor_name.clone(),
        acting: row.acting.clone(),
        reason: row.reason.clone(),
        changed: changed_values(&row.detail, &reader.zone),
        exact: None,
    }
}

/// Removes the email address from an event about an invitation.
pub(super) fn redact_invitee(row: &mut EventRow) {
    if !matches!(row.action.as_str(), "member.invited" | "invitation.withdrawn") {
        return;
    }
    if row.action == "invitation.withdrawn" {
        row.target_name = "(hidden)".to_owned();
    }
    let Ok(mut detail) = serde_json::from_str::<Value>(&row.detail) else { return };
    for side in ["before", "after"] {
        if let Some(side) = detail.get_mut(side).and_then(Value::as_object_mut) {
            side.remove("email");
        }
    }
    row.detail = detail.to_string();
}

/// Returns every value that differs before and after. Other details count as values after the change.
fn changed_values(detail: &str, zone: &TimeZone) -> Vec<ValueChange> {
    let Ok(Value::Object(mut detail)) = serde_json::from_str(detail) else { return Vec::new() };
    let mut side = |name: &str| match detail.remove(name) {
        Some(Value::Object(values)) => values,
        Some(other) => Map::from_iter([("value".to_owned(), other)]),
        None => Map::new(),
    };
    let (before, mut after) = (side("before"), side("after"));
    after.extend(detail);
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let value = |side: &Map<String, Value>, name: &str| side.get(name).map(|it| format_value(name, it, zone));
    differ
        .map(|name| ValueChange { what: label(name), before: value(&before, name), after: value(&after, name) })
        .collect()
}

/// Labels of fields whose names do not read well.
const LABELS: [(&str, &str); 17] = [
    ("bytes", "Size (bytes)"),
    ("client", "Application"),
    ("former_owner_is", "Role of the former owner"),
    ("grants_ended", "Grants revoked"),
    ("held", "Locked by an administrator"),
    ("invitations_withdrawn", "Invitations revoked"),
    ("ip", "IP address"),
    ("key_life_max_days", "Maximum key lifetime (days)"),
    ("keys_made", "Keys created"),
    ("may_never_expire", "Keys without an expiry allowed"),
    ("networks", "Allowed networks"),
    ("person", "User"),
    ("redirects", "Redirect URLs"),
    ("second_factor", "Two-factor authentication"),
    ("seconds", "Maximum token lifetime (seconds)"),
    ("token_life_max_seconds", "Maximum access token lifetime (seconds)"),
    ("touches", "Effects"),
];

/// Formats a field name as a label: "Expires at".
fn label(name: &str) -> String {
    if let Some((_, label)) = LABELS.iter().find(|(it, _)| *it == name) {
        return (*label).to_owned();
    }
    let mut label = name.replace('_', " ");
    if let Some(first) = label.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    label
}

fn format_value(name: &str, value: &Value, zone: &TimeZone) -> String {
    match value {
        Value::Null if name == "rate_limit" => "no limit".to_owned(),
        Value::String(text) if name == "rate_limit" => text.parse().map_or(text.clone(), |it: RateLimit| it.describe()),
        Value::Array(values) if name == "networks" && values.is_empty() => "any network".to_owned(),
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_i64() {
            Some(at) if at > TIMESTAMP_MIN && (name.ends_with("_at") || name == "not_before") => {
                format_moment(Timestamp::from_micros(at), zone).exact
            }
            _ => number.to_string(),
        },
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(|it| format_value(name, it, zone)).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(detail: &str) -> Vec<String> {
        let or = |it: Option<String>| it.unwrap_or_else(|| "-".into());
        let changed = changed_values(detail, &TimeZone::UTC);
        changed.into_iter().map(|it| format!("{}: {} > {}", it.what, or(it.before), or(it.after))).collect()
    }

    #[test]
    fn what_changed_in_words() {
        let detail = r#"{"before": {"name": "A", "scopes": ["a:b"], "expires_at": null, "held": false},
            "after": {"name": "A", "scopes": ["a:b", "c:d"], "expires_at": 1786691529000000, "held": true}}"#;
        assert_eq!(
            changes(detail),
            [
                "Expires at: none > 14 August 2026, 07:12:09 UTC",
                "Locked by an administrator: no > yes",
                "Scopes: a:b > a:b, c:d"
            ]
        );
        assert_eq!(changes(r#"{"after": {"bytes": 12}, "keys": 3}"#), ["Size (bytes): - > 12", "Keys: - > 3"]);
        assert_eq!(changes(r#"{"before": {"x": {"y": []}}}"#), [r#"X: {"y":[]} > -"#]);
        let rules = r#"{"before": {"networks": [], "not_before": null, "rate_limit": null},
            "after": {"networks": ["10.0.0.0/8", "192.0.2.7/32"], "not_before": 1786691529000000, "rate_limit": "100/minute,burst=20"}}"#;
        assert_eq!(
            changes(rules),
            [
                "Allowed networks: any network > 10.0.0.0/8, 192.0.2.7/32",
                "Not before: none > 14 August 2026, 07:12:09 UTC",
                "Rate limit: no limit > 100 requests per minute, burst 20"
            ]
        );
        assert_eq!(changes(r#"{"after": {"rate_limit": "often"}}"#), ["Rate limit: - > often"]);
        assert_eq!(changes("{}"), [""; 0]);
        assert_eq!(changes("nothing"), [""; 0]);
    }
}
