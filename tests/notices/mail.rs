//! Mails: one for each recipient, whose link answers, in one thread to the end.

use hitl_proto::v1;
use hitl_proto::v1::notification_channel::Settings;
use support::tls::Certificates;

use crate::smtp::{Mail, Smtp, USER};
use crate::world::{World, mail_settings};

/// A server, and the SMTP server that it hands mails to.
async fn world(to: &[&str]) -> (World, Smtp) {
    let dir = tempfile::tempdir().expect("a directory");
    let certificates = Certificates::make(dir.path()).expect("certificates");
    let (world, smtp) = tokio::join!(World::new(), Smtp::start(&certificates));
    let ca_pem = certificates.pem("ca.pem").expect("a certificate");
    world.tell_by("mail", Settings::Mail(mail_settings(smtp.port, ca_pem, to))).await;
    (world, smtp)
}

fn is_to(mail: &Mail, to: &str) -> bool {
    mail.to == [to]
}

#[tokio::test]
async fn a_mail_leads_to_an_answer_and_the_end_arrives_in_its_thread() {
    let (world, smtp) = world(&["Ann <ann@example.com>", "bob@example.com"]).await;
    let asked = world.ask_bool("Deploy v2.41?").await;
    let to_ann = smtp.mail(|mail| is_to(mail, "ann@example.com")).await;
    let to_bob = smtp.mail(|mail| is_to(mail, "bob@example.com")).await;
    assert!(to_ann.tls && to_ann.user.as_deref() == Some(USER), "{to_ann:?}");
    assert_eq!(to_ann.from, "hitl@example.org");
    assert_eq!(to_ann.header("To"), "Ann <ann@example.com>");
    assert_eq!(to_ann.header("Subject"), "Deploy v2.41?");
    let text = to_ann.text();
    for said in ["The canary is healthy (A).", "v2.41 & more", "v2.41 &#38; more", "admin"] {
        assert!(text.contains(said), "{said} in {text}");
    }
    assert_ne!(to_ann.link(), to_bob.link(), "each has a link of their own");

    // What looks at links before people do changes nothing.
    for _ in 0..3 {
        let looked = world.http.get(to_ann.link()).send().await.expect("a reply");
        assert_eq!(looked.status(), 200);
        world.http.head(to_ann.link()).send().await.expect("a reply");
    }
    assert_eq!(world.event(&asked).await["state"], "EVENT_STATE_PENDING");

    let fields = [("value", "true"), ("action", "answer"), ("answer_id", "1")];
    let answered = world.http.post(to_ann.link()).form(&fields).send().await.expect("a reply");
    assert_eq!(answered.status(), 303);
    let event = world.event(&asked).await;
    assert_eq!(event["response"]["value"]["bool"], true, "{event}");
    assert_eq!(event["response"]["responder"]["name"], "ann@example.com", "{event}");
    assert_eq!(event["response"]["responder"]["knownBy"], "CREDENTIAL_KIND_LINK", "{event}");

    for asked in [to_ann, to_bob] {
        let to = asked.to[0].clone();
        let is_end = |mail: &Mail| is_to(mail, &to) && mail.header("Subject").starts_with("Re: ");
        let end = smtp.mail(is_end).await;
        assert_eq!(end.header("Subject"), "Re: Deploy v2.41?");
        assert_eq!(end.header("References"), asked.header("Message-ID"));
        assert_eq!(end.header("In-Reply-To"), asked.header("Message-ID"));
        let text = end.text();
        assert!(text.contains("Answered: Yes") && text.contains("by ann@example.com"), "{text}");
        assert!(!text.contains("/q/"), "nobody can answer any more: {text}");
    }
    assert_eq!(smtp.mails().len(), 4);
}

#[tokio::test]
async fn one_recipient_who_cannot_be_reached_keeps_nothing_from_the_others() {
    let (world, smtp) = world(&["never@example.com", "later@example.com", "ann@example.com"]).await;
    world.ask_bool("Deploy?").await;
    smtp.mail(|mail| is_to(mail, "ann@example.com")).await;
    let log = || world.server.log();
    assert!(!log().contains(crate::smtp::PASSWORD), "the log has a secret");
}

#[tokio::test]
async fn a_server_without_a_good_certificate_is_handed_no_mail_and_no_password() {
    let dir = tempfile::tempdir().expect("a directory");
    let certificates = Certificates::make(dir.path()).expect("certificates");
    let (world, smtp) = tokio::join!(World::new(), Smtp::start(&certificates));
    let foreign = certificates.pem("stranger-ca.pem").expect("a certificate");
    let foreign = mail_settings(smtp.port, foreign, &["ann@example.com"]);
    world.tell_by("foreign", Settings::Mail(foreign)).await;
    let ours = certificates.pem("ca.pem").expect("a certificate");
    let refused = v1::MailSettings {
        password: "another".to_owned(),
        ..mail_settings(smtp.port, ours.clone(), &["bob@example.com"])
    };
    world.tell_by("refused", Settings::Mail(refused)).await;
    world
        .tell_by("good", Settings::Mail(mail_settings(smtp.port, ours, &["cid@example.com"])))
        .await;
    world.ask_bool("Deploy?").await;
    smtp.mail(|mail| is_to(mail, "cid@example.com")).await;
    let reasons =
        [("foreign", "cannot be secured"), ("refused", "refuses the user or the password")];
    for (name, reason) in reasons {
        let tried = world.try_channel(name).await;
        assert!(tried.contains(reason), "{name}: {tried}");
    }
    assert_eq!(smtp.mails().len(), 1);
}
