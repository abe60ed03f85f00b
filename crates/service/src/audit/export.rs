//! Audit log export: the whole log or a range of days, streamed in pieces.

use super::{
    Audit,
    jsonl_export::{Header, Line},
    keys, read,
};
use crate::{
    Context, Error,
    actor::{Actor, Caller},
    permissions::AdminPermission,
    time_format::rfc3339,
};
use futures::{Stream, StreamExt as _, stream};
use jiff::tz::TimeZone;
use keyward_domain::error_chain::ErrorChain;
use keyward_store::{self as store, audit::EventRow, write_queue::WriteOutcome};

/// Number of events in one piece of an export.
const PIECE: i64 = 500;

/// Range of exported events. An export has no gaps, because each hash depends on the previous event.
#[derive(Clone, Debug)]
struct Range {
    first: i64,
    last: i64,
    /// Hash of the event before the first.
    before: Vec<u8>,
}

/// Requested days of an export. Empty: from the beginning, or until now.
#[derive(Clone, Copy, Debug)]
pub struct DateRange<'d> {
    pub from: &'d str,
    pub to: &'d str,
    pub zone: &'d TimeZone,
}

/// Exports the events of these days. The range is extended to the next checkpoint, if there is one, so that a signature
/// covers all requested events. The export itself is recorded as an event.
///
/// # Errors
/// If the database rejects a query; [`Error::Invalid`] for an invalid day.
pub async fn export(
    context: &Context,
    actor: &Actor,
    days: DateRange<'_>,
) -> Result<impl Stream<Item = Result<String, Error>> + Send + use<>, Error> {
    read::days(days.from, days.to, days.zone)?;
    record_export(context, actor, days).await?;
    lines(context, days).await
}

impl Audit {
    /// Same as [`export`], for an administrator. The current head, including the event of the export, is signed first.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator; [`Error::ReauthenticationRequired`] without recent
    /// reauthentication.
    pub async fn export(
        &self,
        caller: &Caller,
        from: &str,
        to: &str,
    ) -> Result<impl Stream<Item = Result<String, Error>> + Send + use<>, Error> {
        self.require_administrator(caller, AdminPermission::ReadLog).await?;
        caller.require_reauthentication("audit.exported", self.context.now())?;
        let days = DateRange { from, to, zone: &caller.zone };
        read::days(from, to, &caller.zone)?;
        record_export(&self.context, &Actor::User(caller.clone()), days).await?;
        // An inconsistent log is exported too, because it is needed for the investigation.
        if let Err(error) = self.sign(true).await {
            tracing::error!(error = %ErrorChain(&error), "audit.unsigned");
        }
        lines(&self.context, days).await
    }
}

/// Returns the lines of an export, in pieces.
async fn lines(
    context: &Context,
    days: DateRange<'_>,
) -> Result<impl Stream<Item = Result<String, Error>> + Send + use<>, Error> {
    let (start, end) = read::days(days.from, days.to, days.zone)?;
    let range = range(context, start, end).await?;
    let keys = keys::list_from_database(context).await?;
    let header = Header::new(rfc3339(context.now()), range.first, range.last, &range.before, &keys);
    let pieces = stream::try_unfold((context.clone(), range.first - 1, range.last), next_chunk);
    Ok(stream::once(async move { Ok(Line::Header(header).write()) }).chain(pieces))
}

async fn record_export(context: &Context, actor: &Actor, days: DateRange<'_>) -> Result<(), Error> {
    let event = actor.event(context.now(), "audit.exported", "audit", "");
    let acting = if actor.user().is_some() { "administrator" } else { actor.acting_role() };
    let non_empty = |day: &str| (!day.is_empty()).then(|| day.to_owned());
    let event = event
        .with_acting_role(acting)
        .with_detail(serde_json::json!({"after": {"from": non_empty(days.from), "to": non_empty(days.to)}}));
    let write = context.queue.write(move |_| {
        let event = event.clone();
        Box::pin(async move { Ok::<_, Error>(WriteOutcome::audited((), event)) })
    });
    write.await
}

async fn range(context: &Context, start: Option<i64>, end: Option<i64>) -> Result<Range, Error> {
    let mut reader = context.pool.acquire_reader().await?;
    let mut conn = reader.conn();
    let (head, _) = store::audit::head(&mut conn).await?;
    let (first, last) = match (start, end) {
        (None, None) => (Some(1), Some(head)),
        _ => store::audit::span(&mut conn, start.unwrap_or(i64::MIN), end.unwrap_or(i64::MAX)).await?,
    };
    let first = first.unwrap_or(head + 1);
    let mut last = last.unwrap_or(0).clamp(first - 1, head.max(first - 1));
    if last >= first
        && let Some(checkpoint) = store::checkpoints::first_from(&mut conn, last).await?
    {
        last = checkpoint.seq;
    }
    let before = match first {
        1 => vec![0; 32],
        _ => store::audit::hash(&mut conn, first - 1).await?.ok_or(store::Error::Corrupt("audit log"))?,
    };
    Ok(Range { first, last, before })
}

/// Returns the next events with their checkpoints, and the position to continue at.
async fn next_chunk(
    (context, after, last): (Context, i64, i64),
) -> Result<Option<(String, (Context, i64, i64))>, Error> {
    if after >= last {
        return Ok(None);
    }
    let mut reader = context.pool.acquire_reader().await?;
    let mut conn = reader.conn();
    let events = store::audit::after(&mut conn, after, PIECE.min(last - after)).await?;
    let Some(to) = events.last().map(|event: &EventRow| event.seq.min(last)) else {
        // The verification of the file reports the missing end.
        return Ok(None);
    };
    let checkpoints = store::checkpoints::between(&mut conn, after, to).await?;
    drop(reader);
    let mut checkpoints = checkpoints.into_iter().peekable();
    let mut text = String::new();
    for event in events.into_iter().filter(|event| event.seq <= last) {
        let seq = event.seq;
        text.push_str(&Line::Event(Box::new(event.into())).write());
        while let Some(row) = checkpoints.next_if(|row| row.seq <= seq) {
            text.push_str(&Line::Checkpoint { seq: row.seq, token: row.token }.write());
        }
    }
    Ok(Some((text, (context, to, last))))
}
