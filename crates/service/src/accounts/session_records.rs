//! Stored sessions: the reads and writes of the site's session store.
//!
//! [`start_session`](super::start_session) creates them, and [`super::sessions`] lists them for their user.

use crate::{Context, Error};
use keyward_domain::time::Timestamp;
use keyward_store::{self as store, write_queue::WriteOutcome};

/// A stored session.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// The values of the session, as JSON.
    pub data: String,
    pub expires_at: Timestamp,
}

/// Returns the session with this digest if it has not expired.
///
/// # Errors
/// If the database cannot be read.
pub async fn find_session(context: &Context, digest: &[u8; 32]) -> Result<Option<StoredSession>, Error> {
    let mut reader = context.pool.acquire_reader().await?;
    let row = store::sessions::by_digest(&mut reader.conn(), digest, context.now().micros()).await?;
    Ok(row.map(|row| StoredSession { data: row.data, expires_at: Timestamp::from_micros(row.expires_at) }))
}

/// Replaces the values of a session. `seen`: the time of its last request.
///
/// # Errors
/// If the database cannot be written.
pub async fn update_session(
    context: &Context,
    digest: [u8; 32],
    data: String,
    seen: Option<Timestamp>,
    expires_at: Timestamp,
) -> Result<(), Error> {
    let (seen, end) = (seen.map(Timestamp::micros), expires_at.micros());
    let write = context.queue.write(move |tx| {
        let data = data.clone();
        Box::pin(async move {
            store::sessions::update(tx, &digest, &data, seen, end).await?;
            Ok::<_, Error>(WriteOutcome::unaudited(()))
        })
    });
    write.await
}

/// Deletes a session: the user signed out.
///
/// # Errors
/// If the database cannot be written.
pub async fn delete_session(context: &Context, digest: [u8; 32]) -> Result<(), Error> {
    let write = context.queue.write(move |tx| {
        Box::pin(async move {
            store::sessions::delete(tx, &digest).await?;
            Ok::<_, Error>(WriteOutcome::unaudited(()))
        })
    });
    write.await
}
