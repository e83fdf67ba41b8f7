//! Signatures, secrets, and what programs read.

use hitl_store::clock::ManualClock;
use hitl_store::random::SystemRandom;

use super::super::Told;
use super::super::samples::{ended_message, message};
use super::*;

/// The example of the specification.
const EXAMPLE_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const EXAMPLE_BODY: &[u8] = br#"{"test": 2432232314}"#;

fn tools() -> (Tools, ManualClock) {
    let clock = ManualClock::at(hitl_core::Timestamp::from_ms(1_795_354_620_000).unwrap());
    let tools = Tools {
        outbound: Outbound::new(&[]).unwrap(),
        clock: Arc::new(clock.clone()),
        random: Arc::new(SystemRandom),
        public_url: String::new(),
        exec_dir: None,
    };
    (tools, clock)
}

#[test]
fn a_signature_is_that_of_the_specification() {
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    let signed = signature(EXAMPLE_SECRET, id, 1_614_265_330, EXAMPLE_BODY).unwrap();
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    for wrong in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!"] {
        assert_eq!(signature(wrong, id, 0, b""), None, "{wrong}");
    }
}

#[test]
fn a_secret_is_made_if_none_is_given_and_never_shown_in_the_settings() {
    let (tools, _) = tools();
    let asked = |url: &str, secret: &str| v1::WebhookSettings {
        url: url.to_owned(),
        secret: secret.to_owned(),
        without_link: true,
    };
    let url = "https://example.org/hook";
    let (config, made) = WebhookConfig::read(asked(url, ""), &tools).unwrap();
    assert_eq!(key(made.get(SECRET)).unwrap().len(), 32);
    let (_, given) = WebhookConfig::read(asked(url, EXAMPLE_SECRET), &tools).unwrap();
    assert_eq!(given.get(SECRET), EXAMPLE_SECRET);
    let stored = serde_json::to_string(&config).unwrap();
    assert_eq!(stored, r#"{"webhook":{"url":"https://example.org/hook","without_link":true}}"#);
    let wrong = |url, secret| WebhookConfig::read(asked(url, secret), &tools).unwrap_err().field;
    assert_eq!(wrong("https://127.0.0.1/", ""), "channel.webhook.url");
    assert_eq!(wrong(url, "whsec_short"), "channel.webhook.secret");
}

#[test]
fn two_secrets_sign_until_the_time_of_the_first_is_over() {
    let (tools, clock) = tools();
    let first = Secrets::default().with(SECRET, EXAMPLE_SECRET.to_owned());
    let both = rotated(&first, 1_000, &tools);
    assert_ne!(both.get(SECRET), EXAMPLE_SECRET);
    assert_eq!(both.get(PREVIOUS), EXAMPLE_SECRET);
    let until: i64 = both.get(PREVIOUS_UNTIL).parse().unwrap();
    assert_eq!(until, clock.now().ms() + 1_000);
}

#[test]
fn programs_read_the_event_without_its_links_unless_they_are_to_have_one() {
    let asked = payload(&message(Told::Asked), true);
    assert_eq!(asked["type"], "event.asked");
    assert_eq!(asked["data"]["link"], "https://hitl.example/q/CANARY");
    assert_eq!(asked["data"]["event"]["title"], "Ship it?");
    assert!(asked["data"]["event"]["formUrl"].is_null(), "{asked}");
    let without = payload(&message(Told::Asked), false);
    assert!(!without.to_string().contains("CANARY"), "{without}");
    let ended = payload(&ended_message(), true);
    assert_eq!(ended["type"], "event.ended");
    assert_eq!(ended["data"]["event"]["response"]["value"]["bool"], true, "{ended}");
}
