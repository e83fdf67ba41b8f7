//! The line at the top of pages for people who are known: where else they can go.

use std::collections::BTreeSet;

use hitl_core::{Namespaces, Principal};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nav {
    /// The page that has it.
    pub(super) here: &'static str,
    /// From there to the first page.
    pub(super) up: &'static str,
    /// Whether the reader may read any of the audit.
    pub(super) has_audit: bool,
}

impl Nav {
    /// The line for `principal` on the page `here`, which is at the first level of addresses.
    pub(super) fn of(principal: &Principal, here: &'static str) -> Self {
        Self { here, up: "", has_audit: principal.audited() != Namespaces::Only(BTreeSet::new()) }
    }
}
