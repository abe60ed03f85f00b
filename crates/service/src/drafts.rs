//! Drafts of forms: what was typed when the session had ended, for the person to whom the form was drawn.
//!
//! A page names that person in each form, with a message authentication code, so that no other person can store a draft for them.
//! There is one draft a person, sealed under the key file. It is given back within an hour, to the same person in the same browser,
//! and deleted when a page with it was drawn: until then nothing is lost, whatever becomes of the page.

use super::{Error, Ground, limits::AddressLimit, once::OneTimeCode, sealing::SealingKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_domain::{ids::UserId, rate::RateLimit};
use keyward_store::{self as store, drafts::DraftRow, queue::Kept};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};
use uuid::Uuid;
use zeroize::Zeroizing;

/// How long a draft is kept. Seconds: an hour.
pub const KEPT: i64 = 3_600;
/// The longest draft, in bytes of JSON: a config as the editor lays it out, and its form.
const LONGEST: usize = 1_536 * 1024;
/// What the authentication code is for.
const PURPOSE: &[u8] = b"keyward form draft";
const ID: usize = 16;

/// Drafts that one address may store: whoever has a mark needs no session for it, and a draft is large.
#[expect(clippy::expect_used, reason = "a literal that the tests parse too")]
fn per_address() -> RateLimit {
    "10/minute,burst=20".parse().expect("a limit")
}

/// What was typed, by the name of the field.
pub type Values = BTreeMap<String, Vec<String>>;

/// The drafts of all forms.
#[derive(Clone)]
pub struct Drafts {
    ground: Ground,
    sealing: SealingKey,
    limit: Arc<AddressLimit>,
}

impl Drafts {
    pub fn new(ground: Ground, sealing: SealingKey) -> Self {
        Self { ground, sealing, limit: Arc::new(AddressLimit::new(per_address())) }
    }

    /// What a form says of the person to whom it is drawn.
    pub fn mark(&self, user: UserId) -> String {
        let id = Uuid::from(user);
        let tag = self.sealing.authenticate(PURPOSE, id.as_bytes());
        URL_SAFE_NO_PAD.encode([id.as_bytes().as_slice(), &tag].concat())
    }

    /// The person whom a mark names; `None`: it is none of ours.
    fn owner(&self, mark: &str) -> Option<UserId> {
        let bytes = URL_SAFE_NO_PAD.decode(mark).ok()?;
        let (id, tag) = bytes.split_at_checked(ID)?;
        self.sealing.is_authentic(PURPOSE, id, tag).then(|| Uuid::from_slice(id).ok())?.map(UserId::from)
    }

    /// Keeps what was typed, in place of the person's former draft. The code goes into the browser's cookie; `None`: the mark is
    /// none of ours or that of a disabled user, the draft is too long, or this address has stored too many.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn keep(
        &self,
        from: Option<IpAddr>,
        mark: &str,
        path: &str,
        values: &Values,
    ) -> Result<Option<OneTimeCode>, Error> {
        let Some(user) = self.owner(mark) else { return Ok(None) };
        let json = serde_json::to_vec(values).map_err(|_| Error::Internal("a form could not be written as JSON"))?;
        let json = Zeroizing::new(json);
        if json.len() > LONGEST || self.limit.take(from, self.ground.now()).is_err() {
            return Ok(None);
        }
        let (id, code) = (self.ground.new_id(), OneTimeCode::generate(&*self.ground.random));
        let sealed = self.sealing.seal(id, &json, &*self.ground.random);
        let row = DraftRow {
            user_id: user.into(),
            id,
            digest: code.digest(),
            path: path.to_owned(),
            sealed: sealed.map_err(|_| Error::Internal("a form could not be sealed"))?,
            expires_at: self.ground.now().plus_seconds(KEPT).micros(),
        };
        let write = self.ground.queue.write(move |tx| {
            let row = row.clone();
            Box::pin(async move { Ok::<_, Error>(Kept::unrecorded(store::drafts::keep(tx, &row).await?)) })
        });
        Ok(write.await?.then_some(code))
    }

    /// This person's draft for the form at this path. It stays until it is deleted.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn find(&self, code: &str, user: UserId, path: &str) -> Result<Option<Values>, Error> {
        let (digest, now) = (super::once::digest(code), self.ground.now().micros());
        let mut reader = self.ground.pool.read().await?;
        let found = store::drafts::find(&mut reader.conn(), &digest, user.into(), path, now).await?;
        drop(reader);
        // Sealed under another key file, or damaged: it is as if there was none.
        Ok(found.and_then(|(id, sealed)| {
            let json = self.sealing.open(id, &sealed)?;
            serde_json::from_slice(&json).ok()
        }))
    }

    /// Deletes this person's draft for the form at this path. `false`: there is none, or a newer one has taken its place.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn take(&self, code: &str, user: UserId, path: &str) -> Result<bool, Error> {
        let (digest, user, now) = (super::once::digest(code), Uuid::from(user), self.ground.now().micros());
        {
            // Let go before the write queue is waited for.
            let mut reader = self.ground.pool.read().await?;
            if !store::drafts::is_kept(&mut reader.conn(), &digest, user, path, now).await? {
                return Ok(false);
            }
        }
        let path = path.to_owned();
        let write = self.ground.queue.write(move |tx| {
            let path = path.clone();
            Box::pin(
                async move { Ok::<_, Error>(Kept::unrecorded(store::drafts::take(tx, &digest, user, &path).await?)) },
            )
        });
        write.await
    }
}
