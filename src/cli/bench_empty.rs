//! `keyward bench-empty`: baseline cost of a request without Keyward. Hidden; used by `make bench`.

use super::output::print_line;
use anyhow::Context as _;
use axum::{Router, body::Bytes, routing::post};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Arguments of `keyward bench-empty`.
#[derive(clap::Args)]
pub struct BenchEmpty {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:3100", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
}

/// Serves one `POST` route that reads and discards the same body as a verify request: axum alone, without Keyward's
/// layers.
pub async fn run(command: &BenchEmpty) -> anyhow::Result<()> {
    let listener =
        TcpListener::bind(command.listen).await.with_context(|| format!("cannot listen on {}", command.listen))?;
    print_line!("The empty route is at http://{}/v1/keys/verify", listener.local_addr()?)?;
    let empty = Router::new().route("/v1/keys/verify", post(async |body: Bytes| drop(body)));
    Ok(axum::serve(listener, empty).await?)
}
