//! Sessions that cannot be saved: pages can still be read, and a sign-in gets 503 with `Retry-After`.

use crate::support::{PASSWORD, change_feed::wait_until};
use keyward::store::Location;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

const MAREN: &str = "maren@pelagic.example";

/// A transaction of another program that blocks all writes.
enum WriteBlocker {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl WriteBlocker {
    async fn begin(location: &Location) -> Self {
        match location {
            Location::Sqlite(path) => {
                let mut conn = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
                sqlx::query("BEGIN IMMEDIATE").execute(&mut conn).await.unwrap();
                Self::Sqlite(conn)
            }
            Location::Postgres(url) => {
                let mut conn = PgConnection::connect(url).await.unwrap();
                sqlx::query("BEGIN").execute(&mut conn).await.unwrap();
                sqlx::query("SELECT * FROM head FOR UPDATE").execute(&mut conn).await.unwrap();
                Self::Postgres(conn)
            }
        }
    }

    async fn end(self) {
        match self {
            Self::Sqlite(mut conn) => {
                sqlx::query("ROLLBACK").execute(&mut conn).await.unwrap();
            }
            Self::Postgres(mut conn) => {
                sqlx::query("ROLLBACK").execute(&mut conn).await.unwrap();
            }
        }
    }
}

on_both_engines! {
    async fn pages_work_and_a_sign_in_gets_retry_after(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let holder = WriteBlocker::begin(&bench.location).await;
        // The time of last activity is due to be saved.
        bench.clock.advance(301);
        assert_eq!(browser.get("/keys").await.status, 200);
        // A page that only reads does not try a write that is known to fail. On PostgreSQL, one wait for a lock does
        // not mark the queue as failing.
        assert!(bench.app.context.queue.trouble().is_some() || matches!(bench.location, Location::Postgres(_)));
        assert_eq!(browser.get("/keys").await.status, 200);
        // Sign-in cannot continue without a session.
        let page = bench.browser().post("/login", &[("email", MAREN), ("password", PASSWORD)]).await;
        assert!(page.status == 503 && !page.header("retry-after").is_empty(), "{} {}", page.status, page.text());
        assert_eq!(page.header("set-cookie"), "");
        holder.end().await;
        wait_until("writes succeed again", async || bench.app.context.queue.trouble().is_none()).await;
        assert_eq!(browser.get("/keys").await.status, 200);
        assert_eq!(browser.account().await.expect("signed in").email, MAREN);
    }

    /// If only the session's change is rejected, the response is sent anyway: here it contains a new key's secret.
    async fn a_secret_is_shown_although_the_session_is_not_saved(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id.to_string();
        let mut browser = bench.signed_in(MAREN).await;
        bench.clock.advance(301);
        bench.execute_sql("ALTER TABLE sessions RENAME COLUMN seen_at TO gone").await;
        let number = bench.app.context.new_id().to_string();
        let fields = [("number", &*number), ("project", &*project), ("name", "Gateway"), ("expires", "never"), ("scopes[]", "data:read")];
        let page = browser.post("/keys/new", &fields).await;
        assert!(page.status == 200 && page.text().contains("Save this key now"), "{} {}", page.status, page.text());
    }
}
