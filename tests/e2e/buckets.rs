//! Servers over a bucket of our own strict object server: what they ask of it, what they refuse, and how they share it.

use std::ops::RangeInclusive;
use std::process::Stdio;
use std::time::{Duration, Instant};

use hitl_core::{TokenId, TokenText};
use hitl_proto::v1;
use hitl_proto::v1::admin_service_client::AdminServiceClient;
use hitl_proto::v1::value::Kind as Value;
use support::object_server::{Dialect, Door, Fault, ObjectServer, Op, Requests};
use support::server::{ADMIN, Config, Server, channel};
use support::stores::Place;
use support::tools;
use tokio::process::Command;
use tonic::Code;

use crate::access::world::with;
use crate::failure::Failure;
use crate::kinds;
use crate::site::{Site, config, is_pending, request, soon, start, typed, value_of};

/// A bucket, and one way into it.
pub(crate) struct Bucket {
    pub(crate) objects: ObjectServer,
    door: Door,
}

impl Bucket {
    pub(crate) fn new() -> Self {
        let objects = ObjectServer::start(Dialect::S3).expect("an object server starts");
        let door = objects.door().expect("a free port");
        Self { objects, door }
    }

    pub(crate) fn config(&self) -> Config {
        let (url, env) = (self.objects.url("hitl"), self.objects.env_for(&self.door));
        config().place(Place { url, env })
    }

    /// What `hitl` with `args` says on standard error, and whether it succeeded.
    pub(crate) async fn hitl(&self, args: &[&str]) -> (bool, String) {
        let mut command = Command::new(tools::hitl());
        let dir = tempfile::tempdir().expect("a directory");
        command.args(args).envs(self.objects.env_for(&self.door)).stdin(Stdio::null());
        command.env("HITL_DATA_DIR", dir.path()).kill_on_drop(true);
        let output = soon("the end of a command", command.output()).await.expect("it runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// What the store was asked while `work` went on, without the listings that go on all the time.
    async fn asked_by(&self, work: impl Future<Output = ()>) -> Requests {
        self.objects.reset_requests();
        work.await;
        Requests { lists: 0, ..self.objects.requests() }
    }

    /// Returns when the timers of all events are gone.
    async fn timers_gone(&self) {
        let gone = async {
            while !self.objects.keys("hitl/timers/").is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        soon("the end of the timers", gone).await;
    }

    /// How many listings there are in `time`.
    async fn listings_in(&self, time: Duration) -> u64 {
        self.objects.reset_requests();
        // What is counted is what happens in a time.
        tokio::time::sleep(time).await;
        self.objects.requests().lists
    }
}

#[tokio::test]
async fn an_event_costs_five_writes_two_reads_and_a_delete() {
    let bucket = Bucket::new();
    let (_server, site) = start(bucket.config()).await;
    let life = async {
        let event = site.ask(kinds::int()).await;
        let waiter = {
            let (grpc, event) = (site.grpc.clone(), event.clone());
            let mut updates = { grpc }.wait_event(crate::site::wait_request(&event)).await;
            let updates = updates.as_mut().expect("the wait begins").get_mut();
            let first = updates.message().await.expect("a message").expect("the event");
            assert!(first.update.is_some());
            site.answer(&event, typed(&Value::Int(7))).await.expect("the answer fits");
            updates.message().await.expect("a message")
        };
        assert!(waiter.is_some(), "the waiter is told");
        bucket.timers_gone().await;
    };
    let asked = bucket.asked_by(life).await;
    // Both reads find no record yet. The server may read again if it lists the announcement before it is told of the
    // record: in vain for as long as the record is not there, and then once.
    let documented = Requests { puts: 5, gets: 2, misses: 2, deletes: 1, ..Requests::default() };
    assert_documented(asked, documented, 0..=1);
}

#[tokio::test]
async fn an_event_that_is_answered_at_another_server_costs_two_reads_more() {
    let bucket = Bucket::new();
    let (one, here) = start(bucket.config()).await;
    let key = one.dir().join("link.key").display().to_string();
    let (_other, there) = start(bucket.config().arg("--link-key-file").arg(key)).await;
    let life = async {
        let event = here.ask(kinds::int()).await;
        let updates = here.grpc.clone().wait_event(crate::site::wait_request(&event)).await;
        let mut updates = updates.expect("the wait begins").into_inner();
        assert!(updates.message().await.expect("a message").is_some());
        there.answer(&event, typed(&Value::Int(7))).await.expect("the answer fits");
        let told = soon("the end", updates.message()).await.expect("a message");
        assert!(told.is_some(), "the waiter is told");
        bucket.timers_gone().await;
    };
    let asked = bucket.asked_by(life).await;
    // One to wait, two to answer what was asked elsewhere, one to be told. The last is repeated for as long as the end
    // is announced and not recorded.
    let documented = Requests { puts: 5, gets: 4, misses: 2, deletes: 1, ..Requests::default() };
    assert_documented(asked, documented, 0..=0);
}

/// Asserts that `asked` is `documented` but for reads that were in vain, and for `more` that were not.
fn assert_documented(asked: Requests, documented: Requests, more: RangeInclusive<u64>) {
    let found = (asked.gets - asked.misses) - (documented.gets - documented.misses);
    assert!(more.contains(&found) && asked.misses >= documented.misses, "{asked:?}");
    let Requests { gets, misses, .. } = documented;
    assert_eq!(Requests { gets, misses, ..asked }, documented);
}

#[tokio::test]
async fn a_server_with_nothing_to_do_asks_the_same_however_many_events_are_pending() {
    const WATCHED: Duration = Duration::from_secs(15);
    let (idle, busy) = (Bucket::new(), Bucket::new());
    let (_idle, _) = start(idle.config()).await;
    let (_busy, site) = start(busy.config()).await;
    for number in 0..300 {
        let ttl = prost_types::Duration { seconds: 3_600 + 60 * number, nanos: 0 };
        let expiration = Some(v1::create_event_request::Expiration::Ttl(ttl));
        let asked = v1::CreateEventRequest { expiration, ..request(kinds::int()) };
        site.create(asked).await;
    }
    let (idle, busy) = tokio::join!(idle.listings_in(WATCHED), busy.listings_in(WATCHED));
    // Three looks for expiries and three for other jobs, at one minute or two each, one more of each if the first comes
    // at once, and a few of other kinds.
    assert!((3..=20).contains(&idle), "{idle} listings with nothing pending");
    assert!((3..=20).contains(&busy), "{busy} listings with 300 pending");
}

#[tokio::test]
async fn many_waits_cost_about_one_listing_a_second() {
    let bucket = Bucket::new();
    let (_server, site) = start(bucket.config()).await;
    let mut waits = Vec::new();
    for _ in 0..50 {
        let event = site.ask(kinds::int()).await;
        let updates = site.grpc.clone().wait_event(crate::site::wait_request(&event)).await;
        let mut updates = updates.expect("the wait begins").into_inner();
        assert!(updates.message().await.expect("a message").is_some());
        waits.push(updates);
    }
    let listings = bucket.listings_in(Duration::from_secs(6)).await;
    // One a second, two around the turn of a minute, and two looks for expiries and two for other jobs, at two minutes
    // at most.
    assert!((4..=2 * 7 + 8).contains(&listings), "{listings} listings in 6 s");
    let asked = bucket.asked_by(tokio::time::sleep(Duration::from_secs(2))).await;
    assert_eq!(asked, Requests::default(), "a wait asks nothing");
}

#[tokio::test]
async fn what_is_forbidden_costs_no_read_whether_it_is_there_or_not() {
    let (bucket, dir) = (Bucket::new(), tempfile::tempdir().expect("a directory"));
    let (server, site) = start(bucket.config().with_admin(dir.path())).await;
    let admin = AdminServiceClient::new(channel(&server.endpoint()));
    let create = v1::CreateTokenRequest {
        name: "elsewhere".to_owned(),
        roles: vec![v1::Role::Admin.into()],
        namespaces: vec!["elsewhere".to_owned()],
        ttl: None,
    };
    let token = admin.clone().create_token(with(Some(ADMIN), create)).await.expect("it may");
    let token = token.into_inner().secret;
    let mut events = site.grpc.clone();
    let asked = events.create_event(with(Some(ADMIN), request(kinds::int()))).await;
    let there = asked.expect("it may").into_inner().event.expect("the event").id;
    // Whose the token is, is known from here on.
    let list = v1::ListEventsRequest { namespace: "elsewhere".to_owned(), ..Default::default() };
    events.list_events(with(Some(&token), list)).await.expect("it may");
    let refused = |id: &str| {
        let (mut events, token, id) = (events.clone(), token.clone(), id.to_owned());
        async move {
            let get = v1::GetEventRequest { event_id: id.clone(), ..Default::default() };
            let wait = v1::WaitEventRequest { event_id: id.clone(), ..Default::default() };
            let answer = v1::AnswerEventRequest {
                event_id: id,
                answer: Some(v1::answer_event_request::Answer::Json("1".to_owned())),
                ..Default::default()
            };
            let codes = [
                events.get_event(with(Some(&token), get)).await.expect_err("it may not").code(),
                events.wait_event(with(Some(&token), wait)).await.expect_err("it may not").code(),
                events
                    .answer_event(with(Some(&token), answer))
                    .await
                    .expect_err("it may not")
                    .code(),
            ];
            assert_eq!(codes, [Code::PermissionDenied; 3]);
        }
    };
    for id in [&*there, crate::tls::NO_EVENT] {
        // The refusals are written to the audit, which reads nothing.
        assert_eq!(bucket.asked_by(refused(id)).await.gets, 0, "{id}");
    }
}

#[tokio::test]
async fn every_token_that_is_not_good_costs_the_same_reads() {
    let (bucket, dir) = (Bucket::new(), tempfile::tempdir().expect("a directory"));
    let (one, _) = start(bucket.config().with_admin(dir.path())).await;
    let key = one.dir().join("link.key").display().to_string();
    // It remembers nothing of what the other one does, and has begun long before it is asked.
    let replica = bucket.config().with_admin(dir.path()).arg("--link-key-file").arg(key);
    let (_other, there) = start(replica).await;
    let mut admin = AdminServiceClient::new(channel(&one.endpoint()));
    let mut tokens = Vec::new();
    for name in ["revoked", "rotated", "wrong", "unknown"] {
        let create = v1::CreateTokenRequest {
            name: name.to_owned(),
            roles: vec![v1::Role::Requester.into()],
            ..Default::default()
        };
        let made = admin.create_token(with(Some(ADMIN), create)).await.expect("it may");
        let v1::CreateTokenResponse { token, secret } = made.into_inner();
        let token_id = token.expect("the token").id;
        let mut text = TokenText::parse(&secret).expect("it is one");
        match name {
            "revoked" => {
                let revoke = v1::RevokeTokenRequest { token_id };
                admin.revoke_token(with(Some(ADMIN), revoke)).await.map(drop).expect("it may");
            }
            "rotated" => {
                let rotate = v1::RotateTokenRequest { token_id, ..Default::default() };
                admin.rotate_token(with(Some(ADMIN), rotate)).await.map(drop).expect("it may");
            }
            "wrong" => text.secret[0] ^= 1,
            "unknown" => text.id = TokenId::from_bytes([7; 8]),
            _ => {}
        }
        tokens.push((name, text.reveal()));
    }
    for (name, token) in tokens {
        let get = || v1::GetEventRequest {
            event_id: crate::tls::NO_EVENT.to_owned(),
            ..Default::default()
        };
        let once = || async {
            let got = there.grpc.clone().get_event(with(Some(&token), get())).await;
            let code = got.expect_err("the token is not good").code();
            assert_eq!(code, Code::Unauthenticated, "{name}");
        };
        let begun = Instant::now();
        assert_eq!(bucket.asked_by(once()).await.gets, 3, "{name}, at first");
        let again = bucket.asked_by(once()).await.gets;
        // What was read is believed for three seconds, and a machine may be slow.
        let is_fresh = begun.elapsed() < Duration::from_secs(2);
        assert!(again == 0 || !is_fresh && again == 3, "{name}, right after: {again}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_keep_its_promises_is_refused_and_told_what_it_did() {
    let bucket = Bucket::new();
    let store = bucket.objects.url("hitl");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--store", &store];
    let check = ["store", "check", &store];
    bucket.objects.set_ignores_conditions(true);
    for command in [&serve[..], &check] {
        let (done, said) = bucket.hitl(command).await;
        assert!(!done && said.contains("let a second writer create an object"), "{said}");
    }
    bucket.objects.set_ignores_conditions(false);
    bucket.objects.set_racy(true);
    for command in [&serve[..], &check] {
        let (done, said) = bucket.hitl(command).await;
        assert!(!done && said.contains("of 8 writers at the same time"), "{said}");
    }
    bucket.objects.set_racy(false);
    bucket.objects.faults().script(Op::List, "meta/probe", Fault::StaleList, 1);
    let (done, said) = bucket.hitl(&check).await;
    assert!(!done && said.contains("it listed"), "{said}");
    let (done, said) = bucket.hitl(&check).await;
    assert!(done, "{said}");
    assert_eq!(bucket.objects.keys("hitl/meta/probe"), [""; 0], "the probe leaves nothing behind");
}

#[tokio::test]
async fn a_bucket_whose_listings_do_not_end_is_refused_and_told_so() {
    let bucket = Bucket::new();
    let store = bucket.objects.url("hitl");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--store", &store];
    for command in [&serve[..], &["store", "check", &store], &["store", "check", "--deep", &store]]
    {
        for (fault, word) in [
            (Fault::RepeatedToken, "the token for the next page came twice"),
            (Fault::MissingToken, "there is no token for the next page"),
        ] {
            bucket.objects.faults().script(Op::List, "", fault, u32::MAX);
            let before = bucket.objects.requests().lists;
            let (done, said) = bucket.hitl(command).await;
            assert!(!done && said.contains(word), "{said}");
            assert!(bucket.objects.requests().lists - before <= 3);
            bucket.objects.faults().calm();
        }
    }
    let (done, said) = bucket.hitl(&["store", "check", &store]).await;
    assert!(done, "{said}");
}

#[tokio::test]
async fn a_bucket_that_cannot_be_reached_is_named_with_what_to_do() {
    let bucket = Bucket::new();
    let (done, said) = bucket.hitl(&["store", "check", "s3://no-such-bucket/hitl"]).await;
    assert!(!done && said.contains("s3://no-such-bucket/hitl"), "{said}");
    assert!(said.contains("Is there such a bucket") && said.contains("AWS_REGION"), "{said}");
}

#[tokio::test]
async fn a_server_whose_clock_is_off_the_stores_says_so_and_decides_nothing() {
    let bucket = Bucket::new();
    let (server, site) = start(bucket.config()).await;
    let event = site.ask(kinds::int()).await;
    bucket.objects.set_date_offset_ms(-5_000);
    let ready = || async {
        let url = server.url("/readyz");
        site.http.get(url).send().await.expect("the server is there").status().is_success()
    };
    assert!(ready().await, "it bears with it for a while");
    let refused = site.answer(&event, typed(&Value::Int(1))).await.expect_err("no answer is taken");
    let failure = Failure::of(&refused);
    assert!(failure.is(Code::Unavailable, "CLOCK_OFF") && failure.retry, "{failure:?}");
    assert!(is_pending(&site.get(&event).await));
    let unready = async { while ready().await {} };
    soon("an unready server", unready).await;
    assert!(server.log().contains("clock is off"), "{}", server.log_tail());
    bucket.objects.set_date_offset_ms(0);
    soon("a ready server", async { while !ready().await {} }).await;
    site.answer(&event, typed(&Value::Int(1))).await.expect("the clock is right again");
}

#[tokio::test]
async fn servers_of_one_store_sign_links_with_one_key() {
    let bucket = Bucket::new();
    let (one, site) = start(bucket.config()).await;
    let refused = Server::start(bucket.config()).await.expect_err("it has another key");
    assert!(format!("{refused:#}").contains("--link-key-file"), "{refused:#}");
    let key = one.dir().join("link.key").display().to_string();
    let (other, _) = start(bucket.config().arg("--link-key-file").arg(key)).await;
    let event = site.ask(kinds::int()).await;
    let form = event.form_url.replacen(&one.endpoint(), &other.endpoint(), 1);
    let reply = site.http.get(form).send().await.expect("the other serves the link");
    assert!(reply.status().is_success(), "{reply:?}");
}

#[tokio::test]
async fn what_one_server_ends_a_waiter_at_another_hears_of_by_its_announcement() {
    let bucket = Bucket::new();
    let (one, here) = start(bucket.config()).await;
    let key = one.dir().join("link.key").display().to_string();
    let (_other, there) = start(bucket.config().arg("--link-key-file").arg(key)).await;
    let event = here.ask(kinds::int()).await;
    let wait = tokio::spawn({
        let there = Site::at(&there.url);
        let event = event.clone();
        async move { there.wait(&event).await }
    });
    // The other server hears of the wait at its first message; answering before is another path.
    soon("the wait", async {
        while !metric(&there, "hitl_waits").await.is_some_and(|waits| waits > 0.0) {}
    })
    .await;
    let answered = Instant::now();
    here.answer(&event, typed(&Value::Int(7))).await.expect("the answer fits");
    let told = soon("the waiter", wait).await.expect("no panic").expect("the wait ends");
    assert_eq!(value_of(&told), Some(&Value::Int(7)));
    // Long before anything else has the event read there.
    let took = answered.elapsed();
    assert!(took < Duration::from_secs(4), "it took {took:?}");
}

/// The value of a metric of one line.
async fn metric(site: &Site, name: &str) -> Option<f64> {
    let text =
        site.http.get(format!("{}/metrics", site.url)).send().await.ok()?.text().await.ok()?;
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")))?.to_owned();
    line.rsplit(' ').next()?.parse().ok()
}
