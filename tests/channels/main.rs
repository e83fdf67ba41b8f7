//! Channels from outside: what is owed is told at least once and in order, however often the server is killed, and
//! programs that others wrote verify what a webhook signs.

mod receiver;
mod verifiers;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hitl_proto::v1::admin_service_client::AdminServiceClient;
use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::notification_channel::Settings;
use hitl_proto::v1::{self, DeliveryState, EventState};
use rand::RngExt;
use receiver::Receiver;
use support::server::{ADMIN, Config, Server, channel};
use support::tools;
use tonic::Request;
use tonic::transport::Channel;

/// How often the server is killed, unless all of it is asked for.
const KILLS: usize = 24;
/// And then.
const KILLS_LONG: usize = 200;
/// Events of each life of the server.
const EVENTS: usize = 6;
/// Longest that all that is owed may take once the server is left alone.
const LIMIT: Duration = Duration::from_secs(240);

fn with_token<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = format!("Bearer {ADMIN}").parse().expect("it is printable");
    request.metadata_mut().insert("authorization", token);
    request
}

/// A server that may send to this machine, and its admin.
struct World {
    server: Server,
    receiver: Receiver,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let config = Config::new(tools::hitl())
            .with_admin(dir.path())
            .arg("--channel-allow-network")
            .arg("127.0.0.0/8")
            .arg("--on-end-namespace")
            .arg("default");
        let server = Server::start(config).await.expect("the server starts");
        Self { server, receiver: Receiver::start().await, _dir: dir }
    }

    fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(channel(&self.server.endpoint()))
    }

    fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(channel(&self.server.endpoint()))
    }

    /// Adds a webhook that posts to `path` of the receiver; its secret.
    async fn webhook(&self, name: &str, path: &str) -> String {
        let url = self.receiver.url(path);
        let settings = v1::WebhookSettings { url, ..Default::default() };
        let channel = v1::NotificationChannel {
            name: name.to_owned(),
            settings: Some(Settings::Webhook(settings)),
            ..Default::default()
        };
        let request = v1::CreateChannelRequest { channel: Some(channel) };
        let made = self.admin().create_channel(with_token(request)).await;
        made.expect("the admin may").into_inner().secret
    }

    /// What is in this state, of all events.
    async fn deliveries(&self, state: DeliveryState) -> Vec<v1::Delivery> {
        let request = v1::ListDeliveriesRequest {
            state: state.into(),
            page_size: 1_000,
            ..Default::default()
        };
        let listed = self.admin().list_deliveries(with_token(request)).await;
        listed.expect("the admin may").into_inner().deliveries
    }
}

fn question(key: String) -> v1::CreateEventRequest {
    let kind = v1::input::Kind::Bool(v1::BoolInput::default());
    v1::CreateEventRequest {
        name: "deploy".to_owned(),
        prompt: "Deploy?".to_owned(),
        input: Some(v1::Input { kind: Some(kind) }),
        idempotency_key: key,
        allow_self_answer: true,
        ..Default::default()
    }
}

fn yes(event_id: &str) -> v1::AnswerEventRequest {
    let value = v1::Value { kind: Some(v1::value::Kind::Bool(true)) };
    v1::AnswerEventRequest {
        event_id: event_id.to_owned(),
        answer: Some(v1::answer_event_request::Answer::Value(value)),
        answer_id: "once".to_owned(),
        ..Default::default()
    }
}

/// Asks and answers until the server is gone; notes what was acknowledged.
async fn live(world: &World, life: usize, asked: &mut Vec<String>, ended: &mut Vec<String>) {
    let mut events = world.events();
    for number in 0..EVENTS {
        let create = events.create_event(with_token(question(format!("{life}-{number}")))).await;
        let Ok(created) = create else { return };
        let id = created.into_inner().event.expect("it has one").id;
        asked.push(id.clone());
        let mut request = with_token(yes(&id));
        request.set_timeout(Duration::from_secs(5));
        if events.answer_event(request).await.is_err() {
            return;
        }
        ended.push(id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_told_at_least_once_and_in_order_however_often_the_server_is_killed() {
    let is_long = std::env::var_os("HITL_TEST_LONG").is_some();
    let kills = if is_long { KILLS_LONG } else { KILLS };
    let mut world = World::new().await;
    world.webhook("hook", "/hook").await;
    let (mut asked, mut ended) = (Vec::new(), Vec::new());
    for life in 0..kills {
        // Some receivers take their time, and some attempts fail: the kill comes at any step of a delivery.
        world.receiver.trouble(life % 3 != 2);
        let pause = Duration::from_millis(rand::rng().random_range(1..120));
        let living = live(&world, life, &mut asked, &mut ended);
        drop(tokio::time::timeout(pause * 4, living).await);
        tokio::time::sleep(pause).await;
        world.server.restart().await.expect("it starts again");
    }
    world.receiver.trouble(false);
    // Whoever did not hear that its answer was taken gives it again.
    for id in &asked {
        let again = world.events().answer_event(with_token(yes(id))).await;
        let event = again.expect("it is the same answer").into_inner().event.expect("it has one");
        assert_eq!(event.state(), EventState::Answered);
    }
    let begun = Instant::now();
    while !world.deliveries(DeliveryState::Owed).await.is_empty() {
        assert!(
            begun.elapsed() < LIMIT,
            "still owed: {:?}",
            world.deliveries(DeliveryState::Owed).await
        );
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let dead = world.deliveries(DeliveryState::Dead).await;
    let got = world.receiver.got();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for message in &got {
        *counts.entry(&message.id).or_default() += 1;
    }
    let mut missing = 0;
    for id in &asked {
        let of_it: Vec<_> = got.iter().filter(|message| message.event_id == *id).collect();
        let first =
            |kind: &str| of_it.iter().position(|message| message.kind == kind && message.taken);
        let is_dead = dead.iter().any(|letter| letter.event_id == *id);
        match (first("event.asked"), first("event.ended")) {
            (Some(asked), Some(ended)) => assert!(asked < ended, "{id} is told of in its order"),
            _ if is_dead => {}
            _ => missing += 1,
        }
    }
    // What was told was there: an event that nobody has heard of is found under the id that is told.
    for message in &got {
        let request =
            v1::GetEventRequest { event_id: message.event_id.clone(), ..Default::default() };
        world
            .events()
            .get_event(with_token(request))
            .await
            .expect("only what is durable is told of");
    }
    let twice = counts.values().filter(|count| **count > 1).count();
    println!(
        "{kills} kills, {} events asked, {} acknowledged as ended: {} messages received, {} deliveries, {twice} of \
         them more than once, {} dead letters, {missing} missing",
        asked.len(),
        ended.len(),
        got.len(),
        counts.len(),
        dead.len()
    );
    assert!(asked.len() >= kills, "too little was asked to prove anything");
    assert_eq!(missing, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn reference_verifiers_of_python_and_javascript_take_what_is_signed() {
    let world = World::new().await;
    let first = world.webhook("hook", "/hook").await;
    let test = v1::TestChannelRequest { name: "hook".to_owned() };
    let tested = world.admin().test_channel(with_token(test.clone())).await;
    let tested = tested.expect("the admin may").into_inner().deliveries;
    assert_eq!(tested[0].state(), DeliveryState::Delivered, "{tested:?}");
    let rotate = v1::RotateChannelSecretRequest { name: "hook".to_owned(), overlap: None };
    let second = world.admin().rotate_channel_secret(with_token(rotate)).await;
    let second = second.expect("the admin may").into_inner().secret;
    assert_ne!(first, second);
    world.admin().test_channel(with_token(test)).await.expect("the admin may");
    let got = world.receiver.got();
    let [before, after] = &got[..] else { panic!("two messages, and not {got:?}") };
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let cases = [
        (before, first.as_str(), true),
        (before, second.as_str(), false),
        (after, first.as_str(), true),
        (after, second.as_str(), true),
        (after, other, false),
    ];
    for (message, secret, is_good) in cases {
        for verify in [verifiers::python, verifiers::javascript] {
            assert_eq!(verify(secret, message), is_good, "{message:?}");
        }
    }
    let forged = receiver::Got { body: after.body.replace("test", "tent"), ..after.clone() };
    let moved = receiver::Got { id: "another".to_owned(), ..after.clone() };
    for wrong in [forged, moved] {
        assert!(!verifiers::python(&second, &wrong) && !verifiers::javascript(&second, &wrong));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requester_is_told_of_the_end_and_a_private_address_is_refused() {
    let world = World::new().await;
    let secret = world.webhook("signer", "/signer").await;
    let on_end = |url: String| Some(v1::OnEnd { url, channel: "signer".to_owned() });
    let asked = v1::CreateEventRequest {
        on_end: on_end(world.receiver.url("/end")),
        ..question(String::new())
    };
    let created = world.events().create_event(with_token(asked)).await.expect("it may");
    let id = created.into_inner().event.expect("it has one").id;
    world.events().answer_event(with_token(yes(&id))).await.expect("it may");
    let told = world.receiver.until(|message| message.path == "/end").await;
    assert_eq!((told.kind.as_str(), told.event_id.as_str()), ("event.ended", id.as_str()));
    assert!(verifiers::python(&secret, &told), "{told:?}");
    for url in ["https://169.254.169.254/latest", "https://10.0.0.1/", "https://[::ffff:10.0.0.1]/"]
    {
        let asked =
            v1::CreateEventRequest { on_end: on_end(url.to_owned()), ..question(String::new()) };
        let refused = world.events().create_event(with_token(asked)).await.expect_err("it may not");
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{url}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_channel_is_in_the_store_the_log_or_a_list() {
    let mut world = World::new().await;
    let secret = world.webhook("hook", "/hook").await;
    let listed = world.admin().list_channels(with_token(v1::ListChannelsRequest {})).await;
    let listed = format!("{:?}", listed.expect("the admin may").into_inner());
    world.server.terminate().await.expect("it ends");
    let canary = secret.trim_start_matches("whsec_");
    assert!(!listed.contains(canary) && !world.server.log().contains(canary));
    let mut files = vec![world.server.dir().to_owned()];
    let mut count = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(&path)
                    .expect("it is ours")
                    .map(|entry| entry.expect("it is there").path()),
            );
            continue;
        }
        let bytes = std::fs::read(&path).expect("it is ours");
        count += 1;
        assert!(
            !bytes.windows(canary.len()).any(|part| part == canary.as_bytes()),
            "the secret is in {}",
            path.display()
        );
    }
    assert!(count > 0, "nothing was looked at");
}
