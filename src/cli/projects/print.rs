//! Projects in a terminal: in words, or as the management API shows them. The same from the database and from a server.

use serde_json::Value;

fn text<'p>(project: &'p Value, name: &str) -> &'p str {
    project[name].as_str().unwrap_or_default()
}

fn archived(project: &Value) -> &'static str {
    if project["archived"] == true { "  (archived)" } else { "" }
}

pub fn list(projects: &[Value], json: bool) {
    if json {
        println!("{}", Value::Array(projects.to_vec()));
        return;
    }
    for project in projects {
        println!("{}  {}{}", text(project, "project_id"), text(project, "name"), archived(project));
    }
}

/// All of a project, but its config.
pub fn one(project: &Value, json: bool) {
    if json {
        println!("{project}");
        return;
    }
    println!("project_id  {}", text(project, "project_id"));
    println!("name        {}{}", text(project, "name"), archived(project));
    println!("created     {}", text(project, "created_at"));
    println!("keys        {}", project["keys"]);
    println!("token life  {} s at most", project["token_life_max"]);
    let scopes: Vec<_> = project["scopes"].as_array().into_iter().flatten().map(|scope| text(scope, "name")).collect();
    println!("scopes      {}", if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") });
}
