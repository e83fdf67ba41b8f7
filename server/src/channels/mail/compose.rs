//! From what is said of an event to a mail: its headers, a text part and an HTML part that say the same.
//!
//! Texts of others come in by way of the digest, which has no control character and no line break where there should be
//! none, and are escaped by the template of the HTML part. No address or header is put together from them.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use askama::Template;
use hitl_core::{EventKey, Timestamp};
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use sha2::{Digest as _, Sha256};

use crate::channels::Told;
use crate::channels::digest::Digest;

/// Largest mail: far more than the bounds of a digest allow, whatever its letters take in the encoding of mails.
const MAIL_BYTES_MAX: usize = 512 * 1024;

/// What a mail is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'a> {
    /// What it tells.
    pub(crate) told: Told,
    /// What it says of the event.
    pub(crate) digest: &'a Digest,
    /// What else it says; may be empty.
    pub(crate) note: &'a str,
    /// Whom it comes from.
    pub(crate) from: &'a Mailbox,
    /// Whom it goes to.
    pub(crate) to: &'a Mailbox,
    /// Where the recipient answers; none once the event has ended.
    pub(crate) link: Option<&'a str>,
    /// The thread that it belongs to.
    pub(crate) thread: &'a Thread,
    /// What is the same whenever this mail is sent again, and different for each other mail of the thread.
    pub(crate) id: &'a str,
    /// When it is sent.
    pub(crate) time: Timestamp,
}

/// The mails about one event to one recipient, which their program shows together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thread {
    name: String,
    domain: String,
}

impl Thread {
    /// The thread about the event at `key` from one address to another.
    pub(crate) fn of(key: &EventKey, from: &Mailbox, to: &Mailbox) -> Self {
        let hash = hash(&[
            key.namespace.as_str(),
            &key.id.to_string(),
            from.email.as_ref(),
            to.email.as_ref(),
        ]);
        Self { name: format!("{}.{hash}", key.id), domain: from.email.domain().to_owned() }
    }

    /// The id of its first mail, which all others refer to.
    fn first(&self) -> String {
        format!("<{}@{}>", self.name, self.domain)
    }

    /// The id of another.
    fn other(&self, id: &str) -> String {
        format!("<{}.{}@{}>", self.name, hash(&[id]), self.domain)
    }
}

/// 32 hexadecimal digits that other `parts` have not.
fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize()[..16].iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Page<'a> {
    lead: &'static str,
    note: &'a str,
    digest: &'a Digest,
    link: Option<&'a str>,
}

/// The mail.
///
/// # Errors
/// It would be too large, which the bounds of a digest do not let happen.
pub(crate) fn compose(letter: Letter<'_>) -> anyhow::Result<Message> {
    let Letter { told, digest, note, from, to, link, thread, id, time } = letter;
    let text = text(letter);
    let html = Page { lead: lead(told), note, digest, link }.render().context("the mail")?;
    let is_first = told == Told::Asked;
    let message_id = if is_first { thread.first() } else { thread.other(id) };
    let subject = match told {
        Told::Asked | Told::Test => digest.title.clone(),
        // Programs show mails together whose subjects are the same but for this.
        Told::Reminder | Told::Escalated | Told::Updated | Told::Ended => {
            format!("Re: {}", digest.title)
        }
    };
    let time = u64::try_from(time.ms()).unwrap_or_default();
    let mail = Message::builder()
        .message_id(Some(message_id))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(time))
        .from(from.clone())
        .to(to.clone())
        .subject(subject)
        // Away notices and other programs do not reply to such a mail (RFC 3834).
        .raw_header(header("Auto-Submitted", "auto-generated"));
    let mail = if is_first || told == Told::Test {
        mail
    } else {
        mail.in_reply_to(thread.first()).references(thread.first())
    };
    // The library would choose one at random: this is the same whenever the mail is sent again.
    let boundary = format!("hitl-{}", hash(&[&text, &html]));
    let parts = MultiPart::alternative()
        .boundary(boundary)
        .singlepart(SinglePart::plain(text))
        .singlepart(SinglePart::html(html));
    let mail = mail.multipart(parts).context("the mail")?;
    let size = mail.formatted().len();
    anyhow::ensure!(
        size <= MAIL_BYTES_MAX,
        "the mail would have {size} bytes, {MAIL_BYTES_MAX} at most"
    );
    Ok(mail)
}

/// The id of `mail`.
pub(crate) fn id(mail: &Message) -> String {
    mail.headers().get_raw("Message-ID").unwrap_or_default().to_owned()
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// What the mail begins with.
fn lead(told: Told) -> &'static str {
    match told {
        Told::Asked => "A question waits for your answer.",
        Told::Reminder => "A reminder: this question still waits for an answer.",
        Told::Escalated => "This question has waited too long, so you are asked too.",
        Told::Updated => "Something about this question has changed. It still waits for an answer.",
        Told::Ended => "This question has ended. There is nothing left to do.",
        Told::Test => "This is a test: mails of this channel arrive. There is nothing to do.",
    }
}

/// The text part: the same as the HTML part in the same order.
fn text(Letter { told, digest, note, link, .. }: Letter<'_>) -> String {
    let mut text = format!("{}\n\n{}\n", lead(told), digest.title);
    let mut say = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    if !note.is_empty() {
        say(&format!("\n{}", quoted(note)));
    }
    if let Some(ended) = &digest.ended {
        say(&format!("\n{}\n{}", ended.what, ended.by));
        if !ended.said.is_empty() {
            say(&quoted(&ended.said));
        }
    }
    if let Some(risk) = digest.risk_word() {
        say(&format!("\n{risk}"));
    }
    if !digest.prompt.is_empty() {
        say(&format!("\n{}", quoted(&digest.prompt)));
    }
    for exhibit in &digest.evidence {
        say(&format!("\n{}", exhibit.head));
        exhibit.lines.iter().for_each(|line| say(&format!("  | {line}")));
        if exhibit.is_cut {
            say("  | … more on the page");
        }
    }
    if let Some(link) = link {
        // Angle brackets keep programs from taking what follows for a part of the link.
        say(&format!("\nAnswer here:\n<{link}>\n"));
        say(
            "The link is for you alone: whoever has it can answer in your name. Opening it changes nothing.",
        );
    }
    say(&format!("\nAsked by:  {}", digest.asker));
    say(&format!("Asked at:  {}", digest.asked));
    if digest.ended.is_none() {
        say(&format!("Answer by: {}; {}", digest.deadline, digest.on_timeout));
    }
    say(&format!("Event:     {}", digest.about));
    text
}

/// What others wrote, so that none of it looks like a line of ours.
fn quoted(text: &str) -> String {
    format!("  | {}", text.replace('\n', "\n  | "))
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
