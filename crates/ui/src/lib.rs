//! Presentational components and islands of Keyward's pages, for the server and the browser.
//!
//! Components contain no business logic. Islands keep state in the browser and call the server functions in [`api`].

#![warn(clippy::unwrap_used, clippy::expect_used)]

pub mod api;
pub mod badge;
pub mod bare_layout;
pub mod breakable;
pub mod browser;
pub mod button;
pub mod chips;
pub mod choices;
pub mod dialog;
pub mod empty;
pub mod error;
pub mod field;
pub mod form;
pub mod icon;
pub mod islands;
pub mod layout;
pub mod markup;
pub mod menu;
pub mod notice;
pub mod page_header;
pub mod pager;
pub mod reauth_field;
pub mod segments;
pub mod select;
pub mod table;
pub mod time;
pub mod toast;
