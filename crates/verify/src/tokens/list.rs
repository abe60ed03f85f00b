//! The revocation list, for resource servers that verify tokens offline: a signed JWT with its own `typ`.
//!
//! Claims: `iss`, `iat`, `exp` (a list past its `exp` is not valid), `tokens` (the `jti` of every revoked token that
//! has not expired), and `before`: maps `key:<id>`, `grant:<id>` or an audience to a number; its tokens with a lower
//! `iat` are denied. An entry remains for as long as one of its tokens could be valid.

use super::{Audience, Tokens};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_core::Error;
use keyward_domain::time::Timestamp;
use keyward_store::{self as store, Conn};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Mutex;
use uuid::Uuid;

/// The `typ` of the list.
pub const TYP: &str = "keyward-revoked+jwt";
/// Validity of a list, in seconds.
const GOOD_FOR: i64 = 3_600;
/// Interval after which an unchanged list is signed again, in seconds.
const SIGNED_ANEW: i64 = 300;
/// Time for which a node returns the same list without a query, in microseconds: a second.
const LOOK: u64 = 1_000_000;

/// A signed list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub jwt: Arc<str>,
    /// The value of `ETag`. It is weak because nodes sign the same content at different times.
    pub etag: Arc<str>,
}

/// The content of the list.
#[derive(Serialize)]
struct Content {
    tokens: Vec<Uuid>,
    before: BTreeMap<String, i64>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    content: &'a Content,
}

/// The last list, and the time of its last check.
#[derive(Default)]
pub(super) struct Made(Mutex<Option<(u64, List)>>);

/// Time after a change within which a token may still be issued based on the previous state, in seconds: a node that
/// receives no changes reads the database after 2 s, the change waited in the write queue, and tokens have whole
/// seconds.
const SPREADS: i64 = 5;

/// Returns the second from which tokens may be issued again.
fn second_after(micros: i64) -> i64 {
    Timestamp::from_micros(micros).seconds() + SPREADS
}

/// Returns the time before which a revocation cannot affect a token that is still valid, including tokens that were
/// issued while the revocation propagated.
///
/// # Errors
/// If the query fails.
pub async fn forgotten(conn: &mut Conn<'_>, now: Timestamp) -> Result<Timestamp, store::Error> {
    Ok(now.plus_seconds(-store::revoked::longest_life(conn).await? - SPREADS))
}

impl Content {
    async fn read(conn: &mut Conn<'_>, issuer: &str, now: Timestamp) -> Result<Self, store::Error> {
        let after = forgotten(conn, now).await?.micros();
        let tokens = store::revoked::alive(conn, now.micros()).await?.into_iter().map(|row| row.jti).collect();
        let mut before = BTreeMap::new();
        let mut add = |holder: String, micros: i64| {
            let at = before.entry(holder).or_insert(0);
            *at = second_after(micros).max(*at);
        };
        for row in store::revoked::cutoffs(conn, after).await? {
            add(row.holder, row.issued_before);
        }
        for (id, at) in store::revoked::stopped_keys(conn, after).await? {
            add(format!("key:{id}"), at);
        }
        for (id, at) in store::revoked::archived_projects(conn, after).await? {
            add(Audience::Project(id.into()).claim(issuer), at);
        }
        Ok(Self { tokens, before })
    }

    /// Returns the same value for the same content, signed in the same five minutes with the same key.
    fn etag(&self, kid: &str, now: Timestamp) -> String {
        let mut digest = Sha256::new();
        digest.update(kid);
        digest.update(now.seconds().div_euclid(SIGNED_ANEW).to_be_bytes());
        digest.update(serde_json::to_vec(self).unwrap_or_default());
        format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest.finalize()[..16]))
    }
}

impl Tokens {
    /// Returns the list, at most a second old.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn revoked_list(&self) -> Result<List, Error> {
        let (ground, keys) = (self.ring.ground(), self.ring.fresh().await?);
        let (now, steady) = (ground.now(), ground.clock.steady());
        // Concurrent callers wait here and get the same list.
        let mut made = self.list.0.lock().await;
        if let Some((looked, list)) = &*made
            && steady.saturating_sub(*looked) < LOOK
        {
            return Ok(list.clone());
        }
        let content = {
            let mut reader = ground.pool.read().await?;
            Content::read(&mut reader.conn(), &self.issuer, now).await?
        };
        let key = keys.signing(now);
        let etag = content.etag(&key.signer.kid, now);
        let list = match &*made {
            Some((_, list)) if *list.etag == *etag => list.clone(),
            _ => {
                let (iat, iss) = (now.seconds(), &*self.issuer);
                let claims = Claims { iss, iat, exp: iat + GOOD_FOR, content: &content };
                List { jwt: key.lists.write(&claims).into(), etag: etag.into() }
            }
        };
        *made = Some((steady, list.clone()));
        Ok(list)
    }
}
