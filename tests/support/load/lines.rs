//! How a client reaches the service: over one connection for good, or over several that it drops now and then.

use std::sync::{Mutex, PoisonError};

use crate::server;
use hitl_proto::v1::event_service_client::EventServiceClient;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tonic::transport::Channel;

/// Connections of a client that has several.
const LINES: usize = 3;
/// How often such a client takes a new connection instead of one that it has.
const RENEWAL: f64 = 0.1;

/// See the module.
#[derive(Debug)]
pub struct Lines {
    endpoint: String,
    renewal: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    channels: Vec<EventServiceClient<Channel>>,
    rng: StdRng,
}

impl Lines {
    /// One connection, which is made again when it is lost.
    pub fn one(endpoint: &str) -> Self {
        Self::new(endpoint, 1, 0.0, 0)
    }

    /// Several connections, so that calls go to whichever replica a proxy at `endpoint` chose for each.
    pub fn several(endpoint: &str, seed: u64) -> Self {
        Self::new(endpoint, LINES, RENEWAL, seed)
    }

    fn new(endpoint: &str, lines: usize, renewal: f64, seed: u64) -> Self {
        let channels = (0..lines).map(|_| connect(endpoint)).collect();
        let rng = StdRng::seed_from_u64(seed);
        Self { endpoint: endpoint.to_owned(), renewal, state: Mutex::new(State { channels, rng }) }
    }

    /// A connection for the next call. Streams on one that is dropped go on.
    pub fn pick(&self) -> EventServiceClient<Channel> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { channels, rng } = &mut *state;
        let at = rng.random_range(0..channels.len());
        if rng.random_bool(self.renewal) {
            channels[at] = connect(&self.endpoint);
        }
        channels[at].clone()
    }
}

fn connect(endpoint: &str) -> EventServiceClient<Channel> {
    EventServiceClient::new(server::channel(endpoint))
}
