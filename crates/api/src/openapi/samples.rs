//! Code samples of a request: curl, JavaScript, and Python.

use serde_json::Value;

/// A sample request.
pub struct SampleRequest<'a> {
    pub method: &'a str,
    pub url: String,
    /// Names and values. A value can contain the name of a shell variable, such as `$TOKEN`.
    pub headers: Vec<(&'a str, String)>,
    pub body: Option<&'a Value>,
}

impl SampleRequest<'_> {
    /// Returns the sample for a shell.
    pub fn curl(&self) -> String {
        let mut sample = format!("curl --request {} \"{}\"", self.method, self.url);
        for (name, value) in &self.headers {
            sample.push_str(&format!(" \\\n  --header \"{name}: {}\"", value.replace('"', "\\\"")));
        }
        if let Some(body) = self.body {
            // A form body is a string already and needs no JSON serialization.
            let text = body.as_str().map_or_else(|| body.to_string(), ToOwned::to_owned);
            sample.push_str(&format!(" \\\n  --data '{text}'"));
        }
        sample
    }

    /// Returns the sample for a browser, Node.js, Deno, or Bun.
    pub fn javascript(&self) -> String {
        let mut sample = format!(
            "const response = await fetch(`{}`, {{\n  method: '{}',\n",
            self.url.replace('$', "$$"),
            self.method
        );
        sample = sample.replace("$$PROJECT_ID", "${projectId}").replace("$$KEY_ID", "${keyId}");
        if !self.headers.is_empty() {
            let heads = self.headers.iter().map(|(name, value)| match value.split_once('$') {
                Some((before, variable)) => format!("    '{name}': `{before}${{{}}}`,\n", camel(variable)),
                None => format!("    '{name}': '{value}',\n"),
            });
            sample.push_str(&format!("  headers: {{\n{}  }},\n", heads.collect::<String>()));
        }
        if let Some(body) = self.body {
            let code = if body.is_string() { body.to_string() } else { format!("JSON.stringify({body})") };
            sample.push_str(&format!("  body: {code},\n"));
        }
        sample.push_str("});\nconsole.log(response.status, await response.text());");
        sample
    }

    /// Returns the sample for Python. It uses only the standard library.
    pub fn python(&self) -> String {
        let url = self.url.replace("$PROJECT_ID", "{project_id}").replace("$KEY_ID", "{key_id}");
        let mut sample = format!(
            "import json, urllib.error, urllib.request\n\nrequest = urllib.request.Request(\n    f\"{url}\",\n    method=\"{}\",\n",
            self.method
        );
        if !self.headers.is_empty() {
            let heads = self.headers.iter().map(|(name, value)| match value.split_once('$') {
                Some((before, variable)) => format!("\"{name}\": f\"{before}{{{}}}\"", variable.to_ascii_lowercase()),
                None => format!("\"{name}\": {}", Value::from(value.as_str())),
            });
            sample.push_str(&format!("    headers={{{}}},\n", heads.collect::<Vec<_>>().join(", ")));
        }
        if let Some(body) = self.body {
            let code = if body.is_string() { body.to_string() } else { format!("json.dumps({})", python_value(body)) };
            sample.push_str(&format!("    data={code}.encode(),\n"));
        }
        sample.push_str(
            ")\ntry:\n    with urllib.request.urlopen(request) as response:\n        print(response.status, response.read().decode())\n\
             except urllib.error.HTTPError as error:\n    print(error.code, error.read().decode())",
        );
        sample
    }
}

/// Converts `PROJECT_ID` to `projectId`.
fn camel(name: &str) -> String {
    let mut sample = String::new();
    for (at, word) in name.split('_').enumerate() {
        let (first, rest) = word.split_at(usize::from(!word.is_empty()));
        sample.push_str(&if at == 0 { first.to_ascii_lowercase() } else { first.to_owned() });
        sample.push_str(&rest.to_ascii_lowercase());
    }
    sample
}

/// Converts JSON to a Python literal.
fn python_value(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(values) => format!("[{}]", values.iter().map(python_value).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members =
                members.iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), python_value(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_in_each_language() {
        let body = serde_json::json!({"name": "Job", "networks": [], "not_before": null});
        let request = SampleRequest {
            method: "POST",
            url: "https://keys.example.com/v1/projects/$PROJECT_ID/keys".into(),
            headers: vec![("Authorization", "Bearer $TOKEN".into()), ("Content-Type", "application/json".into())],
            body: Some(&body),
        };
        assert_eq!(
            request.curl(),
            "curl --request POST \"https://keys.example.com/v1/projects/$PROJECT_ID/keys\" \\\n  --header \"Authorization: Bearer $TOKEN\" \\\n  \
             --header \"Content-Type: application/json\" \\\n  --data '{\"name\":\"Job\",\"networks\":[],\"not_before\":null}'"
        );
        let script = request.javascript();
        assert!(
            script.starts_with(
                "const response = await fetch(`https://keys.example.com/v1/projects/${projectId}/keys`, {"
            ),
            "{script}"
        );
        assert!(script.contains("'Authorization': `Bearer ${token}`,"), "{script}");
        let script = request.python();
        assert!(script.contains("f\"https://keys.example.com/v1/projects/{project_id}/keys\""), "{script}");
        assert!(
            script.contains("\"Authorization\": f\"Bearer {token}\"") && script.contains("\"not_before\": None"),
            "{script}"
        );
    }
}
