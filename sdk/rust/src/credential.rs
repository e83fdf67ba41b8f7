//! What proves to the server who calls: a token, sent with every call.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::http::header::AUTHORIZATION;
use tonic::codegen::http::{HeaderValue, Request, Response};
use tonic::transport::Channel;
use tower::{Service, ServiceExt};

use crate::config::Settings;
use crate::error::{Error, Result};
use crate::headers::Headers;
use crate::interceptor::Interceptors;
use crate::local::Local;

/// The status of a call whose credential is not good.
const UNAUTHENTICATED: &str = "16";

/// Longest token that is sent.
const BYTES_MAX: usize = 4_096;

/// A token: its text, or a function that returns it and is called for each call, so that it can change.
///
/// It is not printed.
#[derive(Clone)]
pub struct Token(Source);

#[derive(Clone)]
enum Source {
    Text(String),
    Function(Arc<dyn Fn() -> Result<String, Failed> + Send + Sync>),
}

impl Token {
    /// The token that `function` returns at each call. It must not block. A call for which it fails is repeated for a
    /// while, as one that does not reach the server.
    pub fn from_fn<F, E>(function: F) -> Self
    where
        F: Fn() -> Result<String, E> + Send + Sync + 'static,
        E: Into<Failed>,
    {
        Self(Source::Function(Arc::new(move || function().map_err(Into::into))))
    }

    /// Whether it is the empty text, which is none.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.0, Source::Text(text) if text.trim().is_empty())
    }

    /// Refuses a text that can be no token.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.0 {
            Source::Text(text) => checked(text).map(drop),
            Source::Function(_) => Ok(()),
        }
    }

    fn text(&self) -> Result<String> {
        match &self.0 {
            Source::Text(text) => checked(text),
            Source::Function(function) => {
                let text = function().map_err(|error| {
                    Error::unavailable(format!("the token cannot be had: {error}"))
                })?;
                checked(&text)
            }
        }
    }
}

/// The token without white space around it.
fn checked(text: &str) -> Result<String> {
    let text = text.trim();
    if text.len() > BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "the token has characters that a header cannot have, or too many: give it as it was printed";
        return Err(Error::config(message.to_owned()));
    }
    Ok(text.to_owned())
}

impl<T: Into<String>> From<T> for Token {
    fn from(text: T) -> Self {
        Self(Source::Text(text.into()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(secret)")
    }
}

/// Where the token of a client comes from.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// There is none.
    None,
    /// It was given.
    Token(Token),
    /// The local server is asked for by `hitl up`, and its token comes with its address.
    Local(Local),
}

/// A channel whose calls carry the token and the headers.
#[derive(Clone, Debug)]
pub(crate) struct Authorized {
    channel: Channel,
    credential: Credential,
    headers: Headers,
    interceptors: Interceptors,
}

impl Credential {
    async fn text(&self) -> Result<String> {
        match self {
            Self::None => Ok(String::new()),
            Self::Token(token) => token.text(),
            Self::Local(local) => local.token().await,
        }
    }
}

impl Authorized {
    pub(crate) fn new(channel: Channel, settings: &Settings) -> Self {
        let Settings { headers, interceptors, .. } = settings;
        let (headers, interceptors) = (headers.clone(), interceptors.clone());
        Self { channel, credential: settings.credential(), headers, interceptors }
    }

    async fn send(self, mut request: Request<Body>) -> Result<Response<Body>, Failed> {
        let token = self.credential.text().await?;
        self.headers.add_to(request.headers_mut());
        let method = request.uri().path().to_owned();
        let _held = self.interceptors.begin(&method, request.headers_mut());
        if let Some(value) = header(&token)? {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let mut channel = self.channel;
        let response = channel.ready().await?.call(request).await?;
        if let Credential::Local(local) = &self.credential
            && response.headers().get("grpc-status").is_some_and(|status| status == UNAUTHENTICATED)
            && local.token().await? != token
        {
            // The connection was lost, and is one to another server by now.
            return Err(Error::unavailable("the local server was started again".to_owned()).into());
        }
        Ok(response)
    }
}

fn header(token: &str) -> Result<Option<HeaderValue>> {
    if token.is_empty() {
        return Ok(None);
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {}", checked(token)?))
        .expect("it has visible ASCII alone");
    value.set_sensitive(true);
    Ok(Some(value))
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Service<Request<Body>> for Authorized {
    type Response = Response<Body>;
    type Error = Failed;
    type Future = tonic::codegen::BoxFuture<Response<Body>, Failed>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        // The channel is waited for by each call.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_is_printed() {
        let shown = format!("{:?} {:?}", Token::from("hitl_TEXT"), header("hitl_TEXT").unwrap());
        assert!(!shown.contains("TEXT"), "{shown}");
        for unusable in ["hitl_TEXT\nb", "hitl TEXT", "hitl_TEXT\u{e9}", &"TEXT".repeat(2_000)] {
            let error = Token::from(unusable).check().unwrap_err();
            assert!(error.message().contains("the token has characters"), "{error}");
            assert!(!error.message().contains("TEXT"), "{error}");
        }
    }

    #[test]
    fn white_space_around_a_token_is_left_out_and_a_function_may_fail() {
        assert_eq!(Token::from(" hitl_x\n").text().unwrap(), "hitl_x");
        assert!(Token::from(" ").is_empty());
        let failing = Token::from_fn(|| Err::<String, _>("the vault is sealed"));
        let error = failing.text().unwrap_err();
        assert!(error.is_retryable() && error.message().contains("the vault is sealed"), "{error}");
        let changing = Token::from_fn(|| Ok::<_, Error>("hitl_y\n".to_owned()));
        assert_eq!(changing.text().unwrap(), "hitl_y");
    }
}
