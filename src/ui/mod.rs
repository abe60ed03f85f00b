//! What a person sees and touches, without knowing what it is about: parts of pages, one file each.
//!
//! Never here: server functions, rules, features.

#[cfg(feature = "ssr")]
pub mod answer;
pub mod badge;
pub mod browser;
pub mod button;
pub mod chips;
pub mod choices;
pub mod dialog;
pub mod empty;
pub mod field;
pub mod form;
pub mod gate;
#[cfg(feature = "ssr")]
pub mod head;
pub mod icon;
pub mod layout;
pub mod markup;
pub mod menu;
pub mod notice;
pub mod proof;
pub mod segments;
pub mod select;
pub mod table;
pub mod time;
pub mod toast;
