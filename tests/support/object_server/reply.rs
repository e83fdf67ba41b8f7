//! What goes back, in the words of the clouds.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, HeaderName, LAST_MODIFIED,
};
use hyper::{Response, StatusCode};

use super::listing::{Page, Query};
use super::objects::{Object, Unmet};
use super::request::{Range, to_token};
use super::{BUCKET, Dialect, xml};

/// How long the first part of a body has to get out before the connection is cut.
const TRUNCATION_PAUSE: Duration = Duration::from_millis(20);

pub(super) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// A reply before it gets its date.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

/// Why a request is not carried out.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned() }
    }

    pub(super) fn bad(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn missing() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NoSuchKey", "the specified key does not exist")
    }

    pub(super) fn precondition() -> Self {
        let message = "at least one of the preconditions did not hold";
        Self::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", message)
    }
}

impl From<Unmet> for Refusal {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::Precondition => Self::precondition(),
            Unmet::Missing => Self::missing(),
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, code, message } = refusal;
        document(status, &xml::Error { code, message: &message })
    }
}

impl Reply {
    /// What was put, without its bytes.
    pub(super) fn put(dialect: Dialect, object: &Object) -> Self {
        Self { status: StatusCode::OK, headers: about(dialect, object), body: Bytes::new() }
    }

    pub(super) fn deleted() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Bytes::new() }
    }

    pub(super) fn bulk_deleted(keys: Vec<String>) -> Self {
        let deleted = keys.into_iter().map(|key| xml::Deleted { key }).collect();
        document(StatusCode::OK, &xml::DeleteResult { deleted })
    }

    /// The object, or the part of it that is wanted.
    pub(super) fn object(
        dialect: Dialect,
        object: &Object,
        range: Option<Range>,
    ) -> Result<Self, Refusal> {
        let size = object.bytes.len();
        let mut headers = about(dialect, object);
        headers.push((LAST_MODIFIED, http_date(object.modified_ms)));
        headers.push((CONTENT_TYPE, "application/octet-stream".to_owned()));
        let Some(range) = range else {
            return Ok(Self { status: StatusCode::OK, headers, body: object.bytes.clone() });
        };
        let (first, end) = match range {
            Range::From(first) => (first, size),
            Range::Between(first, last) => (first, size.min(last + 1)),
            Range::Last(count) => (size.saturating_sub(count), size),
        };
        if first >= end {
            let status = StatusCode::RANGE_NOT_SATISFIABLE;
            return Err(Refusal::new(status, "InvalidRange", "the object is not that long"));
        }
        headers.push((CONTENT_RANGE, format!("bytes {first}-{}/{size}", end - 1)));
        let body = object.bytes.slice(first..end);
        Ok(Self { status: StatusCode::PARTIAL_CONTENT, headers, body })
    }

    pub(super) fn list(query: &Query, page: Page) -> Self {
        let contents = page.objects.into_iter().map(|(key, object)| xml::Contents {
            key,
            last_modified: iso_date(object.modified_ms),
            etag: object.etag,
            size: object.bytes.len(),
        });
        let contents: Vec<_> = contents.collect();
        let prefixes = page.prefixes.into_iter().map(|prefix| xml::CommonPrefix { prefix });
        let common_prefixes: Vec<_> = prefixes.collect();
        let result = xml::ListBucketResult {
            name: BUCKET.to_owned(),
            prefix: query.prefix.clone(),
            key_count: contents.len() + common_prefixes.len(),
            max_keys: query.entries_max,
            is_truncated: page.next.is_some() || page.is_token_missing,
            next_continuation_token: page
                .next
                .as_deref()
                .filter(|_| !page.is_token_missing)
                .map(to_token),
            contents,
            common_prefixes,
        };
        document(StatusCode::OK, &result)
    }

    /// The reply to send, with the body to come whole.
    pub(super) fn whole(self, now_ms: i64, is_head: bool) -> Response<Body> {
        let size = self.body.len();
        let body = if is_head { Bytes::new() } else { self.body.clone() };
        let body = Full::new(body).map_err(|never: Infallible| match never {});
        self.head(now_ms, size, body.boxed_unsync())
    }

    /// The reply to send, with only half of the body to come, and then the end of the connection.
    pub(super) fn truncated(self, now_ms: i64) -> Response<Body> {
        let size = self.body.len();
        let half = self.body.slice(..size / 2);
        let cut = async {
            tokio::time::sleep(TRUNCATION_PAUSE).await;
            Err(std::io::ErrorKind::BrokenPipe.into())
        };
        let frames = stream::iter([Ok(Frame::data(half))]).chain(stream::once(cut));
        self.head(now_ms, size, StreamBody::new(frames).boxed_unsync())
    }

    fn head(self, now_ms: i64, size: usize, body: Body) -> Response<Body> {
        let mut response = Response::builder().status(self.status).header(DATE, http_date(now_ms));
        if self.status != StatusCode::NO_CONTENT {
            response = response.header(CONTENT_LENGTH, size);
        }
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(body).expect("the headers are plain")
    }
}

fn about(dialect: Dialect, object: &Object) -> Vec<(HeaderName, String)> {
    let mut headers = vec![(ETAG, object.etag.clone())];
    if dialect == Dialect::Google {
        let name = HeaderName::from_static("x-goog-generation");
        headers.push((name, object.generation.to_string()));
    }
    headers
}

fn document(status: StatusCode, document: &impl serde::Serialize) -> Reply {
    let headers = vec![(CONTENT_TYPE, "application/xml".to_owned())];
    Reply { status, headers, body: xml::write(document).into() }
}

fn http_date(ms: i64) -> String {
    date(ms).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn iso_date(ms: i64) -> String {
    date(ms).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn date(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}
