//! Paginated lists of the keys of a program's project.

use crate::{
    Error,
    actor::Actor,
    keys::{Keys, Viewer, list::Narrow, view},
    program::Program,
    read_list,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_domain::{
    count::COUNTED,
    filter::{KeyFilter, Sort},
    ids::ProjectId,
    key::{Environment, KeyView, PAGE_SIZE, Status},
    project::Role,
};
use keyward_store::keys::Seen;

/// Maximum keys per page.
pub const LIMIT_MAX: usize = 200;

/// The filter of a list; `None`: any. Without a status, deleted keys are excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeysAsked {
    pub status: Option<Status>,
    pub environment: Option<Environment>,
    /// Text to find in the name, preview, or issued-to label, ignoring case and accents.
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
    pub keys: Vec<KeyView>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
    /// Number of matching keys on all pages, at most 10,000.
    pub total: u64,
    /// Whether `total` is exact and not limited.
    pub total_is_exact: bool,
}

/// Decodes a cursor; `None` if it is invalid.
fn opened(cursor: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    super::super::list::is_cursor(&text).then_some(text)
}

impl Keys {
    /// Returns a page of the keys of the program's project, newest first. All pages of one list show the same instant.
    ///
    /// # Errors
    /// [`Error::NotFound`] for any other project; [`Error::Invalid`] for an invalid limit or cursor.
    pub async fn list_by_program(
        &self,
        program: &Program,
        project: ProjectId,
        asked: &KeysAsked,
    ) -> Result<KeyList, Error> {
        program.in_project(project)?;
        let limit = asked.limit.unwrap_or(PAGE_SIZE);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Error::field("limit", format!("Ask for 1 to {LIMIT_MAX} keys.")));
        }
        let after = match &asked.cursor {
            Some(cursor) => {
                opened(cursor).ok_or_else(|| Error::field("cursor", "Send the next_cursor of a page as it stands."))?
            }
            None => String::new(),
        };
        let filter = KeyFilter {
            status: asked.status,
            project: Some(project),
            environment: asked.environment,
            sort: Sort::Newest,
            ..KeyFilter::default()
        };
        let narrow = Narrow { text: asked.text.as_deref(), issued_to: asked.issued_to.as_deref(), limit };
        read_list(async {
            let mut reader = self.ground.pool.read_list().await?;
            let (page, rows, total_is_exact) =
                self.page(&mut reader.conn(), Seen::All, &filter, &narrow, &after).await?;
            let viewer = Viewer::acting(&Actor::Program(program.clone()));
            let keys = rows.into_iter().map(|row| view(row, &viewer, Some(Role::Operator), page.now));
            Ok(KeyList {
                keys: keys.collect::<Result<_, _>>()?,
                next: page.next.map(|next| URL_SAFE_NO_PAD.encode(next)),
                total: page.total.min(COUNTED),
                total_is_exact,
            })
        })
        .await
    }
}
