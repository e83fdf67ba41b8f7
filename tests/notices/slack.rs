//! Slack: a press answers, the message says how it ended, and whatever is not Slack's is refused.

use hitl_proto::v1;
use hitl_proto::v1::notification_channel::Settings;
use http::HeaderMap;
use serde_json::{Value, json};
use support::slack::{CONVERSATION, Posted, SIGNING_SECRET, Slack, TEAM, TOKEN};

use crate::world::World;

const ANN: &str = "U024BE7LH";

fn settings(slack: &Slack) -> v1::SlackSettings {
    v1::SlackSettings {
        conversation: CONVERSATION.to_owned(),
        token: TOKEN.to_owned(),
        signing_secret: SIGNING_SECRET.to_owned(),
        people: vec![v1::SlackPerson {
            user: ANN.to_owned(),
            name: "Ann".to_owned(),
            principal: String::new(),
        }],
        email_domains: vec!["example.com".to_owned()],
        without_link: false,
        api_url: slack.api_url(),
    }
}

async fn world() -> (World, Slack) {
    let (world, slack) = tokio::join!(World::new(), Slack::start());
    let slack = slack.expect("the stand-in starts");
    world.tell_by("slack", Settings::Slack(settings(&slack))).await;
    (world, slack)
}

/// The status of the reply to `body`, sent as Slack does.
async fn send(world: &World, body: String, headers: HeaderMap) -> u16 {
    let post =
        world.http.post(world.server.url("/channels/slack/actions")).headers(headers).body(body);
    post.send().await.expect("the server replies").status().as_u16()
}

async fn press(world: &World, slack: &Slack, message: &Posted, label: &str, user: &str) -> u16 {
    let body = slack.press(message, label, user);
    let headers = Slack::signed(&body, 0);
    send(world, body, headers).await
}

fn is_about<'a>(title: &'a str) -> impl Fn(&Posted) -> bool + 'a {
    move |posted| {
        posted.only.is_empty()
            && posted.body["text"].as_str().is_some_and(|text| text.starts_with(title))
    }
}

#[tokio::test]
async fn a_press_answers_in_the_name_of_whoever_pressed_and_the_message_says_so() {
    let (world, slack) = world().await;
    slack.limit(1);
    let asked = world.ask_bool("Deploy <v2.41> & more?").await;
    let posted = slack.message(is_about("Deploy")).await.expect("it is posted");
    assert_eq!(posted.body["text"], "Deploy &lt;v2.41&gt; &amp; more?");
    assert_eq!(press(&world, &slack, &posted, "Yes", ANN).await, 200);
    let event = world.event(&asked).await;
    let responder = &event["response"]["responder"];
    assert_eq!(event["response"]["value"]["bool"], true, "{event}");
    assert_eq!(responder["channel"], "CHANNEL_SLACK", "{event}");
    assert_eq!((&responder["name"], &responder["principal"]), (&json!("Ann"), &json!("Ann")));
    assert_eq!(responder["knownBy"], "CREDENTIAL_KIND_PERSON", "{event}");
    assert_eq!(responder["address"], format!("slack:{TEAM}/{CONVERSATION}/{}", posted.ts));
    let edited = slack.message(|message| message.edits > 0).await.expect("it is edited");
    assert_eq!(edited.ts, posted.ts);
    let text = edited.body.to_string();
    assert!(text.contains("Answered: Yes") && !text.contains("\"actions\""), "{text}");
    // The same press again is the same answer, and another comes too late.
    assert_eq!(press(&world, &slack, &posted, "Yes", ANN).await, 200);
    assert_eq!(press(&world, &slack, &posted, "No", ANN).await, 200);
    let told = slack.message(|message| message.only == ANN).await.expect("it is said");
    assert!(
        told.body["text"].as_str().is_some_and(|text| text.contains("ended before")),
        "{told:?}"
    );
    assert_eq!(world.event(&asked).await["response"], event["response"]);
    assert_eq!(slack.refusals(), Vec::<String>::new());
}

#[tokio::test]
async fn an_end_by_any_door_edits_the_message() {
    let (world, slack) = world().await;
    let asked = world.ask_bool("Deploy?").await;
    let posted = slack.message(is_about("Deploy?")).await.expect("it is posted");
    let form = asked["formUrl"].as_str().expect("a link");
    let fields =
        [("value", "false"), ("action", "answer"), ("answer_id", "1"), ("responder", "Bob")];
    let answered = world.http.post(form).form(&fields).send().await.expect("a reply");
    assert_eq!(answered.status(), 303);
    let edited = slack.message(|message| message.edits > 0).await.expect("it is edited");
    assert_eq!(edited.ts, posted.ts);
    assert!(edited.body.to_string().contains("Answered: No"), "{edited:?}");
    let withdrawn = world.ask_bool("Withdrawn?").await;
    slack.message(is_about("Withdrawn?")).await.expect("it is posted");
    world.cancel(&withdrawn).await;
    let edited = slack.message(|message| message.body.to_string().contains("*Withdrawn*")).await;
    assert!(edited.expect("it is edited").body.to_string().contains("not needed"));
    assert_eq!(slack.refusals(), Vec::<String>::new());
}

#[tokio::test]
async fn options_have_buttons_and_whoever_is_known_by_the_workspace_may_press_them() {
    let (world, slack) = world().await;
    slack.add_member("U0BOB", "bob@example.com");
    slack.add_member("U0EVE", "eve@evil.example");
    let options: Vec<Value> =
        ["eu", "us", "ap"].iter().map(|value| json!({"value": value})).collect();
    let asked = world
        .ask(&json!({"name": "where", "prompt": "Where to?", "input": {"choice": {"options": options}}}))
        .await;
    let posted = slack.message(is_about("Where to?")).await.expect("it is posted");
    for stranger in ["U0EVE", "U0NOBODY"] {
        assert_eq!(press(&world, &slack, &posted, "us", stranger).await, 200);
        let told = slack.message(|message| message.only == stranger).await.expect("it is said");
        assert!(told.body["text"].as_str().is_some_and(|text| !text.is_empty()), "{told:?}");
        assert_eq!(world.event(&asked).await["state"], "EVENT_STATE_PENDING");
    }
    assert_eq!(press(&world, &slack, &posted, "us", "U0BOB").await, 200);
    let event = world.event(&asked).await;
    assert_eq!(event["response"]["value"]["choice"]["selected"], json!(["us"]), "{event}");
    assert_eq!(event["response"]["responder"]["principal"], "bob@example.com", "{event}");
}

#[tokio::test]
async fn what_slack_has_not_signed_or_not_just_now_changes_nothing() {
    let (world, slack) = world().await;
    let asked = world.ask_bool("Deploy?").await;
    let posted = slack.message(is_about("Deploy?")).await.expect("it is posted");
    let body = slack.press(&posted, "Yes", ANN);
    let good = Slack::signed(&body, 0);
    let without = |name: &str| {
        let mut headers = good.clone();
        headers.remove(name);
        headers
    };
    let mut forged = good.clone();
    let digits = format!("v0={}", "0".repeat(64)).parse().expect("it is ASCII");
    forged.insert("x-slack-signature", digits);
    let refused = [
        ("replayed", body.clone(), Slack::signed(&body, -301)),
        // Five minutes, and what it may take on a busy machine until it is looked at.
        ("of tomorrow", body.clone(), Slack::signed(&body, 420)),
        ("without its time", body.clone(), without("x-slack-request-timestamp")),
        ("without its signature", body.clone(), without("x-slack-signature")),
        ("forged", body.clone(), forged),
        ("changed", body.replace(ANN, "U024BE7LX"), good.clone()),
        ("empty", String::new(), good.clone()),
    ];
    for (what, body, headers) in refused {
        assert_eq!(send(&world, body, headers).await, 401, "{what}");
    }
    let large = format!("payload={}", "x".repeat(300_000));
    let headers = Slack::signed(&large, 0);
    assert_eq!(send(&world, large, headers).await, 413);
    for hostile in ["payload=", "payload=%7B%7D", "payload=%FF", "x=1", "payload=1&payload=2"] {
        let headers = Slack::signed(hostile, 0);
        assert_eq!(send(&world, hostile.to_owned(), headers).await, 400, "{hostile}");
    }
    assert_eq!(world.event(&asked).await["state"], "EVENT_STATE_PENDING");
    let log = world.server.log();
    assert!(!log.contains(TOKEN) && !log.contains(SIGNING_SECRET), "the log has a secret");
}

#[tokio::test]
async fn a_conversation_without_links_leads_to_the_page_of_those_who_sign_in() {
    let (world, slack) = tokio::join!(World::new(), Slack::start());
    let slack = slack.expect("the stand-in starts");
    let settings = v1::SlackSettings { without_link: true, ..settings(&slack) };
    world.tell_by("slack", Settings::Slack(settings)).await;
    let asked = world.ask(&json!({"name": "n", "prompt": "How many?", "input": {"int": {}}})).await;
    let posted = slack.message(is_about("How many?")).await.expect("it is posted");
    let text = posted.body.to_string();
    let page = format!("/events/default/{}", asked["id"].as_str().expect("an id"));
    assert!(text.contains(&page) && !text.contains("/q/"), "{text}");
}
