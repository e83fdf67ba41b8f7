//! A value that tasks wait for.
//!
//! Like a watch channel of tokio, but it wakes those who wait in the order in which they came: tokio's draws lots.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// See the module.
#[derive(Debug)]
pub struct Signal<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T: Copy> Signal<T> {
    /// A value that is `value` for now.
    pub fn new(value: T) -> Self {
        Self { value: Mutex::new(value), changed: Notify::new() }
    }

    /// The value as it is.
    pub fn get(&self) -> T {
        *self.value()
    }

    /// Has it be `value` from now on.
    pub fn set(&self, value: T) {
        self.update(|_| value);
    }

    /// Changes it by what it was.
    pub fn update(&self, change: impl FnOnce(T) -> T) {
        let mut value = self.value();
        *value = change(*value);
        drop(value);
        self.changed.notify_waiters();
    }

    /// Completes once the value is as it should be.
    pub async fn until(&self, is_right: impl Fn(T) -> bool) {
        loop {
            let mut changed = pin!(self.changed.notified());
            // Listen first, so that no change is missed.
            changed.as_mut().enable();
            if is_right(self.get()) {
                return;
            }
            changed.await;
        }
    }

    fn value(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
