//! Browser without JavaScript and API client, both directly on the router.

use axum::{Router, body::Body, http::Request};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

/// A response.
pub struct Page {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Page {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("text")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().expect("a plain header"))
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.text()))
    }

    /// Returns the `value` of the input with this name.
    pub fn input(&self, name: &str) -> &str {
        let html = self.text();
        let marked = format!("name=\"{name}\"");
        let tag = html
            .split("<input")
            .skip(1)
            .map(|rest| rest.split('>').next().unwrap_or_default())
            .find(|tag| tag.contains(&marked))
            .unwrap_or_else(|| panic!("no input {name}: {html}"));
        tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
    }
}

/// Client that stores cookies and sends an `Origin` header with forms.
pub struct Browser {
    router: Router,
    pub url: String,
    /// All cookies, in the format of the `Cookie` header.
    pub cookie: Option<String>,
    /// The headers of all responses.
    pub heads: String,
}

impl Browser {
    pub fn new(router: Router, url: &str) -> Self {
        Self { router, url: url.to_owned(), cookie: None, heads: String::new() }
    }

    pub fn host(&self) -> &str {
        self.url.split("//").nth(1).expect("a host")
    }

    /// Returns the digest that identifies the session of this browser in the database.
    pub fn session_digest(&self) -> [u8; 32] {
        let mut cookies = self.cookie.as_deref().expect("cookies").split("; ");
        let id = cookies.find_map(|pair| pair.strip_prefix("keyward=")).expect("the cookie of a session");
        Sha256::digest(URL_SAFE_NO_PAD.decode(id).expect("base64url")).into()
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = Request::get(path).header("accept", "text/html");
        self.send(request, String::new()).await
    }

    /// Posts a form like a page of this server.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form(fields);
        let request = Request::post(path)
            .header("accept", "text/html")
            .header("origin", self.url.clone())
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request, body).await
    }

    /// Posts a form like in-browser navigation, which hydrates the islands in the response.
    pub async fn post_live(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = Request::post(path)
            .header("accept", "text/html")
            .header("origin", self.url.clone())
            .header("x-keyward-live", "1")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request, form(fields)).await
    }

    /// Calls a server function like an island.
    pub async fn call(&mut self, function: &str, fields: &[(&str, &str)]) -> Page {
        let body = form(fields);
        let request = Request::post(format!("/api/{function}"))
            .header("accept", "application/json")
            .header("origin", self.url.clone())
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request, body).await
    }

    /// Sends JSON like an API client.
    pub async fn json(&mut self, path: &str, body: &serde_json::Value) -> Page {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request, body.to_string()).await
    }

    /// Sends a GET request with a bearer token.
    pub async fn bearer(&mut self, path: &str, token: &str) -> Page {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        self.send(request, String::new()).await
    }

    /// Sends a request. Adds the cookies and, if it is missing, the `Host` header.
    pub async fn send(&mut self, request: axum::http::request::Builder, body: String) -> Page {
        self.send_bytes(request, body.into_bytes()).await
    }

    /// Like [`Self::send`], with a body that is not necessarily text.
    pub async fn send_bytes(&mut self, request: axum::http::request::Builder, body: Vec<u8>) -> Page {
        let mut request = request.body(Body::from(body)).expect("a request");
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert("cookie", cookie.parse().expect("a cookie"));
        }
        let host = self.host().parse().expect("a host");
        request.headers_mut().entry("host").or_insert(host);
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes().to_vec();
        for set in parts.headers.get_all("set-cookie") {
            self.keep(set.to_str().expect("a plain cookie"));
        }
        for (name, value) in &parts.headers {
            self.heads.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
        }
        Page { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }

    /// Applies a `Set-Cookie` header: replaces the cookie with this name, or deletes it.
    fn keep(&mut self, set: &str) {
        let pair = set.split(';').next().expect("a pair");
        let name = pair.split('=').next().expect("a name");
        let held = self.cookie.take().unwrap_or_default();
        let mut pairs: Vec<_> =
            held.split("; ").filter(|it| !it.is_empty() && it.split('=').next() != Some(name)).collect();
        if !set.contains("Max-Age=0") {
            pairs.push(pair);
        }
        self.cookie = (!pairs.is_empty()).then(|| pairs.join("; "));
    }
}

pub fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
