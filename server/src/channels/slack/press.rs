//! What somebody has pressed, as Slack tells it.

use hitl_core::{Answer, Event, EventKey};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{blocks, is_id};

/// Longest time of a message, which is its id in its conversation.
const TS_BYTES_MAX: usize = 32;

/// A press of a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Press {
    /// Who has pressed it: the id of the member, and of the workspace.
    pub(crate) user: String,
    pub(crate) team: String,
    /// The message that it is on.
    pub(crate) conversation: String,
    pub(crate) ts: String,
    /// The event that it is about, and the number of the answer.
    pub(crate) key: EventKey,
    pub(crate) number: usize,
}

/// What Slack tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// A press that answers.
    Answer(Press),
    /// Something that asks for nothing, such as that somebody has followed a link.
    Nothing,
}

/// What is read of what Slack sends. There is much more.
#[derive(Deserialize)]
struct Payload {
    r#type: String,
    #[serde(default)]
    user: Member,
    #[serde(default)]
    team: Id,
    #[serde(default)]
    channel: Id,
    #[serde(default)]
    container: Container,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Default, Deserialize)]
struct Id {
    #[serde(default)]
    id: String,
}

#[derive(Default, Deserialize)]
struct Member {
    #[serde(default)]
    id: String,
    #[serde(default)]
    team_id: String,
}

#[derive(Default, Deserialize)]
struct Container {
    #[serde(default)]
    message_ts: String,
}

#[derive(Deserialize)]
struct Action {
    #[serde(default)]
    action_id: String,
    #[serde(default)]
    value: String,
}

impl Pressed {
    /// Reads the `payload` of a request that Slack has signed.
    ///
    /// # Errors
    /// It is nothing that Slack sends for a message of ours. What it is not, in words.
    pub(crate) fn read(payload: &str) -> Result<Self, &'static str> {
        let payload: Payload =
            serde_json::from_str(payload).map_err(|_| "the payload is not what Slack sends")?;
        if payload.r#type != "block_actions" {
            return Ok(Self::Nothing);
        }
        let [Action { action_id, value }] = payload.actions.as_slice() else {
            return Err("it is not one press of one button");
        };
        let Some(number) = action_id.strip_prefix(blocks::ANSWER) else {
            return Ok(Self::Nothing);
        };
        let number = number.parse().map_err(|_| "the button is none of ours")?;
        let key = blocks::referred(value).ok_or("the button names no event")?;
        let (user, team) = (payload.user, payload.team.id);
        // A member of another workspace, with whom the conversation is shared, has ids of that one.
        if !is_id(&user.id, "UW") || !is_id(&team, "TE") || user.team_id != team {
            return Err("it is not known who has pressed it");
        }
        let (conversation, ts) = (payload.channel.id, payload.container.message_ts);
        let is_ts = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        if !is_id(&conversation, "CGD") || ts.len() > TS_BYTES_MAX || !ts.bytes().all(is_ts) {
            return Err("it is not known on which message it was pressed");
        }
        Ok(Self::Answer(Press { user: user.id, team, conversation, ts, key, number }))
    }
}

impl Press {
    /// The answer that the button stands for, if `event` has it.
    pub(crate) fn answer(&self, event: &Event) -> Option<Answer> {
        let choice = blocks::choices(event).into_iter().nth(self.number)?;
        Some(Answer::Value(choice.value))
    }

    /// The message that was pressed, as it is recorded.
    pub(crate) fn place(&self) -> String {
        format!("slack:{}/{}/{}", self.team, self.conversation, self.ts)
    }

    /// The same for every press of this button by this person.
    pub(crate) fn answer_id(&self) -> String {
        let text = format!("{}/{}/{}/{}", self.place(), self.user, self.key.id, self.number);
        let hash = Sha256::digest(text);
        let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("slack-{digits}")
    }
}

#[cfg(test)]
#[path = "press_tests.rs"]
mod tests;
