//! What is said of each operation: of those the routes of the table are, no more and no fewer.

mod management;
mod oauth;
mod others;
mod verify;

use serde_json::{Value, json};

/// The groups, in their order.
pub const TAGS: [(&str, &str); 4] = [
    ("Tokens", "From a key to a short-lived access token, and what it opens."),
    ("Verification", "Is this key, or this token, good?"),
    ("Management", "Keys by program: what a person does on the pages, within the scopes of a key."),
    ("Operation", "For whoever runs this Keyward."),
];

/// What whoever calls must show.
#[derive(Clone, Copy)]
pub enum Security {
    Open,
    /// A token of the project.
    Bearer,
    /// What a gateway’s client sent.
    BearerOrKey,
    /// A client’s own credentials.
    Client,
    /// A token for management with this scope.
    Management(&'static str),
}

/// An answer.
pub struct Answer {
    /// `200`, or `default`.
    pub status: &'static str,
    pub words: &'static str,
    pub content: Option<(&'static str, Value)>,
    pub heads: Vec<(&'static str, &'static str)>,
}

/// A parameter besides those of the path: its name, where it stands, whether it must be there, its schema, what it means.
pub type Parameter = (&'static str, &'static str, bool, Value, &'static str);

/// An operation.
pub struct Operation {
    pub method: &'static str,
    /// As the route table has it.
    pub path: &'static str,
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub security: Security,
    pub parameters: Vec<Parameter>,
    /// Its type, schema, and an example.
    pub body: Option<(&'static str, Value, Value)>,
    pub answers: Vec<Answer>,
}

/// A schema of the document.
pub fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

pub fn text() -> Value {
    json!({"type": "string"})
}

/// What the braces of a path name.
pub fn named(name: &str) -> (Value, &'static str) {
    let id = || json!({"type": "string", "format": "uuid"});
    match name {
        "id" => (id(), "The project’s id."),
        "key" => (id(), "The key’s id."),
        "rest" => (text(), "The path that the gateway’s client asked for, slashes and all."),
        other => panic!("say in operations::named what {{{other}}} is"),
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
            answers: Vec::new(),
        }
    }

    pub fn says(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    pub fn by(self, security: Security) -> Self {
        Self { security, ..self }
    }

    /// With a parameter of the query.
    pub fn query(mut self, name: &'static str, schema: Value, words: &'static str) -> Self {
        self.parameters.push((name, "query", false, schema, words));
        self
    }

    /// With a header.
    pub fn head(mut self, name: &'static str, required: bool, words: &'static str) -> Self {
        self.parameters.push((name, "header", required, text(), words));
        self
    }

    /// With a header, and what may stand in it: `$NAME` as in the requests that people read.
    pub fn head_such(mut self, name: &'static str, required: bool, example: &'static str, words: &'static str) -> Self {
        self.parameters.push((name, "header", required, json!({"type": "string", "examples": [example]}), words));
        self
    }

    /// With a JSON body of this schema.
    pub fn takes(mut self, name: &str, example: Value) -> Self {
        self.body = Some(("application/json", schema(name), example));
        self
    }

    /// With a form of this schema.
    pub fn form(mut self, name: &str, example: Value) -> Self {
        self.body = Some(("application/x-www-form-urlencoded", schema(name), example));
        self
    }

    fn with(mut self, status: &'static str, words: &'static str, content: Option<(&'static str, Value)>) -> Self {
        self.answers.push(Answer { status, words, content, heads: Vec::new() });
        self
    }

    /// Answers with JSON of this schema.
    pub fn gives(self, status: &'static str, name: &str, words: &'static str) -> Self {
        let content = Some(("application/json", schema(name)));
        self.with(status, words, content)
    }

    /// Answers with something of this type.
    pub fn gives_some(self, status: &'static str, kind: &'static str, content: Value, words: &'static str) -> Self {
        self.with(status, words, Some((kind, content)))
    }

    /// Answers without a body.
    pub fn gives_nothing(self, status: &'static str, words: &'static str) -> Self {
        self.with(status, words, None)
    }

    /// Answers with a problem document.
    pub fn refuses(self, status: &'static str, words: &'static str) -> Self {
        let content = Some(("application/problem+json", schema("Problem")));
        self.with(status, words, content)
    }

    /// The last answer has this header.
    pub fn headed(mut self, name: &'static str, words: &'static str) -> Self {
        if let Some(last) = self.answers.last_mut() {
            last.heads.push((name, words));
        }
        self
    }

    /// Whatever else there is to be refused.
    pub fn and_else(self) -> Self {
        const WORDS: &str = "Another refusal, of the method, the size or the host; or a fault of this Keyward: 503 with \
             `Retry-After` while its database is busy (`busy`), does not answer (`database_unavailable`) or its disk fails \
             (`storage_failed`), 507 while its disk is full (`storage_full`).";
        match self.path.starts_with("/oauth/") {
            true => self.gives_some("default", "application/json", schema("OAuthError"), WORDS),
            false => self.refuses("default", WORDS),
        }
    }
}

/// All of them.
pub fn all() -> Vec<Operation> {
    [others::all(), oauth::all(), verify::all(), management::all()].into_iter().flatten().collect()
}
