//! Terminal output of projects, as text or as JSON of the management API. The output for the database and for a server
//! is the same.

use crate::cli::{
    list::{Columns, FormatArgs, ListPrinter, Row},
    output::{OutputError, print},
};
use serde_json::Value;

fn string_member<'p>(project: &'p Value, name: &str) -> &'p str {
    project[name].as_str().unwrap_or_default()
}

fn archived_label(project: &Value) -> &'static str {
    if project["archived"] == true { "  (archived)" } else { "" }
}

/// Prints a list of projects.
pub fn list(projects: &[Value], format: FormatArgs) -> Result<(), OutputError> {
    const COLUMNS: Columns = Columns {
        table: &["PROJECT ID", "KEYS", "STATE", "NAME"],
        csv: &["project_id", "name", "archived", "keys", "token_life_max", "created_at"],
    };
    let mut printer = ListPrinter::new(format, COLUMNS);
    printer.page(projects.iter().map(|project| {
        let (id, name) = (string_member(project, "project_id"), string_member(project, "name"));
        let state = if project["archived"] == true { "archived" } else { "active" };
        Row {
            json: project.clone(),
            cells: vec![id.to_owned(), project["keys"].to_string(), state.to_owned(), name.to_owned()],
            line: format!("{id}  {name}{}", archived_label(project)),
        }
    }))?;
    printer.end()
}

/// Prints the members of a project.
pub fn members(members: impl IntoIterator<Item = Value>, format: FormatArgs) -> Result<(), OutputError> {
    const COLUMNS: Columns =
        Columns { table: &["USER ID", "ROLE", "EMAIL", "NAME"], csv: &["user_id", "name", "email", "role"] };
    let mut printer = ListPrinter::new(format, COLUMNS);
    printer.page(members.into_iter().map(|member| {
        let text = |name| string_member(&member, name);
        let (id, role, name, email) = (text("user_id"), text("role"), text("name"), text("email"));
        let cells = [id, role, email, name].map(ToOwned::to_owned).to_vec();
        let line = format!("{id}  {role:<8}  {name}  <{email}>");
        Row { cells, line, json: member }
    }))?;
    printer.end()
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
