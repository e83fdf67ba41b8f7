//! Which settings of Slack are taken, and what is shown of them.

use std::sync::Arc;

use hitl_store::clock::SystemClock;
use hitl_store::random::SystemRandom;

use super::*;

fn asked() -> v1::SlackSettings {
    v1::SlackSettings {
        conversation: "C024BE91L".to_owned(),
        token: "xoxb-1-2-abc".to_owned(),
        signing_secret: "8f742231b10e8888abcd99yyyzzz85a5".to_owned(),
        people: vec![v1::SlackPerson {
            user: "U024BE7LH".to_owned(),
            name: "Ann".to_owned(),
            principal: String::new(),
        }],
        email_domains: vec!["Example.com".to_owned()],
        without_link: false,
        api_url: String::new(),
    }
}

fn read(asked: v1::SlackSettings) -> Result<(ChannelConfig, Secrets), Violation> {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    SlackConfig::read(asked, &Tools::strict(clock, random).unwrap())
}

#[test]
fn settings_are_kept_and_shown_without_their_secrets() {
    let (config, secrets) = read(asked()).unwrap();
    let ChannelConfig::Slack(config) = config else { panic!("it is Slack") };
    let text = serde_json::to_string(&config).unwrap();
    assert!(!text.contains("xoxb") && !text.contains("8f74"), "{text}");
    assert_eq!(serde_json::from_str::<SlackConfig>(&text).unwrap(), config);
    assert_eq!((secrets.get(TOKEN), secrets.get("another")), ("xoxb-1-2-abc", ""));
    let shown = config.shown();
    assert_eq!((shown.token.as_str(), shown.signing_secret.as_str()), ("", ""));
    assert_eq!(shown.email_domains, ["example.com"]);
}

#[test]
fn what_cannot_be_right_is_refused_by_the_name_of_its_field() {
    type Change = fn(&mut v1::SlackSettings);
    let changes: [(&str, Change); 9] = [
        ("conversation", |asked| asked.conversation = "#ops".to_owned()),
        ("token", |asked| asked.token = "xoxp-1".to_owned()),
        ("token", |asked| asked.token = "xoxb-1\r\nx: y".to_owned()),
        ("signing_secret", |asked| asked.signing_secret = "no secret".to_owned()),
        ("people[0].user", |asked| asked.people[0].user = "@ann".to_owned()),
        ("people[0].name", |asked| asked.people[0].name = " ".to_owned()),
        ("people", |asked| asked.people = vec![asked.people[0].clone(); 501]),
        ("email_domains[0]", |asked| asked.email_domains = vec!["com".to_owned()]),
        ("api_url", |asked| asked.api_url = "slack".to_owned()),
    ];
    for (field, change) in changes {
        let mut settings = asked();
        change(&mut settings);
        let refused = read(settings).unwrap_err();
        assert_eq!(refused.field, format!("channel.slack.{field}"));
    }
}
