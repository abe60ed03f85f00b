//! Terminal output of keys, as text or as JSON of the management API. The output for the database and for a server is
//! the same.

use crate::{
    cli::output::{self, OutputError, print, print_change, print_note},
    domain::rate::RateLimit,
};
use serde_json::Value;
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// Returns a string member, or an empty string if it is missing.
fn text<'k>(key: &'k Value, name: &str) -> &'k str {
    key[name].as_str().unwrap_or_default()
}

fn texts<'k>(key: &'k Value, name: &str) -> Vec<&'k str> {
    key[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Returns the rate limit in words, such as "100 calls a minute".
fn rate(key: &Value) -> Option<String> {
    let limit = key["rate_limit"].as_str()?;
    Some(limit.parse::<RateLimit>().map_or_else(|_| limit.to_owned(), |limit| limit.words()))
}

/// Appends a line to a string. Writing to a string cannot fail.
macro_rules! add_line {
    ($text:expr, $($argument:tt)*) => {
        let _ = writeln!($text, $($argument)*);
    };
}

/// Formats the restrictions of a key, one per line.
fn rules(key: &Value) -> String {
    let mut out = String::new();
    if let Some(from) = key["not_before"].as_str() {
        add_line!(out, "not before  {from}");
    }
    add_line!(out, "expires     {}", key["expires_at"].as_str().unwrap_or("never"));
    let networks = texts(key, "networks");
    if !networks.is_empty() {
        add_line!(out, "networks    {}", networks.join(", "));
    }
    if let Some(rate) = rate(key) {
        add_line!(out, "rate limit  {rate}");
    }
    out
}

/// Prints a new key with its secret.
///
/// # Errors
/// If the secret was not printed. The message names the key and advises to delete it.
pub fn created(key: &Value, json: bool) -> anyhow::Result<()> {
    let mut out = Zeroizing::new(String::new());
    if json {
        add_line!(out, "{key}");
    } else {
        for name in ["secret", "key_id", "project_id"] {
            add_line!(out, "{name:<10}  {}", text(key, name));
        }
        out.push_str(&rules(key));
    }
    print(out.as_bytes()).map_err(|error| {
        let id = text(key, "key_id");
        output::lost(
            &error,
            format_args!(
                "The key {id} was created, but its secret cannot be shown again. Delete the key with: keyward keys delete \
                 {id}, then create another"
            ),
        )
    })?;
    if !json {
        print_note("Save the secret now. It cannot be shown again.");
    }
    Ok(())
}

/// Prints all attributes of a key.
pub fn one(key: &Value, json: bool) -> Result<(), OutputError> {
    let mut out = String::new();
    if json {
        return print(format!("{key}\n"));
    }
    for name in ["key_id", "project_id", "name", "preview", "environment", "status", "issued_to"] {
        if !text(key, name).is_empty() {
            let label = name.replace('_', if name.ends_with("_id") { "_" } else { " " });
            add_line!(out, "{label:<10}  {}", text(key, name));
        }
    }
    let scopes = texts(key, "scopes");
    add_line!(out, "scopes      {}", if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") });
    out.push_str(&rules(key));
    add_line!(out, "created     {} by {}", text(key, "created_at"), text(key, "created_by"));
    add_line!(out, "last used   {}", key["last_used_at"].as_str().unwrap_or("never"));
    if let Some(gone) = key["gone_at"].as_str() {
        add_line!(out, "restorable  until {gone}");
    }
    if let Some(why) = key["stopped_because"].as_str() {
        add_line!(out, "stopped     by an administrator: {why}");
    }
    print(out)
}

/// Prints keys, the newest first. `project` returns the project name of a key if the list covers several projects.
pub fn list(keys: &[Value], project: impl Fn(usize) -> Option<String>, json: bool) -> Result<(), OutputError> {
    if json {
        return print(format!("{}\n", Value::Array(keys.to_vec())));
    }
    let mut out = String::new();
    for (at, key) in keys.iter().enumerate() {
        let project = project(at).map(|name| format!("  ({name})")).unwrap_or_default();
        add_line!(
            out,
            "{}  {:<9}  {}…  {}{project}{}",
            text(key, "key_id"),
            text(key, "status"),
            text(key, "preview"),
            text(key, "name"),
            bound(key)
        );
    }
    print(out)
}

/// Formats the restrictions of a key in one line, for example "  not before 2026-12-01T09:00:00Z, from 10.0.0.0/8 and 2
/// more, 100 calls a minute". Returns an empty string if there are none.
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

/// Prints the result of a change to a key.
///
/// # Errors
/// If the result was not printed. The message states that the change was made.
pub fn changed(key: &Value, (done, holds): (&str, &str), json: bool) -> anyhow::Result<()> {
    match json {
        true => print_change(format!("{key}\n")),
        false => print_change(format!("{done} “{}” ({}). {holds}\n", text(key, "name"), text(key, "key_id"))),
    }
}
