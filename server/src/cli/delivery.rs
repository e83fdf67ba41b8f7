//! `hitl delivery`: what became of messages, and how those are sent that were given up.

use clap::{Args, Subcommand, ValueEnum};
use hitl::v1;

use super::channel::kind_name;
use super::exit::Exit;
use super::table::{Cell, aligned};
use super::terminal::Style;
use super::{ServerArgs, given, reach, terminal};
use crate::json::to_json;

/// Most deliveries of a page.
const PAGE_SIZE: i32 = 1000;

/// List what was sent by channels, and send again what was given up.
#[derive(Args, Debug)]
#[command(after_help = "\
A message that is not taken is sent again for three days, and is a dead letter then, for 30 days.

Examples:
  hitl delivery list
  hitl delivery list --state owed
  hitl delivery list --event 0192f0c1d2e37f00a1b2c3d4e5f60718
  hitl delivery redeliver 0192f0c1d2e37f00a1b2c3d4e5f60718_0123456789_0000_default")]
pub(super) struct DeliveryArgs {
    #[command(subcommand)]
    command: DeliveryCommand,
}

#[derive(Debug, Subcommand)]
enum DeliveryCommand {
    /// List deliveries: by default those that were given up, latest first.
    List {
        /// Those of all events that are in this state.
        #[arg(long, value_name = "STATE", conflicts_with = "event")]
        state: Option<StateArg>,
        /// All of this event.
        #[arg(long, value_name = "ID")]
        event: Option<String>,
        /// Prints each delivery as one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Send again what was given up.
    Redeliver {
        /// The id of the delivery.
        id: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateArg {
    /// Given up
    Dead,
    /// To be sent, perhaps again
    Owed,
}

pub(super) async fn run(server: &ServerArgs, args: DeliveryArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    match args.command {
        DeliveryCommand::Redeliver { id } => {
            let request = v1::RedeliverRequest { delivery_id: id };
            reach(&client, client.redeliver(request)).await?;
        }
        DeliveryCommand::List { state, event, json } => {
            let state = match state {
                None => v1::DeliveryState::Unspecified,
                Some(StateArg::Dead) => v1::DeliveryState::Dead,
                Some(StateArg::Owed) => v1::DeliveryState::Owed,
            };
            let request = v1::ListDeliveriesRequest {
                namespace: given(&server.namespace).unwrap_or_default().to_owned(),
                event_id: event.unwrap_or_default(),
                state: state.into(),
                page_size: PAGE_SIZE,
                page_token: String::new(),
            };
            list(&client, request, json).await?;
        }
    }
    Ok(Exit::Done)
}

async fn list(
    client: &hitl::Client,
    mut request: v1::ListDeliveriesRequest,
    json: bool,
) -> anyhow::Result<()> {
    let heads = ["ID", "STATE", "CHANNEL", "TELLS", "TRIES", "NEXT", "SAID"];
    let mut table = vec![heads.map(|head| Cell::new(head, Style::Heading)).to_vec()];
    loop {
        let page = reach(client, client.list_deliveries(request.clone())).await?;
        for delivery in page.deliveries {
            if json {
                terminal::print(&to_json(&delivery).to_string())?;
            } else {
                table.push(row(&delivery).map(Cell::from).to_vec());
            }
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if !json {
        terminal::print_painted(&aligned(&table, None))?;
    }
    Ok(())
}

fn row(delivery: &v1::Delivery) -> [String; 7] {
    let state = delivery.state().as_str_name().trim_start_matches("DELIVERY_STATE_").to_lowercase();
    let next = delivery.next_attempt_time.as_ref().map(ToString::to_string);
    let said = match delivery.recipient.as_str() {
        "" => delivery.summary.clone(),
        name => format!("{name}: {}", delivery.summary),
    };
    [
        delivery.id.clone(),
        state,
        delivery.channel.clone(),
        kind_name(delivery.kind()),
        delivery.attempts.to_string(),
        next.unwrap_or_default(),
        terminal::one_line(&said, 80),
    ]
}
