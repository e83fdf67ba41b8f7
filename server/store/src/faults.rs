//! Faults planted on purpose, so that the tests of crashes and power cuts, and the simulation, can show that they would
//! notice them.
//!
//! Without the feature `planted-faults` nothing is ever planted, and the compiler removes every question about it.

/// A fault that can be planted in a process by the environment variable `HITL_PLANTED_FAULT`, or in a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlantedFault {
    /// The embedded store acknowledges before it has written.
    AckBeforeSync,
    /// The embedded store never syncs what it acknowledges.
    NoSync,
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
    /// A create that the store says exists already counts as lost, whoever wrote what is there.
    ConflictIsLost,
    /// A create that failed otherwise counts as lost if anything is there.
    ErrorIsLost,
    /// An end is announced only once it is recorded.
    RecordBeforeAnnouncement,
    /// The timer goes before the end is recorded.
    TimerGoesFirst,
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
        if let Some(planted) = PLANTED_IN_THREAD.get() {
            return planted == self;
        }
        static PLANTED: std::sync::LazyLock<Option<String>> =
            std::sync::LazyLock::new(|| std::env::var("HITL_PLANTED_FAULT").ok());
        let name = match self {
            Self::AckBeforeSync => "ack-before-sync",
            Self::NoSync => "no-sync",
            Self::Overwrite => "overwrite",
            Self::DropTimersAtRestart => "drop-timers-at-restart",
            Self::LostWakeUp => "lost-wake-up",
            Self::DeafToReplicas => "deaf-to-replicas",
            Self::RememberPending => "remember-pending",
            Self::ConflictIsLost => "conflict-is-lost",
            Self::ErrorIsLost => "error-is-lost",
            Self::RecordBeforeAnnouncement => "record-before-announcement",
            Self::TimerGoesFirst => "timer-goes-first",
        };
        PLANTED.as_deref() == Some(name)
    }
}

#[cfg(feature = "planted-faults")]
thread_local! {
    static PLANTED_IN_THREAD: std::cell::Cell<Option<PlantedFault>> = const { std::cell::Cell::new(None) };
}

#[cfg(feature = "planted-faults")]
impl PlantedFault {
    /// Plants `fault`, or nothing, in whatever runs on this thread from now on.
    pub fn plant_in_this_thread(fault: Option<Self>) {
        PLANTED_IN_THREAD.set(fault);
    }
}
