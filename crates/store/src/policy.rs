//! The instance policy, stored in one row.

use super::{Engine, Error, Tx, with_engine};
use keyward_domain::policy::Policy;
use uuid::Uuid;

/// The policy's row.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PolicyRow {
    /// Days.
    pub key_life_max: Option<i64>,
    pub may_never_expire: bool,
    /// Seconds.
    pub token_life_max: i64,
    /// `closed`, `invite` or `open`.
    pub sign_up: String,
    pub keys_per_project: Option<i64>,
    /// `nobody`, `administrators` or `everybody`.
    pub second_factor: String,
}

impl TryFrom<PolicyRow> for Policy {
    type Error = Error;

    fn try_from(row: PolicyRow) -> Result<Self, Error> {
        const CORRUPT: Error = Error::Corrupt("policy");
        let number = |it: Option<i64>| it.map(u32::try_from).transpose().map_err(|_| CORRUPT);
        Ok(Self {
            key_life_max: number(row.key_life_max)?,
            may_never_expire: row.may_never_expire,
            token_life_max: row.token_life_max,
            sign_up: row.sign_up.parse().map_err(|_| CORRUPT)?,
            keys_per_project: number(row.keys_per_project)?,
            second_factor: row.second_factor.parse().map_err(|_| CORRUPT)?,
        })
    }
}

impl From<&Policy> for PolicyRow {
    fn from(policy: &Policy) -> Self {
        Self {
            key_life_max: policy.key_life_max.map(i64::from),
            may_never_expire: policy.may_never_expire,
            token_life_max: policy.token_life_max,
            sign_up: policy.sign_up.as_str().to_owned(),
            keys_per_project: policy.keys_per_project.map(i64::from),
            second_factor: policy.second_factor.as_str().to_owned(),
        }
    }
}

/// Returns the policy.
pub async fn get(conn: &mut Engine<'_>) -> Result<PolicyRow, Error> {
    const SQL: &str = "SELECT key_life_max, may_never_expire, token_life_max, sign_up, keys_per_project, second_factor \
        FROM policy WHERE id = 1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).fetch_one(c).await?))
}

/// Locks a project's row until commit, which serializes transactions that count its keys before they insert one. SQLite
/// needs no lock because it has one writer.
pub async fn lock_project(tx: &mut Tx<'_>, project: Uuid) -> Result<(), Error> {
    const SQL: &str = "SELECT 1 FROM projects WHERE id = $1 FOR UPDATE";
    if let Engine::Postgres(c) = tx.reborrow() {
        sqlx::query(SQL).bind(project).execute(c).await?;
    }
    Ok(())
}

/// Locks the policy's row until commit, so that of two concurrent changes the second starts from the result of the
/// first.
pub async fn lock(tx: &mut Tx<'_>) -> Result<(), Error> {
    const SQL: &str = "SELECT 1 FROM policy WHERE id = 1 FOR UPDATE";
    if let Engine::Postgres(c) = tx.reborrow() {
        sqlx::query(SQL).execute(c).await?;
    }
    Ok(())
}

/// The number of objects that a new policy would affect. Each count assumes that only its rule changes. `crowded` and
/// `administrators` are exact; the others go up to [`COUNT_MAX`](keyward_domain::count::COUNT_MAX) + 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AffectedCounts {
    /// Keys that are not deleted and expire after the given time.
    pub longer: i64,
    /// Keys that are not deleted and never expire.
    pub endless: i64,
    /// Projects whose maximum token lifetime exceeds the given seconds.
    pub tokens: i64,
    /// Projects with more keys that are not deleted than the given number.
    pub crowded: i64,
    /// Administrators who can sign in.
    pub administrators: i64,
    /// Users who can sign in.
    pub people: i64,
}

/// Counts the objects that a policy with these maximum lifetimes and this number of keys would affect.
pub async fn count_affected(
    conn: &mut Engine<'_>,
    end: i64,
    token_life: i64,
    keys: i64,
) -> Result<AffectedCounts, Error> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM keys WHERE deleted_at IS NULL \
        AND COALESCE(expires_at, 9223372036854775807) > $1 AND COALESCE(expires_at, 9223372036854775807) < 9223372036854775807 \
        LIMIT 10001) AS long_ones) AS longer, \
        (SELECT COUNT(*) FROM (SELECT 1 FROM keys WHERE deleted_at IS NULL \
        AND COALESCE(expires_at, 9223372036854775807) = 9223372036854775807 LIMIT 10001) AS endless_ones) AS endless, \
        (SELECT COUNT(*) FROM (SELECT 1 FROM projects WHERE token_life_max > $2 LIMIT 10001) AS lasting_ones) AS tokens, \
        (SELECT COUNT(*) FROM (SELECT project_id FROM keys WHERE deleted_at IS NULL GROUP BY project_id HAVING COUNT(*) > $3) AS full_ones) \
        AS crowded, (SELECT COUNT(*) FROM users WHERE admin AND active) AS administrators, \
        (SELECT COUNT(*) FROM (SELECT 1 FROM users WHERE active LIMIT 10001) AS active_ones) AS people";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(end).bind(token_life).bind(keys).fetch_one(c).await?))
}

/// Overwrites the policy.
pub async fn set(tx: &mut Tx<'_>, policy: &PolicyRow) -> Result<(), Error> {
    const SQL: &str = "UPDATE policy SET key_life_max = $1, may_never_expire = $2, token_life_max = $3, sign_up = $4, \
        keys_per_project = $5, second_factor = $6, \
        token_life_ever = CASE WHEN token_life_ever < $3 THEN $3 ELSE token_life_ever END WHERE id = 1";
    with_engine!(tx, c => {
        sqlx::query(SQL)
            .bind(policy.key_life_max)
            .bind(policy.may_never_expire)
            .bind(policy.token_life_max)
            .bind(&policy.sign_up)
            .bind(policy.keys_per_project)
            .bind(&policy.second_factor)
            .execute(c)
            .await?;
    });
    Ok(())
}
