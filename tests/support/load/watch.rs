//! One watcher: it watches at some server, and after every break resumes at another, from its last bookmark.

use std::sync::Arc;

use rand::rngs::StdRng;
use tokio::time::timeout;

use super::common::Shared;
use super::phase::Phase;
use super::target::{Target, Watched};
use crate::history::{Op, Outcome};

/// How a watcher goes on after a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// From its last bookmark, as everybody has to.
    FromBookmark,
    /// From now on: a fault that the checker must find.
    FromNow,
}

/// See the module.
#[derive(Debug)]
pub struct Watcher<T> {
    number: usize,
    target: Arc<T>,
    shared: Shared,
    rng: StdRng,
    resume: Resume,
    token: String,
    /// How many changes it has seen.
    seen: u64,
}

impl<T: Target> Watcher<T> {
    /// A watcher of `target` from `token` on.
    pub fn new(target: Arc<T>, shared: Shared, rng: StdRng, token: String) -> Self {
        let number = shared.recorder.add_watcher();
        Self { number, target, shared, rng, resume: Resume::FromBookmark, token, seen: 0 }
    }

    /// The same, who goes on after a break as `resume` says.
    pub fn resuming(self, resume: Resume) -> Self {
        Self { resume, ..self }
    }

    /// Watches until the end of the run.
    pub async fn run(mut self) {
        let phase = self.shared.phase.clone();
        tokio::select! {
            biased;
            () = self.go_on() => {}
            () = phase.until(|phase| phase == Phase::End) => {}
        }
    }

    async fn go_on(&mut self) {
        let mut attempt = 0;
        loop {
            let seen = self.seen;
            self.watch().await;
            if self.resume == Resume::FromNow {
                self.token.clear();
            }
            attempt = if self.seen > seen { 0 } else { attempt + 1 };
            self.target.back_off(&mut self.rng, attempt).await;
        }
    }

    /// Watches at one server, until that breaks.
    async fn watch(&mut self) {
        let route = self.target.route(&mut self.rng);
        let broken = self.shared.broken_off(&mut self.rng, 0.3);
        let invoked = self.shared.recorder.stamp();
        let outcome = tokio::select! {
            biased;
            outcome = self.listen(route) => outcome,
            () = broken => Outcome::Abandoned,
        };
        let op = Op::Watch { watcher: self.number };
        self.shared.record(&*self.target, self.number, None, op, invoked, outcome);
    }

    /// Writes down what comes until nothing does, and says why nothing does.
    async fn listen(&mut self, route: T::Route) -> Outcome {
        let silence = || Outcome::Unknown(format!("no message in {:?}", T::SILENCE_MAX));
        let begun = timeout(T::SILENCE_MAX, self.target.watch(route, &self.token)).await;
        let mut watch = match begun {
            Ok(Ok(watch)) => watch,
            Ok(Err(outcome)) => return outcome,
            Err(_) => return silence(),
        };
        loop {
            match timeout(T::SILENCE_MAX, self.target.watched(&mut watch)).await {
                Ok(Ok(watched)) => self.saw(watched),
                Ok(Err(outcome)) => return outcome,
                Err(_) => return silence(),
            }
        }
    }

    fn saw(&mut self, watched: Watched) {
        self.target.note(format_args!("watcher-{} {watched:?}", self.number));
        match watched {
            Watched::Bookmark(token) => self.token = token,
            Watched::Change(change) => {
                self.seen += 1;
                self.shared.recorder.saw(self.number, change);
            }
        }
    }
}
