//! The routes over a service in memory, with a clock that stands still until told.

mod api;
mod batch;
mod bytes;
mod evidence;
mod form;
mod mcp;
mod receipts;
mod refused;
mod review;
mod settings;
mod sign_in;
mod trouble;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use hitl_core::{Principal, Timestamp};
use hitl_receipt::SigningKey;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::*;
use crate::admission::Admission;
use crate::api::Api;
use crate::auth::sign_in::SignIn;
use crate::auth::{LinkKey, LinkKeys, Links, Who};
use crate::budget::Budget;
use hitl_service::quotas::Quotas;
use hitl_service::{Background, Service};
use hitl_store::clock::ManualClock;
use hitl_store::random::SystemRandom;
use hitl_store::{Options, StoreUrl, open};

const NOW_MS: i64 = 1_795_348_837_250;

struct World {
    app: Router,
    clock: ManualClock,
    service: Service,
}

/// What came back, read whole.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl World {
    async fn new() -> Self {
        Self::signing_with(None).await
    }

    /// One whose server signs receipts with `key`, if there is one.
    async fn signing_with(key: Option<SigningKey>) -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap());
        let (now, random) = (Arc::new(clock.clone()), Arc::new(SystemRandom));
        let store =
            open(&StoreUrl::Memory, Options { clock: now.clone(), ..crate::app::store_options() })
                .await
                .unwrap();
        let store = match key {
            Some(key) => {
                store.publish_receipt_key(&key.public()).await.unwrap();
                store.signing_with(Arc::new(key))
            }
            None => store,
        };
        let service =
            Service::new(store, now, random, 100, CancellationToken::new(), Background::new(None));
        let app = Self::app(&service, 100);
        Self { app, clock, service }
    }

    /// The same events, behind a server that takes at most `calls_max` calls at a time.
    fn limited(self, calls_max: usize) -> Self {
        Self { app: Self::app(&self.service, calls_max), ..self }
    }

    fn app(service: &Service, calls_max: usize) -> Router {
        let links = Links::new(&LinkKeys::one(LinkKey::new([7; 32])), "http://127.0.0.1:4485");
        let settings = Settings {
            open: true,
            public_url: "http://127.0.0.1:4485".into(),
            ..Settings::default()
        };
        let admission = Admission::new(calls_max, Budget::unlimited(), Quotas::none());
        let api = Api::new(service.clone(), links.clone(), admission.clone());
        let registry = Registry::default();
        let site = Site::new(api, service.clone(), links, SignIn::none(), admission, registry);
        let anyone = Extension(Who::Known(Principal::Anyone));
        let routes = router(Arc::new(site), Audience::All).layer(anyone);
        guard(routes, Arc::new(Guard::new(&settings)), &settings)
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let response: Response<Body> = self.app.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 8 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Reply { status: head.status, headers: head.headers, text }
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn post_form(&self, path: &str, pairs: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let kind = "application/x-www-form-urlencoded";
        let request = Request::post(path).header(header::CONTENT_TYPE, kind);
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// What a browser shows after it has sent the form and nothing was recorded: a page that it can ask for again.
    async fn refused(&self, form: &str, pairs: &[(&str, &str)]) -> Reply {
        let sent = self.post_form(form, pairs).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let (above, token) = form.rsplit_once('/').unwrap();
        let location = sent.header("location");
        assert!(location.starts_with(&format!("{token}?draft=")), "{location}");
        self.get(&format!("{above}/{location}")).await
    }

    /// An event that wants `input`, with other fields of the request as they are in `more`.
    async fn ask(&self, input: Value, more: Value) -> Value {
        let mut body =
            json!({"name": "deploy", "prompt": "Deploy?", "input": input, "ttl": "3600s"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = self.post("/v1/events", &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.json()["event"].clone()
    }
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn reason(&self) -> String {
        self.json()["error"]["details"][0]["reason"].as_str().unwrap().to_owned()
    }

    /// The value of the hidden field that makes a second press harmless.
    fn answer_id(&self) -> &str {
        let (_, rest) = self.text.split_once("name=\"answer_id\" value=\"").unwrap();
        rest.split('"').next().unwrap()
    }
}

/// The path of a link that is shown with its host.
fn path(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("http://127.0.0.1:4485").unwrap().to_owned()
}
