//! Where in which list the person is: it stands in the address, beneath a dialog too.

use crate::domain::{filter::KeyFilter, key::KeyView};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

/// Whose list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    /// The keys of the projects that the person is a member of.
    Own,
    /// Every key, for administrators.
    Admin,
}

impl Desk {
    /// The address of the list.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Own => "/keys",
            Self::Admin => "/admin/keys",
        }
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Place {
    pub desk: Desk,
    pub filter: KeyFilter,
    /// Where this page of the list begins; empty at the first.
    pub after: String,
}

impl Place {
    /// Reads the address and gives the place to the page's parts and dialogs as context.
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

    /// This path, with the filter and the place in the list.
    pub fn at(&self, path: &str) -> String {
        let mut query = self.filter.query();
        if !self.after.is_empty() {
            let sign = if query.is_empty() { "" } else { "&" };
            query = format!("{query}{sign}after={}", Url::escape(&self.after));
        }
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// The list itself.
    pub fn list(&self) -> String {
        self.at(self.desk.path())
    }

    /// A dialog about this key.
    pub fn about(&self, key: &KeyView, verb: &str) -> String {
        self.at(&format!("{}/{}/{verb}", self.desk.path(), key.id))
    }

    /// The first page of the list with this filter.
    pub fn first(&self) -> String {
        Self { after: String::new(), ..self.clone() }.list()
    }
}

/// The menu of this key's row.
pub fn menu_id(key: &KeyView) -> String {
    format!("actions-{}", key.id)
}

/// The button of that menu: focus comes back to it.
pub fn menu_button_id(key: &KeyView) -> String {
    format!("{}-button", menu_id(key))
}
