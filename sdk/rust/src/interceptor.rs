//! What calls pass through, so that a program can trace and count them.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use tonic::codegen::http::HeaderMap;

/// What is held while a call is under way.
pub(crate) type Held = Vec<Box<dyn Any + Send>>;

type Begin = dyn Fn(&str, &mut HeaderMap) -> Box<dyn Any + Send> + Send + Sync;

/// What the program wants to know of calls, in its order.
#[derive(Clone, Default)]
pub(crate) struct Interceptors(Vec<Arc<Begin>>);

impl Interceptors {
    pub(crate) fn push<H: Send + 'static>(
        &mut self,
        begin: impl Fn(&str, &mut HeaderMap) -> H + Send + Sync + 'static,
    ) {
        self.0.push(Arc::new(move |method, headers| Box::new(begin(method, headers))));
    }

    /// A call of `method` begins, with these headers.
    pub(crate) fn begin(&self, method: &str, headers: &mut HeaderMap) -> Held {
        self.0.iter().map(|begin| begin(method, headers)).collect()
    }
}

impl fmt::Debug for Interceptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interceptors({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Clone)]
    struct Counts(Arc<AtomicUsize>);

    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_an_interceptor_returns_is_dropped_when_the_call_is_over() {
        let over = Arc::new(AtomicUsize::new(0));
        let mut interceptors = Interceptors::default();
        let counted = over.clone();
        interceptors.push(move |method, headers| {
            headers.insert("x-method", method.parse().unwrap());
            Counts(counted.clone())
        });
        let mut headers = HeaderMap::new();
        let held = interceptors.begin("/hitl.v1.EventService/GetEvent", &mut headers);
        assert_eq!(headers["x-method"], "/hitl.v1.EventService/GetEvent");
        assert_eq!(over.load(Ordering::Relaxed), 0);
        drop(held);
        assert_eq!(over.load(Ordering::Relaxed), 1);
    }
}
