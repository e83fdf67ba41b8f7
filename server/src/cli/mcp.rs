//! `hitl mcp`: the tools for an agent, over the standard streams.

use clap::Args;
use hitl::Config;

use super::ServerArgs;
use super::exit::Exit;

const HELP: &str = "\
Clients of the Model Context Protocol start this command themselves: it speaks the protocol on stdin and stdout, and \
ends with them. Questions are kept by the server and outlive it.

Examples:
  claude mcp add hitl -- hitl mcp
  HITL_TOKEN=hitl_… hitl mcp --endpoint https://hitl.example.org --namespace team";

/// Let an agent ask people, as an MCP server on stdin and stdout
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct McpArgs {}

pub(super) async fn run(server: &ServerArgs) -> anyhow::Result<Exit> {
    let config = Config::default().announce(false).header("hitl-channel", "mcp");
    crate::mcp::stdio::serve(server.client_with(config)?).await?;
    Ok(Exit::Done)
}
