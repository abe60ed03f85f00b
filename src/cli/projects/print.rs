//! Terminal output of projects, as text or as JSON of the management API. The output for the database and for a server
//! is the same.

use crate::cli::output::{OutputError, print};
use serde_json::Value;

fn text<'p>(project: &'p Value, name: &str) -> &'p str {
    project[name].as_str().unwrap_or_default()
}

fn archived(project: &Value) -> &'static str {
    if project["archived"] == true { "  (archived)" } else { "" }
}

pub fn list(projects: &[Value], json: bool) -> Result<(), OutputError> {
    if json {
        return print(format!("{}\n", Value::Array(projects.to_vec())));
    }
    let line = |project| format!("{}  {}{}\n", text(project, "project_id"), text(project, "name"), archived(project));
    print(projects.iter().map(line).collect::<String>())
}

/// Prints a project without its config.
pub fn one(project: &Value, json: bool) -> Result<(), OutputError> {
    if json {
        return print(format!("{project}\n"));
    }
    let scopes: Vec<_> = project["scopes"].as_array().into_iter().flatten().map(|scope| text(scope, "name")).collect();
    print(format!(
        "project_id  {}\nname        {}{}\ncreated     {}\nkeys        {}\ntoken life  {} s at most\nscopes      {}\n",
        text(project, "project_id"),
        text(project, "name"),
        archived(project),
        text(project, "created_at"),
        project["keys"],
        project["token_life_max"],
        if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") }
    ))
}
