//! How many may wait, and how the places are shared when they are all taken.
//!
//! Whoever has few waits gets a place from whoever has most, so that nobody can take the places of all others: the
//! newest wait of the other is ended, and its client comes back when there is room. A wait that shares its stream with
//! others needs little room, so that [`SHARING`] of them take the place of one that has a stream of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hitl_core::EventKey;
use tokio::sync::Notify;

/// How many waits that share a stream take the room of one that has its own.
pub const SHARING: usize = 24;
/// Room that an owner keeps however little others have: that of 16 waits with streams of their own.
const KEPT: usize = 16 * SHARING;

/// Among whom the places are shared: each connection, by its number, is an owner. Waits without a connection share the
/// owner 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owner(pub u64);

/// The places, taken and free. Room is counted in waits that share a stream.
#[derive(Debug)]
pub(crate) struct Seats {
    room: usize,
    room_taken: usize,
    taken: usize,
    owners: HashMap<Owner, Held>,
    next: u64,
}

/// What one owner has, oldest first.
#[derive(Debug, Default)]
struct Held {
    seats: BTreeMap<u64, Holder>,
    room: usize,
}

/// Who has a place, and is told when it goes to somebody else.
#[derive(Debug)]
pub(crate) enum Holder {
    /// A wait with a stream of its own.
    Single(Arc<Notify>),
    /// A wait of a group.
    Shared { group: u64, key: Arc<EventKey> },
}

/// One place that is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    pub(crate) owner: Owner,
    pub(crate) number: u64,
}

impl Seats {
    /// Room for so many waits that each have a stream of their own.
    pub(crate) fn new(waits_max: usize) -> Self {
        let room = waits_max.saturating_mul(SHARING);
        Self { room, room_taken: 0, taken: 0, owners: HashMap::new(), next: 0 }
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// Gives `holder`, which waits for `owner`, a place. Returns the place, and the holders that lost theirs for it;
    /// `None` if all places are taken and no other owner has so many that one may be taken.
    pub(crate) fn take(&mut self, owner: Owner, holder: Holder) -> Option<(Seat, Vec<Holder>)> {
        let room = holder.room();
        let short = (self.room_taken + room).saturating_sub(self.room);
        let losers = if short > 0 { self.free(short, owner, room)? } else { Vec::new() };
        self.room_taken += room;
        self.taken += 1;
        let number = self.next;
        self.next += 1;
        let held = self.owners.entry(owner).or_default();
        held.room += room;
        held.seats.insert(number, holder);
        Some((Seat { owner, number }, losers))
    }

    /// Gives the place back, unless it was taken away before.
    pub(crate) fn leave(&mut self, seat: Seat) {
        let Some(held) = self.owners.get_mut(&seat.owner) else { return };
        if let Some(holder) = held.seats.remove(&seat.number) {
            held.room -= holder.room();
            self.room_taken -= holder.room();
            self.taken -= 1;
        }
        if held.seats.is_empty() {
            self.owners.remove(&seat.owner);
        }
    }

    /// Takes the newest places of the owner that has most room, until `short` room is free. It takes none if that owner
    /// has at most twice what `owner` would have with `room` more.
    fn free(&mut self, short: usize, owner: Owner, room: usize) -> Option<Vec<Holder>> {
        let own = self.owners.get(&owner).map_or(0, |held| held.room);
        let most = self.owners.values_mut().max_by_key(|held| held.room)?;
        if most.room < (2 * (own + room)).max(KEPT) + short {
            return None;
        }
        let (mut losers, mut freed) = (Vec::new(), 0);
        while freed < short {
            let (_, loser) = most.seats.pop_last()?;
            freed += loser.room();
            losers.push(loser);
        }
        most.room -= freed;
        self.room_taken -= freed;
        self.taken -= losers.len();
        Some(losers)
    }
}

impl Holder {
    /// Tells a wait with a stream of its own that it has lost its place.
    pub(crate) fn tell(&self) {
        if let Self::Single(lost) = self {
            // Kept until it is looked at, so that it is not missed.
            lost.notify_one();
        }
    }

    fn room(&self) -> usize {
        match self {
            Self::Single(_) => SHARING,
            Self::Shared { .. } => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use hitl_core::{EventId, Namespace};

    use super::*;

    fn single() -> Holder {
        Holder::Single(Arc::default())
    }

    fn shared(group: u64) -> Holder {
        let id = EventId::from_bytes([1; 16]);
        Holder::Shared { group, key: Arc::new(EventKey { namespace: Namespace::default(), id }) }
    }

    #[test]
    fn two_who_took_all_places_leave_room_for_a_third() {
        let mut seats = Seats::new(100);
        let held: Vec<_> =
            (0..100).map(|n| seats.take(Owner(n % 2), single()).unwrap().0).collect();
        assert!(seats.take(Owner(0), single()).is_none(), "who has most gets no more");
        let mut third = Vec::new();
        while let Some((seat, losers)) = seats.take(Owner(2), single()) {
            assert!(matches!(losers[..], [Holder::Single(_)]));
            third.push(seat);
        }
        // It goes on until no other owner has more than twice as much.
        assert_eq!((third.len(), seats.taken()), (20, 100));
        for owner in [0, 1] {
            let newest = *seats.owners[&Owner(owner)].seats.last_key_value().unwrap().0;
            assert!(newest < 80, "the newest go first");
        }
        for seat in held.iter().chain(&third) {
            seats.leave(*seat);
        }
        assert_eq!((seats.taken(), seats.room_taken, seats.owners.len()), (0, 0, 0));
    }

    #[test]
    fn a_few_waits_are_nobodys_to_take() {
        let mut seats = Seats::new(16);
        let held: Vec<_> = (0..16).map(|_| seats.take(Owner(1), single()).unwrap().0).collect();
        assert!(seats.take(Owner(2), single()).is_none());
        seats.leave(held[0]);
        assert!(seats.take(Owner(2), single()).is_some());
    }

    #[test]
    fn waits_of_one_stream_take_little_room_and_give_it_to_others() {
        let mut seats = Seats::new(100);
        let many = 100 * SHARING;
        for _ in 0..many {
            assert!(seats.take(Owner(1), shared(1)).unwrap().1.is_empty());
        }
        assert!(seats.take(Owner(1), shared(1)).is_none());
        let (_, losers) = seats.take(Owner(2), single()).unwrap();
        assert_eq!(losers.len(), SHARING);
        let (_, losers) = seats.take(Owner(3), shared(3)).unwrap();
        assert!(matches!(losers[..], [Holder::Shared { group: 1, .. }]));
        assert_eq!((seats.taken(), seats.room_taken), (many - SHARING + 1, many));
    }
}
