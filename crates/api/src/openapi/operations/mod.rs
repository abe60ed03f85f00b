//! Descriptions of all operations: exactly one per route of the table.

mod management;
mod oauth;
mod others;
mod verify;

use serde_json::{Value, json};

/// The tags, in display order.
pub const TAGS: [(&str, &str); 4] = [
    ("Tokens", "Exchange a key for a short-lived access token, and use the token."),
    ("Verification", "Check whether a key or an access token is valid."),
    ("Management", "Manage the keys of a project, within the privileges of the client’s own key."),
    ("Operation", "Health, metrics, and contact of this server."),
];

/// The credential that an operation requires.
#[derive(Clone, Copy)]
pub enum Security {
    Open,
    /// An access token of the project.
    Bearer,
    /// The credential that the gateway's client sent.
    BearerOrKey,
    /// The client's own credentials.
    Client,
    /// A management token with this scope.
    Management(&'static str),
}

/// A response.
pub struct ResponseSpec {
    /// The status: `200`, or `default`.
    pub status: &'static str,
    pub description: &'static str,
    pub content: Option<(&'static str, Value)>,
    pub headers: Vec<(&'static str, &'static str)>,
}

/// A parameter outside of the path: name, location, whether it is required, schema, description.
pub type Parameter = (&'static str, &'static str, bool, Value, &'static str);

/// An operation.
pub struct Operation {
    pub method: &'static str,
    /// The path as in the route table.
    pub path: &'static str,
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub security: Security,
    pub parameters: Vec<Parameter>,
    /// Media type, schema, and example.
    pub body: Option<(&'static str, Value, Value)>,
    pub responses: Vec<ResponseSpec>,
}

/// Returns a reference to a schema of the document.
pub fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

pub fn text() -> Value {
    json!({"type": "string"})
}

/// Returns schema and description of a path parameter.
pub fn path_parameter(name: &str) -> (Value, &'static str) {
    let id = || json!({"type": "string", "format": "uuid"});
    match name {
        "id" => (id(), "The project ID."),
        "key" => (id(), "The key ID."),
        "rest" => (text(), "The path of the client’s request, including slashes."),
        other => panic!("add {{{other}}} to operations::path_parameter"),
    }
}

impl Operation {
    pub fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            id,
            tag,
            summary,
            description: "",
            security: Security::Open,
            parameters: Vec::new(),
            body: None,
            responses: Vec::new(),
        }
    }

    pub fn with_description(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    pub fn with_security(self, security: Security) -> Self {
        Self { security, ..self }
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &'static str, schema: Value, words: &'static str) -> Self {
        self.parameters.push((name, "query", false, schema, words));
        self
    }

    /// Adds a header parameter.
    pub fn header(mut self, name: &'static str, required: bool, words: &'static str) -> Self {
        self.parameters.push((name, "header", required, text(), words));
        self
    }

    /// Adds a header parameter with an example. `$NAME` in the example is a variable of the code samples.
    pub fn header_with_example(
        mut self,
        name: &'static str,
        required: bool,
        example: &'static str,
        words: &'static str,
    ) -> Self {
        self.parameters.push((name, "header", required, json!({"type": "string", "examples": [example]}), words));
        self
    }

    /// Sets a JSON body with this schema.
    pub fn json_body(mut self, name: &str, example: Value) -> Self {
        self.body = Some(("application/json", schema(name), example));
        self
    }

    /// Sets a form body with this schema.
    pub fn form_body(mut self, name: &str, example: Value) -> Self {
        self.body = Some(("application/x-www-form-urlencoded", schema(name), example));
        self
    }

    fn push_response(
        mut self,
        status: &'static str,
        words: &'static str,
        content: Option<(&'static str, Value)>,
    ) -> Self {
        self.responses.push(ResponseSpec { status, description: words, content, headers: Vec::new() });
        self
    }

    /// Adds a JSON response with this schema.
    pub fn json_response(self, status: &'static str, name: &str, words: &'static str) -> Self {
        let content = Some(("application/json", schema(name)));
        self.push_response(status, words, content)
    }

    /// Adds a response with this media type.
    pub fn typed_response(self, status: &'static str, kind: &'static str, content: Value, words: &'static str) -> Self {
        self.push_response(status, words, Some((kind, content)))
    }

    /// Adds a response without a body.
    pub fn empty_response(self, status: &'static str, words: &'static str) -> Self {
        self.push_response(status, words, None)
    }

    /// Adds a problem document response.
    pub fn problem_response(self, status: &'static str, words: &'static str) -> Self {
        let content = Some(("application/problem+json", schema("Problem")));
        self.push_response(status, words, content)
    }

    /// Adds a header to the last response.
    pub fn response_header(mut self, name: &'static str, words: &'static str) -> Self {
        if let Some(last) = self.responses.last_mut() {
            last.headers.push((name, words));
        }
        self
    }

    /// Adds the default response for all other errors.
    pub fn default_response(self) -> Self {
        const WORDS: &str = "Any other error: for example the method, the body size, or the host is not allowed. Server errors: 503 \
             with `Retry-After` if the database is busy (`busy`), does not respond (`database_unavailable`), or its disk fails \
             (`storage_failed`); 507 if its disk is full (`storage_full`).";
        match self.path.starts_with("/oauth/") {
            true => self.typed_response("default", "application/json", schema("OAuthError"), WORDS),
            false => self.problem_response("default", WORDS),
        }
    }
}

/// Returns all operations.
pub fn all() -> Vec<Operation> {
    [others::all(), oauth::all(), verify::all(), management::all()].into_iter().flatten().collect()
}
