//! Device verification (RFC 8628 section 3.3): the user enters the code that the device shows, and allows or denies the
//! request.

use super::{
    Consent,
    allow::{Yes, grant, reauthenticate},
    may::{MayNot, may},
    user_code::UserCode,
};
use crate::{
    Error,
    accounts::throttle::Guess,
    actor::{Actor, Caller},
};
use keyward_domain::{consent::Authorization, scope::ScopeName};
use keyward_store::{
    self as store, Conn,
    clients::ClientRow,
    devices::DeviceRow,
    grants::NewGrantRow,
    queue::{Kept, take_turns},
};

const NOBODY: &str = "No device waits with this code. Look at the device again: codes last ten minutes, and work once.";

impl Consent {
    /// Returns the consent page for the device with this user code. Wrong codes are throttled.
    ///
    /// # Errors
    /// [`Error::Invalid`] (`user_code`) if no pending device has this code; [`Error::Paused`] after too many wrong
    /// codes.
    pub async fn ask_for_device(&self, caller: &Caller, user_code: &str) -> Result<Authorization, Error> {
        self.guess(caller, async {
            let mut reader = self.ground.pool.read().await?;
            let mut conn = reader.conn();
            let (_, row, client) = self.waiting(&mut conn, user_code).await?;
            let asked = names(&row)?;
            match may(&mut conn, caller, client.project_id.into(), &asked).await {
                Ok(may) => Ok(Authorization::Ask(may.asking(Some(client.name), None, caller))),
                Err(other) => other.page(),
            }
        })
        .await
    }

    /// Records the user's decision: denied (`None`), or these scopes for a lifetime in seconds.
    ///
    /// # Errors
    /// As [`Consent::ask_for_device`]; [`Error::Invalid`] for scopes or a lifetime that were not offered;
    /// [`Error::Conflict`] if the user may grant nothing (any more).
    pub async fn answer_device(
        &self,
        caller: &Caller,
        user_code: &str,
        yes: Option<(Vec<String>, i64)>,
    ) -> Result<(), Error> {
        let (now, id, digest) = (self.ground.now(), self.ground.new_id(), self.random_digest());
        let (this, who, code) = (self.clone(), caller.clone(), user_code.to_owned());
        let write = self.ground.queue.write(move |tx| {
            let (this, caller, code, yes) = (this.clone(), who.clone(), code.clone(), yes.clone());
            Box::pin(async move {
                take_turns(tx).await?;
                let (device, row, client) = this.waiting(tx, &code).await?;
                let project = client.project_id.into();
                let may = may(tx, &caller, project, &names(&row)?).await;
                // Any member of the project may deny. For others it does not exist, and they write no event into its
                // audit log.
                if let Err(MayNot::NoMember) = may {
                    return Err(MayNot::NoMember.refusal());
                }
                let Some((scopes, life)) = yes else {
                    store::devices::go(tx, &device, "pending", "denied", None).await?;
                    let event = Actor::User(caller)
                        .event(now, "grant.denied", format!("client:{}", client.id), &client.name)
                        .in_project(project);
                    return Ok(Kept::with((), event));
                };
                let may = may.map_err(MayNot::refusal)?;
                let (scopes, until) = may.chosen(&scopes, life, now)?;
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
                let kept = grant(tx, Yes { caller: &caller, row: new, role: &may.role, by: "device", now }).await?;
                if !store::devices::go(tx, &device, "pending", "allowed", Some(id)).await? {
                    return Err(Error::field("user_code", NOBODY));
                }
                Ok(kept)
            })
        });
        self.guess(caller, write).await
    }

    /// Returns the pending device with this user code, and its client.
    async fn waiting(&self, conn: &mut Conn<'_>, typed: &str) -> Result<([u8; 32], DeviceRow, ClientRow), Error> {
        let nobody = || Error::field("user_code", NOBODY);
        let code = UserCode::read(typed).ok_or_else(nobody)?;
        let row = store::devices::waiting(conn, &code.digest(), self.ground.now().micros()).await?;
        let row = row.ok_or_else(nobody)?;
        let client = store::clients::by_id(conn, row.client_id).await?.ok_or_else(nobody)?;
        Ok((row.digest()?, row, client))
    }

    /// Runs the operation that a user code unlocks. Wrong codes are counted and slow down further attempts of the
    /// caller.
    async fn guess<T>(&self, caller: &Caller, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let account = format!("DEVICE:{}", caller.user);
        let ip = caller.origin.ip;
        self.throttle.admit(Guess::Code, &account, ip, self.ground.now()).await?;
        let answer = asked.await;
        let missed = matches!(&answer, Err(Error::Invalid(fields)) if fields.iter().any(|it| it.name == "user_code"));
        if !missed {
            self.throttle.give_back(&account, ip);
        }
        answer
    }
}

/// Returns the scopes that a device requests.
fn names(row: &DeviceRow) -> Result<Vec<ScopeName>, Error> {
    let corrupt = |_| store::Error::Corrupt("scope of a device").into();
    row.scopes()?.iter().map(|name| name.parse().map_err(corrupt)).collect()
}
