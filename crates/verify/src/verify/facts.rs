//! What is known of a key: facts, from which every decision is made anew.

use super::terms::{Shared, Terms};
use keyward_domain::{
    ids::{KeyId, ProjectId},
    key::Lifecycle,
    time::Timestamp,
};
use keyward_store::{self as store, facts::FactsRow};
use smol_str::SmolStr;
use std::{ops::Deref, sync::Arc};

/// What is known of a key; what it has in common with others is in its [`Terms`], to which this derefs. A clone allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub key: KeyId,
    pub project: ProjectId,
    pub name: SmolStr,
    pub issued_to: Option<SmolStr>,
    pub lifecycle: Lifecycle,
    pub(super) terms: Arc<Terms>,
}

impl Deref for Facts {
    type Target = Terms;

    fn deref(&self) -> &Terms {
        &self.terms
    }
}

impl Facts {
    /// Reads a row; what is common is shared with the others that have it.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] if a column holds what the code never writes.
    pub(super) fn read(row: &FactsRow, shared: &Shared) -> Result<Self, store::Error> {
        let instant = |micros: Option<i64>| micros.map(Timestamp::from_micros);
        let lifecycle = Lifecycle {
            active: row.active,
            not_before: instant(row.not_before),
            expires_at: instant(row.expires_at),
            deleted_at: instant(row.deleted_at),
        };
        Ok(Self {
            key: row.id.into(),
            project: row.project_id.into(),
            name: row.name.as_str().into(),
            issued_to: row.issued_to.as_deref().map(SmolStr::from),
            lifecycle,
            terms: shared.share(Terms::read(row, &lifecycle)?),
        })
    }

    /// When it expires, in RFC 3339; `None`: never.
    pub fn expires_at_text(&self) -> Option<String> {
        self.lifecycle.expires_at.map(keyward_core::moments::rfc3339)
    }
}
