//! What Slack refuses: credentials, types of bodies, and the limits of blocks as its reference publishes them.

use http::{HeaderMap, Method};
use serde_json::Value;

use super::{CONVERSATION, TOKEN};

/// Most characters of what a message says without its blocks. Slack cuts at 40,000 and advises 4,000.
const TEXT_CHARS_MAX: usize = 4_000;
const BLOCKS_MAX: usize = 50;

type Judged<T = ()> = Result<T, String>;

pub(super) fn head(method: &Method, headers: &HeaderMap) -> Judged {
    if method != Method::POST {
        return Err("invalid_method".to_owned());
    }
    match headers.get("authorization").and_then(|value| value.to_str().ok()) {
        None => Err("not_authed".to_owned()),
        Some(given) if given == format!("Bearer {TOKEN}") => Ok(()),
        Some(_) => Err("invalid_auth".to_owned()),
    }
}

/// A body of JSON, which has to say its charset.
pub(super) fn json(headers: &HeaderMap, body: &[u8]) -> Judged<Value> {
    let given =
        headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if given != "application/json; charset=utf-8" {
        return Err("missing_charset".to_owned());
    }
    serde_json::from_slice(body).map_err(|_| "invalid_json".to_owned())
}

/// The field `name` of a form. Methods that read do not take JSON.
pub(super) fn form(headers: &HeaderMap, body: &[u8], name: &str) -> Judged<String> {
    let given =
        headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if given != "application/x-www-form-urlencoded" {
        return Err("invalid_form_data".to_owned());
    }
    let field = form_urlencoded::parse(body).find(|(given, _)| given == name);
    field.map(|(_, value)| value.into_owned()).ok_or_else(|| "invalid_arguments".to_owned())
}

/// A message, with or without blocks.
pub(super) fn message(body: &Value) -> Judged {
    const MEMBERS: [&str; 9] = [
        "channel",
        "text",
        "blocks",
        "ts",
        "user",
        "thread_ts",
        "reply_broadcast",
        "unfurl_links",
        "unfurl_media",
    ];
    let members = body.as_object().ok_or("invalid_json")?;
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("invalid_arguments: {name}"));
    }
    if body["channel"] != CONVERSATION {
        return Err("channel_not_found".to_owned());
    }
    let text = body["text"].as_str().ok_or("no_text")?;
    if text.is_empty() || text.chars().count() > TEXT_CHARS_MAX {
        return Err("msg_too_long".to_owned());
    }
    escaped(text)?;
    let Some(blocks) = body.get("blocks") else { return Ok(()) };
    let blocks = blocks.as_array().ok_or("invalid_blocks_format")?;
    if !(1..=BLOCKS_MAX).contains(&blocks.len()) {
        return Err("invalid_blocks: how many".to_owned());
    }
    let mut ids = Vec::new();
    for (at, given) in blocks.iter().enumerate() {
        block(given, &mut ids).map_err(|why| format!("invalid_blocks: {at}: {why}"))?;
    }
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    if ids.len() == count {
        Ok(())
    } else {
        Err("invalid_blocks: an action_id comes twice".to_owned())
    }
}

fn block(block: &Value, ids: &mut Vec<String>) -> Judged {
    match block["type"].as_str() {
        Some("header") => text(&block["text"], &["plain_text"], 150),
        Some("section") => text(&block["text"], &["plain_text", "mrkdwn"], 3_000),
        Some("context") => {
            let elements = list(&block["elements"], 10)?;
            elements.iter().try_for_each(|element| text(element, &["plain_text", "mrkdwn"], 3_000))
        }
        Some("actions") => {
            list(&block["elements"], 25)?.iter().try_for_each(|element| button(element, ids))
        }
        Some("divider") => Ok(()),
        other => Err(format!("no type {other:?} is known")),
    }
}

fn button(button: &Value, ids: &mut Vec<String>) -> Judged {
    const MEMBERS: [&str; 7] = ["type", "text", "action_id", "url", "value", "style", "confirm"];
    let members = button.as_object().ok_or("a button is an object")?;
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("a button has no member {name}"));
    }
    if button["type"] != "button" {
        return Err("it is no button".to_owned());
    }
    text(&button["text"], &["plain_text"], 75)?;
    let at_most = |name: &str, max: usize| {
        let length = button[name].as_str().unwrap_or_default().chars().count();
        if length <= max {
            Ok(())
        } else {
            Err(format!("{name} has {length} characters, of {max}"))
        }
    };
    at_most("action_id", 255)?;
    at_most("value", 2_000)?;
    at_most("url", 3_000)?;
    ids.push(button["action_id"].as_str().ok_or("it has no action_id")?.to_owned());
    if let Some(style) = button.get("style")
        && style != "primary"
        && style != "danger"
    {
        return Err(format!("no style {style} is known"));
    }
    let Some(confirm) = button.get("confirm") else { return Ok(()) };
    text(&confirm["title"], &["plain_text"], 100)?;
    text(&confirm["text"], &["plain_text", "mrkdwn"], 300)?;
    text(&confirm["confirm"], &["plain_text"], 30)?;
    text(&confirm["deny"], &["plain_text"], 30)
}

fn text(text: &Value, types: &[&str], max: usize) -> Judged {
    let given = text["type"].as_str().unwrap_or_default();
    if !types.contains(&given) {
        return Err(format!("text of type {given:?} is not taken"));
    }
    let foreign = if given == "mrkdwn" { "emoji" } else { "verbatim" };
    if text.get(foreign).is_some() {
        return Err(format!("{given} has no {foreign}"));
    }
    let said = text["text"].as_str().ok_or("it says nothing")?;
    let length = said.chars().count();
    if !(1..=max).contains(&length) {
        return Err(format!("text has {length} characters, of {max}"));
    }
    if given == "mrkdwn" { escaped(said) } else { Ok(()) }
}

/// Whether what Slack reads in text is what we mean: dates, and nothing else. Slack would take the rest too.
fn escaped(text: &str) -> Judged {
    let rest = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
    let mut parts = rest.split('<');
    let before = parts.next().unwrap_or_default();
    // A mark of a quotation stands at the beginning of a line.
    let is_plain = |text: &str| {
        !text.contains('&') && text.lines().all(|line| !line.trim_start_matches('>').contains('>'))
    };
    let is_date = |part: &str| {
        part.starts_with("!date^") && part.split_once('>').is_some_and(|(_, after)| is_plain(after))
    };
    if is_plain(before) && parts.all(is_date) {
        Ok(())
    } else {
        Err(format!("invalid_blocks: others' text is read in {text:?}"))
    }
}

fn list(value: &Value, max: usize) -> Judged<&Vec<Value>> {
    let list = value.as_array().ok_or("it is no list")?;
    if (1..=max).contains(&list.len()) {
        Ok(list)
    } else {
        Err(format!("it has {} elements, of {max}", list.len()))
    }
}
