//! HTTP client for the OpenID provider of a sign-in, and for another Keyward server from the command line.
//!
//! Requests are encrypted or go to this machine. Time and size are bounded, and redirects are never followed.

use http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use keyward_config::is_safe;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};
use url::{Position, Url};

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
    #[error("no certificate authorities are installed on this machine; install ca-certificates")]
    NoAuthorities,
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
    pub body: Bytes,
}

/// HTTP client that trusts the certificate authorities of this machine. `SSL_CERT_FILE` names others.
#[derive(Clone)]
pub struct HttpClient(Option<TlsConnector>);

impl HttpClient {
    pub fn new() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let connector = config
            .ok()
            .filter(|_| !roots.is_empty())
            .map(|config| TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())));
        Self(connector)
    }

    /// Sends a request and returns the body of a 200 response.
    ///
    /// # Errors
    /// [`FetchError`] for anything else, with a message for the log.
    pub async fn fetch(&self, url: &Url, ask: HttpRequest<'_>) -> Result<Bytes, FetchError> {
        if !is_safe(url) {
            return Err(FetchError::Unsafe);
        }
        let request = request(url, ask).ok_or(FetchError::Unsafe)?;
        let answer = tokio::time::timeout(PATIENCE, self.send(url, request, BODY_MAX))
            .await
            .map_err(|_| FetchError::Timeout)??;
        if answer.status == StatusCode::OK { Ok(answer.body) } else { Err(FetchError::Status(answer.status)) }
    }

    /// Sends a request and returns the response with any status code.
    ///
    /// # Errors
    /// [`FetchError`] if there is no response, with a message for the caller.
    pub async fn call_api(&self, url: &Url, call: &ApiRequest<'_>) -> Result<HttpResponse, FetchError> {
        if !is_safe(url) {
            return Err(FetchError::Unsafe);
        }
        let body = call.body.unwrap_or_default().to_owned();
        let mut builder = request_builder(url).method(call.method.clone()).header(header::CONTENT_LENGTH, body.len());
        for (name, value) in &call.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::from(body)).map_err(|_| FetchError::Unsafe)?;
        tokio::time::timeout(PATIENCE, self.send(url, request, API_BODY_MAX)).await.map_err(|_| FetchError::Timeout)?
    }

    async fn send(&self, url: &Url, request: Request<Full<Bytes>>, most: usize) -> Result<HttpResponse, FetchError> {
        let unreachable = |error: &dyn std::fmt::Display| FetchError::Unreachable(error.to_string());
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|e| unreachable(&e))?;
        if url.scheme() != "https" {
            return send_on_stream(stream, request, most).await;
        }
        let connector = self.0.as_ref().ok_or(FetchError::NoAuthorities)?;
        let name = ServerName::try_from(host).map_err(|e| unreachable(&e))?;
        let stream = connector.connect(name, stream).await.map_err(|error| {
            let host = url.host_str().unwrap_or_default();
            super::tls_error::explain(&error, host).map_or_else(|| unreachable(&error), FetchError::Unreachable)
        })?;
        send_on_stream(stream, request, most).await
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

/// Starts a request with the headers that every request has.
fn request_builder(url: &Url) -> http::request::Builder {
    Request::builder()
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(header::HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(header::USER_AGENT, concat!("keyward/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "application/json")
}

fn request(url: &Url, ask: HttpRequest<'_>) -> Option<Request<Full<Bytes>>> {
    let builder = request_builder(url);
    let request = match ask {
        HttpRequest::Get => builder.body(Full::default()),
        HttpRequest::GetWithToken(token) => {
            builder.header(header::AUTHORIZATION, format!("Bearer {token}")).body(Full::default())
        }
        HttpRequest::Post { form, authorization } => {
            let builder = builder
                .method(Method::POST)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::CONTENT_LENGTH, form.len());
            match authorization {
                Some(value) => builder.header(header::AUTHORIZATION, value),
                None => builder,
            }
            .body(Full::from(form))
        }
    };
    request.ok()
}

async fn send_on_stream<S>(stream: S, request: Request<Full<Bytes>>, most: usize) -> Result<HttpResponse, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let unreachable = |error: hyper::Error| FetchError::Unreachable(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
    // Aborted after the response is complete. Dropping the sender also ends the connection.
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(unreachable)?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, most).collect().await;
    connection.abort();
    match body {
        Ok(body) => Ok(HttpResponse { status: parts.status, headers: parts.headers, body: body.to_bytes() }),
        // The body of an error response is not needed; its status is enough.
        Err(_) if parts.status != StatusCode::OK => Err(FetchError::Status(parts.status)),
        Err(_) => Err(FetchError::Body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Starts a server that responds with `length` bytes on each connection.
    async fn of_length(length: usize) -> Url {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let _ =
                    stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").as_bytes()).await;
                let _ = stream.write_all(&vec![b'1'; length]).await;
            }
        });
        format!("http://{address}/").parse().unwrap()
    }

    #[tokio::test]
    async fn an_answer_may_be_as_long_as_its_kind() {
        let fetch = HttpClient(None);
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
}
