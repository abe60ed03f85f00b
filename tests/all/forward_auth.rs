//! Gateway examples: Caddy with `examples/gateways/Caddyfile`, and Traefik and Envoy with their own files.
//!
//! Debian has no packages of Traefik and Envoy. With one of them on the PATH, `cargo test --test all -- --ignored
//! traefik` runs its tests too.

use crate::support::reverse_proxies::{Gateway, checks};
use std::{net::SocketAddr, path::Path, process::Command};

const CADDY: Gateway = Gateway {
    file: "Caddyfile",
    command: caddy,
    query: "",
    unavailable_statuses: &[502, 503, 504],
    any_host: false,
    patterns: true,
    hides_loopback: false,
};
const TRAEFIK: Gateway =
    Gateway { file: "traefik-dynamic.yaml", command: traefik, unavailable_statuses: &[500], any_host: true, ..CADDY };
const ENVOY: Gateway =
    Gateway { file: "envoy.yaml", command: envoy, unavailable_statuses: &[503], hides_loopback: true, ..CADDY };

/// Caddy stores its files in the folder of the test. Its admin endpoint is a socket in the same folder.
fn caddy(folder: &Path, example: &Path, _: SocketAddr) -> Command {
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(example);
    for home in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(home, folder);
    }
    command.env("CADDY_ADMIN", format!("unix/{}", folder.join("admin").display()));
    command
}

fn traefik(_: &Path, example: &Path, at: SocketAddr) -> Command {
    let mut command = Command::new("traefik");
    command.arg(format!("--entrypoints.api.address={at}"));
    command.arg(format!("--providers.file.filename={}", example.display()));
    command.args(["--global.checknewversion=false", "--global.sendanonymoususage=false"]);
    command
}

fn envoy(_: &Path, example: &Path, _: SocketAddr) -> Command {
    let mut command = Command::new("envoy");
    command.args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "warn", "--config-path"]).arg(example);
    command
}

gateway! { caddy CADDY }
gateway! { traefik TRAEFIK #[ignore = "needs traefik on the PATH"] }
gateway! { envoy ENVOY #[ignore = "needs envoy on the PATH"] }
