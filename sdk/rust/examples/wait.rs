//! A task that may be killed at any moment: start it again with the same run id and it goes on.
//!
//! `cargo run --example wait -- nightly-42`

use hitl::{Choice, Client, Config, ErrorKind};

#[tokio::main]
async fn main() -> hitl::Result<()> {
    let run_id = std::env::args().nth(1).unwrap_or_else(|| "example-run".to_owned());
    let client = Client::new(Config::default().run_id(run_id))?;

    // The second start meets this same event, and the answer if it was given meanwhile.
    let event = client
        .event::<Choice>("target", "Where should this go?")
        .option_labelled("staging", "Staging")
        .option_labelled("production", "Production")
        .create()
        .await?;
    let verb = if event.existed() { "asked before" } else { "asked" };
    println!("{verb}: answer at {}", event.form_url());

    match event.wait().await {
        Ok(target) => println!("deploying to {}", &*target),
        Err(error) if error.kind() == ErrorKind::Declined => println!("not deploying: {error}"),
        Err(error) => return Err(error),
    }
    Ok(())
}
