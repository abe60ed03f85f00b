//! The revocation list, for resource servers that verify tokens offline: a signed JWT with its own `typ`.
//!
//! Claims: `iss`, `iat`, `exp` (a list past its `exp` is not valid), `tokens` (the `jti` of every revoked token that
//! has not expired), and `before`: maps `key:<id>`, `grant:<id>` or an audience to a number; its tokens with a lower
//! `iat` are denied. An entry remains for as long as one of its tokens could be valid.

use super::{Audience, Tokens};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_core::Error;
use keyward_domain::{ids::SubjectId, time::Timestamp};
use keyward_store::{self as store, Engine};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Mutex;
use uuid::Uuid;

/// The `typ` of the list.
pub const TYP: &str = "keyward-revoked+jwt";
/// Validity of a list, in seconds.
const VALIDITY: i64 = 3_600;
/// Interval after which an unchanged list is signed again, in seconds.
const SIGN_INTERVAL: i64 = 300;
/// Time for which a node returns the same list without a query, in microseconds: a second.
const CACHE_TIME: u64 = 1_000_000;

/// A signed list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
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
pub(super) struct CachedList(Mutex<Option<(u64, RevocationList)>>);

/// Time after a change within which a token may still be issued based on the previous state, in seconds: a node that
/// receives no changes reads the database after 2 s, the change waited in the write queue, and tokens have whole
/// seconds.
const PROPAGATION_TIME: i64 = 5;

/// Returns the second from which tokens may be issued again.
fn second_after(micros: i64) -> i64 {
    Timestamp::from_micros(micros).seconds() + PROPAGATION_TIME
}

/// Returns the time before which a revocation cannot affect a token that is still valid, including tokens that were
/// issued while the revocation propagated.
///
/// # Errors
/// If the query fails.
pub async fn retention_start(conn: &mut Engine<'_>, now: Timestamp) -> Result<Timestamp, store::Error> {
    Ok(now.plus_seconds(-store::revoked_tokens::longest_life(conn).await? - PROPAGATION_TIME))
}

impl Content {
    async fn load(conn: &mut Engine<'_>, issuer: &str, now: Timestamp) -> Result<Self, store::Error> {
        let after = retention_start(conn, now).await?.micros();
        let tokens =
            store::revoked_tokens::list_unexpired(conn, now.micros()).await?.into_iter().map(|row| row.jti).collect();
        let mut before = BTreeMap::new();
        let mut add = |holder: String, micros: i64| {
            let at = before.entry(holder).or_insert(0);
            *at = second_after(micros).max(*at);
        };
        for row in store::revoked_tokens::cutoffs(conn, after).await? {
            add(row.holder, row.issued_before);
        }
        for (id, at) in store::revoked_tokens::stopped_keys(conn, after).await? {
            add(SubjectId::Key(id.into()).to_string(), at);
        }
        for (id, at) in store::revoked_tokens::archived_projects(conn, after).await? {
            add(Audience::Project(id.into()).claim(issuer), at);
        }
        Ok(Self { tokens, before })
    }

    /// Returns the same value for the same content, signed in the same five minutes with the same key.
    fn etag(&self, kid: &str, now: Timestamp) -> String {
        let mut digest = Sha256::new();
        digest.update(kid);
        digest.update(now.seconds().div_euclid(SIGN_INTERVAL).to_be_bytes());
        digest.update(serde_json::to_vec(self).unwrap_or_default());
        format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest.finalize()[..16]))
    }
}

impl Tokens {
    /// Returns the list, at most a second old.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn revocation_list(&self) -> Result<RevocationList, Error> {
        let (context, keys) = (self.ring.context(), self.ring.fresh().await?);
        let (now, steady) = (context.now(), context.clock.monotonic_micros());
        // Concurrent callers wait here and get the same list.
        let mut made = self.list.0.lock().await;
        if let Some((looked, list)) = &*made
            && steady.saturating_sub(*looked) < CACHE_TIME
        {
            return Ok(list.clone());
        }
        let content = {
            let mut reader = context.pool.acquire_reader().await?;
            Content::load(&mut reader.conn(), &self.issuer, now).await?
        };
        let key = keys.signing_at(now);
        let etag = content.etag(&key.signer.kid, now);
        let list = match &*made {
            Some((_, list)) if *list.etag == *etag => list.clone(),
            _ => {
                let (iat, iss) = (now.seconds(), &*self.issuer);
                let claims = Claims { iss, iat, exp: iat + VALIDITY, content: &content };
                RevocationList { jwt: key.lists.sign(&claims).into(), etag: etag.into() }
            }
        };
        *made = Some((steady, list.clone()));
        Ok(list)
    }
}
