//! Signing keys: one Ed25519 key for each purpose, generated once and stored in the database, encrypted with the key
//! file. Access tokens can use an RSA key instead.

mod rsa;
mod token;

pub use rsa::RsaSigner;
pub use token::TokenSigner;
pub(super) use token::{alg_of, new_token_row};

use super::tokens::KeySet;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use keyward_config::{KeyFile, TokenAlg};
use keyward_core::{
    Context, Error,
    encryption_at_rest::{EncryptionKey, KeyFileError, create_key_file},
};
use keyward_domain::time::Timestamp;
use keyward_store::{self as store, signing_keys::SigningKeyRow, write_queue::WriteOutcome};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// The purpose of the key that signs access tokens.
pub(super) const ACCESS_TOKENS: &str = "access_tokens";
/// The purpose of the RS256 keys that sign access tokens.
const ACCESS_TOKENS_RS256: &str = "access_tokens_rs256";
/// The purposes of all keys that sign access tokens. They form one sequence, regardless of the algorithm.
pub(super) const TOKEN_KEYS: [&str; 2] = [ACCESS_TOKENS, ACCESS_TOKENS_RS256];
/// The purpose of the key that signs the checkpoints of the audit log.
pub const AUDIT_LOG: &str = "audit_log";
/// Bytes of an Ed25519 seed.
const SEED: usize = 32;

/// The reason why no signing key is available. Each message is one sentence with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    #[error(
        "the key file {0} is missing, and the database contains a signing key that only this file can decrypt; \
         restore the file from a backup, or set its path with --key-file (KEYWARD_KEY_FILE). Do not create a new one"
    )]
    Missing(PathBuf),
    #[error("the key file {0} does not exist; create it once with: keyward admin create-key-file {0}")]
    NotCreated(PathBuf),
    #[error(
        "the key file {0} belongs to another database: it cannot decrypt this database's signing key; restore the file that \
         belongs to this database, or set its path with --key-file (KEYWARD_KEY_FILE). Do not create a new one"
    )]
    Wrong(PathBuf),
    #[error(
        "the key file {0} is damaged: it does not contain 32 bytes in base64, and the database contains a signing key that only \
         the original file can decrypt; restore the file from a backup. Do not create a new one"
    )]
    DamagedFile(PathBuf),
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// Without a cause: the cryptographic library reports no details of a failure, and the error of a parser could quote
    /// the key.
    #[error("the signing key in the database is damaged; restore the database from a backup")]
    Damaged,
    #[error(transparent)]
    Service(#[from] Error),
}

impl From<store::Error> for SignerError {
    fn from(error: store::Error) -> Self {
        Self::Service(error.into())
    }
}

/// Signs with a decrypted Ed25519 key.
#[derive(Clone)]
pub struct Signer {
    /// The key id (RFC 7517 `kid`).
    pub kid: String,
    /// The raw public key.
    pub public: [u8; 32],
    pair: Arc<Ed25519KeyPair>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.kid)
    }
}

/// All keys that the key file decrypts.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// Encrypts other sensitive values in the database: the secrets of second factors.
    pub sealing: EncryptionKey,
    /// The keys that sign access tokens.
    pub tokens: KeySet,
    /// Signs the checkpoints of the audit log.
    pub log: Signer,
}

impl Keyring {
    /// Decrypts this database's signing keys, and generates missing ones (and on SQLite the key file). Nodes that start
    /// at the same time create one key for each purpose; the second node uses the key of the first.
    ///
    /// # Errors
    /// A sentence that states the problem with the key file. Never creates a second signing key for the same purpose.
    pub async fn open(context: &Context, file: &KeyFile) -> Result<Self, SignerError> {
        Self::open_for(context, file, TokenAlg::default()).await
    }

    /// Same as [`Keyring::open`]. If there is no key for access tokens, the first one gets this algorithm. Existing
    /// keys stay unchanged.
    ///
    /// # Errors
    /// Same as [`Keyring::open`].
    pub async fn open_for(context: &Context, file: &KeyFile, alg: TokenAlg) -> Result<Self, SignerError> {
        let has_token_key = newest_token_key(context).await?.is_some();
        let sealing = if has_token_key {
            load_existing_key_file(&file.path)?
        } else {
            if file.can_create {
                create_key_file(&file.path, &*context.random)?;
            }
            EncryptionKey::load(&file.path)?.ok_or_else(|| SignerError::NotCreated(file.path.clone()))?
        };
        if !has_token_key {
            insert_first(context, new_token_row(context, &sealing, alg, context.now()).await?, TOKEN_KEYS.to_vec())
                .await?;
        }
        let tokens = KeySet::load(context, &sealing, &file.path).await?;
        let log = Signer::open(context, AUDIT_LOG, &sealing, &file.path).await?;
        Ok(Self { sealing, tokens, log })
    }
}

impl Signer {
    /// Returns the key of a purpose, and generates it if there is none.
    async fn open(
        context: &Context,
        purpose: &'static str,
        sealing: &EncryptionKey,
        path: &Path,
    ) -> Result<Self, SignerError> {
        if let Some(row) = newest(context, purpose).await? {
            return Self::unseal(&row, sealing, path);
        }
        insert_first(context, new_row(context, sealing, purpose, context.now())?, vec![purpose]).await?;
        let row = newest(context, purpose).await?.ok_or(SignerError::Damaged)?;
        Self::unseal(&row, sealing, path)
    }

    fn unseal(row: &SigningKeyRow, sealing: &EncryptionKey, path: &Path) -> Result<Self, SignerError> {
        let seed = sealing.decrypt(row.id, &row.sealed).ok_or_else(|| SignerError::Wrong(path.to_owned()))?;
        let pair =
            Ed25519KeyPair::from_seed_and_public_key(&seed, &row.public_key).map_err(|_| SignerError::Damaged)?;
        let public = row.public_key.as_slice().try_into().map_err(|_| SignerError::Damaged)?;
        Ok(Self { kid: row.id.to_string(), public, pair: Arc::new(pair) })
    }

    /// Signs a message. The signature has 64 bytes (RFC 8032).
    pub fn sign(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        self.pair.sign(message)
    }
}

/// Reads the key file of a database that requires it.
///
/// # Errors
/// If the file is missing or damaged. The message never advises to create another file.
pub fn load_existing_key_file(path: &Path) -> Result<EncryptionKey, SignerError> {
    match EncryptionKey::load(path) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => Err(SignerError::Missing(path.to_owned())),
        Err(KeyFileError::Unreadable(path)) => Err(SignerError::DamagedFile(path)),
        Err(error) => Err(error.into()),
    }
}

async fn newest(context: &Context, purpose: &str) -> Result<Option<SigningKeyRow>, SignerError> {
    let mut reader = context.pool.acquire_reader().await?;
    Ok(store::signing_keys::newest(&mut reader.conn(), purpose).await?)
}

async fn newest_token_key(context: &Context) -> Result<Option<SigningKeyRow>, SignerError> {
    let mut reader = context.pool.acquire_reader().await?;
    Ok(store::signing_keys::newest_of(&mut reader.conn(), TOKEN_KEYS).await?)
}

/// Generates an Ed25519 key that signs from `from`, and encrypts its private half.
///
/// # Errors
/// [`SignerError::Damaged`] if the cryptographic library fails.
fn new_row(
    context: &Context,
    sealing: &EncryptionKey,
    purpose: &str,
    from: Timestamp,
) -> Result<SigningKeyRow, SignerError> {
    let mut seed = Zeroizing::new([0; SEED]);
    context.random.fill(seed.as_mut());
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|_| SignerError::Damaged)?;
    sealed_row(context, sealing, purpose, seed.as_ref(), pair.public_key().as_ref().to_vec(), from)
}

/// Builds the first row of a purpose, with the private half encrypted.
fn sealed_row(
    context: &Context,
    sealing: &EncryptionKey,
    purpose: &str,
    private: &[u8],
    public_key: Vec<u8>,
    from: Timestamp,
) -> Result<SigningKeyRow, SignerError> {
    let id = context.new_id();
    let sealed = sealing.encrypt(id, private, &*context.random).map_err(|_| SignerError::Damaged)?;
    Ok(SigningKeyRow { id, purpose: purpose.to_owned(), generation: 1, public_key, sealed, signs_from: from.micros() })
}

/// Inserts a key, unless a key of one of these purposes exists because another node inserted it first.
async fn insert_first(context: &Context, row: SigningKeyRow, purposes: Vec<&'static str>) -> Result<(), SignerError> {
    let now = context.now();
    let write = context.queue.write(move |tx| {
        let (row, purposes) = (row.clone(), purposes.clone());
        Box::pin(async move {
            for purpose in purposes {
                if store::signing_keys::newest(tx, purpose).await?.is_some() {
                    return Ok(WriteOutcome::unaudited(()));
                }
            }
            if !store::signing_keys::insert(tx, &row, now.micros()).await? {
                return Ok(WriteOutcome::unaudited(()));
            }
            let event = keyward_core::actor::Actor::System(Default::default()).event(
                now,
                "signing_key.created",
                format!("signing_key:{}", row.id),
                &row.purpose,
            );
            Ok::<_, Error>(WriteOutcome::audited((), event))
        })
    });
    Ok(write.await?)
}
