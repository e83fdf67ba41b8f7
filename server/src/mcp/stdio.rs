//! The tools over the standard streams of this process.

use hitl::Client;
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use rmcp::transport::io::stdio_pipes;

use super::far::Far;
use super::tools::Tools;

/// Serves the client at the other end until it closes the standard input.
///
/// # Errors
/// The streams broke, or what came first is none of the protocol.
pub(crate) async fn serve(client: Client) -> anyhow::Result<()> {
    match Tools::new(Far::new(client)).serve(stdio_pipes()).await {
        Ok(running) => {
            running.waiting().await?;
            Ok(())
        }
        // It wanted nothing.
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
