//! The way in: what a program calls goes straight to the event service, everything else through the routes.
//!
//! Calls of programs are most of what this server does, and each layer of the routes costs an allocation, or headers
//! that only browsers read. No page can send the header `te`, which every client of gRPC sends, so a call that has it
//! needs none of what protects pages. A call that the guard would refuse goes the long way, and is refused there; so
//! does one without a good credential.
//!
//! Here it is found out who calls, for all ways: what travels on says so. A credential that is remembered costs nothing
//! more; for another the store is asked first. And here each call is counted, whatever its way.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::header::TE;
use ::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use futures::TryFutureExt;
use futures::future::{BoxFuture, Either, MapOk};
use hyper::body::Body as HttpBody;
use tower::Service;

use crate::admission::Admission;
use crate::auth::{Access, Looked, Who};
use crate::budget::Call;
use crate::grpc::{self, Calls, Grpc};
use crate::http::{self, Audience, Body, Guard, Router, Settings, Site};
use crate::net::Peer;
use hitl_service::Error;
use hitl_service::quotas::Payer;

/// See the module.
#[derive(Clone)]
pub(crate) struct Front<C, R> {
    /// The event service; none where people alone are served.
    pub(crate) calls: Option<C>,
    /// Everything, with the guard around it.
    pub(crate) routes: R,
    pub(crate) guard: Arc<Guard>,
    /// Who is let in.
    pub(crate) access: Access,
    /// How many calls each caller makes.
    pub(crate) admission: Admission,
    /// Makes the reply to a request with these headers that goes no further.
    pub(crate) refuse: fn(Error, &HeaderMap) -> Response<Body>,
}

/// The reply of a service that is called at once.
type Passed<C, R, B> = Either<MapOk<C, fn(Response<B>) -> Response<Body>>, R>;

/// What the ways in are made of.
pub(crate) struct WaysIn<'a> {
    pub(crate) grpc: &'a Grpc,
    pub(crate) site: Site,
    pub(crate) settings: Settings,
    pub(crate) access: Access,
    pub(crate) admission: Admission,
    pub(crate) refuse: fn(Error, &HeaderMap) -> Response<Body>,
}

impl WaysIn<'_> {
    /// What is served to `audience` at the one listener, and to people at another, if they have one of their own.
    pub(crate) fn for_listeners(self, audience: Audience) -> [Front<Calls, Router>; 2] {
        let service = self.site.service.clone();
        let (site, guard) = (Arc::new(self.site), Arc::new(Guard::new(&self.settings)));
        let front = |calls, routes| Front {
            calls,
            routes: http::audited(
                http::guard(routes, guard.clone(), &self.settings),
                service.clone(),
            ),
            guard: guard.clone(),
            access: self.access.clone(),
            admission: self.admission.clone(),
            refuse: self.refuse,
        };
        let grpc = self.grpc.routes.clone().prepare().into_axum_router().reset_fallback();
        let programs = grpc.merge(http::router(site.clone(), audience));
        let people = http::router(site, Audience::People);
        [front(Some(self.grpc.events.clone()), programs), front(None, people)]
    }
}

impl<C, R, T, B> Service<Request<T>> for Front<C, R>
where
    C: Service<Request<T>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    R: Service<Request<T>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    T: Send + 'static,
    B: HttpBody<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<
        Passed<C::Future, R::Future, B>,
        BoxFuture<'static, Result<Response<Body>, Infallible>>,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Neither has anything to wait for, and asking both is how both are told to be ready.
        let calls =
            self.calls.as_mut().map_or(Poll::Ready(Ok(())), |calls| calls.poll_ready(context));
        match calls {
            Poll::Ready(Ok(())) => self.routes.poll_ready(context),
            other => other,
        }
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let token = match self.access.look_at(&request) {
            Looked::Who(who) => {
                return match self.admit(&who, &request) {
                    Ok(()) => Either::Left(self.pass(who, request)),
                    Err(error) => {
                        let refusal = (self.refuse)(error, request.headers());
                        Either::Right(Box::pin(ready(Ok(refusal))))
                    }
                };
            }
            Looked::Ask(token) => token,
        };
        // A clone is ready, since neither service has anything to wait for.
        let mut front = self.clone();
        Either::Right(Box::pin(async move {
            let asked = front.access.ask(&token).await;
            match asked.and_then(|who| front.admit(&who, &request).map(|()| who)) {
                Ok(who) => front.pass(who, request).await,
                Err(error) => Ok((front.refuse)(error, request.headers())),
            }
        }))
    }
}

impl<C, R> Front<C, R> {
    /// Counts a request of `who`, for the credential and for the address from which it comes. What looks whether the
    /// server is well goes by no count.
    ///
    /// # Errors
    /// [`Error::OverQuota`].
    fn admit<T>(&self, who: &Who, request: &Request<T>) -> Result<(), Error> {
        if http::is_probe(request.uri().path()) {
            return Ok(());
        }
        let address = request.extensions().get::<Peer>().map(|peer| peer.address.ip());
        let payer = match who {
            Who::Known(principal) => Payer::new(principal, address),
            Who::Unknown => address.map(Payer::from_address).unwrap_or_default(),
        };
        if let (Some(call), Some(credential)) =
            (request.extensions().get::<Call>(), payer.credential())
        {
            call.made_by(credential)?;
        }
        Ok(self.admission.count(payer)?)
    }

    /// Has one of the services reply to a request of `who`.
    fn pass<T, B>(&mut self, who: Who, mut request: Request<T>) -> Passed<C::Future, R::Future, B>
    where
        C: Service<Request<T>, Response = Response<B>, Error = Infallible>,
        R: Service<Request<T>, Response = Response<Body>, Error = Infallible>,
        B: HttpBody<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + 'static,
    {
        let is_known = matches!(who, Who::Known(_));
        request.extensions_mut().insert(who);
        let headers = request.headers();
        let is_short = is_known
            && headers.contains_key(TE)
            && grpc::is_call(headers)
            && grpc::is_of_events(request.uri().path())
            && self.guard.admits(request.method(), request.uri(), headers);
        if let Some(calls) = self.calls.as_mut().filter(|_| is_short) {
            let reply: fn(Response<B>) -> Response<Body> = |reply| reply.map(Body::new);
            return Either::Left(calls.call(request).map_ok(reply));
        }
        Either::Right(self.routes.call(request))
    }
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt, service_fn};

    use hitl_core::{TokenId, TokenText};
    use hitl_service::Background;
    use hitl_store::clock::SystemClock;
    use hitl_store::random::SystemRandom;
    use hitl_store::{Options, StoreUrl};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::auth::OwnToken;
    use crate::budget::Budget;
    use hitl_service::quotas::Quotas;

    const PATH: &str = "/hitl.v1.EventService/GetEvent";
    const GRPC: (&str, &str) = ("content-type", "application/grpc");
    const TRAILERS: (&str, &str) = ("te", "trailers");

    /// Whether a call with these headers reaches the event service without the routes.
    async fn is_short(access: Access, path: &str, headers: &[(&str, &str)]) -> bool {
        let reply = |status| move |_| async move { Ok(Response::builder().status(status)) };
        let calls = service_fn(reply(200)).map_response(|reply| reply.body(Body::empty()).unwrap());
        let routes =
            service_fn(reply(404)).map_response(|reply| reply.body(Body::empty()).unwrap());
        let guard = Arc::new(Guard::new(&Settings { open: true, ..Settings::default() }));
        let mut request = Request::builder().uri(format!("http://127.0.0.1:4485{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let calls = Some(calls);
        let admission = Admission::new(10, Budget::unlimited(), Quotas::none());
        let refuse = |_: Error, _: &HeaderMap| Response::default();
        let front = Front { calls, routes, guard, access, admission, refuse };
        let reply = front.oneshot(request.body(()).unwrap()).await.unwrap();
        reply.status() == 200
    }

    #[tokio::test]
    async fn only_calls_of_programs_that_the_guard_admits_go_past_it() {
        assert!(is_short(Access::Open, PATH, &[GRPC, TRAILERS]).await);
        assert!(!is_short(Access::Open, PATH, &[GRPC]).await, "a page could send it");
        assert!(!is_short(Access::Open, PATH, &[("content-type", "text/plain"), TRAILERS]).await);
        assert!(!is_short(Access::Open, "/grpc.health.v1.Health/Check", &[GRPC, TRAILERS]).await);
        assert!(
            !is_short(Access::Open, "/hitl.v1.EventServiceX/GetEvent", &[GRPC, TRAILERS]).await
        );
        let foreign = [GRPC, TRAILERS, ("origin", "https://evil.example")];
        assert!(!is_short(Access::Open, PATH, &foreign).await);
    }

    #[tokio::test]
    async fn a_call_without_a_good_credential_goes_the_long_way() {
        let own = "hitl_of_this_server_alone";
        let tokens = vec![OwnToken::of_owner(own.to_owned())];
        let access = Access::closed(service().await, tokens, None);
        let good = format!("Bearer {own}");
        let unknown = TokenText { id: TokenId::from_bytes([1; 8]), secret: [1; 32] }.reveal();
        let unknown = format!("Bearer {unknown}");
        for (credential, expected) in [
            (good.as_str(), true),
            ("Bearer hitl_of_this_server_alonE", false),
            ("Basic aGl0bDo=", false),
            (&unknown, false),
        ] {
            let headers = [GRPC, TRAILERS, ("authorization", credential)];
            assert_eq!(is_short(access.clone(), PATH, &headers).await, expected, "{credential}");
        }
        assert!(!is_short(access.clone(), PATH, &[GRPC, TRAILERS]).await, "there is none");
        let two = [GRPC, TRAILERS, ("authorization", &good), ("authorization", &good)];
        assert!(!is_short(access, PATH, &two).await, "which of two counts nobody can tell");
    }

    async fn service() -> hitl_service::Service {
        let store = hitl_store::open(&StoreUrl::Memory, Options::default()).await.unwrap();
        hitl_service::Service::new(
            store,
            Arc::new(SystemClock),
            Arc::new(SystemRandom),
            10,
            CancellationToken::new(),
            Background::new(None),
        )
    }
}
