//! Encryption at rest with the key of the key file (AES-256-GCM), and message authentication codes.

use super::random::Random;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    fmt,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Derivation label of the HMAC key, so that one key does not serve two purposes.
const AUTHENTICATION: &[u8] = b"keyward authentication codes";
/// Length of the key in bytes.
const KEY: usize = 32;

/// Error of a key file. Each message is one sentence that tells the operator what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Without a cause, which could quote a part of the key.
    #[error(
        "the key file {0} is damaged: it does not contain 32 bytes in base64; restore it from a backup, or, if no database uses \
         it, remove it and create another with: keyward admin create-key-file {0}"
    )]
    Unreadable(PathBuf),
    #[error("the key file {path} could not be read or written: {source}")]
    Io { path: PathBuf, source: std::io::Error },
}

/// Encryption error. The library only rejects lengths that do not occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("encryption failed")]
pub struct EncryptionError;

/// The key of a key file, for AES-256-GCM. Each ciphertext is bound to the id of its row. Clones share the key.
#[derive(Clone)]
pub struct EncryptionKey(Arc<Keys>);

struct Keys {
    sealing: LessSafeKey,
    authentication: hmac::Key,
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

impl EncryptionKey {
    /// Reads the key file. `None` if it does not exist.
    ///
    /// # Errors
    /// [`KeyFileError`], if it cannot be read or is damaged.
    pub fn load(path: &Path) -> Result<Option<Self>, KeyFileError> {
        let io = |source| KeyFileError::Io { path: path.to_owned(), source };
        let mut text = Zeroizing::new(String::new());
        match std::fs::File::open(path) {
            Ok(mut file) => file.read_to_string(&mut text).map_err(io)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io(e)),
        };
        let unreadable = || KeyFileError::Unreadable(path.to_owned());
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| unreadable())?);
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| unreadable())?;
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), AUTHENTICATION);
        let authentication = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        Ok(Some(Self(Arc::new(Keys { sealing: LessSafeKey::new(key), authentication }))))
    }

    /// Encrypts a secret for the row with this id. The result is a new nonce, followed by the ciphertext with its tag.
    ///
    /// # Errors
    /// If the library rejects the input.
    pub fn encrypt(&self, id: Uuid, secret: &[u8], random: &dyn Random) -> Result<Vec<u8>, EncryptionError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = Zeroizing::new(secret.to_vec());
        self.0
            .sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(id.as_bytes()), &mut *sealed)
            .map_err(|_| EncryptionError)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts a secret. `None`: it was encrypted with another key or for another row.
    pub fn decrypt(&self, id: Uuid, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let length = self.0.sealing.open_in_place(nonce, Aad::from(id.as_bytes()), &mut sealed).ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }

    /// Computes a message authentication code (HMAC-SHA-256) for one purpose.
    pub fn compute_mac(&self, purpose: &[u8], data: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0.authentication, &message(purpose, data)).as_ref().to_vec()
    }

    /// Verifies a message authentication code in constant time.
    pub fn verify_mac(&self, purpose: &[u8], data: &[u8], code: &[u8]) -> bool {
        hmac::verify(&self.0.authentication, &message(purpose, data), code).is_ok()
    }
}

/// A purpose contains no zero byte, so the first zero byte separates it from the data.
fn message(purpose: &[u8], data: &[u8]) -> Vec<u8> {
    [purpose, &[0], data].concat()
}

/// Creates a key file that only its owner can read. Returns `false` if the file already exists; it is not changed.
///
/// # Errors
/// If the file cannot be written.
pub fn create_key_file(path: &Path, random: &dyn Random) -> Result<bool, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut key = Zeroizing::new([0; KEY]);
    random.fill(key.as_mut());
    let mut suffix = [0; 8];
    random.fill(&mut suffix);
    // Write the complete file under another name, then link it: no process reads a partial key, and no key is
    // overwritten.
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
            // The database row that depends on the file survives a power failure, so the directory entry must too.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
            Ok(true)
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(io(e)),
    }
}
