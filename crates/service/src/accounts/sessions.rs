//! Sessions of a user: list and end. The session store creates and loads them.

use super::{Accounts, user_agent::describe_user_agent};
use crate::{
    Error,
    actor::{Actor, Caller},
    time_format::moment_from_micros,
};
use keyward_domain::security::{SecondFactorState, Security, SessionView};
use keyward_store::{self as store, sessions::ListedSessionRow, write_queue::WriteOutcome};
use uuid::Uuid;

/// Parses a session handle into the digest that it encodes.
fn digest(handle: &str) -> Option<[u8; 32]> {
    hex::decode(handle).ok()?.try_into().ok()
}

impl Accounts {
    /// Returns the data of the user's security page. `here`: the digest of the current session.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "accounts.security", skip_all)]
    pub async fn security(&self, caller: &Caller, here: Option<[u8; 32]>) -> Result<Security, Error> {
        let (user, now): (Uuid, _) = (caller.user.into(), self.context.now());
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let row = store::accounts::by_id(&mut conn, user).await?.ok_or(Error::NotFound)?;
        let second_factor = match store::second_factors::find_by_user(&mut conn, user).await? {
            Some(factor) => Some(SecondFactorState {
                since: moment_from_micros(factor.created_at, &caller.zone),
                codes_left: u32::try_from(store::second_factors::codes_left(&mut conn, user).await?).unwrap_or(0),
            }),
            None => None,
        };
        let policy = crate::policy::load(&mut conn).await?;
        let rows = store::sessions::list_by_user(&mut conn, user, now.micros()).await?;
        let view = |row: ListedSessionRow| SessionView {
            here: here.is_some_and(|here| here == *row.id_digest),
            handle: hex::encode(&row.id_digest),
            device: describe_user_agent(row.agent.as_deref()),
            ip: row.ip,
            since: moment_from_micros(row.created_at, &caller.zone),
            seen: moment_from_micros(row.seen_at.unwrap_or(row.created_at), &caller.zone),
        };
        let mut sessions: Vec<_> = rows.into_iter().map(view).collect();
        sessions.sort_by_key(|session| !session.here);
        Ok(Security {
            has_password: !row.password_hash.is_empty(),
            second_factor,
            is_second_factor_required: policy.second_factor.is_required_for(caller.admin),
            sessions,
            provider: self.sign_in_methods().await?.provider,
            linked: store::identities::has_any(&mut conn, user).await?,
            now,
        })
    }

    /// Ends one of the user's own sessions.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the session does not exist or belongs to another user.
    #[tracing::instrument(name = "accounts.end_session", skip_all)]
    pub async fn end_session(&self, caller: &Caller, handle: &str) -> Result<(), Error> {
        let digest = digest(handle).ok_or(Error::NotFound)?;
        let (user, now): (Uuid, _) = (caller.user.into(), self.context.now());
        let actor = Actor::User(caller.clone());
        let event = actor.event(now, "session.ended", format!("user:{user}"), &caller.name);
        let write = self.context.queue.write(move |tx| {
            let event = event.clone();
            Box::pin(async move {
                let all = store::sessions::list_by_user(tx, user, now.micros()).await?;
                let row = all.into_iter().find(|row| *row.id_digest == digest).ok_or(Error::NotFound)?;
                if !store::sessions::delete_by_user(tx, user, &digest).await? {
                    return Err(Error::NotFound);
                }
                let detail = serde_json::json!({"device": describe_user_agent(row.agent.as_deref()), "ip": row.ip});
                Ok(WriteOutcome::audited((), event.with_detail(detail)))
            })
        });
        write.await
    }

    /// Ends all sessions of the user except the current one.
    ///
    /// # Errors
    /// If the database rejects the write.
    #[tracing::instrument(name = "accounts.end_other_sessions", skip_all)]
    pub async fn end_other_sessions(&self, caller: &Caller, here: [u8; 32]) -> Result<(), Error> {
        let user: Uuid = caller.user.into();
        let actor = Actor::User(caller.clone());
        let event = actor.event(self.context.now(), "sessions.ended", format!("user:{user}"), &caller.name);
        let write = self.context.queue.write(move |tx| {
            let event = event.clone();
            Box::pin(async move {
                let ended = store::sessions::delete_others(tx, user, &here).await?;
                Ok::<_, Error>(WriteOutcome::audited((), event.with_detail(serde_json::json!({"ended": ended}))))
            })
        });
        write.await
    }
}
