//! What is done when a job is due: one file for each kind, and one line of the table.

pub(crate) mod collect;
pub(crate) mod expire;
pub(crate) mod forget;
pub(crate) mod remind;
pub(crate) mod settle;

use std::sync::Arc;

use futures::future::BoxFuture;
use hitl_store::jobs::{Done, Handler, Handlers, Job, Kind};
use hitl_store::{COLLECT, DELIVER, FORGET, SETTLE};

use crate::error::Error;
use crate::{Service, deliveries};

/// Does one job. It may be called again for the same job, and by several replicas at once.
type Run = fn(Service, Job) -> BoxFuture<'static, Result<Done, Error>>;

/// Every kind, and what does it.
fn table() -> Vec<(Kind, Run)> {
    vec![
        (Kind::EXPIRE, |service, job| Box::pin(expire::run(service, job))),
        (COLLECT, |service, job| Box::pin(collect::run(service, job))),
        (FORGET, |service, job| Box::pin(forget::run(service, job))),
        (remind::REMIND, |service, job| Box::pin(remind::run(service, job))),
        (SETTLE, |service, job| Box::pin(settle::run(service, job))),
        (DELIVER, |service, job| Box::pin(deliveries::run(service, job))),
    ]
}

/// The handlers of every kind, for `service`.
pub(crate) fn handlers(service: &Service) -> Handlers {
    let handler = |(kind, run): (Kind, Run)| {
        let service = service.clone();
        let handler: Handler = Arc::new(move |job| {
            let done = run(service.clone(), job);
            Box::pin(async move { Ok(done.await?) })
        });
        (kind, handler)
    };
    table().into_iter().map(handler).collect()
}
