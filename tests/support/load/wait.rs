//! One waiter: it holds a stream, and after every break another, until it is told how the event ended.

use std::sync::Arc;

use rand::rngs::StdRng;

use super::common::{Shared, is_open};
use super::phase::Phase;
use super::target::{Held, Target};
use crate::history::{Op, Outcome, Stamp};

/// See the module.
#[derive(Debug)]
pub struct Wait<T> {
    /// Tells this wait from all others.
    pub number: u64,
    /// Whose wait it is.
    pub client: usize,
    /// What is waited for.
    pub event: String,
    /// How the wait is held.
    pub held: Held,
    /// What it draws from.
    pub rng: StdRng,
    /// Who is asked.
    pub target: Arc<T>,
    /// What all clients share.
    pub shared: Shared,
}

impl<T: Target> Wait<T> {
    /// Waits until it is told, or until waits are to be given up.
    pub async fn run(mut self) {
        let begun = self.shared.recorder.stamp();
        let phase = self.shared.phase.clone();
        let is_over = tokio::select! {
            biased;
            () = self.until_told() => true,
            () = phase.until(|phase| phase == Phase::End) => false,
        };
        if !is_over {
            self.record(Op::WaitEnd { wait: self.number }, begun, Outcome::Abandoned);
        }
    }

    async fn until_told(&mut self) {
        let mut attempt = 0;
        // Whoever is told, or refused for good, is done.
        while is_open(&self.stream().await) {
            self.target.back_off(&mut self.rng, attempt).await;
            attempt += 1;
        }
    }

    async fn stream(&mut self) -> Outcome {
        let route = self.target.route(&mut self.rng);
        let broken = self.shared.broken_off(&mut self.rng, 0.1);
        let invoked = self.shared.recorder.stamp();
        let (outcome, stream) = self.target.attach(route, &self.event, self.held).await;
        let first = Op::WaitFirst { wait: self.number };
        let attached = self.record(first, invoked, outcome.clone());
        let Some(stream) = stream else {
            return outcome;
        };
        let outcome = tokio::select! {
            biased;
            outcome = self.target.told(stream) => outcome,
            () = broken => Outcome::Unknown("the stream broke".to_owned()),
        };
        self.record(Op::WaitEnd { wait: self.number }, attached, outcome.clone());
        outcome
    }

    fn record(&self, op: Op, invoked: Stamp, outcome: Outcome) -> Stamp {
        let event = Some(self.event.clone());
        self.shared.record(&*self.target, self.client, event, op, invoked, outcome)
    }
}
