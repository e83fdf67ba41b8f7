//! The options of a field: an `enum` with `enumNames` as labels, or a list of `{const, title}`.

use serde_json::{Map, Value as Json};

use super::reader::Reader;
use crate::choice::ChoiceOption;

/// What an entry of a list of options may say.
const ENTRY: [&str; 4] = ["const", "title", "description", "type"];

/// The options that `holder` names, in `enum` or in the list that is called `titled` here.
pub(super) fn options(holder: &mut Reader<'_>, titled: &str) -> Vec<ChoiceOption> {
    if holder.faults.is_create() {
        judge(holder, titled);
    }
    let members = holder.members;
    let plain = strings(members.get("enum")).map(|values| named(values, members));
    let read = plain.or_else(|| members.get(titled)?.as_array()?.iter().map(entry).collect());
    read.unwrap_or_else(|| {
        let message = format!(
            "must have enum (an array of strings) or {titled} (an array of {{const, title}})"
        );
        holder.refuse("", message);
        Vec::new()
    })
}

fn strings(json: Option<&Json>) -> Option<Vec<&str>> {
    json?.as_array()?.iter().map(Json::as_str).collect()
}

fn named(values: Vec<&str>, members: &Map<String, Json>) -> Vec<ChoiceOption> {
    let mut labels = strings(members.get("enumNames")).unwrap_or_default().into_iter();
    let option = |value: &str| ChoiceOption {
        value: value.to_owned(),
        label: labels.next().unwrap_or_default().to_owned(),
        ..ChoiceOption::default()
    };
    values.into_iter().map(option).collect()
}

fn entry(item: &Json) -> Option<ChoiceOption> {
    let text = |key: &str| item.get(key).map_or(Some(""), Json::as_str).map(str::to_owned);
    Some(ChoiceOption {
        value: item.get("const")?.as_str()?.to_owned(),
        label: text("title")?,
        description: one_line(&text("description").unwrap_or_default()),
    })
}

/// Descriptions come from comments of programs, which break their lines anywhere.
fn one_line(description: &str) -> String {
    description.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What reading would pass over.
fn judge(holder: &mut Reader<'_>, titled: &str) {
    let members = holder.members;
    if members.contains_key("enum") && members.contains_key(titled) {
        holder.refuse_at_create(titled, "must not stand beside enum: give the options once");
    }
    if let Some(names) = members.get("enumNames") {
        judge_names(holder, names);
    }
    for (index, item) in
        members.get(titled).and_then(Json::as_array).into_iter().flatten().enumerate()
    {
        match item.as_object() {
            Some(entry) => judge_entry(&mut holder.within(&format!("{titled}[{index}]"), entry)),
            None => holder.refuse_at_create(
                &format!("{titled}[{index}]"),
                "must be an object with const and, if it has a label, title",
            ),
        }
    }
}

fn judge_names(holder: &mut Reader<'_>, names: &Json) {
    let Some(values) = holder.members.get("enum").and_then(Json::as_array) else {
        holder.refuse_at_create("enumNames", "must stand beside enum, whose labels it gives");
        return;
    };
    let names = names.as_array().filter(|names| names.len() == values.len());
    let Some(names) = names else {
        let message = format!("must be an array of {} strings, one for each of enum", values.len());
        holder.refuse_at_create("enumNames", message);
        return;
    };
    for (index, name) in names.iter().enumerate() {
        holder.judge_title(&format!("enumNames[{index}]"), name);
    }
}

fn judge_entry(entry: &mut Reader<'_>) {
    entry.allow_at_create(&ENTRY);
    let members = entry.members;
    if members.get("const").and_then(Json::as_str).is_none() {
        entry.refuse_at_create("const", "must be a string");
    }
    if members.get("type").is_some_and(|kind| kind != "string") {
        entry.refuse_at_create("type", "must be \"string\" if given, as const is");
    }
    if let Some(title) = members.get("title") {
        entry.judge_title("title", title);
    }
    if members.get("description").is_some_and(|json| !json.is_string()) {
        entry.refuse_at_create("description", "must be a string");
    }
}
