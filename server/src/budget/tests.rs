//! What is short is refused, what is held comes back, and who holds others up is let go.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures::FutureExt;

use hitl_core::{Known, KnownKind, Namespaces, Principal, Rights, Role};

use super::*;

const MIB: usize = 1024 * 1024;

fn budget(mebibytes: usize, connections_max: usize) -> Budget {
    limited(mebibytes, connections_max, Quotas::none())
}

fn limited(mebibytes: usize, connections_max: usize, quotas: Quotas) -> Budget {
    Budget::new(BudgetLimits { bytes_max: mebibytes * MIB, connections_max, quotas })
}

fn peer(last: u8) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(10, 0, 0, last), 1))
}

fn is_closed(account: &Account) -> bool {
    account.closed().now_or_never().is_some()
}

fn is_retired(account: &Account) -> bool {
    account.retired().now_or_never().is_some()
}

#[tokio::test(start_paused = true)]
async fn new_work_is_refused_before_what_is_under_way_lacks_room() {
    let budget = budget(100, 10);
    let account = budget.connect(peer(1)).unwrap();
    assert!(
        budget.lease(Some(&account), 26 * MIB).is_err(),
        "one connection has a quarter at most"
    );
    let own = budget.lease(Some(&account), 20 * MIB).unwrap();
    let call = account.call(&budget, 100).unwrap();
    let other = budget.lease(None, 54 * MIB).unwrap();
    assert_eq!(budget.lease(None, 2 * MIB).err(), Some(Full));
    assert!(budget.can_deliver(20 * MIB).now_or_never().is_some());
    assert_eq!(call.take(2 * MIB), Err(Full));
    assert!(call.has_overrun());
    let reply = call.reply(26 * MIB);
    let mut delivery = Box::pin(budget.can_deliver(MIB));
    assert!((&mut delivery).now_or_never().is_none());
    drop(reply);
    delivery.await;
    drop((own, other, call));
    budget.disconnect(&account);
    assert_eq!((budget.used(), account.held(), budget.connections()), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_holds_little_gets_room_while_many_take_all_they_get() {
    let budget = budget(100, 50);
    let greedy: Vec<_> = (0..20).map(|number| budget.connect(peer(number)).unwrap()).collect();
    let mut held = Vec::new();
    loop {
        let taken = greedy.iter().filter_map(|account| budget.lease(Some(account), MIB / 8).ok());
        let before = held.len();
        held.extend(taken);
        if held.len() == before {
            break;
        }
    }
    assert!(greedy.iter().all(|account| account.held() > 3 * MIB));
    let modest = budget.connect(peer(99)).unwrap();
    let call = modest.call(&budget, 1_000).unwrap();
    assert_eq!(call.take(10_000), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_goes_on_is_owed_and_paid_for_message_by_message() {
    let budget = budget(100, 10);
    let account = budget.connect(peer(1)).unwrap();
    let call = account.call(&budget, 0).unwrap();
    let before = account.held();
    call.owes_body(Duration::from_secs(10));
    call.owes_body(Duration::from_secs(99));
    let due = Instant::now() + Duration::from_secs(10);
    assert_eq!(account.view().owes_by, Some(due), "what is owed is not put off");
    call.take(MIB).unwrap();
    call.message_came();
    call.give_back(MIB);
    assert_eq!((account.view().owes_by, account.held()), (None, before));
    call.owes_body(Duration::from_secs(10));
    drop(call);
    assert_eq!(account.view().owes_by, None, "a call that is over owes nothing");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_too_slow_is_let_go_and_one_that_is_idle_retires() {
    let budget = budget(100, 10);
    let [silent, idle, waits] = [1, 2, 3].map(|n| budget.connect(peer(n)).unwrap());
    let _header = silent.owes(Duration::from_secs(10));
    let _wait = waits.call(&budget, 0).unwrap();
    tokio::time::advance(Duration::from_secs(9)).await;
    budget.look(Instant::now(), None);
    assert!(!is_closed(&silent));
    tokio::time::advance(Duration::from_secs(1)).await;
    budget.look(Instant::now(), None);
    assert!(is_closed(&silent) && !is_closed(&idle));
    tokio::time::advance(watch::IDLE_MAX).await;
    budget.look(Instant::now(), None);
    assert!(is_retired(&idle) && !is_closed(&idle));
    assert!(!is_retired(&waits) && !is_closed(&waits));
}

#[tokio::test(start_paused = true)]
async fn under_pressure_those_who_read_nothing_go_and_those_who_wait_stay() {
    let budget = budget(100, 10);
    let waits = budget.connect(peer(1)).unwrap();
    let _waits: Vec<_> = (0..100).map(|_| waits.call(&budget, 0).unwrap()).collect();
    let stalled: Vec<_> = (2..6).map(|n| budget.connect(peer(n)).unwrap()).collect();
    let unread: Vec<_> = stalled
        .iter()
        .map(|account| {
            let call = account.call(&budget, 0).unwrap();
            (call.reply(20 * MIB), account.owes(Duration::from_secs(60)))
        })
        .collect();
    assert!(budget.can_afford(MIB).is_err());
    let since = Some(Instant::now());
    budget.look(Instant::now(), since);
    assert!(!stalled.iter().any(|account| is_closed(account)), "they may be reading");
    tokio::time::advance(Duration::from_secs(2)).await;
    budget.look(Instant::now(), since);
    assert_eq!(
        stalled.iter().filter(|account| is_closed(account)).count(),
        2,
        "as many as it takes"
    );
    assert!(!is_closed(&waits));
    drop(unread);
    assert!(budget.can_afford(MIB).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_takes_the_place_of_the_one_that_can_best_be_missed() {
    let budget = budget(100, 3);
    let busy = budget.connect(peer(1)).unwrap();
    let _call = busy.call(&budget, 0).unwrap();
    let idle = budget.connect(peer(1)).unwrap();
    let trickles = budget.connect(peer(1)).unwrap();
    let _body = (trickles.call(&budget, 0).unwrap(), trickles.owes(Duration::from_secs(300)));
    assert!(budget.connect(peer(1)).is_err(), "none has had a second to show what it is");
    tokio::time::advance(Duration::from_secs(1)).await;
    let _first = budget.connect(peer(1)).unwrap();
    assert!(is_closed(&trickles) && !is_closed(&idle));
    let _second = budget.connect(peer(1)).unwrap();
    assert!(is_closed(&idle) && !is_closed(&busy));
    let from_elsewhere = budget.connect(peer(2));
    assert!(from_elsewhere.is_ok(), "one address cannot keep all places");
}

#[tokio::test(start_paused = true)]
async fn an_address_with_all_its_connections_gets_a_new_one_in_place_of_one_of_its_own() {
    let quotas = Quotas::none().with(Measure::Connections, Scope::Address, 2);
    let budget = limited(100, 10, quotas);
    let other = budget.connect(peer(2)).unwrap();
    let [first, second] = [(); 2].map(|()| budget.connect(peer(1)).unwrap());
    assert!(budget.connect(peer(1)).is_err(), "none of them has had a second");
    tokio::time::advance(Duration::from_secs(1)).await;
    let _third = budget.connect(peer(1)).unwrap();
    assert!(is_closed(&first) && !is_closed(&second) && !is_closed(&other));
    let _call = second.call(&budget, 0).unwrap();
    assert!(budget.connect(peer(1)).is_err(), "those that are in use stay");
    assert!(budget.connect(peer(2)).is_ok());
}

#[tokio::test]
async fn a_credential_calls_on_so_many_connections_and_another_on_the_same_ones() {
    let quotas = Quotas::none().with(Measure::Connections, Scope::Credential, 2);
    let budget = limited(100, 10, quotas);
    let connections = [1, 2, 3].map(|n| budget.connect(peer(n)).unwrap());
    let calls = connections.each_ref().map(|account| account.call(&budget, 0).unwrap());
    let [one, other] = [1, 2].map(|n| credential(&format!("person {n}")));
    for call in &calls[..2] {
        call.made_by(one).unwrap();
        call.made_by(one).unwrap();
    }
    assert_eq!(calls[2].made_by(one).unwrap_err().max, 2);
    calls[2].made_by(other).unwrap();
    budget.disconnect(&connections[0]);
    calls[2].made_by(one).unwrap();
}

fn credential(id: &str) -> Credential {
    let known = Known {
        kind: KnownKind::Person,
        id: id.to_owned(),
        name: String::new(),
        rights: Rights::of([Role::Admin].into_iter().collect(), Namespaces::All),
        groups: Vec::new(),
        until: None,
    };
    Payer::new(&Principal::Known(Arc::new(known)), None).credential().unwrap()
}
