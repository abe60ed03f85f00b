//! Response body: complete bytes without a box, or a body from a router.

use axum::body::{Body, Bytes, HttpBody};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Body of a response.
pub enum ResponseBody {
    /// Complete bytes; `None` after they were taken.
    Whole(Option<Bytes>),
    Stream(Body),
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }
}

impl From<ResponseBody> for Body {
    fn from(content: ResponseBody) -> Self {
        match content {
            ResponseBody::Whole(bytes) => bytes.unwrap_or_default().into(),
            ResponseBody::Stream(body) => body,
        }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(http_body::Frame::data(bytes)))),
            Self::Stream(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Whole(bytes) => http_body::SizeHint::with_exact(bytes.as_ref().map_or(0, |it| it.len() as u64)),
            Self::Stream(body) => body.size_hint(),
        }
    }
}
