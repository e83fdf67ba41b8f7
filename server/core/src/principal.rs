//! Who calls, and what each may do: pure, so that the rule is the same at every door.

use crate::id::{EventKey, Namespace};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Whoever reaches a server that asks for no credential. May do everything.
    Anyone,
    /// Whoever has a link to this event. May look at it, answer it and decline it.
    Link(EventKey),
}

/// What a principal wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Create an event in this namespace.
    Create(&'a Namespace),
    /// List or watch the events of this namespace.
    List(&'a Namespace),
    /// Look at this event, or wait for its end.
    Look(&'a EventKey),
    /// Answer or decline this event.
    Respond(&'a EventKey),
    /// Cancel this event.
    Cancel(&'a EventKey),
}

/// The principal may not do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied;

impl Principal {
    /// Whether this principal may do that.
    ///
    /// # Errors
    /// [`Denied`] if not.
    pub fn authorize(&self, action: Action<'_>) -> Result<(), Denied> {
        match (self, action) {
            (Self::Anyone, _) => Ok(()),
            (Self::Link(own), Action::Look(key) | Action::Respond(key)) if key == own => Ok(()),
            (Self::Link(_), _) => Err(Denied),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::EventId;

    fn key(namespace: &str, id: u8) -> EventKey {
        EventKey { namespace: namespace.parse().unwrap(), id: EventId::from_bytes([id; 16]) }
    }

    /// Whether `principal` may create, list, look, respond and cancel.
    fn may(principal: &Principal, key: &EventKey) -> [bool; 5] {
        [
            Action::Create(&key.namespace),
            Action::List(&key.namespace),
            Action::Look(key),
            Action::Respond(key),
            Action::Cancel(key),
        ]
        .map(|action| principal.authorize(action).is_ok())
    }

    #[test]
    fn a_link_lets_its_holder_look_at_its_event_and_respond_to_it_and_do_nothing_else() {
        let own = key("team", 1);
        let link = Principal::Link(own.clone());
        assert_eq!(may(&link, &own), [false, false, true, true, false]);
        for other in [key("team", 2), key("other", 1)] {
            assert_eq!(may(&link, &other), [false; 5], "{other:?}");
        }
    }

    #[test]
    fn whoever_reaches_an_open_server_may_do_everything() {
        assert_eq!(may(&Principal::Anyone, &key("team", 1)), [true; 5]);
    }
}
