//! The books of a run, once nothing goes wrong any more: what the store holds, and what every replica says of it.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use hitl_core::{Event, Namespace, Request, Response, receipt};
use hitl_receipt::{KeySet, Receipt, Seal};
use hitl_service::{Filter, ListQuery};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use rand::rngs::StdRng;
use serde::de::DeserializeOwned;
use support::history::{Autopsy, Life, Listing, Op, Outcome, Record, Stamp};
use support::load::target::Target;

use crate::replica::receipt_key;
use crate::run::REPLICAS;
use crate::view::view;
use crate::world::World;

/// The number by which the auditor goes among the clients.
const AUDITOR: usize = usize::MAX;
/// The number of an observer who sees an end the moment it is in the store.
const OBSERVER: usize = usize::MAX - 1;

/// Looks into the store past all replicas, with which nothing was wrong since `ready`.
pub(crate) async fn look_inside(world: &World, ready: Stamp) {
    autopsy(world, ready).await;
    observe(world).await;
}

/// What the store holds of the events: nothing here can have been repaired by being looked at.
async fn autopsy(world: &World, ready: Stamp) {
    let objects = world.bucket.store().list(Some(&Path::from("events")));
    let objects: Vec<_> = objects.try_collect().await.expect("memory does not fail");
    let having = |record: &str| -> BTreeSet<String> {
        let paths = objects.iter().map(|object| &object.location);
        let of = paths.filter(|path| path.filename() == Some(record));
        of.filter_map(|path| Some(path.parts().nth(2)?.as_ref().to_owned())).collect()
    };
    let (asked, ended) = (having("request.json"), having("response.json"));
    let life = Life { ready, killed: world.shared.recorder.stamp() };
    let mut history = world.shared.recorder.history();
    history.lives.push(life);
    history.autopsies.push(Autopsy { life, asked, ended });
}

/// Each end, as seen by somebody who looked the moment it was in the store, though nobody may have been told of it.
async fn observe(world: &World) {
    for (path, stamp) in world.bucket.take_created() {
        let Some(event) = path.as_ref().strip_suffix("/response.json") else {
            continue;
        };
        let request: Request = record(world, &format!("{event}/request.json"), "request").await;
        let response: Response = record(world, path.as_ref(), "response").await;
        let seal: Seal = record(world, path.as_ref(), "receipt").await;
        let receipt = (request.id.to_string(), fits(&request, &response, seal));
        world.shared.recorder.history().receipts.push(receipt);
        let view = view(&Event { request: request.into(), response: Some(response.into()) });
        world.shared.recorder.push(Record {
            client: OBSERVER,
            event: Some(view.id.clone()),
            op: Op::Get,
            invoked: stamp,
            returned: stamp,
            outcome: Outcome::Seen(view),
        });
    }
}

/// Whether the receipt that is recorded is of what is recorded.
fn fits(request: &Request, response: &Response, seal: Seal) -> bool {
    let text = receipt::text(seal.format, request, response).expect("the format is known");
    let keys: KeySet = (1..=REPLICAS).map(|number| receipt_key(number).public()).collect();
    let receipt = Receipt::new(text, seal).expect("a receipt");
    receipt.verify(&keys).is_ok_and(|said| said.event_id() == request.id.to_string())
}

/// The part with this name of the record at `path`.
async fn record<T: DeserializeOwned>(world: &World, path: &str, name: &str) -> T {
    let found = world.bucket.store().get(&Path::from(path)).await.expect("it was created");
    let bytes = found.bytes().await.expect("memory does not fail");
    let mut record: serde_json::Value = serde_json::from_slice(&bytes).expect("records are JSON");
    serde_json::from_value(record[name].take()).expect("records can be read")
}

/// Reads back each event by itself, and from each replica all of them as a list.
pub(crate) async fn audit(world: &World, rng: &mut StdRng) {
    for id in world.shared.board.ids() {
        let route = world.route(rng);
        world.shared.call(world, route, AUDITOR, Some(&id), &Op::Get).await;
    }
    for replica in &world.replicas {
        let process = replica.process().expect("every replica runs");
        let invoked = world.shared.recorder.stamp();
        let mut query = query();
        let mut events = Vec::new();
        loop {
            match process.service.list(&query).await {
                Ok(page) => {
                    events.extend(page.events.iter().map(view));
                    query.page_token = page.next_page_token;
                }
                Err(error) => {
                    let fault = Outcome::Fault(error.to_string());
                    world.shared.record(world, AUDITOR, None, Op::List, invoked, fault);
                    return;
                }
            }
            if query.page_token.is_empty() {
                break;
            }
        }
        let returned = world.shared.recorder.stamp();
        world.shared.recorder.history().listings.push(Listing { invoked, returned, events });
    }
}

fn query() -> ListQuery {
    ListQuery {
        filter: Filter::all_of(Namespace::default()),
        page_size: 100,
        page_token: String::new(),
    }
}
