//! What a request asks for. What is not exactly as the dialect has it is refused, as the clouds refuse it.

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, IF_MATCH, IF_NONE_MATCH, RANGE};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::fault::Op;
use super::listing::{After, PAGE_MAX, Query};
use super::objects::Condition;
use super::reply::Refusal;
use super::{BUCKET, Dialect, xml};

/// The access key that S3's requests must be signed with. The signature itself is not verified.
pub(super) const ACCESS_KEY: &str = "hitl-test-key";

const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
const KEY_BYTES_MAX: usize = 1_024;
const GENERATION_MATCH: &str = "x-goog-if-generation-match";
/// Headers of S3 that say nothing that matters here.
const S3_HEADERS: [&str; 3] = ["x-amz-date", "x-amz-content-sha256", "x-amz-checksum-sha256"];

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Of the object; of a list its prefix, and empty if several objects are deleted.
    pub(super) key: String,
    pub(super) action: Action,
}

/// What to do.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Put { bytes: Bytes, condition: Condition },
    Get(Option<Range>),
    Head,
    List(Query),
    Delete,
    BulkDelete(Vec<String>),
}

/// The part of an object that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    From(usize),
    /// The last one included.
    Between(usize, usize),
    Last(usize),
}

impl Request {
    /// Reads `request` to its end.
    pub(super) async fn read(
        dialect: Dialect,
        request: hyper::Request<Incoming>,
    ) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
        let body = body.map_err(|_| Refusal::bad("IncompleteBody", "the body ends early or never"));
        Self::parse(dialect, &parts, body?.to_bytes())
    }

    fn parse(dialect: Dialect, parts: &Parts, body: Bytes) -> Result<Self, Refusal> {
        check_headers(dialect, &parts.headers)?;
        let (bucket, key) = split(parts.uri.path())?;
        if bucket != BUCKET {
            return Err(Refusal::new(StatusCode::NOT_FOUND, "NoSuchBucket", "no such bucket"));
        }
        let query = parts.uri.query().unwrap_or_default();
        if key.is_empty() {
            return match (&parts.method, dialect, query) {
                (&Method::GET, _, _) => list(query),
                (&Method::POST, Dialect::S3, "delete") => bulk_delete(&parts.headers, &body),
                _ => Err(not_allowed()),
            };
        }
        if !query.is_empty() {
            return Err(Refusal::bad("InvalidArgument", "an object has no such query parameters"));
        }
        let action = object_action(dialect, parts, body)?;
        Ok(Self { key, action })
    }

    pub(super) fn op(&self) -> Op {
        match self.action {
            Action::Put { .. } => Op::Put,
            Action::Get(_) => Op::Get,
            Action::Head => Op::Head,
            Action::List(_) => Op::List,
            Action::Delete => Op::Delete,
            Action::BulkDelete(_) => Op::BulkDelete,
        }
    }

    pub(super) fn is_conditional(&self) -> bool {
        matches!(&self.action, Action::Put { condition, .. } if *condition != Condition::Always)
    }
}

fn object_action(dialect: Dialect, parts: &Parts, body: Bytes) -> Result<Action, Refusal> {
    let headers = &parts.headers;
    let is_put = parts.method == Method::PUT;
    let condition = condition(dialect, headers)?;
    if !is_put && condition != Condition::Always {
        return Err(not_implemented("conditions are for PUT"));
    }
    if !is_put && !body.is_empty() {
        return Err(Refusal::bad("InvalidRequest", "only PUT has a body"));
    }
    match parts.method {
        Method::PUT => {
            sized(headers)?;
            Ok(Action::Put { bytes: body, condition })
        }
        Method::GET => Ok(Action::Get(range(headers)?)),
        Method::HEAD => Ok(Action::Head),
        Method::DELETE => Ok(Action::Delete),
        _ => Err(not_allowed()),
    }
}

/// S3's requests are signed, and Google's carry no token, since ours has none; neither has headers that we do not know.
fn check_headers(dialect: Dialect, headers: &HeaderMap) -> Result<(), Refusal> {
    let authorization = text(headers, AUTHORIZATION.as_str())?.unwrap_or_default();
    let (known, allowed): (&[&str], bool) = match dialect {
        Dialect::S3 => {
            let credential = format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/");
            let signed = ["x-amz-date", "x-amz-content-sha256"];
            let signed = signed.iter().all(|name| headers.contains_key(*name));
            (&S3_HEADERS, signed && authorization.starts_with(&credential))
        }
        Dialect::Google => {
            (&[GENERATION_MATCH], authorization.trim_end().trim_start_matches("Bearer").is_empty())
        }
    };
    if !allowed {
        let message = "the request is not signed as it has to be";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "AccessDenied", message));
    }
    let is_ours = |name: &str| name.starts_with("x-amz-") || name.starts_with("x-goog-");
    let mut names = headers.keys().map(hyper::header::HeaderName::as_str);
    match names.find(|name| is_ours(name) && !known.contains(name)) {
        Some(name) => Err(not_implemented(&format!("the header {name} is not known"))),
        None => Ok(()),
    }
}

/// The bucket and the key of a path.
fn split(path: &str) -> Result<(String, String), Refusal> {
    let decode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        let decoded = decoded.map_err(|_| Refusal::bad("InvalidURI", "the key is not UTF-8"));
        decoded.map(std::borrow::Cow::into_owned)
    };
    let path = path.strip_prefix('/').unwrap_or(path);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let key = decode(key)?;
    if key.len() > KEY_BYTES_MAX {
        return Err(Refusal::bad("KeyTooLongError", "the key is too long"));
    }
    Ok((decode(bucket)?, key))
}

fn condition(dialect: Dialect, headers: &HeaderMap) -> Result<Condition, Refusal> {
    let none_match = text(headers, IF_NONE_MATCH.as_str())?;
    let if_match = text(headers, IF_MATCH.as_str())?;
    let generation = text(headers, GENERATION_MATCH)?;
    match (dialect, none_match, if_match, generation) {
        (_, None, None, None) => Ok(Condition::Always),
        (Dialect::S3, Some("*"), None, None) => Ok(Condition::Absent),
        (Dialect::S3, None, Some(etag), None) => Ok(Condition::Etag(etag.to_owned())),
        (Dialect::Google, None, None, Some("0")) => Ok(Condition::Absent),
        (Dialect::Google, None, None, Some(generation)) => match generation.parse() {
            Ok(generation) => Ok(Condition::Generation(generation)),
            Err(_) => Err(Refusal::bad("InvalidArgument", "the generation is no number")),
        },
        _ => Err(not_implemented("this condition, or these together")),
    }
}

fn range(headers: &HeaderMap) -> Result<Option<Range>, Refusal> {
    let Some(range) = text(headers, RANGE.as_str())? else {
        return Ok(None);
    };
    let parsed = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).and_then(
        |(first, last)| match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) if first <= last => Some(Range::Between(first, last)),
            (Ok(first), Err(_)) if last.is_empty() => Some(Range::From(first)),
            (Err(_), Ok(count)) if first.is_empty() => Some(Range::Last(count)),
            _ => None,
        },
    );
    parsed.map(Some).ok_or_else(|| Refusal::bad("InvalidArgument", "the range is none"))
}

fn list(query: &str) -> Result<Request, Refusal> {
    let mut list =
        Query { prefix: String::new(), delimiter: None, after: None, entries_max: PAGE_MAX };
    let (mut second_version, mut token) = (false, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "list-type" if value == "2" => second_version = true,
            "prefix" => list.prefix = value.into_owned(),
            "delimiter" => list.delimiter = Some(value.into_owned()),
            "start-after" => list.after = Some(After::Key(value.into_owned())),
            "continuation-token" => token = Some(After::Entry(from_token(&value)?)),
            "max-keys" => match value.parse() {
                Ok(entries) if entries > 0 => list.entries_max = PAGE_MAX.min(entries),
                _ => return Err(Refusal::bad("InvalidArgument", "max-keys is no number")),
            },
            _ => return Err(Refusal::bad("InvalidArgument", &format!("the parameter {name}"))),
        }
    }
    if !second_version {
        return Err(not_implemented("only list-type=2"));
    }
    // Where the pages go on is a matter of the token alone.
    list.after = token.or(list.after);
    Ok(Request { key: list.prefix.clone(), action: Action::List(list) })
}

/// A token from which nobody can guess what it means.
pub(super) fn to_token(entry: &str) -> String {
    let hex: String = entry.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("t{hex}")
}

fn from_token(token: &str) -> Result<String, Refusal> {
    let bad = || Refusal::bad("InvalidArgument", "the continuation token is not one of ours");
    let hex = token.strip_prefix('t').filter(|hex| hex.is_ascii() && hex.len() % 2 == 0);
    let hex = hex.ok_or_else(bad)?;
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| bad());
    let bytes = (0..hex.len()).step_by(2).map(byte).collect::<Result<Vec<_>, _>>()?;
    String::from_utf8(bytes).map_err(|_| bad())
}

fn bulk_delete(headers: &HeaderMap, body: &[u8]) -> Result<Request, Refusal> {
    sized(headers)?;
    if !headers.contains_key("content-md5") && !headers.contains_key("x-amz-checksum-sha256") {
        return Err(Refusal::bad("InvalidRequest", "a bulk delete needs a checksum"));
    }
    let delete: Result<xml::Delete, _> = quick_xml::de::from_reader(body);
    match delete {
        Ok(delete) if delete.object.len() <= PAGE_MAX => {
            let keys = delete.object.into_iter().map(|object| object.key).collect();
            Ok(Request { key: String::new(), action: Action::BulkDelete(keys) })
        }
        _ => Err(Refusal::bad("MalformedXML", "the body is no list of at most 1000 objects")),
    }
}

fn sized(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(CONTENT_LENGTH) {
        return Ok(());
    }
    let message = "the header Content-Length is missing";
    Err(Refusal::new(StatusCode::LENGTH_REQUIRED, "MissingContentLength", message))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let value = headers.get(name).map(|value| value.to_str()).transpose();
    value.map_err(|_| Refusal::bad("InvalidArgument", &format!("the header {name}")))
}

fn not_implemented(message: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
}

fn not_allowed() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "not of this resource")
}
