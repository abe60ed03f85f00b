//! A key on a page: its times in the viewer's time zone, and its creator relative to the viewer.

use crate::{
    domain::{key::Key, time::Moment},
    service::{actor::Caller, time_format::format_moment},
};
use serde::{Deserialize, Serialize};
use std::ops::Deref;

/// A key with the texts that depend on the viewer. All other fields are those of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    key: Key,
    pub not_before: Option<Moment>,
    /// `None`: never expires.
    pub expires: Option<Moment>,
    pub created: Moment,
    /// "You", or the name of the creator.
    pub created_by: String,
    pub last_used: Option<Moment>,
    /// For a deleted key: the instant from which it cannot be restored.
    pub gone: Option<Moment>,
    /// Time of the administrator's note.
    pub noted: Option<Moment>,
}

impl KeyView {
    /// Formats a key for a signed-in user.
    pub fn new(key: Key, viewer: &Caller) -> Self {
        let moment = |at| format_moment(at, &viewer.zone);
        let is_own = key.created_by == Some(viewer.user);
        Self {
            not_before: key.not_before.map(moment),
            expires: key.expires_at.map(moment),
            created: moment(key.created_at),
            created_by: if is_own { "You".to_owned() } else { key.created_by_name.clone() },
            last_used: key.last_used_at.map(moment),
            gone: key.purge_at.map(moment),
            noted: key.note.as_ref().map(|note| moment(note.at)),
            key,
        }
    }
}

impl Deref for KeyView {
    type Target = Key;

    fn deref(&self) -> &Key {
        &self.key
    }
}
