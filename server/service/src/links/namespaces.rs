//! Which namespaces there are, so that the one of a link is found, whose text has no room for it.
//!
//! A link has a hint of two bytes by which few namespaces have to be tried, however many there are. Those in which this
//! process has created events are known. The others are listed when a link has a hint that leads to none: once where
//! nobody else creates any, else once a second at most, however many such links come.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use hitl_core::Namespace;
use hitl_store::clock::Monotonic;
use sha2::{Digest, Sha256};

use crate::Service;
use crate::error::Error;

/// Most namespaces that are known. Links to others lead nowhere.
const KNOWN_MAX: usize = 100_000;
/// Shortest time from one listing to the next.
pub(super) const LISTING_MS: i64 = 1_000;

/// Two bytes of the hash of a namespace.
pub type NamespaceHint = [u8; 2];

/// The hint of `namespace`.
pub fn namespace_hint(namespace: &Namespace) -> NamespaceHint {
    let hash = Sha256::digest(namespace.as_str());
    [hash[0], hash[1]]
}

/// What this process knows of namespaces.
#[derive(Debug)]
pub(crate) struct KnownNamespaces {
    by_hint: RwLock<ByHint>,
    /// When they were listed last. Whoever has it lists.
    listed: tokio::sync::Mutex<Option<Monotonic>>,
}

#[derive(Debug, Default)]
struct ByHint {
    namespaces: BTreeMap<NamespaceHint, Vec<Namespace>>,
    count: usize,
}

impl Default for KnownNamespaces {
    /// Most events are in the namespace of whoever names none.
    fn default() -> Self {
        let known = Self { by_hint: RwLock::default(), listed: tokio::sync::Mutex::default() };
        known.learn(&Namespace::default());
        known
    }
}

impl KnownNamespaces {
    fn with(&self, hint: NamespaceHint) -> Vec<Namespace> {
        let known = self.by_hint.read().unwrap_or_else(PoisonError::into_inner);
        known.namespaces.get(&hint).cloned().unwrap_or_default()
    }

    pub(crate) fn learn(&self, namespace: &Namespace) {
        let hint = namespace_hint(namespace);
        if self.with(hint).contains(namespace) {
            return;
        }
        let mut known = self.by_hint.write().unwrap_or_else(PoisonError::into_inner);
        if known.count == KNOWN_MAX {
            tracing::warn!(%namespace, "of so many namespaces not all have links that work");
            return;
        }
        let same = known.namespaces.entry(hint).or_default();
        // Somebody else may have learned it meanwhile.
        if !same.contains(namespace) {
            same.push(namespace.clone());
            known.count += 1;
        }
    }
}

impl Service {
    /// The namespace of which `is_it` holds, of those with one of these `hints`. All are listed if none is known.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn find_namespace(
        &self,
        hints: &[NamespaceHint],
        is_it: impl Fn(&Namespace) -> bool,
    ) -> Result<Option<Namespace>, Error> {
        let known = &self.0.namespaces;
        let find = || hints.iter().flat_map(|hint| known.with(*hint)).find(|it| is_it(it));
        if let Some(found) = find() {
            return Ok(Some(found));
        }
        self.list_namespaces().await?;
        Ok(find())
    }

    /// Learns of the namespaces that there are at this moment.
    async fn list_namespaces(&self) -> Result<(), Error> {
        let (known, clock) = (&self.0.namespaces, &self.0.clock);
        let asked = clock.monotonic();
        let mut listed = known.listed.lock().await;
        if let Some(before) = *listed {
            if before > asked || !self.0.store.is_shared() {
                return Ok(());
            }
            clock.pause_until(before.plus_ms(LISTING_MS)).await;
        }
        // Before it is listed: what is created meanwhile may not be seen.
        let now = clock.monotonic();
        for namespace in self.0.store.namespaces().await? {
            known.learn(&namespace);
        }
        *listed = Some(now);
        Ok(())
    }
}
