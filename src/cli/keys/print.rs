//! Terminal output of keys, as text or as JSON of the management API. The output for the database and for a server is
//! the same.

use super::fields::{add_line, attribute_lines, restriction_lines, restrictions_line, string_member};
use crate::cli::output::{self, OutputError, print, print_change, print_note};
use serde_json::Value;
use std::fmt::Write as _;
use zeroize::Zeroizing;

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
    if json {
        return print(format!("{key}\n"));
    }
    print(attribute_lines(key))
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
