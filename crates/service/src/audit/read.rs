//! Audit log reads: the whole log for administrators, and the history of a key or project for its members.
//!
//! Members see who did what and when, the reason, and the values before and after. Addresses and user agents are for
//! administrators only, because they would reveal to members where other members live and work.

use super::{Audit, messages};
use crate::{
    Error,
    actor::Caller,
    permissions::{Action, AdminPermission, is_allowed, role_allows},
    read_list,
    time_format::moment_from_micros,
};
use jiff::{civil::Date, tz::TimeZone};
use keyward_domain::{
    audit::{AuditEvent, AuditFilter, AuditPage, ChainState, EventDetails, HISTORY_SIZE, History, Kind, PAGE_SIZE},
    ids::{KeyId, ProjectId},
    key::RESTORE_DAYS,
    project::{ProjectName, Role},
    time::{DAY, Timestamp},
};
use keyward_store::{
    self as store, Engine,
    audit::{EventQuery, EventRow},
};
use std::collections::{HashMap, hash_map::Entry};
use uuid::Uuid;

/// Maximum age of an unsigned event before the log counts as late, in seconds: one minute, plus time to write.
const LATE: i64 = 180;
/// Target prefixes that select events by the ID of an object.
const TARGETS: [&str; 5] = ["key:", "user:", "scope:", "signing_key:", "member:"];

/// Returns the start of the first day and the end of the last day in a time zone, in microseconds. `None` for an empty
/// day.
///
/// # Errors
/// [`Error::Invalid`] for an invalid day.
pub fn days(from: &str, to: &str, zone: &TimeZone) -> Result<(Option<i64>, Option<i64>), Error> {
    let begins = |name: &'static str, text: &str, next: bool| {
        if text.is_empty() {
            return Ok(None);
        }
        let begin = || {
            let day: Date = text.parse()?;
            let day = if next { day.tomorrow()? } else { day };
            // Noon exists on every day. Midnight does not exist where the clocks change at midnight.
            Ok::<_, jiff::Error>(
                day.at(12, 0, 0, 0).to_zoned(zone.clone())?.start_of_day()?.timestamp().as_microsecond(),
            )
        };
        // The message says what to enter. The error of the parser adds nothing.
        begin().map(Some).map_err(|_| Error::field(name, "Enter a date in the format YYYY-MM-DD, such as 2026-11-20."))
    };
    Ok((begins("from", from, false)?, begins("to", to, true)?))
}

fn event_query(filter: &AuditFilter, zone: &TimeZone) -> EventQuery {
    // An invalid day, such as 31 February, counts as empty.
    let (from, _) = days(&filter.from, "", zone).unwrap_or_default();
    let (_, to) = days("", &filter.to, zone).unwrap_or_default();
    let mut wanted = EventQuery {
        from,
        to,
        before: filter.before,
        kinds: filter.kind.map(Kind::prefixes).unwrap_or_default(),
        ..EventQuery::default()
    };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    match filter.who.as_str() {
        who @ ("operator" | "system") => wanted.actor = some(who),
        who if who.starts_with("user:") => wanted.actor = some(who),
        who => wanted.actor_name = some(who),
    }
    match filter.thing.as_str() {
        thing if TARGETS.iter().any(|it| thing.starts_with(it)) => wanted.target = some(thing),
        thing => match thing.strip_prefix("project:").map(str::parse::<Uuid>) {
            Some(Ok(id)) => wanted.project = Some(id),
            _ => wanted.target_name = some(thing),
        },
    }
    wanted
}

/// Splits rows into one page and the cursor of the next page. The query asks for one row more than the page size.
fn split_page(mut rows: Vec<EventRow>, size: usize) -> (Vec<EventRow>, Option<i64>) {
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(|row| row.seq);
    (rows, next)
}

impl Audit {
    /// Checks the administrator permission in the database, because it may have been revoked since the request began.
    /// Other callers get the response for a missing object.
    pub(super) async fn require_administrator(&self, caller: &Caller, power: AdminPermission) -> Result<(), Error> {
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let row = store::accounts::by_id(&mut reader.conn(), caller.user.into()).await?;
            let admin = row.is_some_and(|row| row.active && row.admin);
            if is_allowed(admin, power) { Ok(()) } else { Err(Error::NotFound) }
        })
        .await
    }

    /// Returns one page of the whole log, newest first, for administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator.
    #[tracing::instrument(name = "audit.list", skip_all)]
    pub async fn list(&self, caller: &Caller, filter: &AuditFilter) -> Result<AuditPage, Error> {
        self.require_administrator(caller, AdminPermission::ReadLog).await?;
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let mut conn = reader.conn();
            let wanted = event_query(filter, &caller.zone);
            let rows = store::audit::newest(&mut conn, &wanted, PAGE_SIZE as i64 + 1).await?;
            let (rows, next) = split_page(rows, PAGE_SIZE);
            let mut names = HashMap::new();
            let mut events = Vec::with_capacity(rows.len());
            for row in rows {
                events.push(detailed_event(&mut conn, row, caller, &mut names).await?);
            }
            let now = self.context.now();
            Ok(AuditPage { events, next, chain: chain(&mut conn, caller, now).await?, now })
        })
        .await
    }

    /// Returns the history of a key, newest first, for members of its project. `before`: only events older than this
    /// one.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist or the caller is not a member of its project.
    #[tracing::instrument(name = "audit.key_history", skip_all, fields(key.id = %id))]
    pub async fn key_history(&self, caller: &Caller, id: KeyId, before: Option<i64>) -> Result<History, Error> {
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let mut conn = reader.conn();
            let row = self.find_listed_key(&mut conn, id).await?;
            let role = authorize(&mut conn, caller, row.project_id).await?;
            let wanted = EventQuery { target: Some(format!("key:{id}")), before, ..EventQuery::default() };
            self.history(&mut conn, caller, &wanted, role).await
        })
        .await
    }

    /// Returns the history of any key, newest first, for administrators. `before`: only events older than this one.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist or the caller is not an administrator.
    #[tracing::instrument(name = "audit.any_key_history", skip_all, fields(key.id = %id))]
    pub async fn any_key_history(&self, caller: &Caller, id: KeyId, before: Option<i64>) -> Result<History, Error> {
        self.require_administrator(caller, AdminPermission::ReadLog).await?;
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let mut conn = reader.conn();
            self.find_listed_key(&mut conn, id).await?;
            let wanted = EventQuery { target: Some(format!("key:{id}")), before, ..EventQuery::default() };
            // The complete log is visible to administrators.
            self.history(&mut conn, caller, &wanted, Role::Owner).await
        })
        .await
    }

    /// Returns the history of a project, including its keys and members, newest first, for its members.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist or the caller is not a member.
    #[tracing::instrument(name = "audit.project_history", skip_all, fields(project.id = %id))]
    pub async fn project_history(&self, caller: &Caller, id: ProjectId, before: Option<i64>) -> Result<History, Error> {
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let mut conn = reader.conn();
            let role = authorize(&mut conn, caller, id.into()).await?;
            let wanted = EventQuery { project: Some(id.into()), before, ..EventQuery::default() };
            self.history(&mut conn, caller, &wanted, role).await
        })
        .await
    }

    /// Returns a key that exists, or can still be restored.
    async fn find_listed_key(&self, conn: &mut Engine<'_>, id: KeyId) -> Result<store::keys::KeyRow, Error> {
        let row = store::keys::by_id(conn, id.into()).await?.ok_or(Error::NotFound)?;
        let gone = self.context.now().plus_seconds(-RESTORE_DAYS * DAY).micros();
        if row.deleted_at.is_some_and(|at| at <= gone) { Err(Error::NotFound) } else { Ok(row) }
    }

    async fn history(
        &self,
        conn: &mut Engine<'_>,
        caller: &Caller,
        wanted: &EventQuery,
        role: Role,
    ) -> Result<History, Error> {
        let rows = store::audit::newest(conn, wanted, HISTORY_SIZE as i64 + 1).await?;
        let (mut rows, next) = split_page(rows, HISTORY_SIZE);
        if !role_allows(role, Action::ManageMembers) {
            // Same rule as the project's page: only members who can invite see invited addresses.
            rows.iter_mut().for_each(messages::redact_invitee);
        }
        let events = rows.iter().map(|row| messages::describe_event(row, caller)).collect();
        Ok(History { events, next, now: self.context.now() })
    }
}

/// Checks that the caller can read the history of a project. For non-members the project does not exist.
async fn authorize(conn: &mut Engine<'_>, caller: &Caller, project: Uuid) -> Result<Role, Error> {
    let role = store::projects::role(conn, project, caller.user.into()).await?.ok_or(Error::NotFound)?;
    let role: Role = role.parse().map_err(|_| store::Error::Corrupt("role of a member"))?;
    if role_allows(role, Action::SeeHistory) { Ok(role) } else { Err(Error::NotFound) }
}

/// Converts a row into an event with all details for administrators.
async fn detailed_event(
    conn: &mut Engine<'_>,
    row: EventRow,
    caller: &Caller,
    names: &mut HashMap<Uuid, Option<String>>,
) -> Result<AuditEvent, Error> {
    let mut project = None;
    if let Some(id) = row.project_id {
        let name = match names.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(store::projects::by_id(conn, id).await?.map(|row| row.name)),
        };
        let name = name.clone().unwrap_or_default();
        project = Some(ProjectName { id: id.into(), name });
    }
    let event = messages::describe_event(&row, caller);
    let exact = EventDetails {
        actor: row.actor,
        action: row.action,
        target: row.target,
        project,
        ip: row.ip,
        agent: row.agent,
        request_id: row.request_id,
        hash: hex::encode(row.hash),
    };
    Ok(AuditEvent { exact: Some(exact), ..event })
}

/// Returns how far the log is signed, without verifying the chain.
async fn chain(conn: &mut Engine<'_>, caller: &Caller, now: Timestamp) -> Result<ChainState, Error> {
    let last = store::checkpoints::last(conn).await?;
    let (events, _) = store::audit::head(conn).await?;
    let signed = last.as_ref().map_or(0, |row| row.seq);
    let waiting = store::audit::after(conn, signed, 1).await?;
    let late = waiting.first().is_some_and(|event| now.seconds_since(Timestamp::from_micros(event.at)) > LATE);
    Ok(ChainState { events, signed, signed_at: last.map(|row| moment_from_micros(row.at, &caller.zone)), late })
}
