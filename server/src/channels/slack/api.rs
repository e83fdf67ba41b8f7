//! Calls of Slack's Web API.

use hitl_proto::visible;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

use crate::channels::{Outbound, Retry, Undelivered};

/// Most of what Slack says that is told on.
const ERROR_CHARS_MAX: usize = 80;
/// The reason with which a message that somebody has deleted cannot be edited.
const GONE: &str = "the message was deleted in Slack";

/// Slack, for one app.
#[derive(Clone, Debug)]
pub(crate) struct Slack {
    url: String,
    authorization: Option<HeaderValue>,
    outbound: Outbound,
}

impl Slack {
    /// The API at `url`, called with `token`.
    pub(super) fn new(url: &str, token: &str, outbound: Outbound) -> Self {
        let authorization =
            HeaderValue::from_str(&format!("Bearer {token}")).ok().map(|mut value| {
                value.set_sensitive(true);
                value
            });
        Self { url: url.to_owned(), authorization, outbound }
    }

    /// Calls `method` with `body`, and returns what it replies.
    ///
    /// # Errors
    /// It has not done so, or that is not known.
    pub(super) async fn call(&self, method: &str, body: &Value) -> Result<Value, Undelivered> {
        let json = "application/json; charset=utf-8";
        self.post(method, json, body.to_string().into_bytes()).await
    }

    /// The same with a form, which is all that some methods take.
    pub(super) async fn ask(
        &self,
        method: &str,
        fields: &[(&str, &str)],
    ) -> Result<Value, Undelivered> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(method, "application/x-www-form-urlencoded", form.into_bytes()).await
    }

    async fn post(
        &self,
        method: &str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Value, Undelivered> {
        let url = format!("{}/{method}", self.url).parse();
        let url = url.map_err(|_| Undelivered::never("the URL of Slack's API cannot be read"))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let reply = self.outbound.post(&url, headers, body).await?;
        judge(reply.status, &reply.headers, &reply.body)
    }
}

/// What a reply of Slack's means.
fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<Value, Undelivered> {
    if status == StatusCode::TOO_MANY_REQUESTS {
        let seconds =
            headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let ms = seconds.unwrap_or(30_i64).clamp(1, 3_600) * 1_000;
        let reason = "Slack takes no more messages for the moment".to_owned();
        return Err(Undelivered { reason, retry: Retry::AfterMs(ms) });
    }
    if !status.is_success() {
        return Err(Undelivered::later(format!("Slack replies {status}")));
    }
    let Ok(reply) = serde_json::from_slice::<Value>(body) else {
        return Err(Undelivered::later("Slack replies what is no JSON"));
    };
    if reply["ok"] == true {
        return Ok(reply);
    }
    let error = visible::cut_line(reply["error"].as_str().unwrap_or_default(), ERROR_CHARS_MAX);
    Err(match error.as_str() {
        "message_not_found" => Undelivered::never(GONE),
        "invalid_blocks"
        | "invalid_blocks_format"
        | "msg_too_long"
        | "msg_blocks_too_long"
        | "no_text"
        | "invalid_arguments"
        | "cant_update_message"
        | "edit_window_closed" => Undelivered::never(format!("Slack refuses the message: {error}")),
        // Whoever runs the server mends these, and what is owed is sent then.
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired" => {
            Undelivered::later(format!("Slack refuses the token: {error}"))
        }
        "missing_scope" => {
            let scope =
                visible::cut_line(reply["needed"].as_str().unwrap_or_default(), ERROR_CHARS_MAX);
            Undelivered::later(format!("the app in Slack needs the scope {scope}"))
        }
        "channel_not_found" | "not_in_channel" | "is_archived" => Undelivered::later(format!(
            "the app cannot post to the conversation; invite it there: {error}"
        )),
        error => Undelivered::later(format!("Slack replies with the error {error:?}")),
    })
}

/// Whether a message cannot be edited since it is not there any more.
pub(super) fn is_gone(error: &Undelivered) -> bool {
    error.reason == GONE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Result<Value, Undelivered> {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("7"));
        judge(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn a_limit_is_heeded_for_as_long_as_slack_says() {
        assert_eq!(judged(429, "").unwrap_err().retry, Retry::AfterMs(7_000));
        let without = judge(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), b"").unwrap_err();
        assert_eq!(without.retry, Retry::AfterMs(30_000));
    }

    #[test]
    fn a_refusal_says_whether_another_try_can_do_better() {
        let retry = |error: &str| {
            judged(200, &format!(r#"{{"ok":false,"error":{error:?}}}"#)).unwrap_err().retry
        };
        for error in ["invalid_auth", "not_in_channel", "internal_error", "of tomorrow", ""] {
            assert_eq!(retry(error), Retry::Later, "{error}");
        }
        for error in ["invalid_blocks", "msg_too_long", "message_not_found"] {
            assert_eq!(retry(error), Retry::Never, "{error}");
        }
        for (status, body) in [(500, "{}"), (200, "<html>"), (302, r#"{"ok":true}"#)] {
            assert_eq!(judged(status, body).unwrap_err().retry, Retry::Later, "{status} {body}");
        }
        assert_eq!(judged(200, r#"{"ok":true,"ts":"1.2"}"#).unwrap()["ts"], "1.2");
    }
}
