//! Terminal output of keys, as text or as JSON of the management API. The output for the database and for a server is
//! the same.

use super::fields::{add_line, attribute_lines, restriction_lines, restrictions_line, string_member};
use crate::cli::{
    list::{Columns, Row},
    output::{self, OutputError, print, print_change, print_note},
};
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

/// Columns of a list of keys.
pub const COLUMNS: Columns = Columns {
    table: &["KEY ID", "STATUS", "KEY", "EXPIRES", "PROJECT", "NAME"],
    csv: &[
        "key_id",
        "project_id",
        "name",
        "status",
        "environment",
        "preview",
        "scopes",
        "issued_to",
        "description",
        "created_at",
        "not_before",
        "expires_at",
        "last_used_at",
    ],
};

/// Returns the row of a key. `project`: the name of its project, if the list covers several projects.
pub fn row(key: Value, project: Option<String>) -> Row {
    let member = |name| string_member(&key, name).to_owned();
    let preview = format!("{}…", string_member(&key, "preview"));
    let named = project.as_deref().map(|name| format!("  ({name})")).unwrap_or_default();
    let line = format!(
        "{}  {:<9}  {preview}  {}{named}{}",
        string_member(&key, "key_id"),
        string_member(&key, "status"),
        string_member(&key, "name"),
        restrictions_line(&key)
    );
    let expires = Some(member("expires_at")).filter(|it| !it.is_empty()).unwrap_or_else(|| "never".to_owned());
    let project = project.unwrap_or_else(|| member("project_id"));
    let cells = vec![member("key_id"), member("status"), preview, expires, project, member("name")];
    Row { json: key, cells, line }
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
