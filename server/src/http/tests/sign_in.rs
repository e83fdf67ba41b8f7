//! The pages of people who are known: by a session, by a proxy, or because the server asks for nothing.

use std::net::SocketAddr;

use axum::http::{HeaderName, HeaderValue};
use futures::StreamExt;
use hitl_core::{AuditKind, CredentialKind};
use hitl_service::AuditQuery;

use super::*;
use crate::auth::codes::Codes;
use crate::auth::oidc::OidcArgs;
use crate::auth::proxy::ProxyArgs;
use crate::net::Peer;

/// A server that asks for credentials, with this way to sign in.
fn closed(service: &Service, sign_in: SignIn) -> Router {
    let links = Links::new(&LinkKeys::one(LinkKey::new([7; 32])), "http://127.0.0.1:4485");
    let admission = Admission::new(100, Budget::unlimited(), Quotas::none());
    let api = Api::new(service.clone(), links.clone(), admission.clone());
    let site = Site::new(api, service.clone(), links, sign_in, admission, Registry::default());
    router(Arc::new(site), Audience::All).layer(Extension(Who::Unknown))
}

/// A server of its user's own, with one code.
pub(super) async fn local() -> (World, String) {
    let mut world = World::new().await;
    let codes = Codes::default();
    let code = codes.make(world.service.clock().monotonic(), &SystemRandom);
    world.app = closed(&world.service, SignIn { codes: Some(codes), ..SignIn::none() });
    (world, code)
}

pub(super) async fn ask(world: &World) -> String {
    let open = World::app(&world.service, 100);
    let body = json!({"name": "n", "prompt": "Is it good?", "input": {"bool": {}}, "ttl": "3000s"});
    let request = Request::post("/v1/events").header(header::CONTENT_TYPE, "application/json");
    let reply = open.oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
    let bytes = axum::body::to_bytes(reply.into_body(), 1 << 20).await.unwrap();
    let created: Value = serde_json::from_slice(&bytes).unwrap();
    created["event"]["id"].as_str().unwrap().to_owned()
}

pub(super) async fn get(world: &World, path: &str, cookie: &str) -> Reply {
    let request = Request::get(path).header(header::COOKIE, cookie);
    world.send(request.body(Body::empty()).unwrap()).await
}

pub(super) async fn post(world: &World, path: &str, cookie: &str, form: &str) -> Reply {
    let request = Request::post(path).header(header::COOKIE, cookie);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    world.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

/// The pair of name and value in the cookie that a reply sets.
pub(super) fn cookie(reply: &Reply) -> String {
    let set = reply.headers[header::SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

pub(super) fn form_token(page: &Reply) -> String {
    let (_, rest) = page.text.split_once("name=\"form_token\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_begins_a_session_that_answers_by_the_id_of_an_event() {
    let (world, code) = local().await;
    let id = ask(&world).await;
    let path = format!("/events/default/{id}");
    assert_eq!(get(&world, &path, "").await.status, StatusCode::UNAUTHORIZED);
    let entered = get(&world, &format!("/sign-in/local?code={code}"), "").await;
    assert_eq!(
        (entered.status, &entered.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &HeaderValue::from_static("../"))
    );
    let cookie = cookie(&entered);
    let page = get(&world, &path, &cookie).await;
    assert!(page.status == StatusCode::OK && page.text.contains("Is it good?"), "{}", page.text);
    let form = format!("value=true&action=answer&answer_id=a&form_token={}", form_token(&page));
    let sent = post(&world, &path, &cookie, &form).await;
    assert_eq!(
        (sent.status, sent.headers[header::LOCATION].to_str().unwrap()),
        (StatusCode::SEE_OTHER, id.as_str())
    );
    let page = get(&world, &path, &cookie).await;
    assert!(
        page.text.contains("the user of the machine</bdi>, who had signed in"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let (world, code) = local().await;
    let id = ask(&world).await;
    let path = format!("/events/default/{id}");
    let cookie = cookie(&get(&world, &format!("/sign-in/local?code={code}"), "").await);
    for token in ["", "&form_token=", "&form_token=AAAA"] {
        let form = format!("value=true&action=answer&answer_id=a{token}");
        let sent = post(&world, &path, &cookie, &form).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{token}");
        let sent = post(&world, "/sign-out", &cookie, &form).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{token}");
    }
    let page = get(&world, &path, &cookie).await;
    assert!(page.text.contains("Send answer"), "{}", page.text);
}

#[tokio::test]
async fn what_was_refused_comes_back_with_what_was_typed() {
    let (world, code) = local().await;
    let id = ask(&world).await;
    let path = format!("/events/default/{id}");
    let cookie = cookie(&get(&world, &format!("/sign-in/local?code={code}"), "").await);
    let token = form_token(&get(&world, &path, &cookie).await);
    let form = format!("action=answer&answer_id=a&form_token={token}");
    let sent = post(&world, &path, &cookie, &form).await;
    let location = sent.headers[header::LOCATION].to_str().unwrap().to_owned();
    assert!(location.starts_with(&format!("{id}?draft=")), "{location}");
    let page = get(&world, &format!("/events/default/{location}"), &cookie).await;
    assert!(page.text.contains("Nothing was sent yet"), "{}", page.text);
}

#[tokio::test]
async fn a_session_that_was_signed_out_of_is_over_for_every_copy_of_its_cookie() {
    let (world, code) = local().await;
    let cookie = cookie(&get(&world, &format!("/sign-in/local?code={code}"), "").await);
    let page = get(&world, "/account", &cookie).await;
    assert!(page.text.contains("the user of this machine"), "{}", page.text);
    let out =
        post(&world, "/sign-out", &cookie, &format!("form_token={}", form_token(&page))).await;
    assert!(out.text.contains("You are signed out"), "{}", out.text);
    assert!(out.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(get(&world, "/account", &cookie).await.status, StatusCode::UNAUTHORIZED);
    // Another replica of the store hears of it too.
    let codes = Codes::default();
    let other = closed(&world.service, SignIn { codes: Some(codes), ..SignIn::none() });
    let world = World { app: other, ..world };
    assert_eq!(get(&world, "/account", &cookie).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_inbox_of_somebody_who_has_signed_out_is_told_nothing_more() {
    let (world, code) = local().await;
    let cookie = cookie(&get(&world, &format!("/sign-in/local?code={code}"), "").await);
    let request = Request::get("/inbox/changes").header(header::COOKIE, &cookie);
    let reply = world.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut changes = reply.into_body().into_data_stream();
    let first = changes.next().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: bookmark"), "{first:?}");
    let page = get(&world, "/account", &cookie).await;
    post(&world, "/sign-out", &cookie, &format!("form_token={}", form_token(&page))).await;
    ask(&world).await;
    assert!(changes.next().await.is_none(), "the session is over");
}

#[tokio::test]
async fn a_session_that_is_used_is_renewed_and_ends_in_the_end() {
    let (world, code) = local().await;
    let mut held = cookie(&get(&world, &format!("/sign-in/local?code={code}"), "").await);
    for _ in 0..23 {
        world.clock.advance_ms(1_800_000);
        let page = get(&world, "/account", &held).await;
        assert_eq!(page.status, StatusCode::OK);
        held = cookie(&page);
    }
    world.clock.advance_ms(1_800_000);
    assert_eq!(get(&world, "/account", &held).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_is_for_pages_and_not_for_the_api() {
    let (world, code) = local().await;
    let cookie = cookie(&get(&world, &format!("/sign-in/local?code={code}"), "").await);
    for path in ["/v1/events", "/status/00000000000000000000000000000000"] {
        assert_eq!(get(&world, path, &cookie).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(post(&world, "/sign-in/code", &cookie, "").await.status, StatusCode::UNAUTHORIZED);
}

/// A server behind a proxy at 10.0.0.1, of which `groups` may answer.
async fn behind_proxy() -> World {
    let mut world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    std::fs::write(&file, "0123456789abcdef").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let name = |text| Some(HeaderName::from_static(text));
    let args = ProxyArgs {
        trusted_proxies: vec!["10.0.0.1/32".parse().unwrap()],
        trusted_proxy_secret_file: Some(file),
        trusted_proxy_secret_header: name("x-hitl-proxy-secret"),
        trusted_user_header: name("x-forwarded-user"),
        trusted_name_header: name("x-forwarded-preferred-username"),
        trusted_groups_header: name("x-forwarded-groups"),
    };
    let rules = OidcArgs {
        oidc_roles: vec!["approvers=responder".parse().unwrap(), "others=auditor".parse().unwrap()],
        ..OidcArgs::default()
    };
    let proxy = args.settings(rules.mapping()).unwrap();
    world.app = closed(&world.service, SignIn { proxy, ..SignIn::none() });
    world
}

async fn by_proxy(
    world: &World,
    path: &str,
    from: [u8; 4],
    pairs: &[(&str, &str)],
    form: Option<&str>,
) -> Reply {
    let mut request = match form {
        Some(_) => {
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        }
        None => Request::get(path),
    };
    for (name, value) in pairs {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(form.unwrap_or_default().to_owned())).unwrap();
    let address = SocketAddr::from((from, 1));
    request.extensions_mut().insert(Peer { address, connection: 1 });
    world.send(request).await
}

const SECRET: (&str, &str) = ("x-hitl-proxy-secret", "0123456789abcdef");
const ANN: (&str, &str) = ("x-forwarded-user", "ann");

#[tokio::test]
async fn a_person_whom_the_proxy_names_answers_as_that() {
    let world = behind_proxy().await;
    let path = format!("/events/default/{}", ask(&world).await);
    let named = [ANN, SECRET, ("x-forwarded-groups", "approvers")];
    let page = by_proxy(&world, &path, [10, 0, 0, 1], &named, None).await;
    assert!(page.text.contains("You answer as <bdi>ann</bdi>"), "{}", page.text);
    let form = format!("value=true&action=answer&answer_id=a&form_token={}", form_token(&page));
    let sent = by_proxy(&world, &path, [10, 0, 0, 1], &named, Some(&form)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let page = by_proxy(&world, &path, [10, 0, 0, 1], &named, None).await;
    assert!(page.text.contains("ann</bdi>, who had signed in"), "{}", page.text);
}

#[tokio::test]
async fn what_a_proxy_may_not_say_is_refused_and_never_half_believed() {
    let world = behind_proxy().await;
    let path = format!("/events/default/{}", ask(&world).await);
    let groups = ("x-forwarded-groups", "approvers");
    for (from, pairs) in [
        ([10, 0, 0, 2], &[ANN, SECRET, groups][..]),
        ([10, 0, 0, 1], &[ANN, groups]),
        ([10, 0, 0, 1], &[ANN, ("x-hitl-proxy-secret", "0123456789abcdeF"), groups]),
        ([10, 0, 0, 1], &[ANN, ("x-forwarded-user", "bob"), SECRET, groups]),
        ([10, 0, 0, 1], &[SECRET, groups]),
        ([10, 0, 0, 1], &[]),
    ] {
        let page = by_proxy(&world, &path, from, pairs, None).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{from:?} {pairs:?}");
    }
}

#[tokio::test]
async fn who_may_only_look_is_told_so_and_who_may_not_look_learns_nothing() {
    let world = behind_proxy().await;
    let path = format!("/events/default/{}", ask(&world).await);
    let other = format!("/events/default/{}", "0".repeat(32));
    let auditor = [ANN, SECRET, ("x-forwarded-groups", "others")];
    let page = by_proxy(&world, &path, [10, 0, 0, 1], &auditor, None).await;
    assert!(page.text.contains("not yours to answer") && !page.text.contains("Is it good"));
    let nobody = [ANN, SECRET];
    let hidden = by_proxy(&world, &path, [10, 0, 0, 1], &nobody, None).await;
    let absent = by_proxy(&world, &other, [10, 0, 0, 1], &nobody, None).await;
    assert_eq!((hidden.status, &hidden.text), (absent.status, &absent.text));
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_open_server_shows_events_by_their_ids_to_everybody() {
    let world = World::new().await;
    let page = world.get(&format!("/events/default/{}", ask(&world).await)).await;
    assert!(page.status == StatusCode::OK && page.text.contains("Is it good?"), "{}", page.text);
    assert_eq!(world.get("/account").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn signing_in_and_out_is_written_down_and_so_is_a_code_that_was_refused() {
    let (world, code) = local().await;
    let app = audited(world.app.clone(), world.service.clone());
    let world = World { app, ..world };
    let path = format!("/sign-in/local?code={code}");
    let cookie = cookie(&get(&world, &path, "").await);
    assert_eq!(get(&world, &path, "").await.status, StatusCode::UNAUTHORIZED);
    let token = form_token(&get(&world, "/account", &cookie).await);
    let out = post(&world, "/sign-out", &cookie, &format!("form_token={token}")).await;
    assert_eq!(out.status, StatusCode::OK);
    world.service.finish().await;
    let query = AuditQuery { page_size: 10, ..AuditQuery::default() };
    let listed = world.service.session(Principal::Owner).list_audit(&query).await.unwrap().entries;
    let mut kinds: Vec<_> = listed.iter().map(|entry| entry.kind.name()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["refusal", "sign-in", "sign-out"]);
    for entry in &listed {
        let is_owner = entry.who.known_by == CredentialKind::Owner;
        assert_eq!(is_owner, entry.kind != AuditKind::Refusal, "{entry:?}");
    }
    let refused = listed.iter().find(|entry| entry.kind == AuditKind::Refusal).unwrap();
    assert_eq!(
        (&*refused.action, &*refused.detail),
        ("GET /sign-in/local", "the code is not good")
    );
    let session = cookie.split_once('=').unwrap().1;
    for secret in [&*code, session, &*token] {
        assert!(!format!("{listed:?}").contains(secret), "{listed:?}");
    }
}
