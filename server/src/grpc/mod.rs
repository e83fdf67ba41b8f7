//! The gRPC door: the event service, the admin service, health and reflection, each also as gRPC-Web and by Connect.
//!
//! Health and reflection need no credential: the one says no more than that the server serves, the other what is
//! published anyway. A call of the services without a good one is refused before its message is read.
//!
//! No other module names tonic. This one converts errors and streams; the messages are the API's own.

mod admin;
mod audit;
mod connect;
mod events;
mod health;
mod standing;
mod status;
mod test;
mod wait;
mod waits;
mod watch;

use std::sync::Arc;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, Response};
use bytes::Bytes;
use hitl_proto::v1::admin_service_server::{
    AdminServiceServer, SERVICE_NAME as ADMIN_SERVICE_NAME,
};
use hitl_proto::v1::event_service_server::{EventServiceServer, SERVICE_NAME};
use hitl_proto::v1::test_service_server::TestServiceServer;
use hitl_proto::{FILE_DESCRIPTOR_SET, HEALTH_FILE_DESCRIPTOR_SET};
use hitl_store::forward_clock::ForwardClock;
use tonic::service::interceptor::InterceptedService;
use tonic::service::{LayerExt, Routes};
use tonic::{Request, Status};
use tonic_web::GrpcWebLayer;
use tower::ServiceBuilder;

use crate::api::Api;
use crate::auth::Who;
use admin::Admin;
use connect::ConnectLayer;
use events::Events;
use health::Reporter;
use hitl_service::Background;
use hitl_service::error::Error;
use test::Test;

/// Largest message taken.
const MESSAGE_BYTES_MAX: usize = hitl_core::limits::REQUEST_BYTES_MAX;

/// Whether a request with these headers is a call of gRPC or gRPC-Web.
pub fn is_call(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        value.trim_start().to_ascii_lowercase().starts_with("application/grpc")
    })
}

/// Whether a request with these headers is a call of Connect, as far as they say.
pub fn is_connect_call(headers: &HeaderMap) -> bool {
    connect::is_call(headers)
}

/// The reply to a call of Connect that is refused before it has reached any service.
pub fn connect_refusal(error: &Error, headers: &HeaderMap) -> Response<Bytes> {
    connect::refusal(error, headers)
}

/// Whether the event service has the method that a call of `path` is for.
pub fn is_of_events(path: &str) -> bool {
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(SERVICE_NAME));
    rest.is_some_and(|method| method.starts_with('/'))
}

/// The reply to a gRPC call that is refused before it has reached any service.
pub fn refusal(error: &Error) -> Response<()> {
    status::reply(error)
}

/// The event service.
pub(crate) type Calls = EventServiceServer<Events>;

/// The gRPC services, as routes of the server that also serves HTTP.
pub struct Grpc {
    /// The routes. A call of an unknown service is answered with UNIMPLEMENTED.
    pub routes: Routes,
    /// The event service alone.
    pub(crate) events: Calls,
    health: Reporter,
}

/// Lets a call pass whose caller is known.
type Check = fn(Request<()>) -> Result<Request<()>, Status>;

/// `service`, for those who are known.
fn for_the_known<S>(service: S) -> InterceptedService<S, Check> {
    InterceptedService::new(service, |request| match Who::of(request.extensions()) {
        Ok(_) => Ok(request),
        Err(error) => Err(status::status(&error)),
    })
}

impl Grpc {
    /// Routes that call `api`, and read JSON in the `background`; and one that moves `test_clock`, if there is one.
    ///
    /// # Errors
    /// The descriptors that reflection serves do not fit together.
    pub async fn new(
        api: Api,
        background: &Background,
        test_clock: Option<ForwardClock>,
    ) -> Result<Self, tonic_reflection::server::Error> {
        let (health, health_service) = health::serving(&[SERVICE_NAME, ADMIN_SERVICE_NAME]);
        let admin = AdminServiceServer::new(Admin::new(api.clone()))
            .max_decoding_message_size(MESSAGE_BYTES_MAX);
        let events = EventServiceServer::from_arc(Arc::new(Events::new(api)))
            .max_decoding_message_size(MESSAGE_BYTES_MAX);
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(HEALTH_FILE_DESCRIPTOR_SET)
                // The details of errors travel as Any; whoever wants to show them looks here.
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        };
        let connect = ConnectLayer::new(background.clone());
        let web = ServiceBuilder::new().layer(connect.clone()).layer(GrpcWebLayer::new());
        let connect = ServiceBuilder::new().layer(connect);
        let test = test_clock.map(|clock| TestServiceServer::new(Test::new(clock)));
        let routes = Routes::new(web.clone().named_layer(for_the_known(events.clone())))
            .add_service(web.clone().named_layer(for_the_known(admin)))
            .add_service(web.clone().named_layer(health_service))
            .add_service(connect.clone().named_layer(reflection().build_v1()?))
            .add_service(connect.named_layer(reflection().build_v1alpha()?));
        let routes = match test {
            Some(test) => routes.add_service(web.named_layer(test)),
            None => routes,
        };
        Ok(Self { routes, events, health })
    }

    /// Tells those who watch the health that the service is about to go.
    pub fn set_not_serving(&self) {
        self.health.set_not_serving();
    }
}
