//! Tokens of an issuer that listens on this machine, by a clock that stands still.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hitl_core::{Role, Timestamp};
use hitl_store::clock::ManualClock;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::issuer::TOKEN_BYTES_MAX;
use super::*;

const NOW_S: i64 = 1_800_000_000;

/// An issuer and what it says.
struct World {
    oidc: Oidc,
    clock: ManualClock,
    url: String,
    /// The keys that it publishes; none while it is down.
    jwks: Arc<Mutex<Option<Value>>>,
    /// How often it was asked for them.
    asked: Arc<AtomicUsize>,
}

/// A key of the issuer.
struct Key {
    id: &'static str,
    pair: EcdsaKeyPair,
}

impl Key {
    fn new(id: &'static str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        Self { id, pair }
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": self.id, "x": BASE64.encode(x), "y": BASE64.encode(y)})
    }

    fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({"alg": "ES256", "kid": self.id, "typ": "at+jwt"}), claims)
    }

    fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let proof = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64.encode(proof))
    }
}

fn unsigned(header: &Value, claims: &Value) -> String {
    [header, claims].map(|part| BASE64.encode(part.to_string())).join(".")
}

impl World {
    async fn new(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let jwks = Arc::new(Mutex::new(None));
        let asked = Arc::<AtomicUsize>::default();
        tokio::spawn(serve(listener, url.clone(), jwks.clone(), asked.clone()));
        let clock = ManualClock::at(Timestamp::from_ms(NOW_S * 1000).unwrap());
        let args = OidcArgs {
            oidc_issuer: Some(url.clone()),
            oidc_audience: Some("us".to_owned()),
            oidc_roles: vec!["approvers=responder".parse().unwrap()],
            oidc_groups_claims: vec!["groups".to_owned()],
            oidc_scope: "openid".to_owned(),
            ..OidcArgs::default()
        };
        let settings = args.settings("http://127.0.0.1:4485").unwrap().unwrap();
        let oidc = Oidc::new(settings, Arc::new(clock.clone())).unwrap();
        let world = Self { oidc, clock, url, jwks, asked };
        world.publish(keys);
        world
    }

    fn publish(&self, keys: &[&Key]) {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        *self.jwks.lock().unwrap() = Some(json!({"keys": keys}));
    }

    fn claims(&self) -> Value {
        json!({"iss": self.url, "aud": "us", "sub": "ann", "groups": ["approvers"], "exp": NOW_S + 1_000_000})
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Serves discovery and keys, one connection after the other, and nothing while there are no keys.
async fn serve(
    listener: TcpListener,
    url: String,
    jwks: Arc<Mutex<Option<Value>>>,
    asked: Arc<AtomicUsize>,
) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut head = vec![0; 4096];
        let read = stream.read(&mut head).await.unwrap_or_default();
        let said = jwks.lock().unwrap().clone();
        let Some(keys) = said else { continue };
        let body = if head[..read].starts_with(b"GET /jwks") {
            asked.fetch_add(1, Ordering::Relaxed);
            keys
        } else {
            let at = |path: &str| format!("{url}/{path}");
            json!({
                "issuer": url,
                "authorization_endpoint": at("auth"),
                "token_endpoint": at("token"),
                "jwks_uri": at("jwks"),
            })
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all((head + &body).as_bytes()).await;
    }
}

#[tokio::test]
async fn a_good_token_says_who_calls_and_what_that_one_may_do() {
    let key = Key::new("a");
    let world = World::new(&[&key]).await;
    let (identity, until) = world.oidc.bearer(&key.sign(&world.claims())).await.unwrap();
    assert_eq!((identity.subject.as_str(), identity.is_program), ("ann", false));
    assert!(identity.rights.hold(Role::Responder, &"default".parse().unwrap()));
    let expires_s = world.claims()["exp"].as_i64().unwrap();
    assert_eq!(until, Timestamp::from_ms((expires_s + 60) * 1000), "with what clocks may be apart");
}

#[tokio::test]
async fn a_token_with_anything_wrong_is_refused() {
    let (key, stranger) = (Key::new("a"), Key::new("a"));
    let world = World::new(&[&key]).await;
    let good = key.sign(&world.claims());
    let (header, claims) = (json!({"alg": "ES256", "kid": "a"}), world.claims());
    let expired = {
        let mut claims = world.claims();
        claims["exp"] = json!(NOW_S - 61);
        claims
    };
    let (message, proof) = good.rsplit_once('.').unwrap();
    let jwk = key.jwk().to_string();
    let hmac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, jwk.as_bytes());
    let confused = unsigned(&json!({"alg": "HS256", "kid": "a"}), &claims);
    let confused_proof = BASE64.encode(ring::hmac::sign(&hmac, confused.as_bytes()));
    let mut other_claims = claims.clone();
    other_claims["sub"] = json!("bob");
    let bad = [
        stranger.sign(&claims),
        key.sign(&expired),
        key.sign_with(&json!({"alg": "ES384", "kid": "a"}), &claims),
        key.sign_with(&json!({"alg": "RS256", "kid": "a"}), &claims),
        key.sign_with(&json!({"alg": "none", "kid": "a"}), &claims),
        key.sign_with(&json!({"kid": "a"}), &claims),
        key.sign_with(&json!({"alg": "ES256", "kid": "a", "crit": ["b64"], "b64": false}), &claims),
        format!("{}.", unsigned(&json!({"alg": "none"}), &claims)),
        format!("{confused}.{confused_proof}"),
        format!("{}.{proof}", unsigned(&header, &other_claims)),
        format!("{message}."),
        format!("{message}.{}", BASE64.encode([0; 64])),
        message.to_owned(),
        format!("{good}.{proof}"),
        "A".repeat(TOKEN_BYTES_MAX + 1),
        ".".to_owned(),
        "..".to_owned(),
        String::new(),
    ];
    for token in bad {
        let refused = world.oidc.bearer(&token).await;
        assert!(matches!(refused, Err(Refused::Token(_))), "{token} gives {refused:?}");
    }
    assert!(world.oidc.bearer(&good).await.is_ok());
}

#[tokio::test]
async fn a_token_without_a_key_id_is_tried_with_every_key() {
    let (a, b) = (Key::new("a"), Key::new("b"));
    let world = World::new(&[&a, &b]).await;
    let token = b.sign_with(&json!({"alg": "ES256"}), &world.claims());
    assert!(world.oidc.bearer(&token).await.is_ok());
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it_and_at_most_once_a_minute() {
    let (a, b, c) = (Key::new("a"), Key::new("b"), Key::new("c"));
    let world = World::new(&[&a]).await;
    let claims = world.claims();
    assert!(world.oidc.bearer(&a.sign(&claims)).await.is_ok());
    world.publish(&[&b]);
    assert!(world.oidc.bearer(&b.sign(&claims)).await.is_ok());
    assert_eq!(world.asked(), 2);
    // The old key is not published any more.
    assert!(world.oidc.bearer(&a.sign(&claims)).await.is_err());
    world.publish(&[&c]);
    for _ in 0..10 {
        assert!(world.oidc.bearer(&c.sign(&claims)).await.is_err());
    }
    assert_eq!(world.asked(), 2);
    world.clock.advance_ms(60_000);
    assert!(world.oidc.bearer(&c.sign(&claims)).await.is_ok());
    assert_eq!(world.asked(), 3);
}

#[tokio::test]
async fn keys_outlive_their_issuer_for_a_day_and_no_longer() {
    let (a, b) = (Key::new("a"), Key::new("b"));
    let world = World::new(&[&a]).await;
    let claims = world.claims();
    assert!(world.oidc.bearer(&a.sign(&claims)).await.is_ok());
    *world.jwks.lock().unwrap() = None;
    world.clock.advance_ms(23 * 3_600_000);
    assert!(world.oidc.bearer(&a.sign(&claims)).await.is_ok());
    assert!(matches!(world.oidc.bearer(&b.sign(&claims)).await, Err(Refused::Token(_))));
    world.clock.advance_ms(3_600_000);
    assert!(matches!(world.oidc.bearer(&a.sign(&claims)).await, Err(Refused::Issuer(_))));
}

#[tokio::test]
async fn a_key_that_was_withdrawn_is_not_believed_for_ever() {
    let (a, b) = (Key::new("a"), Key::new("b"));
    let world = World::new(&[&a]).await;
    let claims = world.claims();
    assert!(world.oidc.bearer(&a.sign(&claims)).await.is_ok());
    world.publish(&[&b]);
    world.clock.advance_ms(3_600_000);
    // The first call after an hour has the keys fetched, without waiting for them.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while world.oidc.bearer(&a.sign(&claims)).await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "the key is still believed");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_issuer_that_is_down_from_the_start_is_named_as_the_cause() {
    let key = Key::new("a");
    let world = World::new(&[&key]).await;
    *world.jwks.lock().unwrap() = None;
    let token = key.sign(&world.claims());
    assert!(matches!(world.oidc.bearer(&token).await, Err(Refused::Issuer(_))));
    world.publish(&[&key]);
    world.clock.advance_ms(2_000);
    assert!(world.oidc.bearer(&token).await.is_ok());
}

#[test]
fn settings_that_let_nobody_in_or_send_secrets_in_the_clear_are_refused() {
    let args = |issuer: &str, client: Option<&str>, scope: &str| OidcArgs {
        oidc_issuer: Some(issuer.to_owned()),
        oidc_client_id: client.map(str::to_owned),
        oidc_scope: scope.to_owned(),
        ..OidcArgs::default()
    };
    let settings = |args: OidcArgs| args.settings("https://hitl.example/");
    let good = settings(args("https://issuer.example", Some("us"), "openid")).unwrap().unwrap();
    assert_eq!(good.client.unwrap().redirect, "https://hitl.example/sign-in/callback");
    assert!(settings(OidcArgs::default()).unwrap().is_none());
    for bad in [
        args("https://issuer.example", None, "openid"),
        args("http://issuer.example", Some("us"), "openid"),
        args("issuer.example", Some("us"), "openid"),
        args("https://issuer.example", Some("us"), "profile"),
    ] {
        settings(bad).unwrap_err();
    }
}
