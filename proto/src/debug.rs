//! What `{:?}` prints of messages with secrets in them: everything but those, which are links, the text of tokens, and
//! what channels tell with.
//!
//! Debug output ends in logs and bug reports, and whoever has a link can answer.

use std::fmt;

use crate::v1::{
    CreateChannelResponse, CreateLinkResponse, CreateTokenResponse, DiscordSettings, Event,
    MailSettings, NtfySettings, RotateChannelSecretResponse, RotateTokenResponse, SlackSettings,
    TeamsSettings, WebhookSettings,
};

/// Stands for a secret, so that nobody takes it for missing.
const SECRET: &str = "(secret)";

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart whole, so that a new field must be decided on here.
        let Self {
            id,
            namespace,
            name,
            prompt,
            prompt_format: _,
            input,
            scope,
            labels,
            on_timeout,
            idempotency_key,
            create_time,
            deadline,
            state: _,
            response,
            form_url,
            api_url,
            created_by,
            allow_self_answer,
            title,
            evidence,
            risk: _,
            require_confirmation,
            assignees,
            quorum,
            votes,
            claim,
            delegates,
            reminders,
            escalations,
        } = self;
        f.debug_struct("Event")
            .field("id", id)
            .field("namespace", namespace)
            .field("name", name)
            .field("prompt", prompt)
            .field("prompt_format", &self.prompt_format())
            .field("input", input)
            .field("scope", scope)
            .field("labels", labels)
            .field("on_timeout", on_timeout)
            .field("idempotency_key", idempotency_key)
            .field("create_time", create_time)
            .field("deadline", deadline)
            .field("state", &self.state())
            .field("response", response)
            .field("form_url", &hidden(form_url))
            .field("api_url", &hidden(api_url))
            .field("created_by", created_by)
            .field("allow_self_answer", allow_self_answer)
            .field("title", title)
            .field("evidence", evidence)
            .field("risk", &self.risk())
            .field("require_confirmation", require_confirmation)
            .field("assignees", assignees)
            .field("quorum", quorum)
            .field("votes", votes)
            .field("claim", claim)
            .field("delegates", delegates)
            .field("reminders", reminders)
            .field("escalations", escalations)
            .finish()
    }
}

impl fmt::Debug for CreateLinkResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { form_url, api_url, expire_time } = self;
        f.debug_struct("CreateLinkResponse")
            .field("form_url", &hidden(form_url))
            .field("api_url", &hidden(api_url))
            .field("expire_time", expire_time)
            .finish()
    }
}

impl fmt::Debug for CreateTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, secret } = self;
        let mut shown = f.debug_struct("CreateTokenResponse");
        shown.field("token", token).field("secret", &hidden(secret)).finish()
    }
}

impl fmt::Debug for RotateTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, secret } = self;
        let mut shown = f.debug_struct("RotateTokenResponse");
        shown.field("token", token).field("secret", &hidden(secret)).finish()
    }
}

impl fmt::Debug for CreateChannelResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel, secret } = self;
        let mut shown = f.debug_struct("CreateChannelResponse");
        shown.field("channel", channel).field("secret", &hidden(secret)).finish()
    }
}

impl fmt::Debug for RotateChannelSecretResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret } = self;
        f.debug_struct("RotateChannelSecretResponse").field("secret", &hidden(secret)).finish()
    }
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, secret, without_link } = self;
        f.debug_struct("WebhookSettings")
            .field("url", url)
            .field("secret", &hidden(secret))
            .field("without_link", without_link)
            .finish()
    }
}

impl fmt::Debug for NtfySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, token } = self;
        f.debug_struct("NtfySettings").field("url", url).field("token", &hidden(token)).finish()
    }
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, security: _, ca_pem, user, password, from, to } = self;
        f.debug_struct("MailSettings")
            .field("host", host)
            .field("port", port)
            .field("security", &self.security())
            .field("ca_pem", ca_pem)
            .field("user", user)
            .field("password", &hidden(password))
            .field("from", from)
            .field("to", to)
            .finish()
    }
}

impl fmt::Debug for SlackSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            conversation,
            token,
            signing_secret,
            people,
            email_domains,
            without_link,
            api_url,
        } = self;
        f.debug_struct("SlackSettings")
            .field("conversation", conversation)
            .field("token", &hidden(token))
            .field("signing_secret", &hidden(signing_secret))
            .field("people", people)
            .field("email_domains", email_domains)
            .field("without_link", without_link)
            .field("api_url", api_url)
            .finish()
    }
}

impl fmt::Debug for DiscordSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url } = self;
        f.debug_struct("DiscordSettings").field("url", &hidden(url)).finish()
    }
}

impl fmt::Debug for TeamsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url } = self;
        f.debug_struct("TeamsSettings").field("url", &hidden(url)).finish()
    }
}

fn hidden(secret: &str) -> &'static str {
    if secret.is_empty() { "" } else { SECRET }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{CreateEventResponse, ListEventsResponse};

    #[test]
    fn no_message_prints_the_links_of_its_event() {
        let event = Event {
            id: "0192f0c1".to_owned(),
            prompt: "Deploy?".to_owned(),
            form_url: "http://127.0.0.1:4485/q/TOKEN".to_owned(),
            api_url: "http://127.0.0.1:4485/v1/links/TOKEN".to_owned(),
            ..Default::default()
        };
        let created = CreateEventResponse { event: Some(event.clone()), existed: false };
        let listed = ListEventsResponse { events: vec![event.clone()], ..Default::default() };
        for shown in [format!("{event:?}"), format!("{created:#?}"), format!("{listed:?}")] {
            assert!(!shown.contains("TOKEN") && !shown.contains("4485"), "{shown}");
            assert!(shown.contains("Deploy?") && shown.contains(SECRET), "{shown}");
        }
        let (form_url, api_url) = (event.form_url, event.api_url);
        let made = CreateLinkResponse { form_url, api_url, expire_time: None };
        for shown in [format!("{made:?}"), format!("{made:#?}")] {
            assert!(!shown.contains("TOKEN") && !shown.contains("4485"), "{shown}");
            assert!(shown.contains("expire_time") && shown.contains(SECRET), "{shown}");
        }
    }

    #[test]
    fn no_message_prints_the_text_of_a_new_token() {
        let secret = "hitl_00_TEXT".to_owned();
        let created = CreateTokenResponse { secret: secret.clone(), ..Default::default() };
        let rotated = RotateTokenResponse { secret, ..Default::default() };
        for shown in [format!("{created:?}"), format!("{rotated:#?}")] {
            assert!(!shown.contains("TEXT") && shown.contains(SECRET), "{shown}");
        }
    }

    #[test]
    fn no_message_prints_what_a_channel_tells_with() {
        let secret = "TEXT".to_owned();
        let shown = [
            format!("{:?}", CreateChannelResponse { secret: secret.clone(), ..Default::default() }),
            format!("{:?}", RotateChannelSecretResponse { secret: secret.clone() }),
            format!("{:?}", WebhookSettings { secret: secret.clone(), ..Default::default() }),
            format!("{:?}", NtfySettings { token: secret.clone(), ..Default::default() }),
            format!("{:?}", DiscordSettings { url: secret.clone() }),
            format!("{:?}", MailSettings { password: secret.clone(), ..Default::default() }),
            format!("{:?}", SlackSettings { token: secret.clone(), ..Default::default() }),
            format!("{:?}", SlackSettings { signing_secret: secret.clone(), ..Default::default() }),
            format!("{:?}", TeamsSettings { url: secret }),
        ];
        for shown in shown {
            assert!(!shown.contains("TEXT") && shown.contains(SECRET), "{shown}");
        }
    }
}
