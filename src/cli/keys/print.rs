//! Keys in a terminal: in words, or as JSON.

use crate::{
    domain::{
        key::{KeyView, Status},
        time::Timestamp,
    },
    secret::PlainSecret,
    service::moments::rfc3339,
    store::keys::KeyRow,
};

/// A key that was just made, with its secret.
pub fn created(key: &KeyView, secret: &PlainSecret, json: bool) {
    if json {
        let printed = serde_json::json!({
            "secret": secret.expose(), "key_id": key.id, "project_id": key.project_id, "name": key.name,
            "not_before": key.not_before.as_ref().map(|moment| &moment.iso),
            "expires_at": key.expires.as_ref().map(|moment| &moment.iso),
        });
        println!("{printed}");
        return;
    }
    println!("secret      {}", secret.expose());
    println!("key_id      {}", key.id);
    println!("project_id  {}", key.project_id);
    if let Some(from) = &key.not_before {
        println!("not before  {}", from.exact);
    }
    println!("expires     {}", key.expires.as_ref().map_or("never", |moment| &moment.exact));
    if !key.networks.is_empty() {
        println!("networks    {}", key.networks.join(", "));
    }
    if let Some(rate) = &key.rate_limit {
        println!("rate limit  {}", rate.words);
    }
    eprintln!("Save the secret now. It cannot be shown again.");
}

/// Keys, the newest first.
///
/// # Errors
/// If what is stored of one cannot be read.
pub fn list(rows: &[KeyRow], status: impl Fn(&KeyRow) -> Status, json: bool) -> anyhow::Result<()> {
    if json {
        let time = |micros: Option<i64>| micros.map(|at| rfc3339(Timestamp::from_micros(at)));
        let mut printed = Vec::with_capacity(rows.len());
        for row in rows {
            printed.push(serde_json::json!({
                "key_id": row.id, "project_id": row.project_id, "name": row.name, "preview": row.preview,
                "environment": row.environment, "scopes": row.scopes()?, "status": status(row),
                "issued_to": row.issued_to, "networks": row.networks()?, "not_before": time(row.not_before),
                "expires_at": time(row.expires_at), "rate_limit": row.rate_limit,
            }));
        }
        println!("{}", serde_json::Value::Array(printed));
        return Ok(());
    }
    for row in rows {
        let rules = rules(row)?;
        println!(
            "{}  {:<9}  {}…  {}  ({}){rules}",
            row.id,
            status(row).as_str(),
            row.preview,
            row.name,
            row.project_name
        );
    }
    Ok(())
}

/// "  not before 2026-12-01T09:00:00Z, from 10.0.0.0/8 and 2 more, 100 calls a minute"; empty if there is no rule.
fn rules(row: &KeyRow) -> anyhow::Result<String> {
    let mut said = Vec::new();
    if let Some(at) = row.not_before {
        said.push(format!("not before {}", rfc3339(Timestamp::from_micros(at))));
    }
    match row.networks()?.as_slice() {
        [] => {}
        [only] => said.push(format!("from {only}")),
        [first, rest @ ..] => said.push(format!("from {first} and {} more", rest.len())),
    }
    said.extend(row.read_rate_limit()?.map(|limit| limit.words()));
    Ok(if said.is_empty() { String::new() } else { format!("  {}", said.join(", ")) })
}
