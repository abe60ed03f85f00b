//! `keyward bench-empty`: what HTTP alone costs.

use anyhow::Context as _;
use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use clap::Args;
use std::net::SocketAddr;
use tokio::net::TcpListener;

#[derive(Args)]
pub struct Empty {
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
}

/// Serves one route that reads the body and drops it, with no layer of ours.
pub async fn run(empty: Empty) -> anyhow::Result<()> {
    let listener = TcpListener::bind(empty.listen).await.context("the address could not be listened on")?;
    let router = Router::new().route("/v1/keys/verify", post(|_body: Bytes| async { StatusCode::OK }));
    axum::serve(listener, router).await.context("the server stopped")
}
