//! HTTP client for the OpenID provider of a sign-in, and for another Keyward server from the command line.
//!
//! Requests are encrypted or go to this machine. Time and size are bounded, and redirects are never followed. Requests
//! to other machines go through the proxy of the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), if there is one.
//! The proxy forwards an encrypted connection and sees only the host and the port.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use keyward_config::{is_loopback, is_safe};
use reqwest::{Client, ClientBuilder, Request, Response, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use std::{error::Error, sync::Arc, time::Duration};
use url::Url;

/// Time limit for a response, from the first packet to the last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// Maximum size of a response to [`HttpClient::fetch`], in bytes.
const BODY_MAX: usize = 256 * 1024;
/// Maximum size of a response to [`HttpClient::call_api`], in bytes. A page of 200 keys takes 700 KiB if each key has
/// the maximum number of networks.
const API_BODY_MAX: usize = 4 * 1024 * 1024;

/// Reasons why there is no response. The messages are for the log and contain nothing that was sent.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("the URL is neither https nor on this machine")]
    Unsafe,
    #[error("a header contains a control character")]
    Header,
    #[error("no certificate authorities are installed on this machine; install ca-certificates")]
    NoAuthorities,
    /// The causes as text: the error of the library contains the URL, which can contain a code.
    #[error("connection failed: {0}")]
    Unreachable(String),
    #[error("no response within {} s", PATIENCE.as_secs())]
    Timeout,
    #[error("the status is {0}")]
    Status(StatusCode),
    #[error("the response is too long or incomplete")]
    Body,
}

/// Request of [`HttpClient::fetch`].
pub enum HttpRequest<'a> {
    Get,
    /// GET with a bearer token.
    GetWithToken(&'a str),
    /// POST of a form, with an optional `Authorization` header.
    Post {
        form: String,
        authorization: Option<String>,
    },
}

/// Request to another Keyward server.
#[derive(Clone, Debug, Default)]
pub struct ApiRequest<'a> {
    pub method: Method,
    /// Headers besides the common ones. They are never logged.
    pub headers: Vec<(HeaderName, String)>,
    pub body: Option<&'a str>,
}

/// Response with any status code.
pub struct HttpResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// HTTP client that trusts the certificate authorities of this machine. `SSL_CERT_FILE` names others.
///
/// If the clients cannot be constructed, each request fails with the reason.
#[derive(Clone)]
pub struct HttpClient(Result<Clients, Arc<str>>);

/// Clients by destination.
#[derive(Clone)]
struct Clients {
    /// For this machine. A proxy would connect to itself instead, and would receive unencrypted requests.
    direct: Client,
    /// For other machines.
    proxied: Client,
    has_authorities: bool,
}

impl Clients {
    fn new(roots: RootCertStore) -> Result<Self, Box<dyn Error>> {
        let has_authorities = !roots.is_empty();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let direct = builder(tls.clone()).no_proxy().build()?;
        Ok(Self { direct, proxied: builder(tls).build()?, has_authorities })
    }
}

impl HttpClient {
    pub fn new() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::with_roots(roots)
    }

    fn with_roots(roots: RootCertStore) -> Self {
        Self(Clients::new(roots).map_err(|error| error.to_string().into()))
    }

    /// Sends a request and returns the body of a 200 response.
    ///
    /// # Errors
    /// [`FetchError`] for anything else, with a message for the log.
    pub async fn fetch(&self, url: &Url, ask: HttpRequest<'_>) -> Result<Vec<u8>, FetchError> {
        let answer = self.send(url, request(url, ask)?, BODY_MAX).await?;
        if answer.status == StatusCode::OK { Ok(answer.body) } else { Err(FetchError::Status(answer.status)) }
    }

    /// Sends a request and returns the response with any status code.
    ///
    /// # Errors
    /// [`FetchError`] if there is no response, with a message for the caller.
    pub async fn call_api(&self, url: &Url, call: &ApiRequest<'_>) -> Result<HttpResponse, FetchError> {
        let body = call.body.unwrap_or_default().to_owned();
        let mut request = Request::new(call.method.clone(), url.clone());
        request.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
        for (name, value) in &call.headers {
            request.headers_mut().append(name, header_value(value)?);
        }
        *request.body_mut() = Some(body.into());
        self.send(url, request, API_BODY_MAX).await
    }

    async fn send(&self, url: &Url, request: Request, most: usize) -> Result<HttpResponse, FetchError> {
        let clients = self.0.as_ref().map_err(|reason| FetchError::Unreachable(reason.to_string()))?;
        if !is_safe(url) {
            return Err(FetchError::Unsafe);
        }
        if url.scheme() == "https" && !clients.has_authorities {
            return Err(FetchError::NoAuthorities);
        }
        let client = if is_loopback(url) { &clients.direct } else { &clients.proxied };
        let mut response = client.execute(request).await.map_err(|error| send_error(&error, url))?;
        match read_body(&mut response, most).await {
            Ok(body) => {
                Ok(HttpResponse { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
            }
            // The body of an error response is not needed; its status is enough.
            Err(FetchError::Body) if response.status() != StatusCode::OK => Err(FetchError::Status(response.status())),
            Err(error) => Err(error),
        }
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the settings of both clients.
fn builder(tls: ClientConfig) -> ClientBuilder {
    let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))]);
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("keyward/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .timeout(PATIENCE)
        // One connection per request. Requests are rare, and the server may close an idle connection at the moment of
        // the next request, which fails if it cannot be repeated, such as the exchange of a code.
        .pool_max_idle_per_host(0)
}

fn request(url: &Url, ask: HttpRequest<'_>) -> Result<Request, FetchError> {
    let mut request = Request::new(Method::GET, url.clone());
    let authorization = match ask {
        HttpRequest::Get => None,
        HttpRequest::GetWithToken(token) => Some(format!("Bearer {token}")),
        HttpRequest::Post { form, authorization } => {
            let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
            *request.method_mut() = Method::POST;
            request.headers_mut().insert(header::CONTENT_TYPE, form_type);
            *request.body_mut() = Some(form.into());
            authorization
        }
    };
    if let Some(value) = authorization {
        request.headers_mut().insert(header::AUTHORIZATION, header_value(&value)?);
    }
    Ok(request)
}

fn header_value(text: &str) -> Result<HeaderValue, FetchError> {
    // The error of the library has no details.
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| FetchError::Header)
}

/// Converts an error of a request to `url`. Its own message is not used: it contains the URL.
fn send_error(error: &reqwest::Error, url: &Url) -> FetchError {
    if error.is_timeout() {
        return FetchError::Timeout;
    }
    if let Some(reason) = super::tls_error::explain(error, url.host_str().unwrap_or_default()) {
        return FetchError::Unreachable(reason);
    }
    // The first cause names only the phase of the request.
    let mut next = error.source().and_then(|phase| phase.source());
    let mut causes = Vec::new();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    FetchError::Unreachable(if causes.is_empty() { "the request was not sent".to_owned() } else { causes.join(": ") })
}

/// Reads at most `most` bytes.
async fn read_body(response: &mut Response, most: usize) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if chunk.len() <= most - body.len() => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err(FetchError::Timeout),
            Ok(Some(_)) | Err(_) => return Err(FetchError::Body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Starts a server that sends these bytes on each connection.
    async fn serve(response: Vec<u8>) -> Url {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(&response).await;
            }
        });
        format!("http://{address}/").parse().unwrap()
    }

    /// Starts a server that responds with `length` bytes on each connection.
    async fn of_length(length: usize) -> Url {
        let mut response = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
        response.resize(response.len() + length, b'1');
        serve(response).await
    }

    #[tokio::test]
    async fn an_answer_may_be_as_long_as_its_kind() {
        let fetch = HttpClient::with_roots(RootCertStore::empty());
        for (length, is_fetched, called) in [
            (BODY_MAX, true, true),
            (BODY_MAX + 1, false, true),
            (API_BODY_MAX, false, true),
            (API_BODY_MAX + 1, false, false),
        ] {
            let url = of_length(length).await;
            let got = fetch.fetch(&url, HttpRequest::Get).await;
            assert_eq!(got.as_ref().is_ok_and(|body| body.len() == length), is_fetched, "{length}: {:?}", got.err());
            let got = fetch.call_api(&url, &ApiRequest::default()).await;
            assert_eq!(got.as_ref().is_ok_and(|it| it.body.len() == length), called, "{length}: {:?}", got.err());
        }
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let client = HttpClient::with_roots(RootCertStore::empty());
        let target = of_length(1).await;
        let head = format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
        let url = serve(head.into_bytes()).await;
        let got = client.fetch(&url, HttpRequest::Get).await;
        assert!(matches!(got, Err(FetchError::Status(StatusCode::FOUND))), "{:?}", got.err());
        let got = client.call_api(&url, &ApiRequest::default()).await.unwrap();
        assert_eq!((got.status, got.headers["location"].to_str().unwrap()), (StatusCode::FOUND, target.as_str()));
    }

    #[tokio::test]
    async fn unsafe_requests_are_not_sent() {
        let client = HttpClient::with_roots(RootCertStore::empty());
        let fetch = async |url: &str| client.fetch(&url.parse().unwrap(), HttpRequest::Get).await.unwrap_err();
        assert!(matches!(fetch("http://keys.example/").await, FetchError::Unsafe));
        assert!(matches!(fetch("file:///etc/passwd").await, FetchError::Unsafe));
        assert!(matches!(fetch("https://keys.example/").await, FetchError::NoAuthorities));
        let injected =
            ApiRequest { headers: vec![(header::AUTHORIZATION, "a\r\nb: c".to_owned())], ..Default::default() };
        let got = client.call_api(&of_length(1).await, &injected).await;
        assert!(matches!(got, Err(FetchError::Header)));
    }

    #[tokio::test]
    async fn an_unreachable_server_is_reported_without_the_url() {
        let client = HttpClient::with_roots(RootCertStore::empty());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/?code=hunter2", listener.local_addr().unwrap()).parse().unwrap();
        drop(listener);
        let message = client.fetch(&url, HttpRequest::Get).await.unwrap_err().to_string();
        assert!(message.starts_with("connection failed: ") && message.contains("refused"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}
