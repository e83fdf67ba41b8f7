//! Reminders and escalations: each once, whatever happens to the server in between.

use std::collections::BTreeSet;

use hitl_proto::v1::notification_channel::Settings;
use serde_json::{Value, json};
use support::server::ADMIN;
use support::tls::Certificates;

use crate::smtp::{Mail, Smtp};
use crate::world::{World, mail_settings};

async fn world() -> (World, Smtp, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let certificates = Certificates::make(dir.path()).expect("certificates");
    let (world, smtp) = tokio::join!(World::new(), Smtp::start(&certificates));
    let ca = certificates.pem("ca.pem").expect("a certificate");
    let settings = mail_settings(smtp.port, ca.clone(), &["ann@example.com"]);
    world.tell_by("mail", Settings::Mail(settings)).await;
    (world, smtp, ca)
}

fn says(mail: &Mail, lead: &str) -> bool {
    mail.text().contains(lead)
}

const REMINDER: &str = "A reminder: this question still waits";
const ESCALATION: &str = "This question has waited too long";

fn question(more: Value) -> Value {
    let mut body =
        json!({"name": "deploy", "prompt": "Deploy?", "input": {"bool": {}}, "ttl": "600s"});
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

#[tokio::test]
async fn a_reminder_comes_once_in_the_thread_and_survives_the_server() {
    let (mut world, smtp, _) = world().await;
    let reminders = json!([{"beforeDeadline": "598s"}]);
    let asked = world.ask(&question(json!({"reminders": reminders}))).await;
    assert_eq!(world.event(&asked).await["reminders"], reminders);
    let first = smtp.mail(|mail| mail.header("Subject") == "Deploy?").await;
    world.server.kill().await.expect("it is killed");
    world.server.restart().await.expect("it starts again");
    let reminder = smtp.mail(|mail| says(mail, REMINDER)).await;
    assert_eq!(reminder.header("References"), first.header("Message-ID"));
    assert_eq!(reminder.header("Subject"), "Re: Deploy?");
    assert!(reminder.text().contains("/q/"), "the recipient can answer");
    world.cancel(&asked).await;
    smtp.mail(|mail| says(mail, "Withdrawn")).await;
    // What the server had sent when it was killed, and did not know of, it has sent again: as the same mail.
    let ids = smtp.mails().iter().map(|mail| mail.header("Message-ID")).collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[tokio::test]
async fn an_escalation_tells_a_channel_that_no_rule_names() {
    let (world, smtp, ca) = world().await;
    let boss = mail_settings(smtp.port, ca, &["boss@example.com"]);
    world.tell_by_only("boss", Settings::Mail(boss), "no-event-has-this-name").await;
    let escalations = json!([{"afterCreate": "1s", "channels": ["boss", "no-channel"]}]);
    let asked = world.ask(&question(json!({"escalations": escalations}))).await;
    let mail = smtp.mail(|mail| mail.to == ["boss@example.com"]).await;
    assert!(says(&mail, ESCALATION), "{}", mail.text());
    let link = mail.link();
    let looked = world.http.get(link).send().await.expect("a reply");
    assert_eq!(looked.status(), 200);
    // Who was asked for help is told that it is not needed any more.
    world.cancel(&asked).await;
    smtp.mail(|mail| mail.to == ["boss@example.com"] && says(mail, "Withdrawn")).await;
}

#[tokio::test]
async fn an_event_that_has_ended_reminds_nobody_and_what_could_never_come_is_refused() {
    let (world, smtp, _) = world().await;
    let body = question(json!({"reminders": [{"afterCreate": "1s"}]}));
    let asked = world.ask(&body).await;
    world.cancel(&asked).await;
    let other = world.ask(&body).await;
    // The other one's comes later, and so would this one's have come before.
    let reminder = smtp.mail(|mail| says(mail, REMINDER)).await;
    assert!(reminder.header("Message-ID").contains(other["id"].as_str().expect("an id")));
    for wrong in [
        json!({"reminders": [{"afterCreate": "600s"}]}),
        json!({"reminders": [{"beforeDeadline": "601s"}]}),
        json!({"reminders": [{}]}),
        json!({"escalations": [{"afterCreate": "1s", "channels": ["No Name"]}]}),
    ] {
        let post = world
            .http
            .post(world.server.url("/v1/events"))
            .bearer_auth(ADMIN)
            .json(&question(wrong.clone()));
        let reply = post.send().await.expect("a reply");
        assert_eq!(reply.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_requester_reminds_at_once_and_not_again_for_some_time() {
    let (world, smtp, _) = world().await;
    let asked = world.ask(&question(json!({}))).await;
    let path = format!("/v1/events/{}/remind", asked["id"].as_str().expect("an id"));
    world.post(&path, &json!({"note": "It is urgent."})).await;
    let reminder = smtp.mail(|mail| says(mail, REMINDER)).await;
    assert!(reminder.text().contains("It is urgent."), "{}", reminder.text());
    let again = world.http.post(world.server.url(&path)).bearer_auth(ADMIN).json(&json!({}));
    let again = again.send().await.expect("a reply");
    assert_eq!(again.status(), 429);
    assert!(again.headers().contains_key("retry-after"));
    world.cancel(&asked).await;
    let late = world.http.post(world.server.url(&path)).bearer_auth(ADMIN).json(&json!({}));
    assert_eq!(late.send().await.expect("a reply").status(), 409);
}
