//! Reads back everything once the storm is over: each event by itself, and all of them as a list.

use anyhow::{Context, Result};
use futures::StreamExt;
use hitl_proto::v1::ListEventsRequest;
use hitl_proto::v1::event_service_client::EventServiceClient;
use support::server;
use tokio::time::timeout;

use crate::call::{CALL_LIMIT, call};
use support::board::Board;
use support::history::{Listing, Op, Recorder, View};

/// The number by which the auditor goes among the clients.
const AUDITOR: usize = usize::MAX;
const AT_A_TIME: usize = 32;
const PAGE: i32 = 500;

/// Reads back every event, and then the whole list.
pub(crate) async fn audit(endpoint: &str, board: &Board, recorder: &Recorder) -> Result<()> {
    let client = EventServiceClient::new(server::channel(endpoint));
    let ids = board.ids();
    futures::stream::iter(&ids)
        .for_each_concurrent(AT_A_TIME, |id| {
            let client = &client;
            async move {
                call(client, AUDITOR, recorder, Some(id.as_str()), &Op::Get).await;
            }
        })
        .await;
    let mut client = client;
    let invoked = recorder.stamp();
    let mut events = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListEventsRequest { page_size: PAGE, page_token, ..Default::default() };
        let page = timeout(CALL_LIMIT, client.list_events(request)).await;
        let page = page.context("a page of the list takes too long")??.into_inner();
        events.extend(page.events.iter().map(View::from));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let returned = recorder.stamp();
    recorder.history().listings.push(Listing { invoked, returned, events });
    Ok(())
}
