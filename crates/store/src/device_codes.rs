//! Device authorizations (RFC 8628), stored by the SHA-256 of their device code and user code.

use super::{Engine, Error, Tx, decode_list, keys::encode_list, with_engine};
use uuid::Uuid;

/// A device authorization's row.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DeviceRow {
    digest: Vec<u8>,
    pub client_id: Uuid,
    scopes: String,
    /// `pending`, `allowed`, `denied` or `redeemed`.
    pub state: String,
    pub grant_id: Option<Uuid>,
    /// Polling interval in seconds.
    pub wait: i64,
    pub polled_at: Option<i64>,
    pub expires_at: i64,
}

impl DeviceRow {
    /// Returns the SHA-256 of the device code.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column does not contain a digest.
    pub fn digest(&self) -> Result<[u8; 32], Error> {
        self.digest.as_slice().try_into().map_err(|_| Error::Corrupt("digest of a device code"))
    }

    /// Returns the requested scopes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column does not contain a list of words.
    pub fn scopes(&self) -> Result<Vec<String>, Error> {
        decode_list(&self.scopes, "list of a device code's scopes")
    }
}

/// A device authorization to insert.
#[derive(Clone, Debug)]
pub struct NewDeviceRow {
    pub digest: [u8; 32],
    pub user_digest: [u8; 32],
    pub client_id: Uuid,
    pub scopes: Vec<String>,
    /// Polling interval in seconds.
    pub wait: i64,
    pub created_at: i64,
    pub expires_at: i64,
}

macro_rules! select_devices {
    ($rest:literal) => {
        concat!(
            "SELECT digest, client_id, scopes, state, grant_id, wait, polled_at, expires_at FROM device_codes WHERE ",
            $rest
        )
    };
}

/// Returns the device authorization with this device code.
pub async fn by_digest(conn: &mut Engine<'_>, digest: &[u8; 32]) -> Result<Option<DeviceRow>, Error> {
    const SQL: &str = select_devices!("digest = $1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).fetch_optional(c).await?))
}

/// Returns the pending device authorization with this user code.
pub async fn find_pending(conn: &mut Engine<'_>, user_digest: &[u8; 32], now: i64) -> Result<Option<DeviceRow>, Error> {
    const SQL: &str = select_devices!("user_digest = $1 AND state = 'pending' AND expires_at > $2");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(user_digest.as_slice()).bind(now).fetch_optional(c).await?))
}

/// Counts the pending device authorizations of a client.
pub async fn count(conn: &mut Engine<'_>, client: Uuid, now: i64) -> Result<i64, Error> {
    const SQL: &str =
        "SELECT COUNT(*) FROM device_codes WHERE client_id = $1 AND state = 'pending' AND expires_at > $2";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(client).bind(now).fetch_one(c).await?))
}

/// Inserts a pending device authorization. Returns `false` if the user code is in use.
pub async fn insert(tx: &mut Tx<'_>, new: &NewDeviceRow) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO device_codes (digest, user_digest, client_id, scopes, state, wait, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7) ON CONFLICT (user_digest) DO NOTHING";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(new.digest.as_slice())
        .bind(new.user_digest.as_slice())
        .bind(new.client_id)
        .bind(encode_list(&new.scopes))
        .bind(new.wait)
        .bind(new.created_at)
        .bind(new.expires_at)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Records an accepted poll. The polling interval starts again.
pub async fn record_poll(tx: &mut Tx<'_>, digest: &[u8; 32], now: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE device_codes SET polled_at = $2 WHERE digest = $1";
    with_engine!(tx, c => { sqlx::query(SQL).bind(digest.as_slice()).bind(now).execute(c).await?; });
    Ok(())
}

/// Sets the polling interval, in seconds, after a rejected poll. The time of the last poll stays unchanged.
pub async fn slow_down(tx: &mut Tx<'_>, digest: &[u8; 32], wait: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE device_codes SET wait = $2 WHERE digest = $1";
    with_engine!(tx, c => { sqlx::query(SQL).bind(digest.as_slice()).bind(wait).execute(c).await?; });
    Ok(())
}

/// Moves a device authorization from one state to another and sets its grant. Returns `false` if it is not in the state
/// `from`.
pub async fn set_state(
    tx: &mut Tx<'_>,
    digest: &[u8; 32],
    from: &str,
    to: &str,
    grant: Option<Uuid>,
) -> Result<bool, Error> {
    const SQL: &str = "UPDATE device_codes SET state = $3, grant_id = $4 WHERE digest = $1 AND state = $2";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(digest.as_slice())
        .bind(from)
        .bind(to)
        .bind(grant)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Deletes device authorizations that expired before `before`, at most `limit`. Returns the number of deleted rows.
pub async fn sweep(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str =
        "DELETE FROM device_codes WHERE digest IN (SELECT digest FROM device_codes WHERE expires_at < $1 LIMIT $2)";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(before).bind(limit).execute(c).await?.rows_affected()))
}
