//! Faults planted on purpose, so that the crash test can show that it would notice them.
//!
//! Without the feature `planted-faults` nothing is ever planted, and the compiler removes every question about it.

/// A fault that can be planted by the environment variable `HITL_PLANTED_FAULT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlantedFault {
    /// The embedded store acknowledges before it has written.
    AckBeforeSync,
    /// A create overwrites what is there.
    Overwrite,
    /// Timers that were there at start are not looked at.
    DropTimersAtRestart,
    /// A waiter reads before it subscribes, and dawdles in between.
    LostWakeUp,
    /// What other replicas announce is not listened to.
    DeafToReplicas,
    /// That an event is pending is remembered.
    RememberPending,
}

impl PlantedFault {
    /// Whether this fault is planted in this process.
    #[cfg(not(feature = "planted-faults"))]
    #[inline]
    pub fn is_planted(self) -> bool {
        false
    }

    /// Whether this fault is planted in this process.
    #[cfg(feature = "planted-faults")]
    pub fn is_planted(self) -> bool {
        static PLANTED: std::sync::LazyLock<Option<String>> =
            std::sync::LazyLock::new(|| std::env::var("HITL_PLANTED_FAULT").ok());
        let name = match self {
            Self::AckBeforeSync => "ack-before-sync",
            Self::Overwrite => "overwrite",
            Self::DropTimersAtRestart => "drop-timers-at-restart",
            Self::LostWakeUp => "lost-wake-up",
            Self::DeafToReplicas => "deaf-to-replicas",
            Self::RememberPending => "remember-pending",
        };
        PLANTED.as_deref() == Some(name)
    }
}
