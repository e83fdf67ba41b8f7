//! One replica over a store in memory, with time held in hand, and a receiver that does as it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use hitl_core::{EventKey, Namespace, Principal, Rule, Spec, Timestamp};
use hitl_store::clock::{Clock, ManualClock};
use hitl_store::random::SystemRandom;
use hitl_store::{EventStore, Options, StoreUrl, open};
use hitl_testing::{answer, spec};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::error::Error;
use crate::{Background, Service, Session};

/// What a receiver does with a message.
#[derive(Clone, Copy, Debug)]
enum Does {
    Takes,
    Fails(Retry),
    Hangs,
}

/// A receiver for each kind of channel, which notes what it was sent.
#[derive(Debug, Default)]
struct Receivers {
    /// What the next messages meet, by kind; they are taken when nothing is said.
    does: Mutex<BTreeMap<String, Vec<Does>>>,
    got: Mutex<Vec<(String, Message)>>,
    recipients: Mutex<Vec<String>>,
}

impl Receivers {
    fn will(&self, kind: &str, does: &[Does]) {
        self.does.lock().unwrap().insert(kind.to_owned(), does.iter().rev().copied().collect());
    }

    /// What was sent by this kind: what it told, and whether the first attempt was it.
    fn got(&self, kind: &str) -> Vec<(Told, String, u8)> {
        let got = self.got.lock().unwrap();
        let of_kind = got.iter().filter(|(of, _)| of == kind);
        of_kind.map(|(_, it)| (it.told, it.id.to_string(), it.attempts_before)).collect()
    }

    fn told(&self, kind: &str) -> Vec<Told> {
        self.got(kind).into_iter().map(|(told, ..)| told).collect()
    }
}

#[async_trait]
impl Tell for Receivers {
    fn recipients(&self, _: &Way, _: &Event) -> Result<Vec<String>, Undelivered> {
        let some = self.recipients.lock().unwrap().clone();
        Ok(if some.is_empty() { vec![String::new()] } else { some })
    }

    async fn send(&self, way: &Way, message: &Message) -> Result<Receipt, Undelivered> {
        self.got.lock().unwrap().push((way.kind.clone(), message.clone()));
        let next = self.does.lock().unwrap().get_mut(&way.kind).and_then(Vec::pop);
        match next.unwrap_or(Does::Takes) {
            Does::Takes => Ok(Receipt {
                reference: format!("ref-{}", message.sequence),
                summary: "ok".to_owned(),
            }),
            Does::Fails(retry) => Err(Undelivered { reason: "500".to_owned(), retry }),
            Does::Hangs => std::future::pending().await,
        }
    }

    fn on_end(&self, on_end: &OnEnd, _: Option<&Way>) -> Result<Way, String> {
        if on_end.url.contains("127.0.0.1") {
            return Err("must not lead there".to_owned());
        }
        Ok(way("requester"))
    }

    fn link(&self, _: &Event) -> String {
        "link".to_owned()
    }

    fn link_of(&self, link: &StoredLink) -> String {
        format!("link of {}", link.responder)
    }
}

fn way(kind: &str) -> Way {
    Way { kind: kind.to_owned(), settings: Default::default(), sealed: String::new() }
}

struct World {
    service: Service,
    receivers: Arc<Receivers>,
    clock: ManualClock,
    shutdown: CancellationToken,
    _directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let clock = ManualClock::at(Timestamp::from_ms(1_795_348_837_250).unwrap());
        let directory = tempfile::tempdir().unwrap();
        let url = StoreUrl::Files(directory.path().to_owned());
        let options =
            Options { disk_reserve: Some(0), clock: Arc::new(clock.clone()), ..Options::default() };
        let store: EventStore = open(&url, options).await.unwrap();
        let shutdown = CancellationToken::new();
        let service = Service::new(
            store,
            Arc::new(clock.clone()),
            Arc::new(SystemRandom),
            100,
            shutdown.clone(),
            Background::new(None),
        );
        let receivers = Arc::<Receivers>::default();
        let on_end = Namespaces::Only([Namespace::default()].into());
        let telling = Telling { tell: receivers.clone(), on_end };
        service.tell_by(telling).await.unwrap();
        let running = service.clone();
        tokio::spawn(async move { running.run().await });
        Self { service, receivers, clock, shutdown, _directory: directory }
    }

    fn admin(&self) -> Session {
        self.service.session(Principal::Owner)
    }

    async fn channel(&self, name: &str, rules: Vec<Rule>) {
        let new = NewChannel { name: name.to_owned(), way: way(name), rules };
        self.admin().create_channel(new).await.unwrap();
    }

    async fn asked(&self, spec: Spec) -> EventKey {
        let created = self.admin().create(Namespace::default(), spec).await.unwrap();
        created.event.request.key()
    }

    /// Lets time pass until that is so.
    async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        for _ in 0..4_000 {
            if is_so().await {
                return;
            }
            self.clock.advance_ms(500);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{what} does not come: {:?}", self.receivers.got.lock().unwrap());
    }

    async fn listed(&self, query: DeliveryQuery) -> Vec<ListedDelivery> {
        self.admin().list_deliveries(query, 100).await.unwrap().deliveries
    }

    async fn delivered(&self, key: &EventKey) -> usize {
        let all = self.listed(DeliveryQuery::OfEvent(key.clone())).await;
        all.iter().filter(|it| it.state == DeliveryState::Delivered).count()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

#[tokio::test]
async fn changes_are_told_in_their_order_and_again_until_they_are_taken() {
    let world = World::new().await;
    world.channel("hook", Vec::new()).await;
    world.receivers.will("hook", &[Does::Fails(Retry::Later), Does::Fails(Retry::AfterMs(9_000))]);
    let key = world.asked(spec(600_000_000)).await;
    world.admin().end(&key, answer(7, "a")).await.unwrap();
    world.until("the end", async || world.delivered(&key).await == 2).await;
    let got = world.receivers.got("hook");
    let told: Vec<_> = got.iter().map(|(told, _, attempts)| (*told, *attempts)).collect();
    assert_eq!(
        told,
        [(Told::Asked, 0), (Told::Asked, 1), (Told::Asked, 2), (Told::Ended, 0)],
        "{got:?}"
    );
    assert!(got[0].1 == got[1].1 && got[1].1 == got[2].1 && got[2].1 != got[3].1, "{got:?}");
    let last = world.receivers.got.lock().unwrap().last().unwrap().1.clone();
    assert_eq!(last.earlier, [Receipt { reference: "ref-0".into(), summary: "ok".into() }]);
    assert_eq!((last.link.as_str(), last.sequence), ("", u16::MAX));
    assert_eq!(world.listed(DeliveryQuery::Owed).await.len(), 0);
}

#[tokio::test]
async fn what_is_refused_for_good_is_a_dead_letter_until_it_is_made_again() {
    let world = World::new().await;
    world.channel("hook", Vec::new()).await;
    world.receivers.will("hook", &[Does::Fails(Retry::Never)]);
    let key = world.asked(spec(600_000_000)).await;
    let dead = async || world.listed(DeliveryQuery::Dead(None)).await;
    world.until("the dead letter", async || !dead().await.is_empty()).await;
    let letter = dead().await.remove(0);
    assert_eq!((letter.summary.as_str(), letter.channel_name.as_str()), ("500", "hook"));
    world.admin().redeliver(&letter.id).await.unwrap();
    world.until("the delivery", async || world.delivered(&key).await == 1).await;
    assert_eq!(dead().await.len(), 0);
    let again = world.admin().redeliver(&letter.id).await.unwrap_err();
    assert!(matches!(again, Error::DeliveryNotFound(_)), "{again}");
    // The end of an event whose creation was a dead letter is told all the same.
    world.admin().end(&key, answer(1, "a")).await.unwrap();
    world.until("the end", async || world.delivered(&key).await == 2).await;
}

#[tokio::test]
async fn after_three_days_a_delivery_is_given_up() {
    let world = World::new().await;
    world.channel("hook", Vec::new()).await;
    world.receivers.will("hook", &[Does::Fails(Retry::Later); 100]);
    world.asked(spec(600_000_000)).await;
    let begun = world.clock.now();
    while world.listed(DeliveryQuery::Dead(None)).await.is_empty() {
        // To what is due next, however far that is.
        assert!(world.clock.now().ms_since(begun) < 100 * 3_600_000, "it is tried for ever");
        let owed = world.listed(DeliveryQuery::Owed).await;
        let next = owed.first().and_then(|it| it.next_time);
        let pause_ms =
            next.map_or(500, |next| next.ms_since(world.clock.now()).clamp(500, 600_000));
        world.clock.advance_ms(pause_ms);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let dead = world.listed(DeliveryQuery::Dead(None)).await;
    assert_eq!((dead.len(), dead[0].attempts), (1, 15));
    let hours = dead[0].time.unwrap().ms_since(begun) / 3_600_000;
    assert!((48..=74).contains(&hours), "{hours} hours");
}

#[tokio::test]
async fn a_channel_that_hangs_delays_no_other() {
    let world = World::new().await;
    world.channel("dead", Vec::new()).await;
    world.channel("hook", Vec::new()).await;
    world.receivers.will("dead", &[Does::Hangs; 100]);
    for _ in 0..20 {
        world.asked(spec(600_000_000)).await;
    }
    world.until("all", async || world.receivers.told("hook").len() == 20).await;
    assert!(world.receivers.told("dead").len() <= 20);
}

#[tokio::test]
async fn a_rule_says_of_what_and_where_nothing_matches_nothing_is_owed() {
    let world = World::new().await;
    let plain = world.asked(spec(600_000_000)).await;
    let rule =
        Rule { event_name: "deploy*".to_owned(), told: [Told::Ended].into(), ..Rule::default() };
    world.channel("hook", vec![rule]).await;
    let named = Spec { name: "deploy-api".to_owned(), ..spec(600_000_000) };
    let (named, other) = (world.asked(named).await, world.asked(spec(600_000_000)).await);
    for key in [&plain, &named, &other] {
        let event = world.admin().get(key).await.unwrap();
        assert_eq!(event.request.channels, [], "nobody is told of its creation");
        world.admin().end(key, answer(1, "a")).await.unwrap();
    }
    world.until("the end", async || world.delivered(&named).await == 1).await;
    assert_eq!(world.receivers.told("hook"), [Told::Ended]);
    assert_eq!(world.listed(DeliveryQuery::Owed).await.len(), 0);
}

#[tokio::test]
async fn each_recipient_has_a_link_and_a_fate_of_its_own() {
    let world = World::new().await;
    world.channel("mail", Vec::new()).await;
    *world.receivers.recipients.lock().unwrap() = vec!["ann".to_owned(), "bob".to_owned()];
    world.receivers.will("mail", &[Does::Takes, Does::Fails(Retry::Later)]);
    let key = world.asked(spec(600_000_000)).await;
    // One for each, and one for all.
    world.until("all", async || world.delivered(&key).await == 3).await;
    let got = world.receivers.got.lock().unwrap().clone();
    let of: Vec<_> = got.iter().map(|(_, it)| (it.recipient.as_str(), it.link.as_str())).collect();
    assert_eq!(of, [("ann", "link of ann"), ("bob", "link of bob"), ("bob", "link of bob")]);
    assert_ne!(got[0].1.id, got[1].1.id);
}

#[tokio::test]
async fn a_notice_is_told_once_and_not_after_the_end() {
    let world = World::new().await;
    world.channel("hook", Vec::new()).await;
    let key = world.asked(spec(600_000_000)).await;
    let event = world.admin().get(&key).await.unwrap();
    let notice = |place, to| Notice { told: Told::Reminder, place, note: "soon".to_owned(), to };
    for _ in 0..2 {
        world.service.owe(&event, &notice(1, To::Matching)).await.unwrap();
    }
    world.service.owe(&event, &notice(2, To::Named(vec!["other".to_owned()]))).await.unwrap();
    world.until("the reminder", async || world.delivered(&key).await == 2).await;
    world.admin().end(&key, answer(1, "a")).await.unwrap();
    world.service.owe(&event, &notice(3, To::Named(vec!["hook".to_owned()]))).await.unwrap();
    world.until("the end", async || world.delivered(&key).await == 4).await;
    assert_eq!(world.receivers.told("hook"), [Told::Asked, Told::Reminder, Told::Ended]);
}

#[tokio::test]
async fn a_requester_is_told_of_the_end_where_that_is_allowed() {
    let world = World::new().await;
    let with = |url: &str| {
        let on_end = OnEnd { url: url.to_owned(), channel: String::new() };
        Spec { on_end: Some(on_end), ..spec(600_000_000) }
    };
    let key = world.asked(with("https://example.org/hook")).await;
    world.admin().end(&key, answer(1, "a")).await.unwrap();
    world.until("the end", async || world.delivered(&key).await == 1).await;
    assert_eq!(world.receivers.told("requester"), [Told::Ended]);
    let elsewhere =
        world.admin().create("other".parse().unwrap(), with("https://example.org")).await;
    let private = world.admin().create(Namespace::default(), with("http://127.0.0.1/")).await;
    for refused in [elsewhere, private] {
        let error = refused.unwrap_err();
        assert_eq!(error.violations()[0].field, "on_end", "{error}");
    }
}

#[tokio::test]
async fn a_channel_is_changed_and_removed_with_what_it_is_owed() {
    let world = World::new().await;
    world.channel("hook", Vec::new()).await;
    let twice = NewChannel { name: "hook".to_owned(), way: way("hook"), rules: Vec::new() };
    let twice = world.admin().create_channel(twice).await.unwrap_err();
    assert!(matches!(twice, Error::ChannelExists(_)), "{twice}");
    world.receivers.will("hook", &[Does::Fails(Retry::Later); 100]);
    let key = world.asked(spec(600_000_000)).await;
    world.until("an attempt", async || !world.receivers.told("hook").is_empty()).await;
    world.admin().delete_channel("hook").await.unwrap();
    world.until("nothing", async || world.listed(DeliveryQuery::Owed).await.is_empty()).await;
    assert_eq!(world.delivered(&key).await, 0);
    let gone = world.admin().delete_channel("hook").await.unwrap_err();
    assert!(matches!(gone, Error::ChannelNotFound(_)), "{gone}");
    // Another of that name is another channel.
    world.channel("hook", Vec::new()).await;
    assert_eq!(world.admin().list_channels().await.unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_but_an_admin_of_everything_manages_channels() {
    let world = World::new().await;
    let session = world.service.session(Principal::Anyone);
    let refused = [
        session.list_channels().await.map(drop).unwrap_err(),
        session.delete_channel("hook").await.unwrap_err(),
        session.list_deliveries(DeliveryQuery::Owed, 1).await.map(drop).unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, Error::PermissionDenied(_)), "{error}");
    }
}
