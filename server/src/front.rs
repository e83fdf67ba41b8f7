//! The way in: what a program calls goes straight to the event service, everything else through the routes.
//!
//! Calls of programs are most of what this server does, and each layer of the routes costs an allocation, or headers
//! that only browsers read. No page can send the header `te`, which every client of gRPC sends, so a call that has it
//! needs none of what protects pages. A call that the guard would refuse goes the long way, and is refused there.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::header::TE;
use ::http::{Request, Response};
use bytes::Bytes;
use futures::TryFutureExt;
use futures::future::{Either, MapOk};
use hyper::body::Body as HttpBody;
use tower::Service;

use crate::grpc;
use crate::http::{Body, Guard};

/// See the module.
#[derive(Clone)]
pub(crate) struct Front<C, R> {
    /// The event service.
    pub(crate) calls: C,
    /// Everything, with the guard around it.
    pub(crate) routes: R,
    pub(crate) guard: Arc<Guard>,
}

impl<C, R, T, B> Service<Request<T>> for Front<C, R>
where
    C: Service<Request<T>, Response = Response<B>, Error = Infallible>,
    R: Service<Request<T>, Response = Response<Body>, Error = Infallible>,
    B: HttpBody<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<MapOk<C::Future, fn(Response<B>) -> Response<Body>>, R::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Neither has anything to wait for, and asking both is how both are told to be ready.
        match self.calls.poll_ready(context) {
            Poll::Ready(Ok(())) => self.routes.poll_ready(context),
            other => other,
        }
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let headers = request.headers();
        let is_short = headers.contains_key(TE)
            && grpc::is_call(headers)
            && grpc::is_of_events(request.uri().path())
            && self.guard.admits(request.method(), request.uri(), headers);
        if is_short {
            let reply: fn(Response<B>) -> Response<Body> = |reply| reply.map(Body::new);
            return Either::Left(self.calls.call(request).map_ok(reply));
        }
        Either::Right(self.routes.call(request))
    }
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::http::Settings;

    const PATH: &str = "/hitl.v1.EventService/GetEvent";
    const GRPC: (&str, &str) = ("content-type", "application/grpc");
    const TRAILERS: (&str, &str) = ("te", "trailers");

    /// Whether a call with these headers reaches the event service without the routes.
    async fn is_short(path: &str, headers: &[(&str, &str)]) -> bool {
        let reply = |status| move |_| async move { Ok(Response::builder().status(status)) };
        let calls = service_fn(reply(200)).map_response(|reply| reply.body(Body::empty()).unwrap());
        let routes =
            service_fn(reply(404)).map_response(|reply| reply.body(Body::empty()).unwrap());
        let guard = Arc::new(Guard::new(&Settings { open: true, ..Settings::default() }));
        let mut request = Request::builder().uri(format!("http://127.0.0.1:4485{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply =
            Front { calls, routes, guard }.oneshot(request.body(()).unwrap()).await.unwrap();
        reply.status() == 200
    }

    #[tokio::test]
    async fn only_calls_of_programs_that_the_guard_admits_go_past_it() {
        assert!(is_short(PATH, &[GRPC, TRAILERS]).await);
        assert!(!is_short(PATH, &[GRPC]).await, "a page could send it");
        assert!(!is_short(PATH, &[("content-type", "text/plain"), TRAILERS]).await);
        assert!(!is_short("/grpc.health.v1.Health/Check", &[GRPC, TRAILERS]).await);
        assert!(!is_short("/hitl.v1.EventServiceX/GetEvent", &[GRPC, TRAILERS]).await);
        let foreign = [GRPC, TRAILERS, ("origin", "https://evil.example")];
        assert!(!is_short(PATH, &foreign).await);
    }
}
