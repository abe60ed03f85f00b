//! List of keys for the command line, page by page.

use super::{Keys, to_key};
use crate::{Error, actor::Actor};
use keyward_domain::{
    filter::UNUSED_DAYS,
    ids::ProjectId,
    key::{Environment, Key, RESTORE_DAYS, Status},
    project::Role,
    time::{DAY, Timestamp},
};
use keyward_store::{
    self as store,
    keys::{KeyQuery, Visibility},
};
use uuid::Uuid;

/// Number of keys on a page.
const PAGE: usize = 500;

/// The filter of a list; `None`: any. Without a status, deleted keys are excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorKeyFilter {
    pub project: Option<ProjectId>,
    pub status: Option<Status>,
    pub environment: Option<Environment>,
    /// Text to find in the name, preview, issued-to label, or description, ignoring case and accents.
    pub text: Option<String>,
    /// Exact issued-to label.
    pub issued_to: Option<String>,
}

/// The pages of a list, newest keys first. All pages show the statuses of the instant at which the list began.
pub struct OperatorKeyPages<'a> {
    keys: &'a Keys,
    filter: OperatorKeyFilter,
    now: Timestamp,
    /// The last key of the previous page. `None` after the last page.
    after: Option<Uuid>,
}

impl Keys {
    /// Begins a list of the keys of a project, or of all projects, for the command line.
    pub fn list_as_operator(&self, filter: OperatorKeyFilter) -> OperatorKeyPages<'_> {
        OperatorKeyPages { keys: self, filter, now: self.context.now(), after: Some(Uuid::max()) }
    }
}

impl OperatorKeyPages<'_> {
    /// Returns the next page, or `None` after the last one.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Key>>, Error> {
        let Some(after) = self.after else { return Ok(None) };
        let wanted = KeyQuery {
            visibility: Visibility::All,
            status: self.filter.status,
            project: self.filter.project.map(Into::into),
            environment: self.filter.environment,
            owner: None,
            view: None,
            text: self.filter.text.as_deref(),
            issued_to: self.filter.issued_to.as_deref(),
            expires_by: None,
            unused: self.now.plus_seconds(-UNUSED_DAYS * DAY).micros(),
            now: self.now.micros(),
            ended: self.now.plus_seconds(-RESTORE_DAYS * DAY).micros(),
        };
        let rows = {
            let mut reader = self.keys.context.pool.acquire_reader().await?;
            store::keys::newest(&mut reader.conn(), &wanted, after, PAGE as i64).await?
        };
        self.after = rows.last().filter(|_| rows.len() == PAGE).map(|row| row.id);
        let page = rows.into_iter().map(|row| to_key(row, &Actor::Operator, Some(Role::Operator), self.now));
        page.collect::<Result<_, _>>().map(Some)
    }
}
