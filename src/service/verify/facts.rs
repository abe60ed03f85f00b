//! What is known of a key: facts, from which every decision is made anew.

use crate::{
    domain::{
        ids::{KeyId, ProjectId},
        key::{Environment, Lifecycle},
        network::Networks,
        rate::RateLimit,
    },
    store::{self, keys::KeyRow},
};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub key: KeyId,
    pub project: ProjectId,
    pub project_archived: bool,
    /// Longest life of a token of its project, in seconds.
    pub token_life_max: i64,
    pub name: String,
    pub environment: Environment,
    pub scopes: Vec<String>,
    pub issued_to: Option<String>,
    pub lifecycle: Lifecycle,
    /// From where its secret may be used.
    pub networks: Networks,
    /// How often it, and the tokens made from it, may be used.
    pub rate_limit: Option<RateLimit>,
}

impl TryFrom<KeyRow> for Facts {
    type Error = store::Error;

    fn try_from(row: KeyRow) -> Result<Self, store::Error> {
        Ok(Self {
            key: row.id.into(),
            project: row.project_id.into(),
            project_archived: row.project_archived_at.is_some(),
            token_life_max: row.token_life_max,
            environment: row.environment()?,
            scopes: row.scopes()?,
            lifecycle: row.lifecycle(),
            networks: row.read_networks()?,
            rate_limit: row.read_rate_limit()?,
            name: row.name,
            issued_to: row.issued_to,
        })
    }
}

impl Facts {
    /// When it expires, in RFC 3339; `None`: never.
    pub fn expires_at_text(&self) -> Option<String> {
        self.lifecycle.expires_at.map(crate::service::moments::rfc3339)
    }
}
