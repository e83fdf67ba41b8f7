//! A server without its sockets, over a store in memory: what targets that go through a door call.
//!
//! Each run has one of its own, so that what breaks a promise is one input and no history. Time stands still and
//! randomness counts, so that the same input does the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::{Extension, Router};
use hitl_core::{Channel, Principal, Timestamp};
use hitl_proto::v1;
use hitl_server::admission::Admission;
use hitl_server::api::{Api, Caller};
use hitl_server::auth::sign_in::SignIn;
use hitl_server::auth::{LinkKey, LinkKeys, Links, Who};
use hitl_server::budget::Budget;
use hitl_server::http::{Audience, Guard, Registry, Settings, Site, guard, router};
use hitl_service::quotas::Quotas;
use hitl_service::{Background, Service};
use hitl_store::clock::ManualClock;
use hitl_store::random::Random;
use hitl_store::{Options, StoreUrl};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const URL: &str = "http://127.0.0.1:4485";

const NOW_MS: i64 = 1_795_348_837_250;

/// Longest reply that is read.
const REPLY_BYTES_MAX: usize = 64 << 20;

thread_local! {
    static RUNTIME: Runtime =
        Builder::new_current_thread().enable_time().build().expect("a runtime");
}

/// See the module.
pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) service: Service,
    pub(crate) links: Links,
    routes: Router,
    /// What the events are kept in, behind the server's back.
    objects: Arc<dyn ObjectStore>,
}

/// What came back, read whole.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Counts, so that nothing is drawn twice.
#[derive(Debug, Default)]
pub(crate) struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, buffer: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        buffer
            .iter_mut()
            .rev()
            .zip(count.iter().rev().chain(std::iter::repeat(&0)))
            .for_each(|(to, from)| *to = *from);
    }
}

/// Waits for `work`.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(work))
}

/// The present instant, which stands still.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_ms(NOW_MS).expect("an instant of this century")
}

/// Whoever calls, without any credential.
pub(crate) fn caller() -> Caller {
    Caller { principal: Principal::Anyone, channel: Channel::Grpc, address: "127.0.0.1".to_owned() }
}

/// What asks for an event that wants `input`.
pub(crate) fn request(input: v1::Input) -> v1::CreateEventRequest {
    v1::CreateEventRequest {
        name: "deploy".to_owned(),
        prompt: "Deploy?".to_owned(),
        input: Some(input),
        ..v1::CreateEventRequest::default()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        wait(Self::start())
    }

    async fn start() -> Self {
        let clock = Arc::new(ManualClock::at(now()));
        let random = Arc::new(Counted::default());
        let seen = Arc::new(Mutex::new(None));
        let layer = {
            let seen = seen.clone();
            move |store: Arc<dyn ObjectStore>| {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(store.clone());
                store
            }
        };
        let options = Options {
            clock: clock.clone(),
            random: random.clone(),
            layer: Box::new(layer),
            ..Options::default()
        };
        let store = hitl_store::open(&StoreUrl::Memory, options).await.expect("memory is there");
        let objects = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let background = Background::new(None);
        let service = Service::new(store, clock, random, 100, CancellationToken::new(), background);
        let links = Links::new(&LinkKeys::one(LinkKey::new([7; 32])), URL);
        let settings = Settings { open: true, public_url: URL.to_owned(), ..Settings::default() };
        let admission = Admission::new(100, Budget::unlimited(), Quotas::none());
        let api = Api::new(service.clone(), links.clone(), admission.clone());
        let registry = Registry::default();
        let (of_site, of_links) = (service.clone(), links.clone());
        let site = Site::new(api.clone(), of_site, of_links, SignIn::none(), admission, registry);
        let anyone = Extension(Who::Known(Principal::Anyone));
        let routes = router(Arc::new(site), Audience::All).layer(anyone);
        let routes = guard(routes, Arc::new(Guard::new(&settings)), &settings);
        Self { api, service, links, routes, objects: objects.expect("the layer was laid") }
    }

    /// A pending event that wants `input`.
    pub(crate) fn ask(&self, input: v1::Input) -> v1::Event {
        self.create(request(input))
    }

    /// The pending event that `request` asks for.
    pub(crate) fn create(&self, request: v1::CreateEventRequest) -> v1::Event {
        let created = wait(self.api.create_event(request, &caller()));
        created.expect("the question is right").event.expect("a created event")
    }

    /// A link that was made for somebody.
    pub(crate) fn link(&self, event: &v1::Event) -> v1::CreateLinkResponse {
        let request = v1::CreateLinkRequest {
            event_id: event.id.clone(),
            responder: "Ann".to_owned(),
            ..v1::CreateLinkRequest::default()
        };
        wait(self.api.create_link(request, &caller())).expect("the event is pending")
    }

    pub(crate) fn get(&self, path: &str) -> Option<Reply> {
        self.send(Request::get(path), Body::empty())
    }

    /// The reply to a browser that sends this header of cookies.
    pub(crate) fn get_with_cookies(&self, path: &str, cookies: &[u8]) -> Option<Reply> {
        let cookies = HeaderValue::from_bytes(cookies).ok()?;
        self.send(Request::get(path).header(header::COOKIE, cookies), Body::empty())
    }

    pub(crate) fn post(&self, path: &str, kind: &str, body: &[u8]) -> Option<Reply> {
        let request = Request::post(path).header(header::CONTENT_TYPE, kind);
        self.send(request, Body::from(body.to_vec()))
    }

    /// The reply, unless what was made up is not even an address.
    fn send(&self, request: axum::http::request::Builder, body: Body) -> Option<Reply> {
        let request = request.body(body).ok()?;
        Some(wait(async {
            let reply = self.routes.clone().oneshot(request).await.expect("routes never fail");
            let (head, body) = reply.into_parts();
            let bytes = axum::body::to_bytes(body, REPLY_BYTES_MAX).await.expect("a whole reply");
            let text = String::from_utf8(bytes.to_vec()).expect("every reply is text");
            let reply = Reply { status: head.status, headers: head.headers, text };
            assert!(!reply.status.is_server_error(), "{}: {}", reply.status, reply.text);
            reply
        }))
    }

    /// Writes what the server has not written.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let path = Path::parse(path).expect("a path");
        wait(self.objects.put(&path, bytes.to_vec().into())).expect("memory takes everything");
    }
}

/// The path of a URL of ours.
pub(crate) fn path(url: &str) -> &str {
    url.strip_prefix(URL).expect("a URL of ours")
}
