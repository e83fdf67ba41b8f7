//! Reads requests: paths, queries, bodies and who sent them. What does not fit is refused by name, never ignored.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use hitl_core::{Channel, EventKey, Identity, Responder};
use serde_json::{Map, Value};

use super::BODY_BYTES_MAX;
use super::error::{Failure, content_type};
use super::urlencoded::{self, NotUtf8};
use crate::api::Caller;
use crate::auth::{LinkText, Who};
use crate::budget::Turn;
use crate::json;
use crate::net;
use hitl_service::Owner;

/// Longest time that a request may hold for an event to end.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(60);

/// The event id in the path. One that is not even text is passed on as empty: there is no such event either.
pub(super) struct EventPath(pub(super) String);

/// The link in the path: one part, or two as in earlier versions. What is not even text is passed on as no link.
pub(super) struct LinkPath(Vec<String>);

/// Whoever has sent the request, who has proved to be somebody.
pub(super) struct Known {
    caller: Caller,
    peer: Peer,
}

/// The event that the namespace and the id in the path name; none if they are no such.
pub(super) struct EventKeyPath(pub(super) Option<EventKey>);

/// Where the request came from, as far as the connection tells.
pub(super) struct Peer {
    /// Empty if unknown.
    address: String,
    owner: Owner,
    turn: Option<Turn>,
}

/// The query, name by name.
pub(super) struct Query(Vec<(String, String)>);

/// A body of JSON text, not read yet. An empty body counts as an empty object.
pub(super) struct JsonBody(pub(super) Bytes);

/// The fields of a web form, in order.
pub(super) struct FormBody(pub(super) Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for EventPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(path.map_or_else(|_| String::new(), |Path(id)| id)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LinkPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = Path::<Vec<String>>::from_request_parts(parts, state).await;
        Ok(Self(path.map_or_else(|_| Vec::new(), |Path(all)| all)))
    }
}

impl LinkPath {
    /// The link.
    pub(super) fn text(&self) -> LinkText<'_> {
        match self.0.as_slice() {
            [id, token] => LinkText::Old { id, token },
            other => LinkText::Short(other.first().map_or("", String::as_str)),
        }
    }

    /// The last part of the path, which no other link has.
    pub(super) fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for EventKeyPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let key = path.ok().and_then(|Path((namespace, id))| {
            Some(EventKey { namespace: namespace.parse().ok()?, id: id.parse().ok()? })
        });
        Ok(Self(key))
    }
}

impl Known {
    /// The caller that the API hears of.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Makes this request a wait, and returns whose it is.
    pub(super) fn waits(self) -> (Caller, Owner) {
        (self.caller, self.peer.waits())
    }
}

/// Refuses whoever is not known, before the body is read.
impl<S: Send + Sync> FromRequestParts<S> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let principal = Who::of(&parts.extensions)?;
        let Ok(peer) = Peer::from_request_parts(parts, state).await;
        let caller = Caller { principal, channel: Channel::Http, address: peer.address.clone() };
        Ok(Self { caller, peer })
    }
}

impl Peer {
    /// The network address; empty if unknown.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Who acts through a link: whoever that is, by the name and under the id that it gives; empty means none.
    pub(super) fn identity(&self, channel: Channel, name: String, answer_id: String) -> Identity {
        let responder = Responder::claimed(name, channel, self.address.clone());
        Identity { responder, answer_id: Some(answer_id).filter(|id| !id.is_empty()) }
    }

    /// Makes this request a wait, which lets other calls of its connection have their turn, and returns its owner.
    pub(super) fn waits(self) -> Owner {
        if let Some(turn) = self.turn {
            turn.pass();
        }
        self.owner
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<net::Peer>();
        let address = peer.map(|peer| peer.address.ip().to_string()).unwrap_or_default();
        let owner = peer.map_or_else(Owner::default, net::Peer::owner);
        Ok(Self { address, owner, turn: parts.extensions.get::<Turn>().cloned() })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self(fields(parts.uri.query().unwrap_or_default())?))
    }
}

impl Query {
    /// Takes `wait` out: how long to hold, zero if it is not there, held to the limit if it is longer.
    pub(super) fn wait(&mut self) -> Result<Duration, Failure> {
        let Some(text) = self.take("wait") else {
            return Ok(Duration::ZERO);
        };
        let wait = duration(&text).ok_or_else(|| {
            Failure::invalid("wait", "must be a time such as 30s or 500ms, of at most 60s")
        })?;
        Ok(wait.min(WAIT_MAX))
    }

    /// Takes the value of `name` out, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(given, _)| given == name)?;
        Some(self.0.remove(at).1)
    }

    /// Takes a name out that older clients still send and that means nothing here.
    pub(super) fn ignore(&mut self, name: &str) {
        self.0.retain(|(given, _)| given != name);
    }

    /// Refuses whatever has not been taken out.
    pub(super) fn nothing_else(self) -> Result<(), Failure> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(Failure::invalid(name, "means nothing here")),
        }
    }

    /// The request that the query spells: each name is a field, and `labels[key]` an entry of the map `labels`.
    pub(super) fn message<M: prost::Message + prost::Name + Default>(self) -> Result<M, Failure> {
        let mut members = Map::new();
        for (name, value) in self.0 {
            let (name, key) = match name.split_once('[') {
                Some((field, key)) if key.ends_with(']') => (field, key.strip_suffix(']')),
                _ => (name.as_str(), None),
            };
            let twice = match key {
                None => members.insert(name.to_owned(), Value::String(value)),
                Some(key) => members
                    .entry(name)
                    .or_insert_with(|| Value::Object(Map::new()))
                    .as_object_mut()
                    .and_then(|map| map.insert(key.to_owned(), Value::String(value))),
            };
            if twice.is_some() {
                return Err(Failure::invalid(name, "must be given once"));
            }
        }
        let text = Value::Object(members).to_string();
        json::from_json(text.as_bytes()).map_err(Failure::all)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let given = content_type(request.headers());
        let body = text(bytes(request, state).await?)?;
        if body.is_empty() {
            return Ok(Self(Bytes::from_static(b"{}")));
        }
        if given != "application/json" {
            return Err(wrong_type("application/json", &given));
        }
        Ok(Self(body))
    }
}

impl JsonBody {
    /// The message that the body describes.
    pub(super) fn message<M: prost::Message + prost::Name + Default>(self) -> Result<M, Failure> {
        json::from_json(&self.0).map_err(Failure::all)
    }
}

impl<S: Send + Sync> FromRequest<S> for FormBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let given = content_type(request.headers());
        let body = bytes(request, state).await?;
        if given != "application/x-www-form-urlencoded" {
            return Err(wrong_type("application/x-www-form-urlencoded", &given));
        }
        let body = String::from_utf8(text(body)?.into()).expect("it was found to be UTF-8");
        Ok(Self(fields(&body)?))
    }
}

/// Puts the id of the path into the request; a body that names another event is a mistake, not a choice.
pub(super) fn bind(event_id: &mut String, path: EventPath) -> Result<(), Failure> {
    if !event_id.is_empty() && *event_id != path.0 {
        return Err(Failure::invalid("event_id", "must be that of the path, or left out"));
    }
    *event_id = path.0;
    Ok(())
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    let read = Bytes::from_request(request, state).await;
    read.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("the body must have at most {BODY_BYTES_MAX} bytes");
            Failure::Http(StatusCode::PAYLOAD_TOO_LARGE, message)
        }
        status => Failure::Http(status, "the body could not be read".to_owned()),
    })
}

/// `body`, if it is text, without the byte order mark that some programs put before it.
fn text(body: Bytes) -> Result<Bytes, Failure> {
    if body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF") {
        return Err(Failure::invalid("body", "must be UTF-8, and begins as UTF-16 does"));
    }
    match std::str::from_utf8(&body) {
        Ok(text) if text.starts_with('\u{feff}') => Ok(body.slice('\u{feff}'.len_utf8()..)),
        Ok(_) => Ok(body),
        Err(error) => {
            let message = format!("must be UTF-8, and is not at byte {}", error.valid_up_to() + 1);
            Err(Failure::invalid("body", message))
        }
    }
}

fn fields(text: &str) -> Result<Vec<(String, String)>, Failure> {
    urlencoded::read(text).map_err(|NotUtf8 { name }| {
        Failure::invalid(
            &name,
            "must be text in UTF-8, each byte of it encoded as % and two digits",
        )
    })
}

fn wrong_type(wanted: &str, given: &str) -> Failure {
    let message = format!("the content-type must be {wanted}, not {given:?}");
    Failure::Http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit_s) = match text {
        _ if text.ends_with("ms") => (&text[..text.len() - 2], 0.001),
        _ if text.ends_with('s') => (&text[..text.len() - 1], 1.0),
        _ => return None,
    };
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit_s).ok()
}

#[cfg(test)]
mod tests {
    use hitl_proto::v1;

    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Query {
        Query(pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect())
    }

    #[test]
    fn waits_are_read_and_bounded() {
        let cases = [("30s", 30_000), ("500ms", 500), ("1.5s", 1_500), ("0s", 0), ("999s", 60_000)];
        for (text, ms) in cases {
            let wait = query(&[("wait", text)]).wait().unwrap();
            assert_eq!(wait, Duration::from_millis(ms), "{text}");
        }
        for bad in ["", "30", "s", "-1s", "inf s", "1e9s", "NaNs", "1h", "１s"] {
            assert!(query(&[("wait", bad)]).wait().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_query_spells_a_request() {
        let pairs = [
            ("namespace", "team"),
            ("page_size", "10"),
            ("state", "EVENT_STATE_PENDING"),
            ("labels[a]", "1"),
            ("labels[b]", "2"),
        ];
        let request: v1::ListEventsRequest = query(&pairs).message().unwrap();
        assert_eq!((request.namespace.as_str(), request.page_size), ("team", 10));
        assert_eq!(request.state(), v1::EventState::Pending);
        assert_eq!(request.labels.len(), 2);
    }

    #[test]
    fn a_query_that_says_too_much_is_refused() {
        for bad in [
            &[("nmae", "x")][..],
            &[("name", "x"), ("name", "y")],
            &[("labels[a]", "1"), ("labels[a]", "2")],
            &[("labels", "x"), ("labels[a]", "2")],
            &[("page_size", "many")],
        ] {
            assert!(query(bad).message::<v1::ListEventsRequest>().is_err(), "{bad:?}");
        }
    }
}
