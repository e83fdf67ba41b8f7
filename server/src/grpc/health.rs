//! gRPC's protocol of health: whether the server serves, as a whole and by service.
//!
//! It is written here since the crate beside tonic has no `List`. All services begin and end together, so one status
//! stands for each of them.

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use hitl_proto::health::health_check_response::ServingStatus;
use hitl_proto::health::health_server::{Health, HealthServer};
use hitl_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

/// The name that stands for the server as a whole.
const WHOLE: &str = "";

/// What those who ask are told, until the server ends.
#[derive(Debug)]
pub(super) struct Reporter(watch::Sender<ServingStatus>);

/// The service of health.
#[derive(Debug)]
pub(super) struct Statuses {
    services: &'static [&'static str],
    status: watch::Receiver<ServingStatus>,
}

/// That of a server which serves `services`.
pub(super) fn serving(services: &'static [&'static str]) -> (Reporter, HealthServer<Statuses>) {
    let (reporter, status) = watch::channel(ServingStatus::Serving);
    (Reporter(reporter), HealthServer::new(Statuses { services, status }))
}

impl Reporter {
    /// Tells those who watch that the server is about to go.
    pub(super) fn set_not_serving(&self) {
        self.0.send_replace(ServingStatus::NotServing);
    }
}

impl Statuses {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        [WHOLE].into_iter().chain(self.services.iter().copied())
    }

    fn has(&self, service: &str) -> bool {
        self.names().any(|name| name == service)
    }

    fn now(&self) -> HealthCheckResponse {
        reply(*self.status.borrow())
    }
}

#[tonic::async_trait]
impl Health for Statuses {
    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !self.has(&request.get_ref().service) {
            return Err(Status::not_found(
                "there is no such service: List names all, and an empty name is the whole server",
            ));
        }
        Ok(Response::new(self.now()))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        let statuses = self.names().map(|name| (name.to_owned(), self.now())).collect();
        Ok(Response::new(HealthListResponse { statuses }))
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let updates = if self.has(&request.get_ref().service) {
            changes(self.status.clone()).boxed()
        } else {
            // The protocol wants the stream to stay open, in case the service comes; here none comes.
            stream::iter([ServingStatus::ServiceUnknown]).chain(stream::pending()).boxed()
        };
        Ok(Response::new(updates.map(|status| Ok(reply(status))).boxed()))
    }
}

/// The status as it is, and then each time that it changes.
fn changes(
    mut status: watch::Receiver<ServingStatus>,
) -> impl futures::Stream<Item = ServingStatus> {
    status.mark_changed();
    stream::unfold(status, |mut status| async move {
        status.changed().await.ok()?;
        let now = *status.borrow_and_update();
        Some((now, status))
    })
}

fn reply(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "a.Service";

    fn asked(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest { service: service.to_owned() })
    }

    fn service() -> (watch::Sender<ServingStatus>, Statuses) {
        let (reporter, status) = watch::channel(ServingStatus::Serving);
        (reporter, Statuses { services: &[SERVICE], status })
    }

    #[tokio::test]
    async fn a_list_has_the_whole_and_each_service() {
        let (reporter, service) = service();
        for status in [ServingStatus::Serving, ServingStatus::NotServing] {
            reporter.send_replace(status);
            let listed = service.list(Request::new(HealthListRequest {})).await.unwrap();
            let expected = [WHOLE, SERVICE].map(|name| (name.to_owned(), reply(status)));
            assert_eq!(listed.into_inner().statuses, expected.into());
            for name in [WHOLE, SERVICE] {
                let checked = service.check(asked(name)).await.unwrap();
                assert_eq!(checked.into_inner(), reply(status));
            }
        }
        let unknown = service.check(asked("b.Service")).await.unwrap_err();
        assert_eq!(unknown.code(), tonic::Code::NotFound);
    }

    #[tokio::test]
    async fn who_watches_is_told_the_status_and_its_change() {
        let (reporter, service) = service();
        let mut updates = service.watch(asked(SERVICE)).await.unwrap().into_inner();
        let first = updates.next().await.unwrap().unwrap();
        assert_eq!(first, reply(ServingStatus::Serving));
        Reporter(reporter).set_not_serving();
        let second = updates.next().await.unwrap().unwrap();
        assert_eq!(second, reply(ServingStatus::NotServing));
    }

    #[tokio::test]
    async fn a_watch_of_no_service_says_so_and_stays_open() {
        let (_reporter, service) = service();
        let mut updates = service.watch(asked("b.Service")).await.unwrap().into_inner();
        let first = updates.next().await.unwrap().unwrap();
        assert_eq!(first, reply(ServingStatus::ServiceUnknown));
        assert!(futures::poll!(updates.next()).is_pending());
    }
}
