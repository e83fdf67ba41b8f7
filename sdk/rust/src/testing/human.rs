//! A person who does as a test says.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::answer_event_request::Answer;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::time;
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::watch::Watch;

/// How long it takes at most until an event that was created is known.
const NEWS_LIMIT: Duration = Duration::from_secs(2);
/// What is done takes a few calls.
const DONE_LIMIT: Duration = Duration::from_secs(30);

/// What a [`Human`] does with one event.
#[derive(Debug, Clone)]
pub struct Act {
    what: What,
    after: Duration,
    nonsense: Vec<Answer>,
}

#[derive(Debug, Clone)]
enum What {
    Answer(Answer),
    Decline(String),
    Ignore,
}

impl Act {
    /// Answers with a value, as JSON has it.
    ///
    /// # Panics
    /// JSON cannot express the value.
    pub fn answer(value: impl Serialize) -> Self {
        Self::new(What::Answer(json(value)))
    }

    /// Answers with text as a person would type it.
    pub fn answer_text(text: impl Into<String>) -> Self {
        Self::new(What::Answer(Answer::Text(text.into())))
    }

    /// Declines. The reason may be empty.
    pub fn decline(reason: impl Into<String>) -> Self {
        Self::new(What::Decline(reason.into()))
    }

    /// Leaves the event alone.
    pub fn ignore() -> Self {
        Self::new(What::Ignore)
    }

    /// Lets so much time pass on the server before that, at once. If the event has ended by then, what is done comes
    /// too late, as answers do.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self { after: duration, ..self }
    }

    /// Gives this first, as JSON has it, which has to be refused.
    ///
    /// # Panics
    /// JSON cannot express the value.
    #[must_use]
    pub fn nonsense(mut self, value: impl Serialize) -> Self {
        self.nonsense.push(json(value));
        self
    }

    fn new(what: What) -> Self {
        Self { what, after: Duration::ZERO, nonsense: Vec::new() }
    }
}

/// # Panics
/// JSON cannot express the value: the test is at fault.
fn json(value: impl Serialize) -> Answer {
    Answer::Json(serde_json::to_string(&value).expect("the value is one that JSON has"))
}

/// A person who answers the events of a client's namespace, on a server for tests only.
///
/// What is to be done is said by the name of the event, before the event is created or later: the first act is for the
/// first event of that name, the second for the second. An event for which nothing is said stays as it is. What goes
/// wrong meanwhile is what [`Human::check`] panics with.
#[derive(Debug)]
pub struct Human {
    shared: Arc<Shared>,
    following: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    name: String,
    state: Mutex<State>,
    /// Told when the state changes.
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    acts: HashMap<String, VecDeque<Act>>,
    asked: HashMap<String, VecDeque<String>>,
    busy: usize,
    problems: Vec<String>,
}

impl Human {
    /// A person of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the client's server is no server for tests, and those of reaching it.
    pub async fn new(client: Client, name: impl Into<String>) -> Result<Self> {
        time::ensure_for_tests(&client).await?;
        let pending = v1::ListEventsRequest {
            state: v1::EventState::Pending.into(),
            ..v1::ListEventsRequest::default()
        };
        let page = client.list(pending).await?;
        let watch = client.watch(v1::WatchEventsRequest {
            resume_token: page.resume_token,
            ..v1::WatchEventsRequest::default()
        });
        let shared = Arc::new(Shared {
            client,
            name: name.into(),
            state: Mutex::default(),
            news: Notify::new(),
        });
        for event in page.events {
            shared.hear(event);
        }
        let following = tokio::spawn(follow(shared.clone(), watch));
        Ok(Self { shared, following })
    }

    /// Answers the next event of that name with a value, as JSON has it.
    ///
    /// # Panics
    /// JSON cannot express the value.
    pub fn answer(&self, event: &str, value: impl Serialize) {
        self.does(event, Act::answer(value));
    }

    /// Declines the next event of that name. The reason may be empty.
    pub fn decline(&self, event: &str, reason: &str) {
        self.does(event, Act::decline(reason));
    }

    /// Does that with the next event of that name.
    pub fn does(&self, event: &str, act: Act) {
        let mut state = self.shared.state();
        state.acts.entry(event.to_owned()).or_default().push_back(act);
        self.shared.match_up(&mut state, event);
    }

    /// Waits for what is under way.
    ///
    /// # Panics
    /// Nonsense was taken, an answer was refused, or nobody has asked for one.
    pub async fn check(&self) {
        // What was just asked may not have come here yet.
        self.until(NEWS_LIMIT, |state| state.acts.values().all(VecDeque::is_empty)).await;
        self.until(DONE_LIMIT, |state| state.busy == 0).await;
        let told = {
            let mut state = self.shared.state();
            let left = std::mem::take(&mut state.acts).into_iter();
            let left = left.filter(|(_, acts)| !acts.is_empty()).map(|(event, acts)| {
                format!("nobody has asked {event:?}, {} more times", acts.len())
            });
            std::mem::take(&mut state.problems).into_iter().chain(left).collect::<Vec<_>>()
        };
        assert!(told.is_empty(), "{}", told.join("; "));
    }

    /// Waits for something, and no longer than the limit.
    async fn until(&self, limit: Duration, is_so: impl Fn(&State) -> bool) {
        let come = async {
            loop {
                let news = self.shared.news.notified();
                if is_so(&self.shared.state()) {
                    return;
                }
                news.await;
            }
        };
        // What has not come by then is seen by whoever asked.
        let _ = timeout(limit, come).await;
    }
}

impl Drop for Human {
    fn drop(&mut self) {
        self.following.abort();
    }
}

async fn follow(shared: Arc<Shared>, mut watch: Watch) {
    loop {
        match watch.next().await {
            Ok(change) if change.kind == v1::ChangeKind::Created => shared.hear(change.event),
            Ok(_) => {}
            Err(error) => {
                let problem = format!("the events could not be followed: {error}");
                shared.state().problems.push(problem);
                return;
            }
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(self: &Arc<Self>, event: v1::Event) {
        let mut state = self.state();
        state.asked.entry(event.name.clone()).or_default().push_back(event.id);
        self.match_up(&mut state, &event.name);
        self.news.notify_waiters();
    }

    /// Does what can be done now.
    fn match_up(self: &Arc<Self>, state: &mut State, event: &str) {
        let (Some(acts), Some(asked)) = (state.acts.get_mut(event), state.asked.get_mut(event))
        else {
            return;
        };
        while !acts.is_empty() && !asked.is_empty() {
            let (Some(act), Some(id)) = (acts.pop_front(), asked.pop_front()) else { return };
            state.busy += 1;
            let (shared, event) = (self.clone(), event.to_owned());
            tokio::spawn(async move {
                let done = shared.perform(&id, act).await;
                let mut state = shared.state();
                state.busy -= 1;
                state.problems.extend(done.err().map(|problem| format!("{event:?}: {problem}")));
                shared.news.notify_waiters();
            });
        }
    }

    /// # Errors
    /// What did not go as the test has said.
    async fn perform(&self, id: &str, act: Act) -> Result<(), String> {
        for wrong in act.nonsense {
            match self.client.answer(id, wrong.clone(), &self.name).await {
                Ok(_) => return Err(format!("{wrong:?} was to be refused, and was taken")),
                Err(error) if error.kind() == ErrorKind::Invalid => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        if !act.after.is_zero() {
            time::advance(&self.client, act.after).await.map_err(|error| error.to_string())?;
        }
        let done = match act.what {
            What::Answer(answer) => self.client.answer(id, answer, &self.name).await.map(drop),
            What::Decline(reason) => self.client.decline(id, &reason, &self.name).await.map(drop),
            What::Ignore => Ok(()),
        };
        match done {
            Err(late) if !act.after.is_zero() && late.kind() == ErrorKind::Conflict => Ok(()),
            done => done.map_err(|error| error.to_string()),
        }
    }
}
