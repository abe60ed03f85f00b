//! Key snapshots: the data from which each decision is computed.

use super::shared_attributes::{AttributeInterner, SharedAttributes};
use keyward_domain::{
    ids::{ProjectId, SubjectId},
    key::Lifecycle,
    time::Timestamp,
};
use keyward_store::{self as store, key_snapshot::KeySnapshotRow};
use smol_str::SmolStr;
use std::{ops::Deref, sync::Arc};
use uuid::Uuid;

/// The snapshot of a key or a grant. Attributes that it shares with others are in its [`SharedAttributes`], to which it
/// derefs. Cloning does not allocate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySnapshot {
    pub(super) id: Uuid,
    pub project: ProjectId,
    pub name: SmolStr,
    pub issued_to: Option<SmolStr>,
    pub lifecycle: Lifecycle,
    pub(super) shared: Arc<SharedAttributes>,
}

impl Deref for KeySnapshot {
    type Target = SharedAttributes;

    fn deref(&self) -> &SharedAttributes {
        &self.shared
    }
}

impl KeySnapshot {
    /// Builds the snapshot from a row. Interns the shared attributes.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] if a column contains a value that the code never writes.
    pub(super) fn from_row(row: &KeySnapshotRow, shared: &AttributeInterner) -> Result<Self, store::Error> {
        let instant = |micros: Option<i64>| micros.map(Timestamp::from_micros);
        let lifecycle = Lifecycle {
            active: row.active,
            not_before: instant(row.not_before),
            expires_at: instant(row.expires_at),
            deleted_at: instant(row.deleted_at),
        };
        Ok(Self {
            id: row.id,
            project: row.project_id.into(),
            name: row.name.as_str().into(),
            issued_to: row.issued_to.as_deref().map(SmolStr::from),
            lifecycle,
            shared: shared.intern(SharedAttributes::from_row(row, &lifecycle)?),
        })
    }

    /// Returns the key or the grant that this is the snapshot of.
    pub fn subject(&self) -> SubjectId {
        self.shared.subject(self.id)
    }

    /// Returns the expiry in RFC 3339 format, or `None` if the key never expires.
    pub fn expires_at_text(&self) -> Option<String> {
        self.lifecycle.expires_at.map(keyward_core::time_format::rfc3339)
    }
}
