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
fn string_member<'k>(key: &'k Value, name: &str) -> &'k str {
    key[name].as_str().unwrap_or_default()
}

fn string_list<'k>(key: &'k Value, name: &str) -> Vec<&'k str> {
    key[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Returns the rate limit in words, such as "100 requests per minute".
fn rate(key: &Value) -> Option<String> {
    let limit = key["rate_limit"].as_str()?;
    Some(limit.parse::<RateLimit>().map_or_else(|_| limit.to_owned(), |limit| limit.describe()))
}

/// Appends a line to a string. Writing to a string cannot fail.
macro_rules! add_line {
    ($text:expr, $($argument:tt)*) => {
        let _ = writeln!($text, $($argument)*);
    };
}

/// Formats the restrictions of a key, one per line.
fn restriction_lines(key: &Value) -> String {
    let mut out = String::new();
    if let Some(from) = key["not_before"].as_str() {
        add_line!(out, "not before  {from}");
    }
    add_line!(out, "expires     {}", key["expires_at"].as_str().unwrap_or("never"));
    let networks = string_list(key, "networks");
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
            add_line!(out, "{name:<10}  {}", string_member(key, name));
        }
        out.push_str(&restriction_lines(key));
    }
    print(out.as_bytes()).map_err(|error| {
        let id = string_member(key, "key_id");
        output::lost_secret_error(
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
pub fn details(key: &Value, json: bool) -> Result<(), OutputError> {
    let mut out = String::new();
    if json {
        return print(format!("{key}\n"));
    }
    for name in ["key_id", "project_id", "name", "preview", "environment", "status", "issued_to"] {
        if !string_member(key, name).is_empty() {
            let label = name.replace('_', if name.ends_with("_id") { "_" } else { " " });
            add_line!(out, "{label:<10}  {}", string_member(key, name));
        }
    }
    let scopes = string_list(key, "scopes");
    add_line!(out, "scopes      {}", if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") });
    out.push_str(&restriction_lines(key));
    add_line!(out, "created     {} by {}", string_member(key, "created_at"), string_member(key, "created_by"));
    add_line!(out, "last used   {}", key["last_used_at"].as_str().unwrap_or("never"));
    if let Some(gone) = key["gone_at"].as_str() {
        add_line!(out, "restorable  until {gone}");
    }
    if let Some(why) = key["stopped_because"].as_str() {
        add_line!(out, "reason      {why} (from an administrator)");
    }
    print(out)
}

/// Prints a list of keys page by page: one key a line, or a JSON array.
pub struct ListPrinter {
    json: bool,
    is_empty: bool,
}

impl ListPrinter {
    pub const fn new(json: bool) -> Self {
        Self { json, is_empty: true }
    }

    /// Prints the keys of a page, each with the name of its project if the list covers several projects.
    pub fn page(&mut self, keys: impl IntoIterator<Item = (Value, Option<String>)>) -> Result<(), OutputError> {
        let mut out = String::new();
        for (key, project) in keys {
            if self.json {
                let _ = write!(out, "{}{key}", if self.is_empty { '[' } else { ',' });
            } else {
                let project = project.map(|name| format!("  ({name})")).unwrap_or_default();
                add_line!(
                    out,
                    "{}  {:<9}  {}…  {}{project}{}",
                    string_member(&key, "key_id"),
                    string_member(&key, "status"),
                    string_member(&key, "preview"),
                    string_member(&key, "name"),
                    restrictions_line(&key)
                );
            }
            self.is_empty = false;
        }
        print(out)
    }

    /// Ends the list.
    pub fn end(self) -> Result<(), OutputError> {
        match (self.json, self.is_empty) {
            (true, true) => print("[]\n"),
            (true, false) => print("]\n"),
            (false, _) => Ok(()),
        }
    }
}

/// Formats the restrictions of a key in one line, for example "  not before 2026-12-01T09:00:00Z, from 10.0.0.0/8 and 2
/// more, 100 requests per minute". Returns an empty string if there are none.
fn restrictions_line(key: &Value) -> String {
    let mut parts = Vec::new();
    parts.extend(key["not_before"].as_str().map(|at| format!("not before {at}")));
    match string_list(key, "networks").as_slice() {
        [] => {}
        [only] => parts.push(format!("from {only}")),
        [first, rest @ ..] => parts.push(format!("from {first} and {} more", rest.len())),
    }
    parts.extend(rate(key));
    if parts.is_empty() { String::new() } else { format!("  {}", parts.join(", ")) }
}

/// Prints the result of a change to a key.
///
/// # Errors
/// If the result was not printed. The message states that the change was made.
pub fn changed(key: &Value, (done, holds): (&str, &str), json: bool) -> anyhow::Result<()> {
    match json {
        true => print_change(format!("{key}\n")),
        false => print_change(format!(
            "{done} “{}” ({}). {holds}\n",
            string_member(key, "name"),
            string_member(key, "key_id")
        )),
    }
}
