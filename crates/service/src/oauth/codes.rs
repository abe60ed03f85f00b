//! Redemption of authorization codes: once, within a minute, and only by the client that requested the code.

use super::{Consent, Denied, grant_revocation::revoke_grants, pkce};
use crate::{
    Error,
    actor::{Actor, Origin},
    one_time_tokens,
};
use keyward_domain::{
    consent::ClientName,
    ids::{GrantId, ProjectId, UserId},
    time::Timestamp,
};
use keyward_store::{
    self as store, Tx,
    authorization_codes::CodeRow,
    grants::GrantRow,
    write_queue::{WriteOutcome, serialize_change},
};

/// The parameters of a code redemption (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
#[derive(Clone, Copy, Debug)]
pub struct CodeRedemption<'a> {
    pub code: &'a str,
    /// `client_id`, as sent in the authorization request.
    pub client: &'a str,
    pub redirect_uri: &'a str,
    pub verifier: &'a str,
}

/// The grant data from which a token is issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    pub grant: GrantId,
    pub user: UserId,
    pub client: ClientName,
    pub project: ProjectId,
    pub scopes: Vec<String>,
    /// The token expires at this time at the latest.
    pub until: Timestamp,
    /// Maximum token lifetime of the project, in seconds.
    pub token_life_max: i64,
}

impl Redeemed {
    pub(super) fn from_row(row: &GrantRow) -> Result<Self, Error> {
        Ok(Self {
            grant: row.id.into(),
            user: row.user_id.into(),
            client: row.client_id.map_or(ClientName::Loopback, |id| ClientName::Registered(id.into())),
            project: row.project_id.into(),
            scopes: row.scopes()?,
            until: Timestamp::from_micros(row.until),
            token_life_max: row.token_life_max,
        })
    }
}

/// One message for every error, so that the holder of a stolen code learns nothing about it.
const NONE: Denied = Denied::InvalidGrant(
    "The code is unknown, used, or expired, or the client_id, redirect_uri, or code_verifier does not match the authorization request.",
);

/// The result of a redemption.
type RedeemedCode = Result<Redeemed, Denied>;

impl Consent {
    /// Redeems a code. Each code has one attempt, whatever its result. A repeated or wrong redemption revokes the grant
    /// (RFC 6749 section 10.5).
    ///
    /// # Errors
    /// The inner error is for the client; the outer one is a fault.
    #[tracing::instrument(name = "oauth.redeem", skip_all)]
    pub async fn redeem(&self, origin: &Origin, coming: CodeRedemption<'_>) -> Result<RedeemedCode, Error> {
        let now = self.context.now();
        let digest = one_time_tokens::digest(coming.code);
        let actor = Actor::System(origin.clone());
        let parameters = [coming.client, coming.redirect_uri, coming.verifier].map(ToOwned::to_owned);
        let write = self.context.queue.write(move |tx| {
            let (actor, parameters) = (actor.clone(), parameters.clone());
            Box::pin(async move {
                let Some(code) = store::authorization_codes::by_digest(tx, &digest).await? else {
                    return Ok(WriteOutcome::unaudited(Err(NONE)));
                };
                // Only for a known code, because the request is anonymous. From here on, no other node revokes or
                // narrows the grant until this write has committed.
                serialize_change(tx).await?;
                let first = store::authorization_codes::mark_used(tx, &digest, now.micros()).await?;
                match invalid_reason(&code, first, &parameters, now) {
                    None => redeem_grant(tx, &code, now).await.map(WriteOutcome::unaudited),
                    Some(why) => {
                        let ends = revoke_grants(tx, &actor, &[code.grant_id.into()], "grant.ended", why, now).await?;
                        Ok(ends.append_to(WriteOutcome::unaudited(Err(NONE))))
                    }
                }
            })
        });
        write.await
    }

    /// Revokes a grant that no client will redeem, or whose tokens are not counted one by one.
    ///
    /// # Errors
    /// If the database fails.
    #[tracing::instrument(name = "oauth.revoke_unredeemed", skip_all, fields(grant.id = %grant))]
    pub async fn revoke_unredeemed(&self, origin: &Origin, grant: GrantId, why: &'static str) -> Result<(), Error> {
        let (now, actor) = (self.context.now(), Actor::System(origin.clone()));
        let write = self.context.queue.write(move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                serialize_change(tx).await?;
                let ends = revoke_grants(tx, &actor, &[grant], "grant.ended", why, now).await?;
                Ok(ends.append_to(WriteOutcome::unaudited(())))
            })
        });
        write.await
    }
}

/// Why a code is invalid, for the audit log.
fn invalid_reason(
    code: &CodeRow,
    first: bool,
    [client, redirect, verifier]: &[String; 3],
    now: Timestamp,
) -> Option<&'static str> {
    if !first {
        Some("The authorization code was used twice.")
    } else if now.micros() >= code.expires_at {
        Some("The authorization code was used after it had expired.")
    } else if *client != code.client_said
        || *redirect != code.redirect_uri
        || !pkce::is_match(verifier, &code.challenge)
    {
        Some("The authorization code was used with another client_id, redirect_uri, or code_verifier.")
    } else {
        None
    }
}

async fn redeem_grant(tx: &mut Tx<'_>, code: &CodeRow, now: Timestamp) -> Result<RedeemedCode, Error> {
    let row = store::grants::by_id(tx, code.grant_id.into()).await?;
    match row.filter(|row| row.is_valid_at(now.micros()) && row.project_archived_at.is_none()) {
        Some(row) => Ok(Ok(Redeemed::from_row(&row)?)),
        None => Ok(Err(NONE)),
    }
}
