//! The forms of a call: one message or a stream, in JSON or in binary form.

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tonic::Status;

use super::super::status::status;
use super::{FRAME_HEAD_BYTES, failure};
use crate::json;
use hitl_service::error::Error;

/// The flag of the last frame of a stream.
const END: u8 = 0b10;

/// How messages are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Codec {
    #[default]
    Json,
    Proto,
}

/// The form of a call, and of its reply: unary in JSON unless something else is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Form {
    codec: Codec,
    is_stream: bool,
}

impl Form {
    /// The form of a call of Connect; `None` if it is something else.
    pub(super) fn of(method: &Method, headers: &HeaderMap) -> Option<Self> {
        if method != Method::POST {
            return None;
        }
        let given = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let kind = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (codec, is_stream) = match kind.as_str() {
            "application/json" => (Codec::Json, false),
            "application/proto" => (Codec::Proto, false),
            "application/connect+json" => (Codec::Json, true),
            "application/connect+proto" => (Codec::Proto, true),
            _ => return None,
        };
        Some(Self { codec, is_stream })
    }

    /// Whether messages are in frames.
    pub(super) fn is_stream(self) -> bool {
        self.is_stream
    }

    /// Whether messages are in binary form.
    pub(super) fn is_binary(self) -> bool {
        self.codec == Codec::Proto
    }

    /// The types of content that calls have.
    pub(super) fn types(is_stream: bool) -> &'static str {
        if is_stream {
            "application/connect+json, application/connect+proto"
        } else {
            "application/json, application/proto"
        }
    }

    /// # Errors
    /// Messages are in JSON.
    pub(super) fn ensure_binary(self) -> Result<(), Status> {
        match self.codec {
            Codec::Proto => Ok(()),
            Codec::Json => Err(Status::unimplemented(
                "a stream from the caller is taken in binary form alone: send application/connect+proto",
            )),
        }
    }

    /// The message in binary form.
    ///
    /// # Errors
    /// It is no such message, and why.
    pub(super) fn read(self, kind: &MessageDescriptor, given: Bytes) -> Result<Bytes, Status> {
        match self.codec {
            Codec::Proto => Ok(given),
            Codec::Json => {
                let message = json::read(kind, &given)
                    .map_err(|broken| status(&Error::InvalidRequest(broken)))?;
                Ok(message.encode_to_vec().into())
            }
        }
    }

    /// A message that is in binary form, as the caller reads it.
    ///
    /// # Errors
    /// It is none, which is a fault of ours.
    pub(super) fn write(self, kind: &MessageDescriptor, message: Bytes) -> Result<Bytes, Status> {
        match self.codec {
            Codec::Proto => Ok(message),
            Codec::Json => {
                let unfit =
                    |what: &str| Status::internal(format!("the reply is no message: {what}"));
                let message = DynamicMessage::decode(kind.clone(), message)
                    .map_err(|error| unfit(&error.to_string()))?;
                let written =
                    serde_json::to_vec(&message).map_err(|error| unfit(&error.to_string()))?;
                Ok(written.into())
            }
        }
    }

    /// The reply that says why there is none.
    pub(super) fn failure(self, status: &Status) -> Response<Bytes> {
        if self.is_stream {
            return self.reply(end(Some(status)));
        }
        let mut reply = Response::new(failure::json(status).to_string().into());
        *reply.status_mut() = failure::http(status.code());
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        reply
    }

    /// A reply with this body.
    pub(super) fn reply<B>(self, body: B) -> Response<B> {
        let mut reply = Response::new(body);
        *reply.status_mut() = StatusCode::OK;
        let kind = match (self.codec, self.is_stream) {
            (Codec::Json, false) => "application/json",
            (Codec::Proto, false) => "application/proto",
            (Codec::Json, true) => "application/connect+json",
            (Codec::Proto, true) => "application/connect+proto",
        };
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        reply
    }
}

/// The last frame of a stream, which says what went wrong, if anything did.
pub(super) fn end(status: Option<&Status>) -> Bytes {
    let said = match status {
        Some(status) => serde_json::json!({"error": failure::json(status)}),
        None => serde_json::json!({}),
    };
    frame(END, said.to_string().as_bytes())
}

/// A frame with these flags.
pub(super) fn frame(flags: u8, content: &[u8]) -> Bytes {
    let length = u32::try_from(content.len()).expect("messages have a bound below that");
    let mut frame = Vec::with_capacity(FRAME_HEAD_BYTES + content.len());
    frame.push(flags);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(content);
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(kind: &'static str) -> Option<Form> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        Form::of(&Method::POST, &headers)
    }

    #[test]
    fn calls_of_connect_are_known_by_their_type() {
        let json = Form { codec: Codec::Json, is_stream: false };
        assert_eq!(form("application/json"), Some(json));
        assert_eq!(form("Application/JSON; charset=utf-8"), Some(json));
        assert!(form("application/connect+proto").is_some_and(Form::is_stream));
        for other in ["application/grpc", "application/grpc-web+proto", "text/plain", ""] {
            assert_eq!(form(other), None, "{other}");
        }
        assert_eq!(Form::of(&Method::GET, &HeaderMap::new()), None);
    }

    #[test]
    fn a_stream_ends_with_a_frame_that_says_how() {
        assert_eq!(end(None).as_ref(), b"\x02\0\0\0\x02{}");
        let failed = end(Some(&Status::not_found("gone")));
        let said: serde_json::Value = serde_json::from_slice(&failed[FRAME_HEAD_BYTES..]).unwrap();
        assert_eq!(said["error"]["code"], "not_found");
        assert_eq!(usize::from(failed[4]), failed.len() - FRAME_HEAD_BYTES);
    }
}
