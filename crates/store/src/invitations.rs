//! Invitations into a project, by the SHA-256 of the code in the link.

use super::{Conn, Error, Tx, on};
use uuid::Uuid;

/// An invitation that still works.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct InvitationRow {
    pub id: Uuid,
    pub project_id: Uuid,
    pub role: String,
    pub email: Option<String>,
    pub invited_by: Option<Uuid>,
    pub invited_by_name: String,
    pub created_at: i64,
    pub expires_at: i64,
}

/// An invitation that is to be.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    pub row: InvitationRow,
    pub digest: [u8; 32],
}

macro_rules! select_open {
    ($rest:literal) => {
        concat!(
            "SELECT id, project_id, role, email, invited_by, invited_by_name, created_at, expires_at FROM invitations \
             WHERE used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2 AND ",
            $rest
        )
    };
}

/// The open invitations of a project, the newest first.
pub async fn open(conn: &mut Conn<'_>, project: Uuid, now: i64) -> Result<Vec<InvitationRow>, Error> {
    const SQL: &str = select_open!("project_id = $1 ORDER BY created_at DESC, id DESC");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(project).bind(now).fetch_all(c).await?))
}

/// The open invitation whose code has this digest.
pub async fn by_digest(conn: &mut Conn<'_>, digest: &[u8; 32], now: i64) -> Result<Option<InvitationRow>, Error> {
    const SQL: &str = select_open!("digest = $1");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).bind(now).fetch_optional(c).await?))
}

/// The open invitation with this id.
pub async fn by_id(conn: &mut Conn<'_>, id: Uuid, now: i64) -> Result<Option<InvitationRow>, Error> {
    const SQL: &str = select_open!("id = $1");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(id).bind(now).fetch_optional(c).await?))
}

/// Inserts an invitation.
pub async fn insert(tx: &mut Tx<'_>, new: &NewInvitation) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO invitations (id, digest, project_id, role, email, invited_by, invited_by_name, created_at, \
        expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    on!(tx, c => {
        sqlx::query(SQL)
            .bind(new.row.id)
            .bind(new.digest.as_slice())
            .bind(new.row.project_id)
            .bind(&new.row.role)
            .bind(&new.row.email)
            .bind(new.row.invited_by)
            .bind(&new.row.invited_by_name)
            .bind(new.row.created_at)
            .bind(new.row.expires_at)
            .execute(c)
            .await?;
    });
    Ok(())
}

/// Uses an invitation up. `false`: it does not work any more.
pub async fn take(tx: &mut Tx<'_>, id: Uuid, user: Uuid, now: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE invitations SET used_at = $3, used_by = $2 \
        WHERE id = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $3";
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(user).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Withdraws an invitation. `false`: it does not work any more.
pub async fn withdraw(tx: &mut Tx<'_>, id: Uuid, now: i64) -> Result<bool, Error> {
    const SQL: &str =
        "UPDATE invitations SET withdrawn_at = $2 WHERE id = $1 AND used_at IS NULL AND withdrawn_at IS NULL";
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Withdraws every open invitation into a project that somebody made, and says how many those were.
pub async fn withdraw_of(tx: &mut Tx<'_>, project: Uuid, by: Uuid, now: i64) -> Result<u64, Error> {
    const SQL: &str = "UPDATE invitations SET withdrawn_at = $3 \
        WHERE project_id = $1 AND invited_by = $2 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $3";
    Ok(on!(tx, c => sqlx::query(SQL).bind(project).bind(by).bind(now).execute(c).await?.rows_affected()))
}

/// Withdraws every open invitation that somebody made, into whichever project, and says how many those were.
pub async fn withdraw_all_of(tx: &mut Tx<'_>, by: Uuid, now: i64) -> Result<u64, Error> {
    const SQL: &str = "UPDATE invitations SET withdrawn_at = $2 \
        WHERE invited_by = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2";
    Ok(on!(tx, c => sqlx::query(SQL).bind(by).bind(now).execute(c).await?.rows_affected()))
}

/// Withdraws every open invitation into a project that goes to this address, and says how many those were.
pub async fn withdraw_to(tx: &mut Tx<'_>, project: Uuid, email: &str, now: i64) -> Result<u64, Error> {
    const SQL: &str = "UPDATE invitations SET withdrawn_at = $3 \
        WHERE project_id = $1 AND email = $2 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $3";
    Ok(on!(tx, c => sqlx::query(SQL).bind(project).bind(email).bind(now).execute(c).await?.rows_affected()))
}

/// The link of an invitation was shown and not mailed: nobody has confirmed the address that it was meant for.
pub async fn was_shown(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Error> {
    const SQL: &str = "UPDATE invitations SET email = NULL WHERE id = $1";
    on!(tx, c => { sqlx::query(SQL).bind(id).execute(c).await?; });
    Ok(())
}

/// Removes invitations that ended before `before`, at most `limit`; says how many.
pub async fn sweep(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at < $1 LIMIT $2)";
    Ok(on!(tx, c => sqlx::query(SQL).bind(before).bind(limit).execute(c).await?.rows_affected()))
}
