//! Keys in a terminal: in words, or as the management API shows them. The same from the database and from a server.

use crate::domain::rate::RateLimit;
use serde_json::Value;

/// A member that is a text; empty: there is none.
fn text<'k>(key: &'k Value, name: &str) -> &'k str {
    key[name].as_str().unwrap_or_default()
}

fn texts<'k>(key: &'k Value, name: &str) -> Vec<&'k str> {
    key[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// "100 calls a minute".
fn rate(key: &Value) -> Option<String> {
    let limit = key["rate_limit"].as_str()?;
    Some(limit.parse::<RateLimit>().map_or_else(|_| limit.to_owned(), |limit| limit.words()))
}

/// What of a key is bound, a line each.
fn rules(key: &Value) {
    if let Some(from) = key["not_before"].as_str() {
        println!("not before  {from}");
    }
    println!("expires     {}", key["expires_at"].as_str().unwrap_or("never"));
    let networks = texts(key, "networks");
    if !networks.is_empty() {
        println!("networks    {}", networks.join(", "));
    }
    if let Some(rate) = rate(key) {
        println!("rate limit  {rate}");
    }
}

/// A key that was just made, with its secret among its members.
pub fn created(key: &Value, json: bool) {
    if json {
        println!("{key}");
        return;
    }
    for name in ["secret", "key_id", "project_id"] {
        println!("{name:<10}  {}", text(key, name));
    }
    rules(key);
    eprintln!("Save the secret now. It cannot be shown again.");
}

/// All of a key.
pub fn one(key: &Value, json: bool) {
    if json {
        println!("{key}");
        return;
    }
    for name in ["key_id", "project_id", "name", "preview", "environment", "status", "issued_to"] {
        if !text(key, name).is_empty() {
            println!("{:<10}  {}", name.replace('_', if name.ends_with("_id") { "_" } else { " " }), text(key, name));
        }
    }
    let scopes = texts(key, "scopes");
    println!("scopes      {}", if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") });
    rules(key);
    println!("created     {} by {}", text(key, "created_at"), text(key, "created_by"));
    println!("last used   {}", key["last_used_at"].as_str().unwrap_or("never"));
    if let Some(gone) = key["gone_at"].as_str() {
        println!("restorable  until {gone}");
    }
    if let Some(why) = key["stopped_because"].as_str() {
        println!("stopped     by an administrator: {why}");
    }
}

/// Keys, the newest first. `project`: the name of a key's project, where they are of several.
pub fn list(keys: &[Value], project: impl Fn(usize) -> Option<String>, json: bool) {
    if json {
        println!("{}", Value::Array(keys.to_vec()));
        return;
    }
    for (at, key) in keys.iter().enumerate() {
        let project = project(at).map(|name| format!("  ({name})")).unwrap_or_default();
        println!(
            "{}  {:<9}  {}…  {}{project}{}",
            text(key, "key_id"),
            text(key, "status"),
            text(key, "preview"),
            text(key, "name"),
            bound(key)
        );
    }
}

/// "  not before 2026-12-01T09:00:00Z, from 10.0.0.0/8 and 2 more, 100 calls a minute"; empty if there is no rule.
fn bound(key: &Value) -> String {
    let mut said = Vec::new();
    said.extend(key["not_before"].as_str().map(|at| format!("not before {at}")));
    match texts(key, "networks").as_slice() {
        [] => {}
        [only] => said.push(format!("from {only}")),
        [first, rest @ ..] => said.push(format!("from {first} and {} more", rest.len())),
    }
    said.extend(rate(key));
    if said.is_empty() { String::new() } else { format!("  {}", said.join(", ")) }
}

/// What a key has become.
pub fn changed(key: &Value, (done, holds): (&str, &str), json: bool) {
    match json {
        true => println!("{key}"),
        false => println!("{done} “{}” ({}). {holds}", text(key, "name"), text(key, "key_id")),
    }
}
