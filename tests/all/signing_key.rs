//! Signing key: created once, stored encrypted, and never replaced because a file is missing.

use crate::support::{Engine, database, open_context};
use keyward::{
    config::KeyFile,
    service::{
        clock::{Clock as _, ManualClock, SystemClock},
        encryption_at_rest::create_key_file,
        random::SystemRandom,
        signer::{Keyring, SignerError},
    },
    store,
};
use std::sync::Arc;

async fn signing_keys(context: &keyward::service::Context) -> i64 {
    const SQL: &str = "SELECT COUNT(*) FROM signing_keys";
    let mut reader = context.pool.acquire_reader().await.unwrap();
    match reader.conn() {
        store::Engine::Sqlite(c) => sqlx::query_scalar(SQL).fetch_one(c).await.unwrap(),
        store::Engine::Postgres(c) => sqlx::query_scalar(SQL).fetch_one(c).await.unwrap(),
    }
}

/// Nodes that start at the same time create one signing key, and all of them sign with it.
async fn check_concurrent_starts(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let location = database(engine, &folder).await;
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let path = folder.path().join("keyward.key");
    let make = engine == Engine::Sqlite;
    if !make {
        assert!(create_key_file(&path, &SystemRandom).unwrap());
    }
    // The schema exists. The nodes race to create the key file and the signing key.
    let first = open_context(&location, clock.clone()).await;
    let mut starts = Vec::new();
    for _ in 0..6 {
        let (location, clock, file) =
            (location.clone(), clock.clone(), KeyFile { path: path.clone(), can_create: make });
        starts.push(tokio::spawn(async move {
            let context = open_context(&location, clock).await;
            Keyring::open(&context, &file).await.map(|keyring| (keyring.tokens.newest().kid.clone(), keyring.log.kid))
        }));
    }
    let mut signers = Vec::new();
    for start in starts {
        signers.push(start.await.unwrap().expect("every node has a signer"));
    }
    signers.dedup();
    assert_eq!(signers.len(), 1);
    assert_eq!(signing_keys(&first).await, 2, "one a purpose");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_nodes_that_start_at_once_make_one() {
    check_concurrent_starts(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_nodes_that_start_at_once_make_one() {
    check_concurrent_starts(Engine::Postgres).await;
}

#[tokio::test]
async fn sqlite_a_missing_or_wrong_file_is_a_sentence_and_never_a_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let location = database(Engine::Sqlite, &folder).await;
    let context = open_context(&location, Arc::new(ManualClock::at(SystemClock.now()))).await;
    let file = KeyFile { path: folder.path().join("keyward.key"), can_create: true };
    let made = Keyring::open(&context, &file).await.unwrap();

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(Keyring::open(&context, &file).await.unwrap().tokens.newest().kid, made.tokens.newest().kid);

    let kept = folder.path().join("kept");
    std::fs::rename(&file.path, &kept).unwrap();
    let missing = Keyring::open(&context, &file).await.unwrap_err();
    assert!(matches!(missing, SignerError::Missing(_)), "{missing}");
    assert!(!file.path.exists(), "no new file is made for a database that has a signing key");

    assert!(create_key_file(&file.path, &SystemRandom).unwrap());
    let wrong = Keyring::open(&context, &file).await.unwrap_err();
    assert!(matches!(wrong, SignerError::Wrong(_)), "{wrong}");
    assert!(wrong.to_string().contains("restore the file that belongs to this database"));

    std::fs::write(&file.path, "not a key").unwrap();
    let unreadable = Keyring::open(&context, &file).await.unwrap_err();
    assert!(matches!(unreadable, SignerError::DamagedFile(_)), "{unreadable}");
    for error in [missing, wrong, unreadable] {
        let text = error.to_string();
        assert!(!text.contains("create-key-file") && text.contains("Do not create a new one"), "{text}");
    }

    std::fs::rename(&kept, &file.path).unwrap();
    assert_eq!(Keyring::open(&context, &file).await.unwrap().tokens.newest().kid, made.tokens.newest().kid);
    assert_eq!(signing_keys(&context).await, 2, "one a purpose");
    assert!(!create_key_file(&file.path, &SystemRandom).unwrap(), "an existing file is left as it is");
}

#[tokio::test]
async fn sqlite_the_seed_is_sealed_for_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let location = database(Engine::Sqlite, &folder).await;
    let context = open_context(&location, Arc::new(ManualClock::at(SystemClock.now()))).await;
    let file = KeyFile { path: folder.path().join("keyward.key"), can_create: true };
    Keyring::open(&context, &file).await.unwrap();
    // The same ciphertext under another row's id is rejected, because the id is authenticated with it.
    let other = uuid::Uuid::from_bytes(crate::support::random());
    let change = context.queue.write(move |tx| {
        Box::pin(async move {
            if let store::Engine::Sqlite(c) = &mut **tx {
                sqlx::query("UPDATE signing_keys SET id = $1 WHERE purpose = 'access_tokens'")
                    .bind(other)
                    .execute(&mut **c)
                    .await
                    .map_err(store::Error::from)?;
            }
            Ok::<_, keyward::service::Error>(store::write_queue::WriteOutcome::unaudited(()))
        })
    });
    change.await.unwrap();
    assert!(matches!(Keyring::open(&context, &file).await.unwrap_err(), SignerError::Wrong(_)));
}
