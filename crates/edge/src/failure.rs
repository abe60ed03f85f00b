//! Failure responses (5xx) name the id of their request, by which the operator finds the cause in the log.

use super::{oauth_error::OAuthError, problem::Problem};
use axum::{
    body::Body,
    http::{StatusCode, header},
    response::Response,
};

/// The failure behind a response, as an extension of it. Handlers do not know the request id; the request middleware
/// adds it.
#[derive(Clone, Debug)]
pub enum Failure {
    Problem(Problem),
    OAuth(OAuthError),
}

/// Appends the request id to the message of a failure, for a user or for the reader of an OAuth error description.
pub fn with_request_id(message: &str, request_id: &str) -> String {
    format!("{message} Request id {request_id}")
}

/// Appends the request id to the message of an error response if its status is a failure and the id is known.
pub fn message_for_status(message: &str, status: StatusCode, request_id: Option<&str>) -> String {
    match request_id {
        Some(id) if status.is_server_error() => with_request_id(message, id),
        _ => message.to_owned(),
    }
}

/// Adds the request id to the body of a failure for a program. Pages contain it already.
pub fn add_request_id(mut response: Response, request_id: &str) -> Response {
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    // A layer has replaced or encoded the body.
    if !response.status().is_server_error() || response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    let body = match failure {
        Failure::Problem(problem) => problem.body(Some(request_id)),
        Failure::OAuth(error) => error.body(Some(request_id)),
    };
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse as _;
    use http_body_util::BodyExt as _;
    use keyward_core::Error;

    async fn text(response: Response) -> String {
        let body = add_request_id(response, "req_1").into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_id_is_added_to_failures_of_both_formats() {
        let problem = text(Problem::from(Error::Internal("a bug")).into_response()).await;
        assert!(problem.ends_with(r#","request_id":"req_1"}"#), "{problem}");
        let oauth = text(OAuthError::from(Error::Internal("a bug")).into_response()).await;
        assert!(
            oauth.contains(r#""error_description":"An internal error occurred. Try again. Request id req_1""#),
            "{oauth}"
        );
        for other in [
            Problem::from(Error::NotFound).into_response(),
            OAuthError::invalid_request("Send a form.").into_response(),
        ] {
            let other = text(other).await;
            assert!(!other.contains("req_1"), "{other}");
        }
    }
}
