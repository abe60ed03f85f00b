//! List context: filter and cursor of a key list, taken from the URL. Dialogs keep both in their URL.

use crate::domain::{
    filter::{BEFORE, KeyFilter},
    key::Key,
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

/// The audience of a key list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A user: the keys of the projects that they are a member of.
    Member,
    /// An administrator: all keys.
    Admin,
}

impl Audience {
    /// The path of the list.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Member => "/keys",
            Self::Admin => "/admin/keys",
        }
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct ListContext {
    pub audience: Audience,
    pub filter: KeyFilter,
    /// The cursor of this page: the value of `?after=`, or that of `?before=` after [`BEFORE`]. Empty on the first page.
    pub cursor: String,
}

impl ListContext {
    /// Reads the context from the URL and provides it to the page's components and dialogs.
    pub fn provide(desk: Audience) -> Self {
        let query = use_query_map();
        let filter = query.with_untracked(|query| KeyFilter::from_query(|name| query.get(name)));
        let place = query.with_untracked(|query| Self {
            audience: desk,
            filter: if desk == Audience::Admin { filter } else { filter.for_members() },
            cursor: match query.get("before") {
                Some(before) => format!("{BEFORE}{before}"),
                None => query.get("after").unwrap_or_default(),
            },
        });
        provide_context(place.clone());
        place
    }

    pub fn current() -> Self {
        expect_context()
    }

    /// Returns this path with the filter and the cursor.
    pub fn with_query(&self, path: &str) -> String {
        let mut query = self.filter.to_query();
        if let Some((name, value)) = self.cursor_parameter() {
            let sign = if query.is_empty() { "" } else { "&" };
            query = format!("{query}{sign}{name}={}", Url::escape(value));
        }
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// Returns the URL of the list.
    pub fn list_url(&self) -> String {
        self.with_query(self.audience.path())
    }

    /// Returns the URL of a dialog about this key.
    pub fn dialog_url(&self, key: &Key, verb: &str) -> String {
        self.with_query(&format!("{}/{}/{verb}", self.audience.path(), key.id))
    }

    /// Returns the URL of the first page with the same filter.
    pub fn first_page_url(&self) -> String {
        self.page_url(String::new())
    }

    /// Returns the URL of another page with the same filter.
    pub fn page_url(&self, cursor: String) -> String {
        Self { cursor, ..self.clone() }.list_url()
    }

    /// Returns the query parameter of the cursor: its name and value.
    pub fn cursor_parameter(&self) -> Option<(&'static str, &str)> {
        match self.cursor.strip_prefix(BEFORE) {
            _ if self.cursor.is_empty() => None,
            Some(before) => Some(("before", before)),
            None => Some(("after", &self.cursor)),
        }
    }
}

/// The id of the action menu of a key's row.
pub fn menu_id(key: &Key) -> String {
    format!("actions-{}", key.id)
}

/// The id of the button that opens the menu. Focus returns to it.
pub fn menu_button_id(key: &Key) -> String {
    format!("{}-button", menu_id(key))
}
