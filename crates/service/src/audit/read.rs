//! Reading the log: all of it for administrators; what was done to a key or a project for its members.
//!
//! Members see who did what and when, why, and what it was before and after. From which address and with which browser somebody
//! did it is for administrators: it would tell members where the others live and work.

use super::{Audit, words};
use crate::{
    Error,
    actor::Caller,
    can::{Action, Power, can, has},
    moments::moment_of,
    read_list,
};
use jiff::{civil::Date, tz::TimeZone};
use keyward_domain::{
    audit::{AuditEvent, AuditFilter, AuditPage, ChainState, Exact, HISTORY_SIZE, History, Kind, PAGE_SIZE},
    ids::{KeyId, ProjectId},
    key::RESTORE_DAYS,
    project::{ProjectName, Role},
    time::{DAY, Timestamp},
};
use keyward_store::{
    self as store, Conn,
    audit::{EventRow, Wanted},
};
use std::collections::{HashMap, hash_map::Entry};
use uuid::Uuid;

/// Seconds that an event may wait for its checkpoint before something is wrong: a minute, and time to write.
const LATE: i64 = 180;
/// How the targets of events begin, for whoever asks for a thing by its id.
const TARGETS: [&str; 5] = ["key:", "user:", "scope:", "signing_key:", "member:"];

/// The instants at which the first day begins and the last one ends, in a zone; none for a day that is not said.
///
/// # Errors
/// [`Error::Invalid`] for a day that is none.
pub fn days(from: &str, to: &str, zone: &TimeZone) -> Result<(Option<i64>, Option<i64>), Error> {
    let begins = |name: &'static str, text: &str, next: bool| {
        if text.is_empty() {
            return Ok(None);
        }
        let begin = || {
            let day: Date = text.parse()?;
            let day = if next { day.tomorrow()? } else { day };
            // Noon is there on every day; midnight is not where the clocks change then.
            Ok::<_, jiff::Error>(
                day.at(12, 0, 0, 0).to_zoned(zone.clone())?.start_of_day()?.timestamp().as_microsecond(),
            )
        };
        begin().map(Some).map_err(|_| Error::field(name, "Write a day as 2026-11-20."))
    };
    Ok((begins("from", from, false)?, begins("to", to, true)?))
}

fn wanted(filter: &AuditFilter, zone: &TimeZone) -> Wanted {
    // A day that is none, such as 31 February, counts as not said.
    let (from, _) = days(&filter.from, "", zone).unwrap_or_default();
    let (_, to) = days("", &filter.to, zone).unwrap_or_default();
    let mut wanted = Wanted {
        from,
        to,
        before: filter.before,
        kinds: filter.kind.map(Kind::prefixes).unwrap_or_default(),
        ..Wanted::default()
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

/// The events of a page, and where the next begins: one more than the page holds was asked for.
fn cut(mut rows: Vec<EventRow>, size: usize) -> (Vec<EventRow>, Option<i64>) {
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(|row| row.seq);
    (rows, next)
}

impl Audit {
    /// An administrator may have ceased to be one since the request began; anybody else gets the answer of what is not there.
    pub(super) async fn administrator(&self, caller: &Caller, power: Power) -> Result<(), Error> {
        read_list(async {
            let mut reader = self.ground.pool.read_list().await?;
            let row = store::accounts::by_id(&mut reader.conn(), caller.user.into()).await?;
            let admin = row.is_some_and(|row| row.active && row.admin);
            if has(admin, power) { Ok(()) } else { Err(Error::NotFound) }
        })
        .await
    }

    /// A page of the whole log, the newest first, for administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`] for anybody else.
    pub async fn list(&self, caller: &Caller, filter: &AuditFilter) -> Result<AuditPage, Error> {
        self.administrator(caller, Power::ReadLog).await?;
        read_list(async {
            let mut reader = self.ground.pool.read_list().await?;
            let mut conn = reader.conn();
            let wanted = wanted(filter, &caller.zone);
            let rows = store::audit::newest(&mut conn, &wanted, PAGE_SIZE as i64 + 1).await?;
            let (rows, next) = cut(rows, PAGE_SIZE);
            let mut names = HashMap::new();
            let mut events = Vec::with_capacity(rows.len());
            for row in rows {
                events.push(exact(&mut conn, row, caller, &mut names).await?);
            }
            let now = self.ground.now();
            Ok(AuditPage { events, next, chain: chain(&mut conn, caller, now).await?, now })
        })
        .await
    }

    /// What was done to a key, the newest first, for the members of its project. `before`: only what is older than that event.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there or not theirs.
    pub async fn of_key(&self, caller: &Caller, id: KeyId, before: Option<i64>) -> Result<History, Error> {
        read_list(async {
            let mut reader = self.ground.pool.read_list().await?;
            let mut conn = reader.conn();
            let row = store::keys::by_id(&mut conn, id.into()).await?.ok_or(Error::NotFound)?;
            let gone = self.ground.now().plus_seconds(-RESTORE_DAYS * DAY).micros();
            if row.deleted_at.is_some_and(|at| at <= gone) {
                return Err(Error::NotFound);
            }
            let role = allow(&mut conn, caller, row.project_id).await?;
            let wanted = Wanted { target: Some(format!("key:{id}")), before, ..Wanted::default() };
            self.history(&mut conn, caller, &wanted, role).await
        })
        .await
    }

    /// What was done in a project, to its keys and members too, the newest first, for its members.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there or not theirs.
    pub async fn of_project(&self, caller: &Caller, id: ProjectId, before: Option<i64>) -> Result<History, Error> {
        read_list(async {
            let mut reader = self.ground.pool.read_list().await?;
            let mut conn = reader.conn();
            let role = allow(&mut conn, caller, id.into()).await?;
            let wanted = Wanted { project: Some(id.into()), before, ..Wanted::default() };
            self.history(&mut conn, caller, &wanted, role).await
        })
        .await
    }

    async fn history(
        &self,
        conn: &mut Conn<'_>,
        caller: &Caller,
        wanted: &Wanted,
        role: Role,
    ) -> Result<History, Error> {
        let rows = store::audit::newest(conn, wanted, HISTORY_SIZE as i64 + 1).await?;
        let (mut rows, next) = cut(rows, HISTORY_SIZE);
        if !can(role, Action::ManageMembers) {
            // As on the project's page: who is invited is for those who invite.
            rows.iter_mut().for_each(words::leave_out_the_invited);
        }
        let events = rows.iter().map(|row| words::event(row, caller)).collect();
        Ok(History { events, next, now: self.ground.now() })
    }
}

/// Members of a project read its history; to anybody else it is not there.
async fn allow(conn: &mut Conn<'_>, caller: &Caller, project: Uuid) -> Result<Role, Error> {
    let role = store::projects::role(conn, project, caller.user.into()).await?.ok_or(Error::NotFound)?;
    let role: Role = role.parse().map_err(|_| store::Error::Corrupt("role of a member"))?;
    if can(role, Action::SeeHistory) { Ok(role) } else { Err(Error::NotFound) }
}

/// An event with all that is known of it.
async fn exact(
    conn: &mut Conn<'_>,
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
    let event = words::event(&row, caller);
    let exact = Exact {
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

/// How far the log is signed: what can be known without following the chain.
async fn chain(conn: &mut Conn<'_>, caller: &Caller, now: Timestamp) -> Result<ChainState, Error> {
    let last = store::checkpoints::last(conn).await?;
    let (events, _) = store::audit::head(conn).await?;
    let signed = last.as_ref().map_or(0, |row| row.seq);
    let waiting = store::audit::after(conn, signed, 1).await?;
    let late = waiting.first().is_some_and(|event| now.seconds_since(Timestamp::from_micros(event.at)) > LATE);
    Ok(ChainState { events, signed, signed_at: last.map(|row| moment_of(row.at, &caller.zone)), late })
}
