//! The flags of a channel in Slack.

use std::path::PathBuf;

use clap::Args;
use hitl::v1::{SlackPerson, SlackSettings};

use super::way::secret_in;

/// A conversation in Slack, with buttons where a press is an answer
#[derive(Args, Debug)]
pub(super) struct SlackArgs {
    /// The id of the conversation, such as C024BE91L.
    #[arg(long, value_name = "ID")]
    conversation: String,

    /// File with the token of the app's bot, which begins with xoxb-.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// File with the signing secret of the app.
    #[arg(long, value_name = "FILE")]
    signing_secret_file: Option<PathBuf>,

    /// A member who may answer, the name that is recorded, and who that is by other ways. May be repeated.
    #[arg(long = "person", value_name = "MEMBER-ID=NAME[=PRINCIPAL]", value_parser = person)]
    people: Vec<SlackPerson>,

    /// Lets members with a confirmed address in this domain answer, too. May be repeated.
    #[arg(long = "email-domain", value_name = "DOMAIN")]
    email_domains: Vec<String>,

    /// Has messages lead to the page where people sign in, so that nobody answers by a link.
    #[arg(long)]
    without_link: bool,

    /// Where the API is. [default: https://slack.com/api]
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
}

impl SlackArgs {
    /// The settings that these flags describe.
    pub(super) fn settings(self) -> anyhow::Result<SlackSettings> {
        let secret = |file: Option<PathBuf>| {
            file.map(|file| secret_in(&file)).transpose().map(Option::unwrap_or_default)
        };
        Ok(SlackSettings {
            conversation: self.conversation,
            token: secret(self.token_file)?,
            signing_secret: secret(self.signing_secret_file)?,
            people: self.people,
            email_domains: self.email_domains,
            without_link: self.without_link,
            api_url: self.api_url.unwrap_or_default(),
        })
    }
}

/// Reads `MEMBER-ID=NAME` or `MEMBER-ID=NAME=PRINCIPAL`.
fn person(text: &str) -> Result<SlackPerson, String> {
    let (user, rest) = text.split_once('=').ok_or("must be MEMBER-ID=NAME")?;
    let (name, principal) = rest.split_once('=').unwrap_or((rest, ""));
    Ok(SlackPerson {
        user: user.to_owned(),
        name: name.to_owned(),
        principal: principal.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_a_member_a_name_and_perhaps_a_principal() {
        let person = |text: &str| person(text).map(|it| [it.user, it.name, it.principal]);
        let parts = |parts: [&str; 3]| Ok(parts.map(str::to_owned));
        assert_eq!(person("U1=Ann"), parts(["U1", "Ann", ""]));
        assert_eq!(person("U1=Ann=https://a#1=x"), parts(["U1", "Ann", "https://a#1=x"]));
        assert!(person("U1").is_err());
    }
}
