//! `keyward demo --secrets`: creates many keys and a file with each secret and its expected verification result.

use crate::support::{Engine, TestServer};
use keyward::store::Location;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Output},
};

fn demo(folder: &Path, url: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyward"))
        .args(["--database-url", url, "demo"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("the binary starts")
}

fn output_text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

async fn check_bulk_demo(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let location = crate::support::database(engine, &folder).await;
    let url = match &location {
        Location::Sqlite(_) => "sqlite:keyward.db".to_owned(),
        Location::Postgres(url) => url.clone(),
    };
    let file = folder.path().join("secrets");
    std::fs::write(&file, "another file").unwrap();
    let arguments = ["--keys", "1212", "--secrets", "secrets", "--secrets-max", "400"];
    let refused = demo(folder.path(), &url, &arguments);
    assert!(
        !refused.status.success() && output_text(&refused).contains("must be a new file"),
        "{}",
        output_text(&refused)
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "another file", "what is there stays as it is");
    std::fs::remove_file(&file).unwrap();

    let made = demo(folder.path(), &url, &arguments);
    assert!(made.status.success() && output_text(&made).contains("1212 keys"), "{}", output_text(&made));
    assert!(!output_text(&made).contains("kw_"), "no secret is printed");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines.len(), 400);

    let bench = TestServer::on_database(location, folder, crate::support::URL).await;
    assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, 1212);
    assert_eq!(bench.events("keys.filled").await, 1, "one event for what was written at once");
    assert_eq!(bench.events("key.created").await, 12, "a story is played");
    let whole = keyward::service::audit::verify(&bench.app.context).await.unwrap();
    assert!(matches!(whole, keyward::service::audit::Chain::Intact { .. }), "{whole:?}");

    let (mut ids, mut verdicts) = (BTreeSet::new(), BTreeMap::new());
    for line in &lines {
        let &[secret, verdict, id] = line.as_slice() else { panic!("a line has three words") };
        let decision = bench.app.verify.verify_secret(secret, &Default::default()).await.unwrap();
        match decision {
            Ok(good) => {
                assert_eq!((verdict, id), ("valid", uuid::Uuid::from(good.snapshot.subject()).to_string().as_str()));
                assert_eq!(good.snapshot.rate_limit.map(|limit| limit.to_string()).as_deref(), Some("1000000/second"));
                assert!(good.snapshot.lifecycle.expires_at.is_some(), "each has an explicit expiry");
            }
            Err(refused) => assert_eq!(verdict, refused.code()),
        }
        ids.insert(id);
        *verdicts.entry(verdict).or_insert(0) += 1;
    }
    assert_eq!(ids.len(), lines.len(), "each is another key");
    for verdict in ["valid", "inactive", "expired", "deleted", "not_yet_valid"] {
        assert!(verdicts.contains_key(verdict), "{verdict}: {verdicts:?}");
    }
    assert!(verdicts["valid"] > 200, "{verdicts:?}");
    let now = bench.app.context.now().micros();
    let wrong = format!(
        "SELECT COUNT(*) FROM keys WHERE created_at > {now} OR updated_at < created_at OR last_used_at < created_at \
         OR last_used_at > expires_at OR deleted_at < created_at"
    );
    assert_eq!(bench.query_number(&wrong).await, 0, "nothing happened before its time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_sqlite() {
    check_bulk_demo(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_postgres() {
    check_bulk_demo(Engine::Postgres).await;
}
