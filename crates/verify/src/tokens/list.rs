//! The list of what was revoked, for whoever checks tokens without asking: a signed JWT with a `typ` of its own.
//!
//! Claims: `iss`, `iat`, `exp` (older than that it says nothing), `tokens` (the `jti` of every token that was revoked and has not
//! expired), and `before`: whose tokens with an `iat` lower than the number are refused, by `key:<id>`, `grant:<id>` or an audience.
//! A holder stands there for as long as one of its tokens could live.

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
/// How long a list is believed, in seconds.
const GOOD_FOR: i64 = 3_600;
/// After how many seconds one that still says the same is signed anew.
const SIGNED_ANEW: i64 = 300;
/// For how long a node answers with the same list without looking, in microseconds: a second.
const LOOK: u64 = 1_000_000;

/// A list, as it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub jwt: Arc<str>,
    /// As it stands in `ETag`: weak, for nodes sign the same content at instants of their own.
    pub etag: Arc<str>,
}

/// What is revoked.
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

/// The list that was made last, and when it was looked whether it is still true.
#[derive(Default)]
pub(super) struct Made(Mutex<Option<(u64, List)>>);

/// For how long after a change somebody may still have issued a token by what was before, in seconds: a node that hears of nothing
/// asks after two, the change waited its turn to be written, and tokens have whole seconds.
const SPREADS: i64 = 5;

/// The second from which on a token may be issued again.
fn second_after(micros: i64) -> i64 {
    Timestamp::from_micros(micros).seconds() + SPREADS
}

/// What ended before this instant has no token that is alive, those among them that were issued while its end spread.
///
/// # Errors
/// If the database refuses.
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

    /// The same for the same content, signed in the same five minutes with the same key.
    fn etag(&self, kid: &str, now: Timestamp) -> String {
        let mut digest = Sha256::new();
        digest.update(kid);
        digest.update(now.seconds().div_euclid(SIGNED_ANEW).to_be_bytes());
        digest.update(serde_json::to_vec(self).unwrap_or_default());
        format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest.finalize()[..16]))
    }
}

impl Tokens {
    /// The list as it was a second ago at most.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn revoked_list(&self) -> Result<List, Error> {
        let (ground, keys) = (self.ring.ground(), self.ring.fresh().await?);
        let (now, steady) = (ground.now(), ground.clock.steady());
        // Whoever comes meanwhile waits, and takes what was made.
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
