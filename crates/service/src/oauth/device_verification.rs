//! Device verification (RFC 8628 section 3.3): the user enters the code that the device shows, and allows or denies the
//! request.

use super::{
    Consent,
    client_authorization::{AuthorizeError, authorize_request},
    grant_consent::{ConsentGrant, insert_grant, reauthenticate},
    user_code::UserCode,
};
use crate::{
    Error,
    accounts::throttle::Guess,
    actor::{Actor, Caller},
};
use keyward_domain::{consent::Authorization, scope::ScopeName};
use keyward_store::{
    self as store, Engine,
    device_codes::DeviceRow,
    grants::NewGrantRow,
    oauth_clients::ClientRow,
    write_queue::{WriteOutcome, serialize_change},
};

const NO_DEVICE: &str =
    "No device is waiting for this code. Check the code on your device; a code can be used once, within 10 minutes.";

impl Consent {
    /// Returns the consent page for the device with this user code. Wrong codes are throttled.
    ///
    /// # Errors
    /// [`Error::Invalid`] (`user_code`) if no pending device has this code; [`Error::Paused`] after too many wrong
    /// codes.
    #[tracing::instrument(name = "oauth.device_prompt", skip_all)]
    pub async fn device_prompt(&self, caller: &Caller, user_code: &str) -> Result<Authorization, Error> {
        self.throttle_guess(caller, async {
            let mut reader = self.context.pool.acquire_reader().await?;
            let mut conn = reader.conn();
            let (_, row, client) = self.find_pending_device(&mut conn, user_code).await?;
            let requested = requested_scopes(&row)?;
            match authorize_request(&mut conn, caller, client.project_id.into(), &requested).await {
                Ok(may) => Ok(Authorization::Prompt(may.into_prompt(Some(client.name), None, caller))),
                Err(other) => other.into_page(),
            }
        })
        .await
    }

    /// Records the user's decision: denied (`None`), or these scopes for a lifetime in seconds.
    ///
    /// # Errors
    /// As [`Consent::device_prompt`]; [`Error::Invalid`] for scopes or a lifetime that were not offered;
    /// [`Error::Conflict`] if the user may grant nothing (any more).
    #[tracing::instrument(name = "oauth.decide_device", skip_all)]
    pub async fn decide_device(
        &self,
        caller: &Caller,
        user_code: &str,
        yes: Option<(Vec<String>, i64)>,
    ) -> Result<(), Error> {
        let (now, id, digest) = (self.context.now(), self.context.new_id(), self.random_digest());
        let (this, who, code) = (self.clone(), caller.clone(), user_code.to_owned());
        let write = self.context.queue.write(move |tx| {
            let (this, caller, code, yes) = (this.clone(), who.clone(), code.clone(), yes.clone());
            Box::pin(async move {
                serialize_change(tx).await?;
                let (device, row, client) = this.find_pending_device(tx, &code).await?;
                let project = client.project_id.into();
                let may = authorize_request(tx, &caller, project, &requested_scopes(&row)?).await;
                // Any member of the project may deny. For others it does not exist, and they write no event into its
                // audit log.
                if let Err(AuthorizeError::NoMember) = may {
                    return Err(AuthorizeError::NoMember.into_error());
                }
                let Some((scopes, life)) = yes else {
                    store::device_codes::set_state(tx, &device, "pending", "denied", None).await?;
                    let event = Actor::User(caller)
                        .event(now, "grant.denied", format!("client:{}", client.id), &client.name)
                        .in_project(project);
                    return Ok(WriteOutcome::audited((), event));
                };
                let may = may.map_err(AuthorizeError::into_error)?;
                let (scopes, until) = may.select(&scopes, life, now)?;
                reauthenticate(&caller, &scopes, now)?;
                let new = NewGrantRow {
                    id,
                    digest,
                    user_id: caller.user.into(),
                    user_name: caller.name.clone(),
                    client_id: Some(client.id),
                    client_name: client.name,
                    project_id: client.project_id,
                    scopes,
                    until: until.micros(),
                    created_at: now.micros(),
                };
                let kept =
                    insert_grant(tx, ConsentGrant { caller: &caller, row: new, role: &may.role, by: "device", now })
                        .await?;
                if !store::device_codes::set_state(tx, &device, "pending", "allowed", Some(id)).await? {
                    return Err(Error::field("user_code", NO_DEVICE));
                }
                Ok(kept)
            })
        });
        self.throttle_guess(caller, write).await
    }

    /// Returns the pending device with this user code, and its client.
    async fn find_pending_device(
        &self,
        conn: &mut Engine<'_>,
        typed: &str,
    ) -> Result<([u8; 32], DeviceRow, ClientRow), Error> {
        let no_device = || Error::field("user_code", NO_DEVICE);
        let code = UserCode::parse(typed).ok_or_else(no_device)?;
        let row = store::device_codes::find_pending(conn, &code.digest(), self.context.now().micros()).await?;
        let row = row.ok_or_else(no_device)?;
        let client = store::oauth_clients::by_id(conn, row.client_id).await?.ok_or_else(no_device)?;
        Ok((row.digest()?, row, client))
    }

    /// Runs the operation that a user code unlocks. Wrong codes are counted and slow down further attempts of the
    /// caller.
    async fn throttle_guess<T>(
        &self,
        caller: &Caller,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let account = format!("DEVICE:{}", caller.user);
        let ip = caller.origin.ip;
        self.throttle.admit(Guess::Code, &account, ip, self.context.now()).await?;
        let answer = operation.await;
        let missed = matches!(&answer, Err(Error::Invalid(fields)) if fields.iter().any(|it| it.name == "user_code"));
        if !missed {
            self.throttle.refund(&account, ip);
        }
        answer
    }
}

/// Returns the scopes that a device requests.
fn requested_scopes(row: &DeviceRow) -> Result<Vec<ScopeName>, Error> {
    let corrupt = |_| store::Error::Corrupt("scope of a device").into();
    row.scopes()?.iter().map(|name| name.parse().map_err(corrupt)).collect()
}
