//! The programs that a project knows: registered and removed by its owners.

use super::{Consent, ends::end_where, redirect::Redirect};
use crate::{
    Error, Field,
    actor::{Actor, Caller},
    audit::acting,
    can::{Action, can},
    keys,
};
use keyward_domain::{
    consent::ClientTitle,
    ids::{ClientId, ProjectId},
};
use keyward_store::{
    self as store, Conn,
    changes::Change,
    clients::NewClientRow,
    queue::{Kept, take_turns},
};

/// Most addresses of one program, and most programs of one project.
const REDIRECTS_MOST: usize = 10;
const CLIENTS_MOST: usize = 50;

/// Grants that one write ends at most: some tens of milliseconds, then other writes take their turn.
const AT_ONCE: i64 = 200;
pub(super) const REMOVED: &str = "The program was removed.";

const OWNERS: &str = "Only an owner of this project may register programs, and remove them.";

/// The addresses, one a line, each once.
fn redirects(text: &str) -> Result<Vec<String>, Field> {
    let wrong = |words: String| Field::new("redirects", words);
    let mut all: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        Redirect::read(line).map_err(|words| wrong(format!("{line}: {words}")))?;
        if !all.iter().any(|it| it == line) {
            all.push(line.to_owned());
        }
    }
    match all.len() {
        0 => Err(wrong("Write at least one address at which the program is answered.".to_owned())),
        1..=REDIRECTS_MOST => Ok(all),
        _ => Err(wrong(format!("A program has at most {REDIRECTS_MOST} addresses."))),
    }
}

async fn allow(conn: &mut Conn<'_>, caller: &Caller, project: ProjectId) -> Result<(), Error> {
    let role = keys::role(conn, project, caller.user).await?.ok_or(Error::NotFound)?;
    if can(role, Action::Configure) { Ok(()) } else { Err(Error::Forbidden(OWNERS)) }
}

impl Consent {
    /// Registers a program: its name, and where it may be answered, one address a line.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every wrong field; [`Error::Forbidden`] for a member who is no owner; [`Error::NotFound`] if the
    /// project is not there or not theirs; [`Error::Conflict`] if it knows as many as it may.
    pub async fn register(
        &self,
        caller: &Caller,
        project: ProjectId,
        title: &str,
        addresses: &str,
    ) -> Result<ClientId, Error> {
        let (now, id, caller) = (self.ground.now(), self.ground.new_id(), caller.clone());
        let (title, addresses) = (title.to_owned(), addresses.to_owned());
        let write = self.ground.queue.write(move |tx| {
            let (caller, title, addresses) = (caller.clone(), title.clone(), addresses.clone());
            Box::pin(async move {
                take_turns(tx).await?;
                allow(tx, &caller, project).await?;
                let mut errors = Vec::new();
                let title = title.parse::<ClientTitle>().map_err(|error| errors.push(Field::new("name", error)));
                let redirects = redirects(&addresses).map_err(|error| errors.push(error));
                let (Ok(title), Ok(redirects)) = (title, redirects) else { return Err(Error::Invalid(errors)) };
                if store::clients::of_project(tx, project.into()).await?.len() >= CLIENTS_MOST {
                    return Err(Error::Conflict("This project knows 50 programs already. Remove one of them first."));
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
                store::clients::insert(tx, &row).await?;
                let actor = Actor::User(caller);
                let acting = acting::in_project(tx, &actor, project).await?;
                let event = actor
                    .event(now, "client.registered", format!("client:{id}"), &row.name)
                    .acting_as(&acting)
                    .in_project(project)
                    .detail(serde_json::json!({"after": {"name": row.name, "redirects": row.redirects}}));
                Ok(Kept::with(id.into(), event))
            })
        });
        write.await
    }

    /// Removes a program: what was allowed to it ends with it. From the first write on nobody can allow it anything, it gets no token,
    /// and its tokens are refused; more grants than that write takes end in writes of their own, which upkeep finishes if one of them
    /// fails or this process ends.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project is not there or not theirs, or knows no such program; [`Error::Forbidden`] for a member
    /// who is no owner.
    pub async fn remove(&self, caller: &Caller, project: ProjectId, id: ClientId) -> Result<(), Error> {
        let (now, actor) = (self.ground.now(), Actor::User(caller.clone()));
        let (caller, first) = (caller.clone(), actor.clone());
        let write = self.ground.queue.write(move |tx| {
            let (caller, actor) = (caller.clone(), first.clone());
            Box::pin(async move {
                take_turns(tx).await?;
                allow(tx, &caller, project).await?;
                let row = store::clients::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
                if !store::clients::remove(tx, project.into(), row.id, now.micros()).await? {
                    return Err(Error::NotFound);
                }
                let total = store::grants::count_of_client(tx, row.id, now.micros()).await?;
                let held = store::grants::of_client(tx, row.id, now.micros(), AT_ONCE).await?;
                let held: Vec<_> = held.iter().map(|grant| grant.id.into()).collect();
                let ends = end_where(tx, &actor, &held, "grant.ended", REMOVED, now).await?;
                let acting = acting::in_project(tx, &actor, project).await?;
                let event = actor
                    .event(now, "client.removed", format!("client:{id}"), &row.name)
                    .acting_as(&acting)
                    .in_project(project)
                    .detail(serde_json::json!({
                        "before": {"name": row.name, "redirects": row.redirects()?}, "grants_ended": total,
                    }));
                let is_more = total > AT_ONCE;
                let kept = ends.with(Kept::with(is_more, event));
                // Facts of the grants that are still to end may be in memory, on other nodes too.
                Ok(if is_more { kept.heard(Change { topic: "project", id: row.project_id }) } else { kept })
            })
        });
        if write.await? {
            self.ground.pause_writes().await;
            if let Err(error) = self.end_remaining(&actor, id).await {
                // The program is removed: an error would ask for another try, which finds no such program.
                tracing::error!(%error, client = %id, "consent.grants_not_ended: upkeep ends the rest");
            }
        }
        Ok(())
    }

    /// Ends what is still allowed to a program that was removed, in one write after the other, until nothing is left.
    pub(super) async fn end_remaining(&self, actor: &Actor, id: ClientId) -> Result<(), Error> {
        loop {
            let (now, actor) = (self.ground.now(), actor.clone());
            let write = self.ground.queue.write(move |tx| {
                let actor = actor.clone();
                Box::pin(async move {
                    take_turns(tx).await?;
                    let held = store::grants::of_client(tx, id.into(), now.micros(), AT_ONCE).await?;
                    let held: Vec<_> = held.iter().map(|grant| grant.id.into()).collect();
                    let ends = end_where(tx, &actor, &held, "grant.ended", REMOVED, now).await?;
                    Ok::<_, Error>(ends.with(Kept::unrecorded(held.len() as u64)))
                })
            });
            if write.await?.cast_signed() < AT_ONCE {
                return Ok(());
            }
            self.ground.pause_writes().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_one_a_line() {
        let read = redirects(" https://a.example/cb \r\n\nhttp://127.0.0.1/cb\nhttps://a.example/cb\n").unwrap();
        assert_eq!(read, ["https://a.example/cb", "http://127.0.0.1/cb"]);
        let wrong = |text: &str| redirects(text).unwrap_err().message;
        assert!(wrong(" \n").starts_with("Write at least one"));
        assert!(wrong("https://a.example\nftp://b.example").starts_with("ftp://b.example: Use https."));
        let many: String = (0..11).map(|n| format!("https://a.example/{n}\n")).collect();
        assert_eq!(wrong(&many), "A program has at most 10 addresses.");
    }
}
