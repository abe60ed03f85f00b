//! Atomic limits: counted limits also hold for concurrent requests, on two nodes.

use crate::support::{TestServer, open_context, test_data::KeyForms as _};
use keyward::{
    config::Config,
    service::{
        Context, Error,
        accounts::Accounts,
        actor::{Caller, Origin},
        keys::Keys,
        oauth::Consent,
        projects::Projects,
    },
};
use std::{sync::Arc, time::Duration};

const MAREN: &str = "maren@pelagic.example";
/// Numbers of concurrent requests: above the limits of projects, and above those of emails and keys.
const MANY: usize = 80;
const SOME: usize = 24;

/// Returns the context of this process, and of a second node on the same database.
async fn nodes(bench: &TestServer) -> [Context; 2] {
    let other = open_context(&bench.location, bench.clock.clone()).await;
    [bench.app.context.clone(), Context { mail: bench.mail.clone(), ..other }]
}

/// Runs all futures concurrently, and returns the number of accepted ones.
async fn accepted<T: Send + 'static>(all: Vec<impl Future<Output = Result<T, Error>> + Send + 'static>) -> usize {
    let mut accepted = 0;
    for task in all.into_iter().map(tokio::spawn).collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(_) => accepted += 1,
            // On a slow machine a request may get no connection in time; then it is not accepted.
            Err(Error::Conflict(_) | Error::Store(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    accepted
}

on_both_engines! {
    /// The limit is five emails per hour and address. Password resets and registrations count together.
    async fn emails_an_hour(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        bench.execute_sql("UPDATE policy SET sign_up = 'open'").await;
        bench.mail.set_up();
        let config: Arc<Config> = bench.app.config.clone();
        let nodes = nodes(&bench).await.map(|context| Accounts::new(context, config.clone()));
        let all = (0..SOME).map(|n| {
            let accounts = nodes[n % 2].clone();
            async move {
                let origin = Origin { ip: Some([203, 0, 113, n as u8].into()), ..Origin::default() };
                match n % 3 {
                    0 => accounts.request_sign_up(MAREN, &origin).await,
                    _ => accounts.request_reset(MAREN, &origin).await,
                }
            }
        });
        assert!(accepted(all.collect()).await > 5, "the answer does not depend on the limit");
        let mut sent = 0;
        // Emails are sent after the responses. The loop ends when none arrives for one second.
        for _ in 0..600 {
            let more = bench.mail.take().len();
            sent += more;
            if more == 0 && sent >= 5 {
                tokio::time::sleep(Duration::from_millis(1_000)).await;
                sent += bench.mail.take().len();
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(sent, 5);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM one_time_links").await, 5);
    }

    async fn invitations_of_a_project(bench: TestServer) {
        let maren: Caller = bench.create_user(MAREN, false).await;
        let (project, config) = (bench.project_of(&maren).await, bench.app.config.clone());
        let nodes = nodes(&bench).await.map(Projects::new);
        let all = (0..MANY).map(|n| {
            let (projects, maren, config) = (nodes[n % 2].clone(), maren.clone(), config.clone());
            async move { projects.invite(&maren, project, "viewer", "", &config).await }
        });
        assert_eq!(accepted(all.collect()).await, 50);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM invitations").await, 50);
    }

    async fn keys_of_a_project(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.project_of(&maren).await;
        bench.execute_sql("UPDATE policy SET keys_per_project = 10").await;
        let nodes = nodes(&bench).await.map(Keys::new);
        let drafts: Vec<_> = (0..SOME).map(|n| bench.draft(project, &format!("Key {n}"))).collect();
        let all = drafts.into_iter().enumerate().map(|(n, draft)| {
            let (keys, maren) = (nodes[n % 2].clone(), maren.clone());
            async move { keys.create_from(&maren, draft).await.map(|_| ()) }
        });
        assert_eq!(accepted(all.collect()).await, 10);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, 10);
    }

    async fn programs_of_a_project(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (project, url) = (bench.project_of(&maren).await, bench.app.config.public_url.clone());
        let nodes = nodes(&bench).await.map(|context| Consent::new(context, &url));
        let all = (0..MANY).map(|n| {
            let (consent, maren) = (nodes[n % 2].clone(), maren.clone());
            async move { consent.register(&maren, project, &format!("Buoy {n}"), "https://buoy.example/cb").await }
        });
        assert_eq!(accepted(all.collect()).await, 50);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM oauth_clients").await, 50);
    }
}
