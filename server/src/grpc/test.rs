//! The RPC that moves the time of a server for tests.

use hitl_core::limits::TTL_MAX_MS;
use hitl_proto::v1;
use hitl_proto::v1::test_service_server::TestService;
use hitl_store::clock::Clock;
use hitl_store::forward_clock::ForwardClock;
use tonic::{Request, Response, Status};

/// The service of a server that goes by this clock.
#[derive(Debug)]
pub(crate) struct Test {
    clock: ForwardClock,
}

impl Test {
    pub(super) fn new(clock: ForwardClock) -> Self {
        Self { clock }
    }
}

#[tonic::async_trait]
impl TestService for Test {
    async fn advance_time(
        &self,
        request: Request<v1::AdvanceTimeRequest>,
    ) -> Result<Response<v1::AdvanceTimeResponse>, Status> {
        let duration = request.into_inner().duration.unwrap_or_default();
        let ms = duration
            .seconds
            .checked_mul(1_000)
            .and_then(|ms| ms.checked_add(i64::from(duration.nanos) / 1_000_000))
            .filter(|ms| (0..=TTL_MAX_MS).contains(ms))
            .ok_or_else(|| Status::invalid_argument("duration must be from 0 s to 366 days"))?;
        self.clock.advance_ms(ms);
        let now_ms = self.clock.now().ms();
        let nanos = i32::try_from(now_ms.rem_euclid(1_000)).expect("it is below 1,000") * 1_000_000;
        let time = prost_types::Timestamp { seconds: now_ms.div_euclid(1_000), nanos };
        Ok(Response::new(v1::AdvanceTimeResponse { time: Some(time) }))
    }
}
