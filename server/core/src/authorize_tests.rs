//! What each principal may do, role by role, and that it does not depend on the event.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::id::EventId;
use crate::principal::Namespaces;
use crate::principal::{KnownKind, LinkHolder, Roles};
use crate::rights::Rights;
use crate::token::TokenId;

const KINDS: usize = 11;

/// Where knowing itself stands among them.
const KNOWS_ITSELF: usize = 7;

fn key(namespace: &str, id: u8) -> EventKey {
    EventKey { namespace: namespace.parse().unwrap(), id: EventId::from_bytes([id; 16]) }
}

/// Whether `principal` may create, list, look, respond, cancel, hand out links, manage tokens, know itself, read the
/// audit of the namespace and all of it, and comment.
fn may(principal: &Principal, key: &EventKey) -> [bool; KINDS] {
    let namespace = &key.namespace;
    [
        Action::Create(namespace),
        Action::List(namespace),
        Action::Look(key),
        Action::Respond(key),
        Action::Cancel(key),
        Action::HandOutLinks(namespace),
        Action::ManageTokens,
        Action::KnowItself,
        Action::ReadAudit(Some(namespace)),
        Action::ReadAudit(None),
        Action::Comment(key),
    ]
    .map(|action| principal.authorize(action).is_ok())
}

fn known(roles: impl IntoIterator<Item = Role>, namespaces: Namespaces) -> Principal {
    Principal::Known(Arc::new(Known {
        kind: KnownKind::Token(TokenId::from_bytes([1; 8])),
        id: "1".to_owned(),
        name: "ci".to_owned(),
        rights: Rights::of(roles.into_iter().collect(), namespaces),
        groups: Vec::new(),
        until: None,
    }))
}

fn only(namespace: &str) -> Namespaces {
    Namespaces::Only([namespace.parse().unwrap()].into())
}

#[test]
fn each_role_lets_its_holder_do_just_this() {
    const Y: bool = true;
    const N: bool = false;
    let cases = [
        (Role::Requester, [Y, Y, Y, N, Y, N, N, Y, N, N, Y]),
        (Role::Responder, [N, Y, Y, Y, N, N, N, Y, N, N, Y]),
        (Role::Notifier, [N, N, N, N, N, Y, N, Y, N, N, N]),
        (Role::Auditor, [N, Y, Y, N, N, N, N, Y, Y, N, N]),
        (Role::Admin, [Y, Y, Y, Y, Y, Y, N, Y, Y, N, Y]),
    ];
    for (role, expected) in cases {
        assert_eq!(may(&known([role], only("team")), &key("team", 1)), expected, "{role:?}");
    }
    let everywhere = known([Role::Admin], Namespaces::All);
    assert_eq!(may(&everywhere, &key("team", 1)), [true; KINDS]);
}

#[test]
fn a_link_lets_its_holder_look_at_its_event_and_respond_to_it_and_do_nothing_else() {
    let own = key("team", 1);
    for responder in ["", "Ann"] {
        let link = Principal::Link(LinkHolder { key: own.clone(), responder: responder.into() });
        assert_eq!(
            may(&link, &own),
            [false, false, true, true, false, false, false, false, false, false, true],
            "{responder}"
        );
        for other in [key("team", 2), key("other", 1)] {
            assert_eq!(may(&link, &other), [false; KINDS], "{other:?}");
        }
    }
}

#[test]
fn the_owner_may_do_everything_and_whoever_reaches_an_open_server_all_but_make_tokens() {
    assert_eq!(may(&Principal::Owner, &key("team", 1)), [true; KINDS]);
    let open = [true, true, true, true, true, true, false, true, true, true, true];
    assert_eq!(may(&Principal::Anyone, &key("team", 1)), open);
}

fn roles() -> impl Strategy<Value = Vec<Role>> {
    proptest::sample::subsequence(Role::ALL.to_vec(), 0..=Role::ALL.len())
}

proptest! {
    #[test]
    fn a_principal_lists_and_audits_what_is_visible_to_it_and_nothing_else(roles in roles()) {
        for namespaces in [Namespaces::All, only("team")] {
            let principal = known(roles.clone(), namespaces);
            for namespace in ["team", "other"].map(|name| name.parse().unwrap()) {
                let may = principal.authorize(Action::List(&namespace)).is_ok();
                prop_assert_eq!(principal.visible().contains(&namespace), may);
                let may = principal.authorize(Action::ReadAudit(Some(&namespace))).is_ok();
                prop_assert_eq!(principal.audited().contains(&namespace), may);
            }
        }
    }

    #[test]
    fn in_another_namespace_nobody_may_do_anything(roles in roles(), id: u8) {
        let mine = known(roles, only("team"));
        let mut expected = [false; KINDS];
        expected[KNOWS_ITSELF] = true;
        prop_assert_eq!(may(&mine, &key("other", id)), expected);
    }

    #[test]
    fn what_is_allowed_does_not_depend_on_which_event_it_is(roles in roles(), a: u8, b: u8) {
        let mine = known(roles, only("team"));
        prop_assert_eq!(may(&mine, &key("team", a)), may(&mine, &key("team", b)));
    }

    #[test]
    fn roles_add_up_and_take_nothing_away(some in roles(), more in roles(), all: bool) {
        let namespaces = || if all { Namespaces::All } else { only("team") };
        let each = |roles: Vec<Role>| may(&known(roles, namespaces()), &key("team", 1));
        let (a, b) = (each(some.clone()), each(more.clone()));
        let both = each(some.into_iter().chain(more).collect());
        for n in 0..KINDS {
            prop_assert_eq!(both[n], a[n] || b[n], "action {}", n);
        }
    }

    #[test]
    fn a_set_of_roles_has_what_it_was_made_of(given in roles()) {
        let set: Roles = given.iter().copied().collect();
        prop_assert_eq!(set.iter().collect::<Vec<_>>(), given.clone());
        prop_assert_eq!(set.is_empty(), given.is_empty());
    }
}
