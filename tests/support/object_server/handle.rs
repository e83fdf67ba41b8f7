//! From a request to its reply, with the fault that it meets on the way.

use std::collections::HashMap;
use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Method, Response, StatusCode};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::fault::Fault;
use super::faults::Met;
use super::listing::{self, After, Query};
use super::objects::Condition;
use super::reply::{Body, Refusal, Reply};
use super::request::{Action, Request};
use super::{Dialect, Shared, lock};

/// How long a creator waits for another one in a racy store.
const RACE: Duration = Duration::from_millis(200);

/// The connection ends instead of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Close,
    Reset,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Cut {}

/// Creators who have found nothing and have not written yet, by key, while the store is racy.
#[derive(Debug, Default)]
pub(super) struct Races {
    racy: AtomicBool,
    waiting: Mutex<HashMap<String, Arc<Notify>>>,
}

/// What a list shows instead of what there is.
#[derive(Debug, Default)]
struct Distortion {
    age: Duration,
    entries_max: Option<usize>,
    backwards: bool,
    skips: bool,
    next: Next,
}

/// Where the token of a page leads.
#[derive(Debug, Clone, Copy, Default)]
enum Next {
    #[default]
    OnToTheRest,
    BackToThePage,
    Nowhere,
}

/// Carries out `request`, unless a fault has it otherwise.
pub(super) async fn handle(
    shared: &Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Body>, Cut> {
    let is_head = request.method() == Method::HEAD;
    let request = match Request::read(shared.dialect, request).await {
        Ok(request) => request,
        Err(refusal) => return Ok(Reply::from(refusal).whole(shared.now_ms(), is_head)),
    };
    let (op, conditional) = (request.op(), request.is_conditional());
    shared.count(op);
    let met = shared.faults.next(shared.dialect, op, conditional, &request.key);
    let reply = match met {
        None => shared.perform(&request).await,
        Some(Met { fault: Fault::TruncatedBody, .. }) => {
            return Ok(shared.perform(&request).await.truncated(shared.now_ms()));
        }
        Some(met) => shared.fail(&request, met).await?,
    };
    Ok(reply.whole(shared.now_ms(), is_head))
}

impl Shared {
    async fn fail(self: &Arc<Self>, request: &Request, met: Met) -> Result<Reply, Cut> {
        let Met { fault, delay, dice } = met;
        let distorted = |distortion| Ok(self.list_distorted(request, &distortion));
        match fault {
            Fault::ErrorBefore => Ok(internal_error()),
            Fault::SlowDown => Ok(slow_down()),
            Fault::TooManyRequests => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                Ok(Refusal::new(status, "TooManyRequests", "reduce your request rate").into())
            }
            Fault::PermissionRevoked => {
                Ok(Refusal::new(StatusCode::FORBIDDEN, "AccessDenied", "access denied").into())
            }
            Fault::Conflict => {
                let (code, message) = ("ConditionalRequestConflict", "a conflicting operation");
                Ok(Refusal::new(StatusCode::CONFLICT, code, message).into())
            }
            Fault::CommitThenError => {
                self.perform(request).await;
                Ok(if dice.is_multiple_of(2) { internal_error() } else { slow_down() })
            }
            Fault::OwnPrecondition => {
                self.perform(request).await;
                Ok(Refusal::precondition().into())
            }
            Fault::CommitThenHang => {
                self.perform(request).await;
                pending().await
            }
            Fault::CommitThenClose => {
                self.perform(request).await;
                Err(Cut::Close)
            }
            Fault::CommitThenReset => {
                self.perform(request).await;
                Err(Cut::Reset)
            }
            Fault::LateLanding => {
                self.perform_later(request, delay);
                match dice % 4 {
                    0 => pending().await,
                    1 => Err(Cut::Reset),
                    _ => Ok(internal_error()),
                }
            }
            Fault::Duplicate => {
                let reply = self.perform(request).await;
                self.perform_later(request, delay);
                Ok(reply)
            }
            Fault::StaleList => distorted(Distortion { age: delay, ..Distortion::default() }),
            Fault::ShortPage => {
                let entries_max = Some(1 + dice as usize % 8);
                distorted(Distortion { entries_max, ..Distortion::default() })
            }
            Fault::RepeatedToken => {
                distorted(Distortion { next: Next::BackToThePage, ..Distortion::default() })
            }
            Fault::MissingToken => distorted(Distortion {
                entries_max: Some(1),
                next: Next::Nowhere,
                ..Distortion::default()
            }),
            Fault::SkippedKeys => distorted(Distortion { skips: true, ..Distortion::default() }),
            Fault::UnorderedList => {
                distorted(Distortion { backwards: true, ..Distortion::default() })
            }
            // Of the body, and not of what is in it.
            Fault::TruncatedBody => Ok(self.perform(request).await),
        }
    }

    fn perform_later(self: &Arc<Self>, request: &Request, delay: Duration) {
        let (shared, request) = (self.clone(), request.clone());
        shared.held_back.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            shared.perform(&request).await;
            shared.held_back.fetch_sub(1, Ordering::SeqCst);
        });
    }

    async fn perform(&self, request: &Request) -> Reply {
        if let Action::Put { condition: Condition::Absent, .. } = request.action
            && self.races.racy.load(Ordering::SeqCst)
            && lock(&self.objects).get(&request.key).is_none()
        {
            self.races.meet(&request.key).await;
            return self.perform_now(request, &Condition::Always).unwrap_or_else(Reply::from);
        }
        let condition = match &request.action {
            Action::Put { condition, .. } if !self.ignores_conditions.load(Ordering::SeqCst) => {
                condition
            }
            _ => &Condition::Always,
        };
        self.perform_now(request, condition).unwrap_or_else(Reply::from)
    }

    fn perform_now(&self, request: &Request, condition: &Condition) -> Result<Reply, Refusal> {
        let Request { key, action } = request;
        let now_ms = self.now_ms();
        let mut objects = lock(&self.objects);
        match action {
            Action::Put { bytes, .. } => {
                objects.check(key, condition)?;
                Ok(Reply::put(self.dialect, &objects.put(key, bytes.clone(), now_ms)))
            }
            Action::Get(range) => {
                let Some(object) = objects.get(key) else {
                    lock(&self.requests).misses += 1;
                    return Err(Refusal::missing());
                };
                Reply::object(self.dialect, object, *range)
            }
            Action::Head => {
                let object = objects.get(key).ok_or_else(Refusal::missing)?;
                Reply::object(self.dialect, object, None)
            }
            Action::List(query) => Ok(Reply::list(query, listing::page(objects.now(), query))),
            Action::Delete => {
                let existed = objects.delete(key);
                // Amazon does not tell, and Google does.
                if existed || self.dialect == Dialect::S3 {
                    Ok(Reply::deleted())
                } else {
                    Err(Refusal::missing())
                }
            }
            Action::BulkDelete(keys) => {
                for key in keys {
                    objects.delete(key);
                }
                Ok(Reply::bulk_deleted(keys.clone()))
            }
        }
    }

    fn list_distorted(&self, request: &Request, distortion: &Distortion) -> Reply {
        let Action::List(query) = &request.action else {
            return internal_error();
        };
        let entries_max = distortion.entries_max.unwrap_or(query.entries_max);
        let entries_max = entries_max.min(query.entries_max);
        let query = Query { entries_max, ..query.clone() };
        let objects = lock(&self.objects).as_of(distortion.age);
        let mut page = listing::page(&objects, &query);
        if distortion.backwards {
            page.objects.reverse();
            page.prefixes.reverse();
        }
        if distortion.skips {
            let (mut object, mut prefix) = (0, 0);
            page.objects.retain(|_| is_even(&mut object));
            page.prefixes.retain(|_| is_even(&mut prefix));
        }
        match (distortion.next, &query.after) {
            (Next::OnToTheRest, _) => {}
            (Next::Nowhere, _) => page.is_token_missing = true,
            (Next::BackToThePage, Some(After::Entry(entry))) => page.next = Some(entry.clone()),
            (Next::BackToThePage, _) => page.next = Some(query.prefix.clone()),
        }
        Reply::list(&query, page)
    }
}

impl Races {
    pub(super) fn set(&self, racy: bool) {
        self.racy.store(racy, Ordering::SeqCst);
    }

    /// Returns once another creator of the same key has come this far, or none does for a while.
    async fn meet(&self, key: &str) {
        let (first, met) = {
            let mut waiting = lock(&self.waiting);
            match waiting.remove(key) {
                Some(other) => (false, other),
                None => (true, waiting.entry(key.to_owned()).or_default().clone()),
            }
        };
        if first {
            let _ = timeout(RACE, met.notified()).await;
            lock(&self.waiting).retain(|_, other| !Arc::ptr_eq(other, &met));
        } else {
            met.notify_one();
        }
    }
}

/// Whether this is the second, the fourth and so on that is asked about.
fn is_even(count: &mut u32) -> bool {
    *count += 1;
    count.is_multiple_of(2)
}

fn internal_error() -> Reply {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Refusal::new(status, "InternalError", "we encountered an internal error").into()
}

fn slow_down() -> Reply {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Refusal::new(status, "SlowDown", "please reduce your request rate").into()
}
