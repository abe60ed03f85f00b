//! Form drafts: values that a user submitted after the session had expired.
//!
//! Each page embeds a mark in its forms: the user ID and a message authentication code, so that no other user can store
//! a draft for them. Each user has at most one draft, encrypted with the key file. The draft is returned within one
//! hour, to the same user in the same browser. It is deleted only after a page with its values was rendered, so that a
//! failed rendering loses nothing.

use super::{Context, Error, encryption_at_rest::EncryptionKey, limits::AddressLimit, one_time_tokens::OneTimeCode};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_domain::{ids::UserId, rate::RateLimit};
use keyward_store::{self as store, drafts::DraftRow, write_queue::WriteOutcome};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use keyward_domain::security::DRAFT_LIFETIME as LIFETIME;

/// Maximum size of a draft, in bytes of JSON: one formatted config plus its form.
const SIZE_MAX: usize = 1_536 * 1024;
/// Purpose of the message authentication code (domain separation).
const PURPOSE: &[u8] = b"keyward form draft";
const ID: usize = 16;

/// Rate limit for storing drafts from one address. A mark is sufficient to store a draft without a session, and drafts
/// are large.
#[expect(clippy::expect_used, reason = "a literal that the tests parse too")]
fn per_address() -> RateLimit {
    "10/minute,burst=20".parse().expect("a limit")
}

/// Submitted values by field name.
pub type Values = BTreeMap<String, Vec<String>>;

/// Use cases of form drafts.
#[derive(Clone)]
pub struct Drafts {
    context: Context,
    sealing: EncryptionKey,
    limit: Arc<AddressLimit>,
}

impl Drafts {
    pub fn new(context: Context, sealing: EncryptionKey) -> Self {
        Self { context, sealing, limit: Arc::new(AddressLimit::new(per_address())) }
    }

    /// Returns the mark that a form embeds for the user it is rendered for.
    pub fn mark(&self, user: UserId) -> String {
        let id = Uuid::from(user);
        let tag = self.sealing.compute_mac(PURPOSE, id.as_bytes());
        URL_SAFE_NO_PAD.encode([id.as_bytes().as_slice(), &tag].concat())
    }

    /// Returns the user that a mark names, or `None` if the mark is not authentic.
    fn owner(&self, mark: &str) -> Option<UserId> {
        let bytes = URL_SAFE_NO_PAD.decode(mark).ok()?;
        let (id, tag) = bytes.split_at_checked(ID)?;
        self.sealing.verify_mac(PURPOSE, id, tag).then(|| Uuid::from_slice(id).ok())?.map(UserId::from)
    }

    /// Stores submitted values and replaces the user's previous draft. Returns the code for the browser's cookie.
    /// Returns `None` if the mark is not authentic or names a disabled user, if the draft is too long, or if this
    /// address has stored too many drafts.
    ///
    /// # Errors
    /// If the database rejects the write.
    pub async fn save(
        &self,
        from: Option<IpAddr>,
        mark: &str,
        path: &str,
        values: &Values,
    ) -> Result<Option<OneTimeCode>, Error> {
        let Some(user) = self.owner(mark) else { return Ok(None) };
        let json = serde_json::to_vec(values)
            .map_err(|cause| Error::failed("a form could not be serialized as JSON", cause))?;
        let json = Zeroizing::new(json);
        if json.len() > SIZE_MAX || self.limit.try_acquire(from, self.context.now()).is_err() {
            return Ok(None);
        }
        let (id, code) = (self.context.new_id(), OneTimeCode::generate(&*self.context.random));
        let sealed = self.sealing.encrypt(id, &json, &*self.context.random);
        let row = DraftRow {
            user_id: user.into(),
            id,
            digest: code.digest(),
            path: path.to_owned(),
            sealed: sealed.map_err(|cause| Error::failed("a form could not be encrypted", cause))?,
            expires_at: self.context.now().plus_seconds(LIFETIME).micros(),
        };
        let write = self.context.queue.write(move |tx| {
            let row = row.clone();
            Box::pin(async move { Ok::<_, Error>(WriteOutcome::unaudited(store::drafts::save(tx, &row).await?)) })
        });
        Ok(write.await?.then_some(code))
    }

    /// Returns the user's draft for the form at this path. The draft is kept until it is deleted.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn find(&self, code: &str, user: UserId, path: &str) -> Result<Option<Values>, Error> {
        let (digest, now) = (super::one_time_tokens::digest(code), self.context.now().micros());
        let mut reader = self.context.pool.acquire_reader().await?;
        let found = store::drafts::find(&mut reader.conn(), &digest, user.into(), path, now).await?;
        drop(reader);
        // A draft that cannot be decrypted (another key file, or damaged data) counts as missing.
        Ok(found.and_then(|(id, sealed)| {
            let json = self.sealing.decrypt(id, &sealed)?;
            serde_json::from_slice(&json).ok()
        }))
    }

    /// Deletes the user's draft for the form at this path. Returns `false` if there is no draft or a newer one has
    /// replaced it.
    ///
    /// # Errors
    /// If the database rejects the query.
    pub async fn delete(&self, code: &str, user: UserId, path: &str) -> Result<bool, Error> {
        let (digest, user, now) = (super::one_time_tokens::digest(code), Uuid::from(user), self.context.now().micros());
        {
            // Release the reader before waiting for the write queue.
            let mut reader = self.context.pool.acquire_reader().await?;
            if !store::drafts::exists(&mut reader.conn(), &digest, user, path, now).await? {
                return Ok(false);
            }
        }
        let path = path.to_owned();
        let write = self.context.queue.write(move |tx| {
            let path = path.clone();
            Box::pin(async move {
                Ok::<_, Error>(WriteOutcome::unaudited(store::drafts::delete(tx, &digest, user, &path).await?))
            })
        });
        write.await
    }
}
