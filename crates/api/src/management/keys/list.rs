//! `GET /v1/projects/{id}/keys`: lists keys.

use crate::management::{NO_STORE, extractors::CanRead, invalid_query, parse_id, schema::Keys};
use axum::{
    Json,
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use keyward_edge::problem::Problem;
use keyward_service::{Services, keys::KeyListRequest};

/// Parses the query. Rejects unknown and repeated parameters: an ignored filter would return more keys than requested.
fn parse_query(query: &str) -> Result<KeyListRequest, Problem> {
    const ALLOWED_PARAMETERS: &str = "Allowed query parameters, each at most once: status (active, scheduled, expired, inactive, or deleted), \
        environment (live or test), text, issued_to, limit (1 to 200), and cursor.";
    fn set_once<T>(place: &mut Option<T>, value: Option<T>) -> Result<(), Problem> {
        match (place.is_some(), value) {
            (false, Some(value)) => {
                *place = Some(value);
                Ok(())
            }
            _ => Err(invalid_query(ALLOWED_PARAMETERS)),
        }
    }
    let mut filters = KeyListRequest::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        // PostgreSQL text cannot contain NUL.
        let text = || Some(value.to_string()).filter(|text| !text.is_empty() && !text.contains('\0'));
        match &*name {
            "status" => set_once(&mut filters.status, value.parse().ok())?,
            "environment" => set_once(&mut filters.environment, value.parse().ok())?,
            "text" => set_once(&mut filters.text, text())?,
            "issued_to" => set_once(&mut filters.issued_to, text())?,
            "limit" => set_once(&mut filters.limit, value.parse().ok())?,
            "cursor" => set_once(&mut filters.cursor, text())?,
            _ => return Err(invalid_query(ALLOWED_PARAMETERS)),
        }
    }
    Ok(filters)
}

pub async fn handle(
    State(app): State<Services>,
    CanRead(program): CanRead,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let project = parse_id(&project)?;
    program.check_project(project)?;
    let filters = parse_query(query.as_deref().unwrap_or_default())?;
    let page = app.keys.list_by_program(&program, project, &filters).await?;
    let keys = page.keys.into_iter().map(Into::into).collect();
    Ok((
        [NO_STORE],
        Json(Keys { keys, next_cursor: page.next, total: page.total, total_is_exact: page.total_is_exact }),
    )
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyward_domain::key::{Environment, Status};

    #[test]
    fn the_query_is_understood_or_refused() {
        let all = parse_query("status=expired&environment=test&text=a%20b&issued_to=Ada&limit=7&cursor=x").unwrap();
        assert_eq!((all.status, all.environment), (Some(Status::Expired), Some(Environment::Test)));
        assert_eq!((all.text.as_deref(), all.limit), (Some("a b"), Some(7)));
        assert_eq!(parse_query("").unwrap(), KeyListRequest::default());
        for wrong in
            ["status=lost", "status=", "limit=-1", "limit=x", "text=", "sort=name", "text=a&text=b", "text=%00"]
        {
            assert_eq!(parse_query(wrong).unwrap_err().code, "invalid_query", "{wrong}");
        }
    }
}
