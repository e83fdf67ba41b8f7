//! Reads back everything once the storm is over: each event by itself, and all of them as a list.

use crate::server;
use anyhow::{Context, Result};
use futures::StreamExt;
use hitl_proto::v1::ListEventsRequest;
use hitl_proto::v1::event_service_client::EventServiceClient;
use tokio::time::timeout;

use super::call::{CALL_LIMIT, call};
use crate::board::Board;
use crate::history::{Listing, Op, Record, Recorder, View};

/// The number by which the auditor goes among the clients.
const AUDITOR: usize = usize::MAX;
const AT_A_TIME: usize = 32;
const PAGE: i32 = 500;

/// Reads back every event, and then the whole list.
///
/// # Errors
/// If the list cannot be had.
pub async fn audit(endpoint: &str, board: &Board, recorder: &Recorder) -> Result<()> {
    get(endpoint, &board.ids(), recorder).await;
    list(endpoint, recorder).await
}

/// Reads back the events `ids`, each by itself.
pub async fn get(endpoint: &str, ids: &[String], recorder: &Recorder) {
    let client = EventServiceClient::new(server::channel(endpoint));
    futures::stream::iter(ids)
        .for_each_concurrent(AT_A_TIME, |id| {
            let client = client.clone();
            async move {
                let invoked = recorder.stamp();
                let outcome = call(client, Some(id), &Op::Get).await;
                let (event, returned) = (Some(id.clone()), recorder.stamp());
                let op = Op::Get;
                recorder.push(Record { client: AUDITOR, event, op, invoked, returned, outcome });
            }
        })
        .await;
}

/// Reads back the whole list. Nothing else may go on meanwhile.
///
/// # Errors
/// If the list cannot be had.
pub async fn list(endpoint: &str, recorder: &Recorder) -> Result<()> {
    let mut client = EventServiceClient::new(server::channel(endpoint));
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
