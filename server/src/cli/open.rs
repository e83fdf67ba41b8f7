//! `hitl open`: an event's page in the browser, or on a telephone.

use std::path::Path;

use anyhow::{Context, bail};
use clap::Args;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::exit::Exit;
use super::terminal::Style;
use super::{ServerArgs, browser, id, reach, terminal};

/// Open an event's page in the browser
#[derive(Args, Debug)]
#[command(after_help = "\
Without a screen it prints the address instead. Whoever has the address can answer.

Examples:
  hitl open ID
  hitl open ID --qr            shows a code that a telephone's camera reads")]
pub(super) struct OpenArgs {
    /// The event's id, or the first digits of it.
    id: String,

    /// Prints the address, and opens nothing.
    #[arg(long)]
    print: bool,

    /// Prints the address as a QR code, too.
    #[arg(long)]
    qr: bool,
}

pub(super) async fn run(server: &ServerArgs, args: &OpenArgs) -> anyhow::Result<Exit> {
    let client = server.client()?;
    let id = reach(&client, id::resolve(&client, &args.id)).await?;
    let link = client.get(&id).await?.form_url;
    if link.is_empty() {
        bail!(
            "there is no link to {id} for you: the event has ended, or your credential may not hand out links. \
             `hitl get {id}` shows the event, and `hitl inbox` the pages after a sign-in"
        );
    }
    if args.qr {
        terminal::print_painted(&code(&link)?)?;
    }
    let prints = args.print || args.qr || !browser::has_display();
    if prints || !browser::open(Path::new(&link)).await {
        terminal::print(&link)?;
    }
    Ok(Exit::Done)
}

/// `link` as a code of half blocks, two rows a line, painted white on black: the light parts are what is written, so
/// that it can be read without colours on a dark terminal, too.
pub(super) fn code(link: &str) -> anyhow::Result<String> {
    let code = QrCode::new(link.as_bytes()).context("the link is too long for a QR code")?;
    let mut blocks = code.render::<Dense1x2>();
    let blocks = blocks.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    let lines = blocks.lines().map(|line| Style::Code.paint(line));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_a_quiet_zone_and_fits_a_terminal_of_80_columns() {
        let code = code(&format!("https://hitl.example.org/q/{}", "x".repeat(43))).unwrap();
        let code = anstream::adapter::strip_str(&code).to_string();
        assert!(code.lines().all(|line| line.chars().count() <= 78), "{code}");
        let first = code.lines().next().unwrap();
        assert!(first.chars().all(|block| block == '█'), "{code}");
    }
}
