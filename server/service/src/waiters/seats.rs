//! How many may wait, and how the places are shared when they are all taken.
//!
//! Whoever has few waits gets a place from whoever has most, so that nobody can take the places of all others: the
//! newest wait of the other is ended, and its client comes back when there is room. Before that, quotas keep any
//! credential, namespace and address from taking more than its part. A wait that shares its stream with
//! others needs little room, so that [`SHARING`] of them take the place of one that has a stream of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hitl_core::{EventKey, Namespace};
use tokio::sync::Notify;

use crate::error::Error;
use crate::quotas::{Measure, Payer, Quotas, Tally};

/// How many waits that share a stream take the room of one that has its own.
pub const SHARING: usize = 24;
/// Room that an owner keeps however little others have: that of 16 waits with streams of their own.
const KEPT: usize = 16 * SHARING;

/// Among whom the places are shared: each connection, by its number, is an owner. Waits without a connection share the
/// owner 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The number of the connection.
    connection: u64,
    /// For whom what is waited for on it counts, besides its connection.
    payer: Payer,
}

/// The places, taken and free. Room is counted in waits that share a stream.
#[derive(Debug)]
pub(crate) struct Seats {
    room: usize,
    room_taken: usize,
    taken: usize,
    /// By the number of the connection.
    owners: HashMap<u64, Held>,
    /// What each party has.
    parties: Tally,
    next: u64,
}

/// What one owner has, oldest first.
#[derive(Debug, Default)]
struct Held {
    seats: BTreeMap<u64, Taken>,
    room: usize,
}

/// A place that is taken, and for whom it counts.
#[derive(Debug)]
struct Taken {
    holder: Holder,
    payer: Payer,
    namespace: Option<Namespace>,
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
    pub(crate) connection: u64,
    pub(crate) number: u64,
}

impl Seats {
    /// Room for so many waits that each have a stream of their own, of which each party may have what `quotas` say of
    /// `measure`.
    pub(crate) fn new(waits_max: usize, measure: Measure, quotas: Quotas) -> Self {
        let room = waits_max.saturating_mul(SHARING);
        let parties = Tally::new(measure, SHARING as u64, quotas);
        Self { room, room_taken: 0, taken: 0, owners: HashMap::new(), parties, next: 0 }
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// Gives `holder`, which waits for `owner` in `namespace`, a place. Returns the place, and the holders that lost
    /// theirs for it.
    ///
    /// # Errors
    /// [`Error::OverQuota`], and [`Error::TooManyWaiters`] if all places are taken and no other owner has so many that
    /// one may be taken.
    pub(crate) fn take(
        &mut self,
        owner: Owner,
        namespace: Option<Namespace>,
        holder: Holder,
    ) -> Result<(Seat, Vec<Holder>), Error> {
        let room = holder.room();
        let parties = owner.payer.parties(namespace.as_ref());
        self.parties.check(parties.clone(), room as u64)?;
        let short = (self.room_taken + room).saturating_sub(self.room);
        let losers = if short > 0 {
            self.free(short, owner, room).ok_or(Error::TooManyWaiters)?
        } else {
            Vec::new()
        };
        self.parties.add(parties, room as u64)?;
        self.room_taken += room;
        self.taken += 1;
        let number = self.next;
        self.next += 1;
        let held = self.owners.entry(owner.connection).or_default();
        held.room += room;
        held.seats.insert(number, Taken { holder, payer: owner.payer, namespace });
        Ok((Seat { connection: owner.connection, number }, losers))
    }

    /// Gives the place back, unless it was taken away before.
    pub(crate) fn leave(&mut self, seat: Seat) {
        let Some(held) = self.owners.get_mut(&seat.connection) else { return };
        let left = held.seats.remove(&seat.number);
        if let Some(left) = &left {
            held.room -= left.holder.room();
        }
        if held.seats.is_empty() {
            self.owners.remove(&seat.connection);
        }
        if let Some(left) = left {
            self.give_back(&left);
        }
    }

    fn give_back(&mut self, left: &Taken) {
        let room = left.holder.room();
        self.room_taken -= room;
        self.taken -= 1;
        self.parties.remove(left.payer.parties(left.namespace.as_ref()), room as u64);
    }

    /// Takes the newest places of the owner that has most room, until `short` room is free. It takes none if that owner
    /// has at most twice what `owner` would have with `room` more.
    fn free(&mut self, short: usize, owner: Owner, room: usize) -> Option<Vec<Holder>> {
        let own = self.owners.get(&owner.connection).map_or(0, |held| held.room);
        let most = self.owners.values_mut().max_by_key(|held| held.room)?;
        if most.room < (2 * (own + room)).max(KEPT) + short {
            return None;
        }
        let (mut losers, mut freed) = (Vec::new(), 0);
        while freed < short {
            let (_, loser) = most.seats.pop_last()?;
            freed += loser.holder.room();
            losers.push(loser);
        }
        most.room -= freed;
        losers.iter().for_each(|loser| self.give_back(loser));
        Some(losers.into_iter().map(|loser| loser.holder).collect())
    }
}

impl Owner {
    /// The connection with this number, of somebody who is not known.
    pub fn of_connection(connection: u64) -> Self {
        Self { connection, payer: Payer::default() }
    }

    /// The same, with what it waits for counted for `payer`.
    #[must_use]
    pub fn paying(self, payer: Payer) -> Self {
        Self { payer: self.payer.or(payer), ..self }
    }

    pub(crate) fn connection(self) -> u64 {
        self.connection
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
    use crate::quotas::Scope;

    fn seats(waits_max: usize) -> Seats {
        Seats::new(waits_max, Measure::Waits, Quotas::none())
    }

    fn owner(connection: u64) -> Owner {
        Owner::of_connection(connection)
    }

    fn single() -> Holder {
        Holder::Single(Arc::default())
    }

    fn shared(group: u64) -> Holder {
        let id = EventId::from_bytes([1; 16]);
        Holder::Shared { group, key: Arc::new(EventKey { namespace: Namespace::default(), id }) }
    }

    #[test]
    fn two_who_took_all_places_leave_room_for_a_third() {
        let mut seats = seats(100);
        let held: Vec<_> =
            (0..100).map(|n| seats.take(owner(n % 2), None, single()).unwrap().0).collect();
        assert!(seats.take(owner(0), None, single()).is_err(), "who has most gets no more");
        let mut third = Vec::new();
        while let Ok((seat, losers)) = seats.take(owner(2), None, single()) {
            assert!(matches!(losers[..], [Holder::Single(_)]));
            third.push(seat);
        }
        // It goes on until no other owner has more than twice as much.
        assert_eq!((third.len(), seats.taken()), (20, 100));
        for owner in [0, 1] {
            let newest = *seats.owners[&owner].seats.last_key_value().unwrap().0;
            assert!(newest < 80, "the newest go first");
        }
        for seat in held.iter().chain(&third) {
            seats.leave(*seat);
        }
        assert_eq!((seats.taken(), seats.room_taken, seats.owners.len()), (0, 0, 0));
    }

    #[test]
    fn a_few_waits_are_nobodys_to_take() {
        let mut seats = seats(16);
        let held: Vec<_> =
            (0..16).map(|_| seats.take(owner(1), None, single()).unwrap().0).collect();
        assert!(seats.take(owner(2), None, single()).is_err());
        seats.leave(held[0]);
        assert!(seats.take(owner(2), None, single()).is_ok());
    }

    #[test]
    fn waits_of_one_stream_take_little_room_and_give_it_to_others() {
        let mut seats = seats(100);
        let many = 100 * SHARING;
        for _ in 0..many {
            assert!(seats.take(owner(1), None, shared(1)).unwrap().1.is_empty());
        }
        assert!(seats.take(owner(1), None, shared(1)).is_err());
        let (_, losers) = seats.take(owner(2), None, single()).unwrap();
        assert_eq!(losers.len(), SHARING);
        let (_, losers) = seats.take(owner(3), None, shared(3)).unwrap();
        assert!(matches!(losers[..], [Holder::Shared { group: 1, .. }]));
        assert_eq!((seats.taken(), seats.room_taken), (many - SHARING + 1, many));
    }

    #[test]
    fn who_has_a_quota_of_waits_gets_no_more_by_other_connections_or_other_kinds_of_waits() {
        let quotas = Quotas::none().with(Measure::Waits, Scope::Address, 2);
        let mut seats = Seats::new(100, Measure::Waits, quotas);
        let from = |connection, address: &str| {
            owner(connection).paying(Payer::from_address(address.parse().unwrap()))
        };
        let here = from(1, "192.0.2.1");
        let (first, _) = seats.take(here, None, single()).unwrap();
        for _ in 0..SHARING {
            seats.take(from(2, "192.0.2.1"), None, shared(1)).unwrap();
        }
        for holder in [single(), shared(1)] {
            let refused = seats.take(from(3, "192.0.2.1"), None, holder).unwrap_err();
            assert!(matches!(refused, Error::OverQuota(over) if over.max == 2), "{refused}");
        }
        assert!(seats.take(from(4, "192.0.2.2"), None, single()).is_ok(), "others go on");
        seats.leave(first);
        assert!(seats.take(here, None, single()).is_ok());
    }

    #[test]
    fn a_place_that_goes_to_somebody_else_counts_for_nobody_any_more() {
        let quotas = Quotas::none().with(Measure::Waits, Scope::Namespace, 32);
        let mut seats = Seats::new(32, Measure::Waits, quotas);
        let namespace = |name: &str| Some(name.parse::<Namespace>().unwrap());
        for _ in 0..32 {
            seats.take(owner(1), namespace("one"), single()).unwrap();
        }
        let (other, losers) = seats.take(owner(2), namespace("other"), single()).unwrap();
        assert_eq!(losers.len(), 1);
        seats.leave(other);
        assert!(seats.take(owner(1), namespace("one"), single()).is_ok());
    }
}
