//! `hitl audit`: who got in, who was refused, and what changed about who may do what.

use std::collections::BTreeSet;
use std::time::SystemTime;

use clap::Args;
use hitl::v1;
use hitl_core::AuditKind;

use super::exit::Exit;
use super::table::{Cell, aligned};
use super::terminal::Style;
use super::{ServerArgs, given, reach, terminal};
use crate::json::to_json;

const HELP: &str = "\
For auditors and admins: of all namespaces, or of the one that --namespace names.

Examples:
  hitl audit
  hitl audit --kind refusal --since 1h
  hitl audit --principal ci --namespace team-1 --json | jq -r .action
  hitl audit --follow";

/// Most entries of a page.
const PAGE_SIZE: usize = 1000;

/// List who signed in, who was refused, and what became of tokens and keys, latest first
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct AuditArgs {
    /// Only entries of this kind: sign-in, sign-out, refusal, token-created, token-rotated, token-revoked,
    /// link-created, links-revoked, link-key-rotated, receipt-key-added, settings. May be repeated.
    #[arg(long = "kind", value_name = "KIND", value_parser = kind)]
    kinds: Vec<v1::AuditKind>,

    /// Only entries of who has exactly this name or id.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    principal: String,

    /// Only entries of this time or later, such as 2h (ago) or 2026-11-22T13:37:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<SystemTime>,

    /// Only entries before this time, written likewise.
    #[arg(long, value_name = "TIME", value_parser = time)]
    before: Option<SystemTime>,

    /// Most entries to list.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,

    /// Lists every entry, however many.
    #[arg(long, conflicts_with = "limit")]
    all: bool,

    /// Goes on with new entries as they are written, and lists no others.
    #[arg(long, conflicts_with_all = ["limit", "all", "since", "before"])]
    follow: bool,

    /// Prints each entry as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(server: &ServerArgs, args: AuditArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let filter = v1::AuditFilter {
        kinds: args.kinds.iter().map(|kind| (*kind).into()).collect(),
        principal: args.principal,
        namespace: given(&server.namespace).unwrap_or_default().to_owned(),
        since: args.since.map(Into::into),
        before: args.before.map(Into::into),
    };
    if args.follow {
        return follow(&client, filter, args.json).await;
    }
    let mut left = if args.all { usize::MAX } else { args.limit };
    let mut request = v1::ListAuditRequest { filter: Some(filter), ..Default::default() };
    let mut table = vec![HEADS.map(|head| Cell::new(head, Style::Heading)).to_vec()];
    let (mut more, mut unreadable) = (true, BTreeSet::new());
    while more && left > 0 {
        request.page_size = i32::try_from(left.min(PAGE_SIZE)).unwrap_or(i32::MAX);
        let page = reach(&client, client.list_audit(request.clone())).await?;
        left = left.saturating_sub(page.entries.len());
        unreadable.extend(page.unreadable);
        for entry in page.entries {
            if args.json {
                terminal::print(&to_json(&entry).to_string())?;
            } else {
                table.push(row(&entry).map(Cell::from).to_vec());
            }
        }
        more = !page.next_page_token.is_empty();
        request.page_token = page.next_page_token;
    }
    if !args.json {
        terminal::print_painted(&aligned(&table, None))?;
    }
    for what in unreadable {
        terminal::note(&format!("Missing, because the server's store is damaged there: {what}"));
    }
    if more {
        terminal::note("There may be more: give --all, or a larger --limit.");
    }
    Ok(Exit::Done)
}

async fn follow(
    client: &hitl::Client,
    filter: v1::AuditFilter,
    json: bool,
) -> anyhow::Result<Exit> {
    let request = v1::FollowAuditRequest { filter: Some(filter) };
    let mut entries = reach(client, client.follow_audit(request)).await?;
    let mut has_begun = false;
    while let Some(message) = entries.next().await? {
        if !has_begun {
            terminal::note("New entries follow. Ctrl-C ends this.");
            has_begun = true;
        }
        for entry in message.entries {
            terminal::print(&match json {
                true => to_json(&entry).to_string(),
                false => row(&entry).join("  "),
            })?;
        }
    }
    Ok(Exit::Done)
}

const HEADS: [&str; 6] = ["TIME", "KIND", "WHO", "FROM", "ABOUT", "DETAIL"];

fn row(entry: &v1::AuditEntry) -> [String; 6] {
    let time = entry.time.as_ref().map(ToString::to_string).unwrap_or_default();
    let times = if entry.count > 1 { format!(" ({} times)", entry.count) } else { String::new() };
    let about = [&entry.namespace, &entry.action, &entry.subject].map(String::as_str);
    let about: Vec<_> = about.into_iter().filter(|part| !part.is_empty()).collect();
    [
        time,
        name(entry.kind()),
        terminal::one_line(&who(entry), 40),
        terminal::one_line(&entry.address, 45),
        terminal::one_line(&about.join(" "), 80),
        terminal::one_line(&entry.detail, 200) + &times,
    ]
}

/// The name that was proved, or how somebody without one was known.
fn who(entry: &v1::AuditEntry) -> String {
    if !entry.principal.is_empty() {
        return entry.principal.clone();
    }
    let kind = entry.known_by().as_str_name().trim_start_matches("CREDENTIAL_KIND_");
    match entry.known_by() {
        v1::CredentialKind::Unspecified | v1::CredentialKind::None => "-".to_owned(),
        _ => kind.to_lowercase(),
    }
}

fn name(kind: v1::AuditKind) -> String {
    kind.as_str_name().trim_start_matches("AUDIT_KIND_").to_lowercase().replace('_', "-")
}

fn kind(text: &str) -> Result<v1::AuditKind, String> {
    let kind = AuditKind::named(text).and_then(|kind| {
        let name = format!("AUDIT_KIND_{}", kind.name().to_uppercase().replace('-', "_"));
        v1::AuditKind::from_str_name(&name)
    });
    let known = || AuditKind::ALL.map(AuditKind::name).join(", ");
    kind.ok_or_else(|| format!("there are {}", known()))
}

fn time(text: &str) -> Result<SystemTime, String> {
    use hitl_store::clock::{Clock, SystemClock};
    if let Ok(ago) = humantime::parse_duration(text) {
        let now = u64::try_from(SystemClock.now().ms()).unwrap_or_default();
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(now);
        return now.checked_sub(ago).ok_or_else(|| "is before all time".to_owned());
    }
    humantime::parse_rfc3339_weak(text).map_err(|_| {
        "must be a time such as 2h, for two hours ago, or 2026-11-22T13:37:00Z".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_name_here_and_in_the_api() {
        for known in AuditKind::ALL {
            assert_eq!(name(kind(known.name()).unwrap()), known.name());
        }
        assert!(kind("nothing").unwrap_err().contains("token-revoked"));
    }

    #[test]
    fn a_time_is_some_time_ago_or_an_instant() {
        let instant = time("2026-11-22T13:37:00Z").unwrap();
        assert_eq!(instant, humantime::parse_rfc3339("2026-11-22T13:37:00Z").unwrap());
        assert!(time("2h").unwrap() < time("1h").unwrap());
        for wrong in ["", "soon", "2026-13-01"] {
            time(wrong).unwrap_err();
        }
    }
}
