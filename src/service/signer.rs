//! What tokens are signed with: one Ed25519 key, made once, kept in the database sealed under the key file.

use super::{Error, Ground};
use crate::{
    config::KeyFile,
    store::{self, queue::Kept, signing_keys::SigningKeyRow},
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The purpose of the key that signs access tokens.
const ACCESS_TOKENS: &str = "access_tokens";
/// Bytes of the key file's key, and of an Ed25519 seed.
const KEY: usize = 32;

/// Why there is nothing to sign with. Each is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    #[error(
        "the key file {0} is missing, and the database holds a signing key that only it can open; \
         put the file back, or name it with --key-file (KEYWARD_KEY_FILE)"
    )]
    Missing(PathBuf),
    #[error("the key file {0} is not there; make it, once, with: keyward admin create-key-file {0}")]
    NotThere(PathBuf),
    #[error(
        "the key file {0} does not open this database's signing key; use the file that was made with this database"
    )]
    Wrong(PathBuf),
    #[error("the key file {0} is not 32 bytes in base64; make one with: keyward admin create-key-file {0}")]
    Unreadable(PathBuf),
    #[error("the key file {path} could not be used: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("the signing key in the database is damaged")]
    Damaged,
    #[error(transparent)]
    Service(#[from] Error),
}

impl From<store::Error> for SignerError {
    fn from(error: store::Error) -> Self {
        Self::Service(error.into())
    }
}

/// The key of a key file.
struct SealingKey(LessSafeKey);

impl SealingKey {
    fn read(path: &Path) -> Result<Option<Self>, SignerError> {
        let io = |source| SignerError::Io { path: path.to_owned(), source };
        let mut text = Zeroizing::new(String::new());
        match std::fs::File::open(path) {
            Ok(mut file) => file.read_to_string(&mut text).map_err(io)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io(e)),
        };
        let unreadable = || SignerError::Unreadable(path.to_owned());
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| unreadable())?);
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| unreadable())?;
        Ok(Some(Self(LessSafeKey::new(key))))
    }

    fn seal(&self, id: Uuid, seed: &[u8], nonce: [u8; NONCE_LEN]) -> Result<Vec<u8>, SignerError> {
        let mut sealed = Zeroizing::new(seed.to_vec());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(id.as_bytes()), &mut *sealed)
            .map_err(|_| SignerError::Damaged)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// `None`: sealed under another key, or for another row.
    fn open(&self, row: &SigningKeyRow) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = row.sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(row.id.as_bytes()), &mut sealed).ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }
}

/// Writes a new key file, readable by its owner alone. `false`: there is one already, and it was left as it is.
///
/// # Errors
/// If the file cannot be written.
pub fn create_key_file(path: &Path, random: &dyn super::random::Random) -> Result<bool, SignerError> {
    let io = |source| SignerError::Io { path: path.to_owned(), source };
    let mut key = Zeroizing::new([0; KEY]);
    random.fill(key.as_mut());
    let mut suffix = [0; 8];
    random.fill(&mut suffix);
    // Written whole under another name and then linked: nobody ever reads half a key, and none is overwritten.
    let draft = path.with_extension(format!("{:x}.new", u64::from_ne_bytes(suffix)));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft).map_err(io)?;
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(key.as_ref())));
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft).map_err(io)?;
    match linked {
        Ok(()) => {
            // The database row that needs the file survives a power cut; so must the file's name.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
            Ok(true)
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(io(e)),
    }
}

/// Signs with the unsealed key.
#[derive(Clone)]
pub struct Signer {
    /// RFC 7517 `kid`.
    pub kid: String,
    /// Raw public key.
    pub public: [u8; 32],
    pair: Arc<Ed25519KeyPair>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.kid)
    }
}

impl Signer {
    /// Unseals this database's signing key, and makes it (and on SQLite the key file) if the database has none. Nodes that
    /// start at once make one: whoever comes second takes the first one's.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the key file; never a second signing key.
    pub async fn open(ground: &Ground, file: &KeyFile) -> Result<Self, SignerError> {
        if let Some(row) = newest(ground).await? {
            let sealing = SealingKey::read(&file.path)?.ok_or_else(|| SignerError::Missing(file.path.clone()))?;
            return Self::unseal(&row, &sealing, &file.path);
        }
        if file.make {
            create_key_file(&file.path, &*ground.random)?;
        }
        let sealing = SealingKey::read(&file.path)?.ok_or_else(|| SignerError::NotThere(file.path.clone()))?;
        make(ground, &sealing).await?;
        let row = newest(ground).await?.ok_or(SignerError::Damaged)?;
        Self::unseal(&row, &sealing, &file.path)
    }

    fn unseal(row: &SigningKeyRow, sealing: &SealingKey, path: &Path) -> Result<Self, SignerError> {
        let seed = sealing.open(row).ok_or_else(|| SignerError::Wrong(path.to_owned()))?;
        let pair =
            Ed25519KeyPair::from_seed_and_public_key(&seed, &row.public_key).map_err(|_| SignerError::Damaged)?;
        let public = row.public_key.as_slice().try_into().map_err(|_| SignerError::Damaged)?;
        Ok(Self { kid: row.id.to_string(), public, pair: Arc::new(pair) })
    }

    /// The private key as PKCS#8, for the library that writes tokens.
    pub(super) fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SignerError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| SignerError::Damaged)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }
}

async fn newest(ground: &Ground) -> Result<Option<SigningKeyRow>, SignerError> {
    let mut reader = ground.pool.read().await?;
    Ok(store::signing_keys::newest(&mut reader.conn(), ACCESS_TOKENS).await?)
}

async fn make(ground: &Ground, sealing: &SealingKey) -> Result<(), SignerError> {
    let mut seed = Zeroizing::new([0; KEY]);
    ground.random.fill(seed.as_mut());
    let mut nonce = [0; NONCE_LEN];
    ground.random.fill(&mut nonce);
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|_| SignerError::Damaged)?;
    let id = ground.new_id();
    let row = SigningKeyRow {
        id,
        public_key: pair.public_key().as_ref().to_vec(),
        sealed: sealing.seal(id, seed.as_ref(), nonce)?,
    };
    let now = ground.now();
    let write = ground.queue.write(move |tx| {
        let row = row.clone();
        Box::pin(async move {
            if !store::signing_keys::insert_first(tx, ACCESS_TOKENS, &row, now.micros()).await? {
                return Ok(Kept::unrecorded(()));
            }
            let event = super::actor::Actor::System(Default::default()).event(
                now,
                "signing_key.created",
                format!("signing_key:{}", row.id),
                ACCESS_TOKENS,
            );
            Ok::<_, Error>(Kept::with((), event))
        })
    });
    Ok(write.await?)
}
