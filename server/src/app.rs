//! The only wiring: builds every part, serves, and takes it down again.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Response};
use anyhow::Context;
use futures::future::OptionFuture;
use tokio_util::sync::CancellationToken;

use crate::access::{access, new_token};
use crate::admission::Admission;
use crate::api::Api;
use crate::auth::sign_in::SignIn;
use crate::auth::{LinkKey, LinkKeys, Links, beside, link_key, receipt_key};
use crate::budget::{self, Budget, BudgetLimits};
use crate::channels::{Channels, Outbound, Tools};
use crate::config::{ChannelArgs, ServeArgs, quotas};
use crate::front::WaysIn;
use crate::grpc::{self, Grpc};
use crate::http;
use crate::listen::Listeners;
use crate::local::{Claim, DataDir, LOGS};
use crate::net::tls::Keeper;
use crate::net::{self, Activity, Door, Limits};
use crate::threads::LowPriority;
use hitl_core::{Actor, AuditKind, Audited};
use hitl_receipt::SigningKey;
use hitl_service::deliveries::Telling;
use hitl_service::error::Error;
use hitl_service::{Background, Bounds, Service};
use hitl_store::clock::SystemClock;
use hitl_store::forward_clock::ForwardClock;
use hitl_store::random::SystemRandom;
use hitl_store::{EventStore, Retention, StoreUrl};

/// Time that open calls get to finish at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// Time from the failure of the store to the end of the process.
const FATAL_GRACE: Duration = Duration::from_secs(1);
/// The status with which the process ends then.
const FATAL_STATUS: i32 = 70;

/// Serves until a signal ends the process, or nobody needs it any more. The store is opened with `options`, but for
/// what `args` say of it.
///
/// # Errors
/// The server cannot start; the message says what to do.
pub async fn serve(args: ServeArgs, options: hitl_store::Options) -> anyhow::Result<()> {
    run(args, options, None, std::future::pending()).await
}

/// Serves those who test their programs, whose calls can let time pass, until a signal ends the process, or `end`
/// comes.
///
/// # Errors
/// Those of [`serve`].
pub async fn serve_for_tests(
    args: ServeArgs,
    options: hitl_store::Options,
    end: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let clock = ForwardClock::default();
    let options = hitl_store::Options { clock: Arc::new(clock.clone()), ..options };
    run(args, options, Some(clock), end).await
}

/// Serves, with a service that moves `test_clock` if there is one.
async fn run(
    args: ServeArgs,
    options: hitl_store::Options,
    test_clock: Option<ForwardClock>,
    end: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut registry = http::Registry::with_prefix("hitl");
    let keeper = args.tls.files().map(|files| Keeper::load(files, &mut registry)).transpose()?;
    let mut claim = claim(&args)?;
    let listeners = Listeners::open(&args, claim.as_ref()).await?;
    let (url, url_for_people) = (listeners.url(&args)?, listeners.url_for_people(&args)?);
    let default_url = || url_for_people.as_ref().unwrap_or(&url).clone();
    let public_url = args.public_url.clone().unwrap_or_else(default_url);

    let store_url = args.store.clone().map_or_else(|| default_store(&args), Ok)?;
    close_logs(&args);
    let clock = options.clock.clone();
    let Opened { store, link_keys, new_keys } = open(&args, &store_url, options).await?;
    let links = Links::new(&link_keys, &public_url);
    let shutdown = CancellationToken::new();
    let (budget, bounds) = budget(&args);
    registry.register_collector(Box::new(budget.clone()));
    let threads = LowPriority::start().context("cannot start the threads of this server")?;
    let background = Background::new(Some(threads.handle()));
    let random = Arc::new(SystemRandom);
    let service = Service::new(store, clock, random, bounds, shutdown.clone(), background);
    audit_start(&service, &args, new_keys).await;
    let local_token = claim.as_ref().map(|_| new_token());
    let sign_in = SignIn::new(&args.oidc, &args.proxy, &public_url, local_token.is_some())?;
    let access = access(&args, local_token.as_deref(), &service, sign_in.oidc.clone()).await?;
    let admission = Admission::new(args.max_calls, budget.clone(), bounds.quotas);
    let channels = channels(&args, &service, &links, &link_keys).await?;
    let api = Api::new(service.clone(), links.clone(), admission.clone()).with_channels(channels);
    let announce = if test_clock.is_some() { announce_to_test } else { announce };
    let grpc = Grpc::new(api.clone(), service.background(), test_clock).await?;
    let settings = settings(&args, access.is_open(), public_url);
    http::introduce(instance(&args));
    let site = http::Site::new(api, service.clone(), links, sign_in, admission.clone(), registry);
    let ways_in = WaysIn { grpc: &grpc, site, settings, access, admission, refuse };
    let [app, people] = ways_in.for_listeners(listeners.audience());

    let timers = spawn_timers(&service);
    // Before anybody is told that this server is there, and could end it.
    let end = or_signal(end);
    announce(&url, url_for_people.as_deref());
    tracing::info!(url, store = %store_url, "ready");
    if let (Some(claim), Some(token)) = (&mut claim, local_token) {
        claim.publish(url, token)?;
    }
    let activity = Activity::default();
    let limits = limits(&args, &budget);
    let door = Door {
        app,
        refuse: refuse_more,
        budget: budget.clone(),
        activity: activity.clone(),
        background: threads.handle(),
        tls: keeper.as_ref().map(Keeper::tls),
    };
    let for_people = listeners
        .people
        .map(|listener| net::serve(listener, door.for_people(people), limits, shutdown.clone()));
    let server = net::serve(listeners.programs, door.clone(), limits, shutdown.clone());
    let end = async {
        until_unneeded(&service, &activity, args.idle_exit, end).await;
        if let Some(claim) = &mut claim {
            claim.withdraw();
        }
        grpc.set_not_serving();
        shutdown.cancel();
    };
    let watch = budget.watch(shutdown.clone());
    let keep = keeper.map(|keeper| keeper.keep(shutdown.clone()));
    tokio::join!(server, OptionFuture::from(for_people), watch, OptionFuture::from(keep), end);
    timers.await?;
    finish(&service).await;
    Ok(())
}

/// The channels of the store, by which `service` tells from now on.
async fn channels(
    args: &ServeArgs,
    service: &Service,
    links: &Links,
    link_keys: &LinkKeys,
) -> anyhow::Result<Channels> {
    let ChannelArgs { allowed_networks, exec_dir, .. } = &args.channels;
    let outbound = Outbound::new(allowed_networks).context("cannot make a client for channels")?;
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let public_url = links.public_url().to_owned();
    let tools = Tools { outbound, clock, random, public_url, exec_dir: exec_dir.clone() };
    let channels = Channels::new(tools, links.clone());
    let telling = Telling { tell: Arc::new(channels.clone()), on_end: args.channels.on_end() };
    service.tell_by(telling).await.context("cannot read the channels of the store")?;
    if link_keys.has_previous() {
        let anew = channels.seal_anew(service).await;
        anew.context("cannot seal the secrets of channels with the new link key")?;
    }
    Ok(channels)
}

/// What the HTTP side needs to know, of a server that is open to whoever reaches it or not.
fn settings(args: &ServeArgs, open: bool, public_url: String) -> http::Settings {
    http::Settings {
        allowed_origins: args.cors_origins.clone(),
        known_hosts: args.known_hosts.clone(),
        open,
        public_url,
    }
}

/// Says on the standard output where the server is, for whoever has started it.
fn announce(url: &str, url_for_people: Option<&str>) {
    println!("hitl listens on {url}");
    if let Some(url) = url_for_people {
        println!("forms and links are at {url}");
    }
}

/// Says it as a line of JSON, for a test.
fn announce_to_test(url: &str, _: Option<&str>) {
    println!("{}", serde_json::json!({"endpoint": url}));
}

/// A store in which every end is signed.
struct Opened {
    store: EventStore,
    /// The keys of its links.
    link_keys: LinkKeys,
    /// What the keys are that it did not have before.
    new_keys: Vec<Audited>,
}

/// The store at `url`.
async fn open(
    args: &ServeArgs,
    url: &StoreUrl,
    options: hitl_store::Options,
) -> anyhow::Result<Opened> {
    let not_opened = || format!("cannot open the store {url}");
    let options = as_told(args, url, options)?;
    let store = hitl_store::open(url, options).await.with_context(not_opened)?;
    // After the store is opened: a key without a store says that the store is lost.
    let link_keys = link_keys(args, url)?;
    let prints = link_keys.prints();
    let is_rotated = store.hold_to_link_key(prints.as_given()).await.with_context(not_opened)?;
    let receipt_key = Arc::new(receipt_key(args, url)?);
    // Before anything is signed with it.
    let is_new = store.publish_receipt_key(&receipt_key.public()).await.with_context(not_opened)?;
    tracing::info!(key = receipt_key.id(), is_new, "receipts are signed");
    let rotated = is_rotated.then(|| Audited::new(AuditKind::LinkKeyRotated));
    let added = is_new.then(|| Audited::new(AuditKind::ReceiptKeyAdded).about(receipt_key.id()));
    let new_keys = rotated.into_iter().chain(added).collect();
    Ok(Opened { store: store.signing_with(receipt_key), link_keys, new_keys })
}

/// Writes down that this server has started: with which new keys, and by which settings.
async fn audit_start(service: &Service, args: &ServeArgs, new_keys: Vec<Audited>) {
    let settings = Audited::new(AuditKind::Settings).saying(args.summary());
    for what in new_keys.into_iter().chain([settings]) {
        service.audit(Actor::unknown(""), what).await;
    }
}

/// Finishes the writes that have begun.
async fn finish(service: &Service) {
    if tokio::time::timeout(SHUTDOWN_GRACE, service.finish()).await.is_err() {
        tracing::warn!(
            "some writes were not finished in time; whoever asked for them was not told that they were"
        );
    }
}

/// The right to be the local server: for the one that was started to be it, and for one that keeps its events where the
/// local server does, so that programs find the server that a person has started, too.
fn claim(args: &ServeArgs) -> anyhow::Result<Option<Claim>> {
    let claim = || Claim::take(DataDir::open(&args.data_dir()?)?);
    if args.local {
        return claim().map(Some);
    }
    // Programs that find their server by themselves speak plain text to it.
    if args.store.is_some() || args.tls.tls_cert.is_some() {
        return Ok(None);
    }
    match claim() {
        Ok(claim) => Ok(Some(claim)),
        Err(error) => {
            tracing::warn!(
                "programs on this machine will not find this server by themselves: {error:#}"
            );
            Ok(None)
        }
    }
}

/// What pages say of this server.
fn instance(args: &ServeArgs) -> http::Instance {
    let contact = args.instance_contact.clone().unwrap_or_default();
    http::Instance { name: args.instance_name.clone(), contact }
}

/// Does what is due, until the server ends.
fn spawn_timers(service: &Service) -> tokio::task::JoinHandle<()> {
    let service = service.clone();
    tokio::spawn(async move { service.run().await })
}

/// What callers may make this server hold, of memory and of connections, for which there have to be descriptors. And
/// what of it one of them may have.
fn budget(args: &ServeArgs) -> (Budget, Bounds) {
    let memory = args.memory_max.unwrap_or_else(budget::default_memory_bytes);
    let bytes_max = usize::try_from(budget::bytes_for_callers(memory)).unwrap_or(usize::MAX);
    let descriptors = budget::descriptors_max(budget::raise_descriptors());
    let connections_max = args.max_connections.min(descriptors);
    tracing::info!(memory, connections_max, "bounds of what callers may use");
    let waits_max = args.max_waits.min(budget::waits_max(bytes_max));
    let quotas = quotas(&args.quotas, connections_max, waits_max);
    let budget = Budget::new(BudgetLimits { bytes_max, connections_max, quotas });
    (budget, Bounds { waits_max, quotas })
}

/// Bounds of what one connection may do.
fn limits(args: &ServeArgs, budget: &Budget) -> Limits {
    Limits {
        streams_max: args.max_streams.min(budget.streams_max(net::HEAD_BYTES_MAX)),
        body_bytes_max: http::BODY_BYTES_MAX,
        shutdown_grace: SHUTDOWN_GRACE,
    }
}

/// The reply to a request for which there is no room.
fn refuse_more(headers: &HeaderMap) -> Response<http::Body> {
    refuse(Error::Overloaded, headers)
}

/// The reply to a request that is refused before it has reached any route.
fn refuse(error: Error, headers: &HeaderMap) -> Response<http::Body> {
    if grpc::is_call(headers) {
        return grpc::refusal(&error).map(|()| http::Body::default());
    }
    if grpc::is_connect_call(headers) {
        return grpc::connect_refusal(&error, headers).map(http::Body::from);
    }
    http::refusal(error, headers)
}

fn default_store(args: &ServeArgs) -> anyhow::Result<StoreUrl> {
    Ok(StoreUrl::Embedded(args.data_dir()?.join("store")))
}

/// These `options`, with what `args` say of the store at `url`.
fn as_told(
    args: &ServeArgs,
    url: &StoreUrl,
    options: hitl_store::Options,
) -> anyhow::Result<hitl_store::Options> {
    let signs = match (&args.link_key_file, url) {
        (None, StoreUrl::Embedded(directory)) => vec![beside(directory, "link")],
        // A key file that the user chose may be older than the store.
        _ => Vec::new(),
    };
    let retention = Retention::of(&args.retain).map_err(anyhow::Error::msg)?;
    let disk_reserve = args.disk_reserve;
    let audit_kept_ms = args.retain_audit.0;
    Ok(hitl_store::Options { disk_reserve, signs, retention, audit_kept_ms, ..options })
}

/// What a store needs: the real clock, randomness, and an end of the process when the store has failed.
pub fn store_options() -> hitl_store::Options {
    hitl_store::Options { on_fatal: Box::new(die), ..hitl_store::Options::default() }
}

/// Closes the logs to everybody else: the program that started this server may have made them with a wide umask.
fn close_logs(args: &ServeArgs) {
    let Ok(directory) = args.data_dir() else {
        return;
    };
    for name in LOGS {
        let log = directory.join(name);
        match hitl_store::close_to_others(&log) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(log = %log.display(), %error, "others may read this log: run `chmod 600` on it");
            }
            _ => {}
        }
    }
}

/// The keys of the links: from their file, which is made if there is none.
fn link_keys(args: &ServeArgs, store: &StoreUrl) -> anyhow::Result<LinkKeys> {
    let file = match args.link_key_file.clone() {
        Some(file) => Some(file),
        None => link_key::place(store, || args.data_dir())?,
    };
    let Some(file) = file else {
        return Ok(LinkKeys::one(LinkKey::new(hitl_store::random::bytes(&SystemRandom))));
    };
    LinkKeys::load_or_make(&file, &SystemRandom).with_context(|| {
        format!("cannot use the link key {}; give another with --link-key-file", file.display())
    })
}

/// The key of the receipts: from its file, which is made if there is none.
fn receipt_key(args: &ServeArgs, store: &StoreUrl) -> anyhow::Result<SigningKey> {
    let file = match args.receipt_key_file.clone() {
        Some(file) => Some(file),
        None => receipt_key::place(store, || args.data_dir())?,
    };
    let Some(file) = file else {
        return Ok(SigningKey::from_seed(&hitl_store::random::bytes(&SystemRandom)));
    };
    receipt_key::load_or_make(&file, &SystemRandom).with_context(|| {
        format!(
            "cannot use the key of receipts {}; give another with --receipt-key-file",
            file.display()
        )
    })
}

/// Ends the process after a second, since the store says that nothing in memory can be trusted any more. In that second
/// every call is refused with the reason, and `/readyz` says it too.
fn die(reason: &str) {
    tracing::error!(
        reason,
        "the store failed; the process ends, and a restart recovers what is durable"
    );
    let later = std::thread::Builder::new().spawn(|| {
        std::thread::sleep(FATAL_GRACE);
        std::process::exit(FATAL_STATUS);
    });
    if later.is_err() {
        std::process::exit(FATAL_STATUS);
    }
}

/// Waits for a signal, for `end`, or for `idle_exit` to pass without a call while nothing is pending.
async fn until_unneeded(
    service: &Service,
    activity: &Activity,
    idle_exit: Option<Duration>,
    end: impl Future<Output = ()>,
) {
    tokio::select! {
        () = end => tracing::info!("told to end"),
        () = until_idle(service, activity, idle_exit) => tracing::info!("nobody needs this server; it ends"),
    }
}

async fn until_idle(service: &Service, activity: &Activity, idle_exit: Option<Duration>) {
    let Some(idle_exit) = idle_exit else {
        return std::future::pending().await;
    };
    loop {
        let before = activity.requests();
        tokio::time::sleep(idle_exit).await;
        if activity.requests() == before && service.is_idle().await.unwrap_or(false) {
            return;
        }
    }
}

/// Completes with `end`, or when a signal tells the process to end. Signals count from this call on, and not from the
/// first poll: one that came in between would end the process at once.
fn or_signal(end: impl Future<Output = ()>) -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("the runtime handles signals");
    let mut interrupt = signal(SignalKind::interrupt()).expect("the runtime handles signals");
    async move {
        tokio::select! {
            () = end => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
