//! Asks for a number and adds it to x.

use std::time::Duration;

#[tokio::main]
async fn main() -> hitl::Result<()> {
    let client = hitl::Client::from_env()?;
    let event = client
        .event::<i64>("proceed", "What should I add to x?")
        .timeout(Duration::from_secs(600))
        .min(0)
        .create()
        .await?;
    println!("answer at {}", event.form_url());

    let x = 1 + event.wait().await?;
    println!("x is now {x}");
    Ok(())
}
