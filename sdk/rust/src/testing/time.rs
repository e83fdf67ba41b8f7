//! The time of a server for tests, which no other server lets anybody move.

use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::test_service_client::TestServiceClient;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::limits::{ATTEMPT_LIMIT, Silence};

/// Lets time pass at once on the server of this client.
pub(super) async fn advance(client: &Client, duration: Duration) -> Result<()> {
    let longest = prost_types::Duration { seconds: i64::MAX, nanos: 0 };
    let request = v1::AdvanceTimeRequest { duration: Some(duration.try_into().unwrap_or(longest)) };
    let place = client.place();
    let mut stub = TestServiceClient::new(client.authorized(place)?);
    client.hear(place, Silence::For(ATTEMPT_LIMIT), stub.advance_time(request)).await?;
    Ok(())
}

/// Refuses a client whose server is none for tests.
pub(super) async fn ensure_for_tests(client: &Client) -> Result<()> {
    advance(client, Duration::ZERO).await.map_err(|error| {
        Error::config(format!(
            "{} is no server for tests ({}): nobody answers there but people. Start one with `hitl test-server`, or \
             use TestServer",
            client.endpoint(),
            error.message()
        ))
    })
}
