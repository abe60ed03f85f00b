//! `POST /v1/keys/verify`: is this key good?

use super::{json::Json, problem::Problem};
use crate::{
    domain::{
        ids::{KeyId, ProjectId},
        key::Environment,
    },
    service::{
        App,
        verify::{Good, Question, Refused},
    },
};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize};
use std::{borrow::Cow, net::IpAddr};
use zeroize::Zeroizing;

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(ProjectId),
    Many(Vec<ProjectId>),
}

/// A member that is there is there: `null`, which a variable that was never set becomes, is no way to say "any project".
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OneOrMany>, D::Error> {
    OneOrMany::deserialize(deserializer).map(Some)
}

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// The secret. Wiped when dropped.
    key: Zeroizing<String>,
    #[serde(default, deserialize_with = "given")]
    project: Option<OneOrMany>,
    #[serde(default)]
    scopes: Vec<Cow<'static, str>>,
    /// From where the key is used; needed for a key that has networks.
    #[serde(default)]
    ip: Option<IpAddr>,
}

/// What is answered.
#[derive(Serialize)]
#[serde(untagged)]
enum VerifyResponse {
    Good {
        valid: bool,
        key_id: KeyId,
        project_id: ProjectId,
        name: String,
        environment: Environment,
        scopes: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        issued_to: Option<String>,
        /// RFC 3339; `null`: never.
        expires_at: Option<String>,
    },
    Refused {
        valid: bool,
        code: &'static str,
        message: String,
    },
}

impl From<Good> for VerifyResponse {
    fn from(good: Good) -> Self {
        let facts = good.facts;
        Self::Good {
            valid: true,
            key_id: facts.key,
            project_id: facts.project,
            expires_at: facts.expires_at_text(),
            name: facts.name.to_string(),
            environment: facts.environment,
            scopes: facts.scopes.clone(),
            issued_to: facts.issued_to.as_ref().map(ToString::to_string),
        }
    }
}

impl From<Refused> for VerifyResponse {
    fn from(refused: Refused) -> Self {
        Self::Refused { valid: false, code: refused.code(), message: refused.to_string() }
    }
}

/// Decides; the answer to a well-formed question is 200, whatever the decision.
pub async fn verify(State(app): State<App>, Json(asked): Json<VerifyRequest>) -> Result<Response, Problem> {
    let projects = match asked.project {
        None => Vec::new(),
        Some(OneOrMany::One(id)) => vec![id],
        Some(OneOrMany::Many(ids)) if ids.is_empty() => {
            return Err(Problem::new(
                axum::http::StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_body",
                "An empty list of projects allows none. Leave project out to allow any.",
            ));
        }
        Some(OneOrMany::Many(ids)) => ids,
    };
    let question = Question { projects: &projects, scopes: &asked.scopes, ip: asked.ip };
    let decision = app.verify.secret(&asked.key, &question).await?;
    let answer = decision.map_or_else(VerifyResponse::from, VerifyResponse::from);
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(answer)).into_response())
}
