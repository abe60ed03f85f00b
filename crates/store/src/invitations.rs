//! Project invitations, stored by the SHA-256 of the code in the link.

use super::{Engine, Error, Tx, with_engine};
use uuid::Uuid;

/// An open invitation: not used, not withdrawn, and not expired.
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

/// An invitation to insert.
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

/// Returns the open invitations of a project, newest first.
pub async fn open(conn: &mut Engine<'_>, project: Uuid, now: i64) -> Result<Vec<InvitationRow>, Error> {
    const SQL: &str = select_open!("project_id = $1 ORDER BY created_at DESC, id DESC");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(project).bind(now).fetch_all(c).await?))
}

/// Returns the open invitation whose code has this digest.
pub async fn by_digest(conn: &mut Engine<'_>, digest: &[u8; 32], now: i64) -> Result<Option<InvitationRow>, Error> {
    const SQL: &str = select_open!("digest = $1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).bind(now).fetch_optional(c).await?))
}

/// Returns the open invitation with this id.
pub async fn by_id(conn: &mut Engine<'_>, id: Uuid, now: i64) -> Result<Option<InvitationRow>, Error> {
    const SQL: &str = select_open!("id = $1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(id).bind(now).fetch_optional(c).await?))
}

/// Inserts an invitation.
pub async fn insert(tx: &mut Tx<'_>, new: &NewInvitation) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO invitations (id, digest, project_id, role, email, invited_by, invited_by_name, created_at, \
        expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    with_engine!(tx, c => {
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

/// Marks an invitation as used. Returns `false` if it is no longer open.
pub async fn mark_used(tx: &mut Tx<'_>, id: Uuid, user: Uuid, now: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE invitations SET used_at = $3, used_by = $2 \
        WHERE id = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $3";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(user).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Withdraws an invitation. Returns `false` if it is already used or withdrawn.
pub async fn withdraw(tx: &mut Tx<'_>, id: Uuid, now: i64) -> Result<bool, Error> {
    const SQL: &str =
        "UPDATE invitations SET withdrawn_at = $2 WHERE id = $1 AND used_at IS NULL AND withdrawn_at IS NULL";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Withdraws every open invitation that a user created for a project. Returns the number of withdrawn invitations.
pub async fn withdraw_by_inviter(tx: &mut Tx<'_>, project: Uuid, by: Uuid, now: i64) -> Result<u64, Error> {
    const SQL: &str = "UPDATE invitations SET withdrawn_at = $3 \
        WHERE project_id = $1 AND invited_by = $2 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $3";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(project).bind(by).bind(now).execute(c).await?.rows_affected()))
}

/// Withdraws every open invitation that a user created, in all projects. Returns the number of withdrawn invitations.
pub async fn withdraw_all_by_inviter(tx: &mut Tx<'_>, by: Uuid, now: i64) -> Result<u64, Error> {
    const SQL: &str = "UPDATE invitations SET withdrawn_at = $2 \
        WHERE invited_by = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(by).bind(now).execute(c).await?.rows_affected()))
}

/// Withdraws every open invitation to this address for a project. Returns the number of withdrawn invitations.
pub async fn withdraw_by_email(tx: &mut Tx<'_>, project: Uuid, email: &str, now: i64) -> Result<u64, Error> {
    const SQL: &str = "UPDATE invitations SET withdrawn_at = $3 \
        WHERE project_id = $1 AND email = $2 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $3";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(project).bind(email).bind(now).execute(c).await?.rows_affected()))
}

/// Clears the email address of an invitation whose link was shown instead of mailed: the link then does not confirm the
/// address.
pub async fn clear_email(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Error> {
    const SQL: &str = "UPDATE invitations SET email = NULL WHERE id = $1";
    with_engine!(tx, c => { sqlx::query(SQL).bind(id).execute(c).await?; });
    Ok(())
}

/// Deletes invitations that expired before `before`, at most `limit`. Returns the number of deleted rows.
pub async fn sweep(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at < $1 LIMIT $2)";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(before).bind(limit).execute(c).await?.rows_affected()))
}
