//! Paginated lists of the keys of a program's project.

use crate::{
    Error,
    actor::Actor,
    keys::{Keys, list::SearchOptions, to_key},
    management_client::ManagementClient,
    read_list,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_domain::{
    count::COUNT_MAX,
    filter::{KeyFilter, Sort},
    ids::ProjectId,
    key::{Environment, Key, PAGE_SIZE, Status},
    project::Role,
};
use keyward_store::keys::Visibility;

/// Maximum keys per page.
pub const LIMIT_MAX: usize = 200;

/// The filter of a list; `None`: any. Without a status, deleted keys are excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyListRequest {
    pub status: Option<Status>,
    pub environment: Option<Environment>,
    /// Text to find in the name, preview, issued-to label, or description, ignoring case and accents.
    pub text: Option<String>,
    /// Exact issued-to label.
    pub issued_to: Option<String>,
    /// From 1 to 200; `None`: 50.
    pub limit: Option<usize>,
    /// The `next` cursor of the previous page.
    pub cursor: Option<String>,
}

/// A page of keys, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyList {
    pub keys: Vec<Key>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
    /// Number of matching keys on all pages, at most 10,000.
    pub total: u64,
    /// Whether `total` is exact and not limited.
    pub total_is_exact: bool,
}

/// Decodes a cursor; `None` if it is invalid.
fn decode_cursor(cursor: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    super::super::list::is_cursor(&text).then_some(text)
}

impl Keys {
    /// Returns a page of the keys of the program's project, newest first. All pages of one list show the same instant.
    ///
    /// # Errors
    /// [`Error::NotFound`] for any other project; [`Error::Invalid`] for an invalid limit or cursor.
    #[tracing::instrument(name = "keys.list_by_program", skip_all, fields(project.id = %project))]
    pub async fn list_by_program(
        &self,
        program: &ManagementClient,
        project: ProjectId,
        request: &KeyListRequest,
    ) -> Result<KeyList, Error> {
        program.check_project(project)?;
        let limit = request.limit.unwrap_or(PAGE_SIZE);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Error::field("limit", format!("Use a limit from 1 to {LIMIT_MAX}.")));
        }
        let after = match &request.cursor {
            Some(cursor) => decode_cursor(cursor)
                .ok_or_else(|| Error::field("cursor", "Use the unchanged next_cursor value of a page."))?,
            None => String::new(),
        };
        let filter = KeyFilter {
            status: request.status,
            project: Some(project),
            environment: request.environment,
            sort: Sort::Newest,
            ..KeyFilter::default()
        };
        let narrow = SearchOptions { text: request.text.as_deref(), issued_to: request.issued_to.as_deref(), limit };
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let (page, rows, total_is_exact) =
                self.page(&mut reader.conn(), Visibility::All, &filter, &narrow, &after).await?;
            let actor = Actor::Program(program.clone());
            let keys = rows.into_iter().map(|row| to_key(row, &actor, Some(Role::Operator), page.now));
            Ok(KeyList {
                keys: keys.collect::<Result<_, _>>()?,
                next: page.next.map(|next| URL_SAFE_NO_PAD.encode(next)),
                total: page.total.min(COUNT_MAX),
                total_is_exact,
            })
        })
        .await
    }
}
