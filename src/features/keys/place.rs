//! List context: filter and cursor of a key list, taken from the URL. Dialogs keep both in their URL.

use crate::domain::{filter::KeyFilter, key::KeyView};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

/// The audience of a key list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    /// A user: the keys of the projects that they are a member of.
    Own,
    /// An administrator: all keys.
    Admin,
}

impl Desk {
    /// The path of the list.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Own => "/keys",
            Self::Admin => "/admin/keys",
        }
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Place {
    pub desk: Desk,
    pub filter: KeyFilter,
    /// The cursor of this page. Empty on the first page.
    pub after: String,
}

impl Place {
    /// Reads the context from the URL and provides it to the page's components and dialogs.
    pub fn provide(desk: Desk) -> Self {
        let query = use_query_map();
        let filter = query.with_untracked(|query| KeyFilter::read(|name| query.get(name)));
        let place = query.with_untracked(|query| Self {
            desk,
            filter: if desk == Desk::Admin { filter } else { filter.of_members() },
            after: query.get("after").unwrap_or_default(),
        });
        provide_context(place.clone());
        place
    }

    pub fn here() -> Self {
        expect_context()
    }

    /// Returns this path with the filter and the cursor.
    pub fn at(&self, path: &str) -> String {
        let mut query = self.filter.query();
        if !self.after.is_empty() {
            let sign = if query.is_empty() { "" } else { "&" };
            query = format!("{query}{sign}after={}", Url::escape(&self.after));
        }
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// Returns the URL of the list.
    pub fn list(&self) -> String {
        self.at(self.desk.path())
    }

    /// Returns the URL of a dialog about this key.
    pub fn about(&self, key: &KeyView, verb: &str) -> String {
        self.at(&format!("{}/{}/{verb}", self.desk.path(), key.id))
    }

    /// Returns the URL of the first page with the same filter.
    pub fn first(&self) -> String {
        Self { after: String::new(), ..self.clone() }.list()
    }
}

/// The id of the action menu of a key's row.
pub fn menu_id(key: &KeyView) -> String {
    format!("actions-{}", key.id)
}

/// The id of the button that opens the menu. Focus returns to it.
pub fn menu_button_id(key: &KeyView) -> String {
    format!("{}-button", menu_id(key))
}
