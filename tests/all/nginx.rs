//! Runs nginx with `examples/gateways/nginx.conf` as a gateway in front of Keyward.

use crate::support::{
    loopback_servers::{self, FaultyBehavior},
    reverse_proxies::{Gateway, GatewayProcess, checks},
};
use std::{net::SocketAddr, path::Path, process::Command};

const NGINX: Gateway = Gateway {
    file: "nginx.conf",
    command,
    query: "limited=403&",
    unavailable_statuses: &[503],
    any_host: false,
    patterns: false,
    hides_loopback: false,
};

/// Returns the command for one nginx process whose files are all in `folder`. It includes the example the way Debian's
/// configuration includes the files in `conf.d`.
fn command(folder: &Path, example: &Path, _: SocketAddr) -> Command {
    let folder = folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name};"))
        .join("\n");
    let http = format!("access_log off;\n{temporary}\ninclude {};", example.display());
    let main = format!("pid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{http}\n}}\n");
    let path = example.with_file_name("main.conf");
    std::fs::write(&path, main).expect("a file");
    let program = ["/usr/sbin/nginx", "nginx"].into_iter().find(|path| Path::new(path).is_file()).unwrap_or("nginx");
    let mut command = Command::new(program);
    command.args(["-e", "stderr", "-g", "daemon off; master_process off;", "-c"]).arg(path);
    command
}

gateway! { nginx NGINX }

/// A timeout or an unexpected response of Keyward (500, 421) becomes 503 with a `Retry-After` of 1 s, because the
/// client can try again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_fault_of_keywards_is_a_503_with_a_time_to_wait() {
    for manner in [
        FaultyBehavior::Silent,
        FaultyBehavior::Responds(
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
        FaultyBehavior::Responds("HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    ] {
        let stage = GatewayProcess::new(
            &NGINX,
            loopback_servers::start_faulty_server(manner).await,
            &uuid::Uuid::nil().to_string(),
        )
        .await;
        let answer = stage.send(&["GET /", "X-API-Key: any"], "").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{manner:?}: {answer:?}");
    }
}
