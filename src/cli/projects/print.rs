//! Terminal output of projects, as text or as JSON of the management API. The output for the database and for a server
//! is the same.

use crate::cli::output::{OutputError, print};
use serde_json::Value;

fn string_member<'p>(project: &'p Value, name: &str) -> &'p str {
    project[name].as_str().unwrap_or_default()
}

fn archived_label(project: &Value) -> &'static str {
    if project["archived"] == true { "  (archived)" } else { "" }
}

pub fn list(projects: &[Value], json: bool) -> Result<(), OutputError> {
    if json {
        return print(format!("{}\n", Value::Array(projects.to_vec())));
    }
    let line = |project| {
        format!(
            "{}  {}{}\n",
            string_member(project, "project_id"),
            string_member(project, "name"),
            archived_label(project)
        )
    };
    print(projects.iter().map(line).collect::<String>())
}

/// Prints a project without its config.
pub fn details(project: &Value, json: bool) -> Result<(), OutputError> {
    if json {
        return print(format!("{project}\n"));
    }
    let scopes: Vec<_> =
        project["scopes"].as_array().into_iter().flatten().map(|scope| string_member(scope, "name")).collect();
    print(format!(
        "project_id  {}\nname        {}{}\ncreated     {}\nkeys        {}\ntokens      valid for at most {} s\nscopes      {}\n",
        string_member(project, "project_id"),
        string_member(project, "name"),
        archived_label(project),
        string_member(project, "created_at"),
        project["keys"],
        project["token_life_max"],
        if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") }
    ))
}
