//! Registered OAuth clients of a project, which its owners add and remove.

use super::{Consent, grant_revocation::revoke_grants, redirect::Redirect};
use crate::{
    Error, InvalidField,
    actor::{Actor, Caller},
    audit::acting_role,
    keys,
    permissions::{Action, role_allows},
};
use keyward_domain::{
    consent::ClientTitle,
    error_chain::ErrorChain,
    ids::{ClientId, ProjectId},
};
use keyward_store::{
    self as store, Engine,
    change_log::{Change, Topic},
    oauth_clients::NewClientRow,
    write_queue::{WriteOutcome, serialize_change},
};

/// Maximum redirect URIs per client, and maximum clients per project.
const REDIRECTS_MOST: usize = 10;
const CLIENTS_MOST: usize = 50;

/// Maximum grants revoked in one write, which takes some tens of milliseconds. Other writes run before the next one.
const AT_ONCE: i64 = 200;
pub(super) const REMOVED: &str = "The application was removed.";

const OWNERS: &str = "Only a project owner can register and remove applications.";

/// Parses redirect URIs, one per line, without duplicates.
fn parse_redirects(text: &str) -> Result<Vec<String>, InvalidField> {
    let wrong = |words: String| InvalidField::new("redirects", words);
    let mut all: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        Redirect::parse(line).map_err(|words| wrong(format!("{line}: {words}")))?;
        if !all.iter().any(|it| it == line) {
            all.push(line.to_owned());
        }
    }
    match all.len() {
        0 => Err(wrong("Enter at least one redirect URL.".to_owned())),
        1..=REDIRECTS_MOST => Ok(all),
        _ => Err(wrong(format!("An application can have at most {REDIRECTS_MOST} redirect URLs."))),
    }
}

async fn authorize(conn: &mut Engine<'_>, caller: &Caller, project: ProjectId) -> Result<(), Error> {
    let role = keys::role(conn, project, caller.user).await?.ok_or(Error::NotFound)?;
    if role_allows(role, Action::Configure) { Ok(()) } else { Err(Error::Forbidden(OWNERS)) }
}

impl Consent {
    /// Registers a client with its name and its redirect URIs, one per line.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid field; [`Error::Forbidden`] for a member who is not an owner;
    /// [`Error::NotFound`] if the project does not exist or the caller is not a member; [`Error::Conflict`] if the
    /// project has the maximum number of clients.
    #[tracing::instrument(name = "oauth.register", skip_all, fields(project.id = %project))]
    pub async fn register(
        &self,
        caller: &Caller,
        project: ProjectId,
        title: &str,
        addresses: &str,
    ) -> Result<ClientId, Error> {
        let (now, id, caller) = (self.context.now(), self.context.new_id(), caller.clone());
        let (title, addresses) = (title.to_owned(), addresses.to_owned());
        let write = self.context.queue.write(move |tx| {
            let (caller, title, addresses) = (caller.clone(), title.clone(), addresses.clone());
            Box::pin(async move {
                serialize_change(tx).await?;
                authorize(tx, &caller, project).await?;
                let mut errors = Vec::new();
                let title = title.parse::<ClientTitle>().map_err(|error| errors.push(InvalidField::new("name", error)));
                let redirects = parse_redirects(&addresses).map_err(|error| errors.push(error));
                let (Ok(title), Ok(redirects)) = (title, redirects) else { return Err(Error::Invalid(errors)) };
                if store::oauth_clients::list_by_project(tx, project.into()).await?.len() >= CLIENTS_MOST {
                    return Err(Error::Conflict(
                        "This project has the maximum number of applications. Remove one first.",
                    ));
                }
                let row = NewClientRow {
                    id,
                    project_id: project.into(),
                    name: title.as_str().to_owned(),
                    redirects,
                    created_by: Some(caller.user.into()),
                    created_by_name: caller.name.clone(),
                    created_at: now.micros(),
                };
                store::oauth_clients::insert(tx, &row).await?;
                let actor = Actor::User(caller);
                let acting = acting_role::in_project(tx, &actor, project).await?;
                let event = actor
                    .event(now, "client.registered", format!("client:{id}"), &row.name)
                    .with_acting_role(&acting)
                    .in_project(project)
                    .with_detail(serde_json::json!({"after": {"name": row.name, "redirects": row.redirects}}));
                Ok(WriteOutcome::audited(id.into(), event))
            })
        });
        write.await
    }

    /// Removes a client and revokes its grants.
    ///
    /// From the first write on, no user can grant it anything, it gets no token, and its tokens are denied. If it has
    /// more grants than one write takes, further writes revoke the rest. The background job completes them if one of
    /// them fails or this process ends.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist, the caller is not a member, or the project has no such
    /// client; [`Error::Forbidden`] for a member who is not an owner.
    #[tracing::instrument(name = "oauth.remove", skip_all, fields(project.id = %project, client.id = %id))]
    pub async fn remove(&self, caller: &Caller, project: ProjectId, id: ClientId) -> Result<(), Error> {
        let (now, actor) = (self.context.now(), Actor::User(caller.clone()));
        let (caller, first) = (caller.clone(), actor.clone());
        let write = self.context.queue.write(move |tx| {
            let (caller, actor) = (caller.clone(), first.clone());
            Box::pin(async move {
                serialize_change(tx).await?;
                authorize(tx, &caller, project).await?;
                let row = store::oauth_clients::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
                if !store::oauth_clients::remove(tx, project.into(), row.id, now.micros()).await? {
                    return Err(Error::NotFound);
                }
                let total = store::grants::count_of_client(tx, row.id, now.micros()).await?;
                let held = store::grants::list_by_client(tx, row.id, now.micros(), AT_ONCE).await?;
                let held: Vec<_> = held.iter().map(|grant| grant.id.into()).collect();
                let ends = revoke_grants(tx, &actor, &held, "grant.ended", REMOVED, now).await?;
                let acting = acting_role::in_project(tx, &actor, project).await?;
                let event = actor
                    .event(now, "client.removed", format!("client:{id}"), &row.name)
                    .with_acting_role(&acting)
                    .in_project(project)
                    .with_detail(serde_json::json!({
                        "before": {"name": row.name, "redirects": row.redirects()?}, "grants_ended": total,
                    }));
                let is_more = total > AT_ONCE;
                let kept = ends.append_to(WriteOutcome::audited(is_more, event));
                // Snapshots of the grants that are still to be revoked may be cached, on other nodes too.
                Ok(if is_more { kept.notify(Change { topic: Topic::Project, id: row.project_id }) } else { kept })
            })
        });
        if write.await? {
            self.context.pause_writes().await;
            if let Err(error) = self.revoke_remaining(&actor, id).await {
                // The client is removed: an error would suggest a retry, which finds no such client.
                tracing::error!(error = %ErrorChain(&error), client = %id, "consent.grants_not_ended: the background job revokes the rest");
            }
        }
        Ok(())
    }

    /// Revokes the remaining grants of a removed client, in consecutive writes, until none is left.
    pub(super) async fn revoke_remaining(&self, actor: &Actor, id: ClientId) -> Result<(), Error> {
        loop {
            let (now, actor) = (self.context.now(), actor.clone());
            let write = self.context.queue.write(move |tx| {
                let actor = actor.clone();
                Box::pin(async move {
                    serialize_change(tx).await?;
                    let held = store::grants::list_by_client(tx, id.into(), now.micros(), AT_ONCE).await?;
                    let held: Vec<_> = held.iter().map(|grant| grant.id.into()).collect();
                    let ends = revoke_grants(tx, &actor, &held, "grant.ended", REMOVED, now).await?;
                    Ok::<_, Error>(ends.append_to(WriteOutcome::unaudited(held.len() as u64)))
                })
            });
            if write.await?.cast_signed() < AT_ONCE {
                return Ok(());
            }
            self.context.pause_writes().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_one_a_line() {
        let read = parse_redirects(" https://a.example/cb \r\n\nhttp://127.0.0.1/cb\nhttps://a.example/cb\n").unwrap();
        assert_eq!(read, ["https://a.example/cb", "http://127.0.0.1/cb"]);
        let wrong = |text: &str| parse_redirects(text).unwrap_err().message;
        assert!(wrong(" \n").starts_with("Enter at least one"));
        assert!(wrong("https://a.example\nftp://b.example").starts_with("ftp://b.example: Use https."));
        let many: String = (0..11).map(|n| format!("https://a.example/{n}\n")).collect();
        assert_eq!(wrong(&many), "An application can have at most 10 redirect URLs.");
    }
}
