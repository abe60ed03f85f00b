//! `GET /v1/projects/{id}/keys`: lists keys.

use crate::{
    http::{
        management::{NO_STORE, caller::Reads, id, invalid_query, wire::Keys},
        problem::Problem,
    },
    service::{App, keys::KeysAsked},
};
use axum::{
    Json,
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};

/// Parses the query. Rejects unknown and repeated parameters: an ignored filter would return more keys than requested.
fn read(query: &str) -> Result<KeysAsked, Problem> {
    const TAKES: &str = "The query takes status (active, scheduled, expired, inactive or deleted), environment (live or test), text, \
        issued_to, limit (1 to 200) and cursor, each once.";
    fn once<T>(place: &mut Option<T>, value: Option<T>) -> Result<(), Problem> {
        match (place.is_some(), value) {
            (false, Some(value)) => {
                *place = Some(value);
                Ok(())
            }
            _ => Err(invalid_query(TAKES)),
        }
    }
    let mut asked = KeysAsked::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        // PostgreSQL text cannot contain NUL.
        let text = || Some(value.to_string()).filter(|text| !text.is_empty() && !text.contains('\0'));
        match &*name {
            "status" => once(&mut asked.status, value.parse().ok())?,
            "environment" => once(&mut asked.environment, value.parse().ok())?,
            "text" => once(&mut asked.text, text())?,
            "issued_to" => once(&mut asked.issued_to, text())?,
            "limit" => once(&mut asked.limit, value.parse().ok())?,
            "cursor" => once(&mut asked.cursor, text())?,
            _ => return Err(invalid_query(TAKES)),
        }
    }
    Ok(asked)
}

pub async fn handle(
    State(app): State<App>,
    Reads(program): Reads,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let project = id(&project)?;
    program.in_project(project)?;
    let asked = read(query.as_deref().unwrap_or_default())?;
    let page = app.keys.list_by_program(&program, project, &asked).await?;
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
    use crate::domain::key::{Environment, Status};

    #[test]
    fn the_query_is_understood_or_refused() {
        let all = read("status=expired&environment=test&text=a%20b&issued_to=Ada&limit=7&cursor=x").unwrap();
        assert_eq!((all.status, all.environment), (Some(Status::Expired), Some(Environment::Test)));
        assert_eq!((all.text.as_deref(), all.limit), (Some("a b"), Some(7)));
        assert_eq!(read("").unwrap(), KeysAsked::default());
        for wrong in
            ["status=lost", "status=", "limit=-1", "limit=x", "text=", "sort=name", "text=a&text=b", "text=%00"]
        {
            assert_eq!(read(wrong).unwrap_err().code, "invalid_query", "{wrong}");
        }
    }
}
