//! The signing keys of access tokens, with rotation: the current key, the next key, which is published before it signs,
//! and old keys, which stay published until their last token has expired.

use super::{claims::JwtWriter, revocation_list};
use crate::signer::{SignerError, TOKEN_KEYS, TokenSigner};
use jsonwebtoken::DecodingKey;
use keyward_core::{Context, Error, encryption_at_rest::EncryptionKey};
use keyward_domain::{error_chain::ErrorChain, time::Timestamp};
use keyward_store::{self as store, signing_keys::SigningKeyRow};
use std::{
    path::Path,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Mutex, Notify};

/// Maximum age of the keys in memory, in microseconds: a minute. Changes arrive within a second; a node that receives
/// no changes reads the keys once a minute.
const AGE_MAX: u64 = 60_000_000;
/// Delay before the next attempt after the keys could not be read.
pub(super) const RETRY: Duration = Duration::from_millis(500);

/// A key, ready to sign and to verify.
#[derive(Clone)]
pub struct TokenKey {
    pub signer: TokenSigner,
    /// The time from which it signs.
    pub from: Timestamp,
    /// Writes access tokens.
    pub tokens: JwtWriter,
    /// Writes revocation lists.
    pub lists: JwtWriter,
    pub decoding: DecodingKey,
}

impl TokenKey {
    fn new(signer: TokenSigner, from: Timestamp) -> Self {
        Self {
            from,
            tokens: JwtWriter::new(super::TYP, signer.clone()),
            lists: JwtWriter::new(revocation_list::TYP, signer.clone()),
            decoding: signer.decoding_key(),
            signer,
        }
    }
}

/// The keys that may have valid tokens, and the next key.
#[derive(Clone)]
pub struct KeySet {
    newest: TokenKey,
    /// Newest first.
    older: Vec<TokenKey>,
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys().map(|key| &key.signer)).finish()
    }
}

impl KeySet {
    /// Reads and decrypts the keys, except those without valid tokens.
    ///
    /// # Errors
    /// A sentence that states the problem with the key file, or that the database cannot be read.
    pub(crate) async fn load(context: &Context, sealing: &EncryptionKey, path: &Path) -> Result<Self, SignerError> {
        let (rows, life) = {
            let mut reader = context.pool.acquire_reader().await?;
            let rows = store::signing_keys::all_of(&mut reader.conn(), TOKEN_KEYS).await?;
            (rows, store::revoked_tokens::longest_life(&mut reader.conn()).await?)
        };
        let now = context.now();
        let mut keys = Vec::new();
        for row in unexpired(&rows, life, now) {
            let from = Timestamp::from_micros(row.signs_from);
            keys.push(TokenKey::new(TokenSigner::unseal(row, sealing, path)?, from));
        }
        let mut keys = keys.into_iter();
        let newest = keys.next().ok_or(SignerError::Damaged)?;
        Ok(Self { newest, older: keys.collect() })
    }

    /// Returns all keys, newest first.
    pub fn keys(&self) -> impl Iterator<Item = &TokenKey> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    /// Returns the newest key, which may not sign yet.
    pub fn newest(&self) -> &TokenSigner {
        &self.newest.signer
    }

    /// Returns the key that signs at `now`.
    pub fn signing_at(&self, now: Timestamp) -> &TokenKey {
        self.keys().find(|key| key.from <= now).or(self.older.last()).unwrap_or(&self.newest)
    }

    /// Returns the key with this id.
    pub fn find(&self, kid: &str) -> Option<&TokenKey> {
        self.keys().find(|key| key.signer.kid == kid)
    }

    /// Returns the public halves as a JWK set (RFC 7517), with the current key first.
    pub fn jwks(&self, now: Timestamp) -> serde_json::Value {
        let signing = self.signing_at(now);
        let others = self.keys().filter(|key| key.signer.kid != signing.signer.kid);
        let keys: Vec<_> = std::iter::once(signing).chain(others).map(|key| key.signer.jwk()).collect();
        serde_json::json!({ "keys": keys })
    }
}

/// Returns the rows, newest first, up to the last one that may have a valid token, if tokens live at most `life`
/// seconds. A key signs until the next one starts.
pub(super) fn unexpired(rows: &[SigningKeyRow], life: i64, now: Timestamp) -> &[SigningKeyRow] {
    let is_alive = |next: &SigningKeyRow| Timestamp::from_micros(next.signs_from).plus_seconds(life) > now;
    let end = rows.iter().position(|next| !is_alive(next)).map_or(rows.len(), |at| at + 1);
    &rows[..end.min(rows.len())]
}

/// The keys of this process, as last read.
pub(super) struct SigningKeyRing {
    context: Context,
    sealing: EncryptionKey,
    set: RwLock<Arc<KeySet>>,
    /// The time of the last read, on the steady clock.
    read_at: AtomicU64,
    /// The number of times that a key was removed.
    removed: AtomicU64,
    changed: Notify,
    /// Serializes reads, so that a read that began earlier does not end later.
    load_lock: Mutex<()>,
}

impl SigningKeyRing {
    pub fn new(context: Context, sealing: EncryptionKey, set: KeySet) -> Self {
        let read_at = AtomicU64::new(context.clock.monotonic_micros());
        Self {
            context,
            sealing,
            set: RwLock::new(Arc::new(set)),
            read_at,
            removed: AtomicU64::new(0),
            changed: Notify::new(),
            load_lock: Mutex::new(()),
        }
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    pub fn sealing(&self) -> &EncryptionKey {
        &self.sealing
    }

    pub fn current(&self) -> Arc<KeySet> {
        self.set.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the number of times that a key was removed. Code that caches verified signatures reads this number first
    /// and then the keys. Its entries are valid while the number stays the same.
    pub fn removed(&self) -> u64 {
        self.removed.load(Ordering::Acquire)
    }

    /// Reads the keys again.
    ///
    /// # Errors
    /// If the database cannot be read, or contains a key that the key file does not decrypt.
    pub async fn reload(&self) -> Result<Arc<KeySet>, Error> {
        let _turn = self.load_lock.lock().await;
        self.load().await
    }

    async fn load(&self) -> Result<Arc<KeySet>, Error> {
        let at = self.context.clock.monotonic_micros();
        let set = KeySet::load(&self.context, &self.sealing, Path::new("")).await.map_err(|error| match error {
            SignerError::Service(error) => error,
            // The messages name a key file, and the path of the file is not known here.
            _ => Error::Internal("a signing key in the database cannot be decrypted"),
        })?;
        let set = Arc::new(set);
        let before = std::mem::replace(&mut *self.set.write().unwrap_or_else(PoisonError::into_inner), set.clone());
        if before.keys().any(|key| set.find(&key.signer.kid).is_none()) {
            self.removed.fetch_add(1, Ordering::Release);
        }
        self.read_at.store(at, Ordering::Release);
        Ok(set)
    }

    /// Returns the keys, at most a minute old.
    ///
    /// # Errors
    /// [`Error::Busy`] if they cannot be read: a node must not publish outdated keys.
    pub async fn fresh(&self) -> Result<Arc<KeySet>, Error> {
        if self.is_fresh() {
            return Ok(self.current());
        }
        let _turn = self.load_lock.lock().await;
        if self.is_fresh() {
            // Another caller has read them meanwhile.
            return Ok(self.current());
        }
        self.load().await.map_err(|error| {
            tracing::warn!(error = %ErrorChain(&error), "tokens.keys_not_read");
            Error::Busy
        })
    }

    fn is_fresh(&self) -> bool {
        self.context.clock.monotonic_micros().saturating_sub(self.read_at.load(Ordering::Acquire)) <= AGE_MAX
    }

    /// Records that the keys have changed.
    pub fn notify_changed(&self) {
        self.changed.notify_one();
    }

    /// Waits until the keys have changed.
    pub async fn wait_for_change(&self) {
        self.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(from: i64) -> SigningKeyRow {
        let signs_from = Timestamp::from_seconds(from).micros();
        let purpose = "access_tokens".to_owned();
        SigningKeyRow { id: uuid::Uuid::nil(), purpose, generation: 1, public_key: vec![], sealed: vec![], signs_from }
    }

    /// A key lives until the last token that it can have signed has expired: one token lifetime after the next key
    /// starts to sign.
    #[test]
    fn a_key_is_kept_for_as_long_as_a_token_of_it_can_live() {
        let rows = [row(300), row(200), row(100)];
        for (now, kept) in [(0, 3), (150, 3), (299, 3), (300, 2), (399, 2), (400, 1), (9_999, 1)] {
            assert_eq!(unexpired(&rows, 100, Timestamp::from_seconds(now)).len(), kept, "{now}");
        }
        assert_eq!(unexpired(&[], 100, Timestamp::from_seconds(0)).len(), 0);
    }
}
