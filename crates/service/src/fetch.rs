//! Asking another server, for what a sign-in rests on, or another Keyward from the command line: encrypted (or on this machine), in bounded time and size, and never
//! following a redirect.

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

/// How long an answer may take, from the first packet to its last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer that is asked for, in bytes.
const ASKED_MAX: usize = 256 * 1024;
/// The largest answer to a call, in bytes: a page of 200 keys has 700 KiB if each has all the networks that it may have.
const CALLED_MAX: usize = 4 * 1024 * 1024;

/// Why there is no answer. The words are for the log, and hold nothing that was sent.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("the address is neither https nor on this machine")]
    Unsafe,
    #[error("no authorities are known on this machine to check a certificate with; install ca-certificates")]
    NoAuthorities,
    #[error("it could not be reached: {0}")]
    Unreachable(String),
    #[error("it took longer than {} s", PATIENCE.as_secs())]
    Slow,
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("its answer is too long or broke off")]
    Body,
}

/// What is sent.
pub enum Ask<'a> {
    Get,
    /// With a bearer token.
    GetAs(&'a str),
    /// A form, with `Authorization` if there is one.
    Post {
        form: String,
        authorization: Option<String>,
    },
}

/// A request to another Keyward.
#[derive(Clone, Debug, Default)]
pub struct Call<'a> {
    pub method: Method,
    /// Names and values besides what every request has; nothing of them is logged.
    pub heads: Vec<(HeaderName, String)>,
    pub body: Option<&'a str>,
}

/// What it answered, whatever that was.
pub struct Answer {
    pub status: StatusCode,
    pub heads: HeaderMap,
    pub body: Bytes,
}

/// Asks with the authorities that this machine trusts (`SSL_CERT_FILE` names others).
#[derive(Clone)]
pub struct Fetch(Option<TlsConnector>);

impl Fetch {
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

    /// The body of a 200.
    ///
    /// # Errors
    /// Anything else, in words for the log.
    pub async fn ask(&self, url: &Url, ask: Ask<'_>) -> Result<Bytes, FetchError> {
        if !is_safe(url) {
            return Err(FetchError::Unsafe);
        }
        let request = request(url, ask).ok_or(FetchError::Unsafe)?;
        let answer = tokio::time::timeout(PATIENCE, self.answer(url, request, ASKED_MAX))
            .await
            .map_err(|_| FetchError::Slow)??;
        if answer.status == StatusCode::OK { Ok(answer.body) } else { Err(FetchError::Status(answer.status)) }
    }

    /// Calls, and gives back whatever was answered.
    ///
    /// # Errors
    /// If nothing was, in words for whoever called.
    pub async fn call(&self, url: &Url, call: &Call<'_>) -> Result<Answer, FetchError> {
        if !is_safe(url) {
            return Err(FetchError::Unsafe);
        }
        let body = call.body.unwrap_or_default().to_owned();
        let mut builder = begun(url).method(call.method.clone()).header(header::CONTENT_LENGTH, body.len());
        for (name, value) in &call.heads {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::from(body)).map_err(|_| FetchError::Unsafe)?;
        tokio::time::timeout(PATIENCE, self.answer(url, request, CALLED_MAX)).await.map_err(|_| FetchError::Slow)?
    }

    async fn answer(&self, url: &Url, request: Request<Full<Bytes>>, most: usize) -> Result<Answer, FetchError> {
        let unreachable = |error: &dyn std::fmt::Display| FetchError::Unreachable(error.to_string());
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|e| unreachable(&e))?;
        if url.scheme() != "https" {
            return converse(stream, request, most).await;
        }
        let connector = self.0.as_ref().ok_or(FetchError::NoAuthorities)?;
        let name = ServerName::try_from(host).map_err(|e| unreachable(&e))?;
        let stream = connector.connect(name, stream).await.map_err(|error| {
            let host = url.host_str().unwrap_or_default();
            super::tls_error::explain(&error, host).map_or_else(|| unreachable(&error), FetchError::Unreachable)
        })?;
        converse(stream, request, most).await
    }
}

impl Default for Fetch {
    fn default() -> Self {
        Self::new()
    }
}

/// What every request has.
fn begun(url: &Url) -> http::request::Builder {
    Request::builder()
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(header::HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(header::USER_AGENT, concat!("keyward/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "application/json")
}

fn request(url: &Url, ask: Ask<'_>) -> Option<Request<Full<Bytes>>> {
    let builder = begun(url);
    let request = match ask {
        Ask::Get => builder.body(Full::default()),
        Ask::GetAs(token) => builder.header(header::AUTHORIZATION, format!("Bearer {token}")).body(Full::default()),
        Ask::Post { form, authorization } => {
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

async fn converse<S>(stream: S, request: Request<Full<Bytes>>, most: usize) -> Result<Answer, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let unreachable = |error: hyper::Error| FetchError::Unreachable(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
    // It ends with the request: the sender is dropped, and with it the connection.
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(unreachable)?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, most).collect().await;
    connection.abort();
    match body {
        Ok(body) => Ok(Answer { status: parts.status, heads: parts.headers, body: body.to_bytes() }),
        // Of a refusal nobody reads more than that it is one.
        Err(_) if parts.status != StatusCode::OK => Err(FetchError::Status(parts.status)),
        Err(_) => Err(FetchError::Body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// A server that answers with this many bytes, once for each connection.
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
        let fetch = Fetch(None);
        for (length, asked, called) in [
            (ASKED_MAX, true, true),
            (ASKED_MAX + 1, false, true),
            (CALLED_MAX, false, true),
            (CALLED_MAX + 1, false, false),
        ] {
            let url = of_length(length).await;
            let got = fetch.ask(&url, Ask::Get).await;
            assert_eq!(got.as_ref().is_ok_and(|body| body.len() == length), asked, "{length}: {:?}", got.err());
            let got = fetch.call(&url, &Call::default()).await;
            assert_eq!(got.as_ref().is_ok_and(|it| it.body.len() == length), called, "{length}: {:?}", got.err());
        }
    }
}
