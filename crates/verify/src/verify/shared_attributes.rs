//! Shared attributes of keys, interned: a million keys have a few hundred distinct combinations, each stored once.

use keyward_domain::{
    ids::SubjectId,
    key::{Environment, Lifecycle},
    network::Networks,
    rate::RateLimit,
    time::Timestamp,
};
use keyward_store::{self as store, key_snapshot::KeySnapshotRow};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};
use uuid::Uuid;

/// The attributes of a key that other keys may have in common with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SharedAttributes {
    /// Whether this is a grant and not a key. Here, because a byte more in each row of the cache would take eight.
    pub(super) is_grant: bool,
    pub project_archived: bool,
    /// Maximum lifetime of a token of the project, in seconds.
    pub token_life_max: i64,
    pub environment: Environment,
    pub scopes: Vec<String>,
    /// The networks from which the secret may be used.
    pub networks: Networks,
    /// The rate limit of the key and of the tokens made from it.
    pub rate_limit: Option<RateLimit>,
    /// The lifecycle without the expiry, which differs for nearly every key.
    pub(super) active: bool,
    pub(super) not_before: Option<Timestamp>,
    pub(super) deleted_at: Option<Timestamp>,
}

impl SharedAttributes {
    /// Reads the attributes of a row whose lifecycle is already parsed.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] if a column contains a value that the code never writes.
    pub(super) fn from_row(row: &KeySnapshotRow, life: &Lifecycle) -> Result<Self, store::Error> {
        const CORRUPT: fn(&'static str) -> store::Error = store::Error::Corrupt;
        let networks = row.networks()?;
        Ok(Self {
            is_grant: row.is_grant,
            project_archived: row.project_archived_at.is_some(),
            token_life_max: row.token_life_max,
            environment: row.environment.parse().map_err(|_| CORRUPT("environment of a key"))?,
            scopes: row.scopes()?,
            networks: Networks::parse_list(networks.iter().map(String::as_str))
                .map_err(|_| CORRUPT("list of a key's networks"))?,
            rate_limit: (row.rate_limit.as_deref().map(str::parse).transpose())
                .map_err(|_| CORRUPT("rate limit of a key"))?,
            active: life.active,
            not_before: life.not_before,
            deleted_at: life.deleted_at,
        })
    }

    /// Returns the subject with these attributes and this id.
    pub(super) fn subject(&self, id: Uuid) -> SubjectId {
        if self.is_grant { SubjectId::Grant(id.into()) } else { SubjectId::Key(id.into()) }
    }
}

/// Minimum number of distinct entries before unused ones are removed for the first time.
const SWEEP: usize = 1_024;

/// The interned attributes.
#[derive(Default)]
pub(super) struct AttributeInterner(Mutex<StoredAttributes>);

#[derive(Default)]
struct StoredAttributes {
    entries: HashSet<Arc<SharedAttributes>>,
    /// The number of entries after unused ones were last removed.
    swept: usize,
}

impl AttributeInterner {
    /// Returns the interned instance of these attributes.
    pub fn intern(&self, terms: SharedAttributes) -> Arc<SharedAttributes> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = kept.entries.get(&terms) {
            return same.clone();
        }
        if kept.entries.len() >= SWEEP.max(kept.swept * 2) {
            kept.entries.retain(|terms| Arc::strong_count(terms) > 1);
            kept.swept = kept.entries.len();
        }
        let terms = Arc::new(terms);
        kept.entries.insert(terms.clone());
        terms
    }

    /// Returns the number of distinct entries.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entries.len()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn some() -> SharedAttributes {
        SharedAttributes {
            is_grant: false,
            project_archived: false,
            token_life_max: 86_400,
            environment: Environment::Live,
            scopes: vec!["a:read".to_owned(), "a:write".to_owned()],
            networks: Networks::default(),
            rate_limit: None,
            active: true,
            not_before: None,
            deleted_at: None,
        }
    }

    #[test]
    fn the_same_terms_are_kept_once_and_no_longer_than_somebody_has_them() {
        let shared = AttributeInterner::default();
        let (one, two) = (shared.intern(some()), shared.intern(some()));
        assert!(Arc::ptr_eq(&one, &two));
        for life in 0..10 * SWEEP as i64 {
            assert_eq!(shared.intern(SharedAttributes { token_life_max: life, ..some() }).token_life_max, life);
        }
        assert!(shared.len() <= SWEEP, "{}", shared.len());
        assert!(Arc::ptr_eq(&one, &shared.intern(some())), "an attribute set in use stays");
    }
}
