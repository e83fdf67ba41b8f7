//! Who watches everything from before the storm to the end of the run.

use std::sync::Arc;

use anyhow::{Context, Result};
use hitl_proto::v1::ListEventsRequest;
use hitl_proto::v1::event_service_client::EventServiceClient;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::load::common::Shared;
use support::load::lines::Lines;
use support::load::watch::Watcher;
use support::server;

/// One who watches what happens from now on, at any replica behind `proxy`.
pub(super) async fn watcher(
    proxy: &str,
    shared: &Shared,
    rng: &mut StdRng,
) -> Result<Watcher<Lines>> {
    let lines = Arc::new(Lines::several(proxy));
    let rng = StdRng::seed_from_u64(rng.random());
    Ok(Watcher::new(lines, shared.clone(), rng, token(proxy).await?))
}

/// From where to watch everything that comes after this call.
async fn token(proxy: &str) -> Result<String> {
    let mut client = EventServiceClient::new(server::channel(proxy));
    let request = ListEventsRequest { page_size: 1, ..Default::default() };
    let page = client.list_events(request).await.context("nothing has gone wrong yet")?;
    Ok(page.into_inner().resume_token)
}
