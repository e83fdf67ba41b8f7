//! What tasks do with questions, one after the other: `cargo run --example tour -- nightly-42`.
//!
//! Kill it where you like and start it again with the same run id: it goes on. While it shares a question at its end,
//! the same with `attach` behind it waits for that question too.

use std::fmt::Display;
use std::time::Duration;

use hitl::v1::Risk;
use hitl::{Client, Config, ErrorKind, Event, Object, Run};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What the form asks for.
#[derive(Serialize, Deserialize)]
struct Expense {
    amount: u16,
    purpose: String,
    category: String,
}

#[tokio::main]
async fn main() -> hitl::Result<()> {
    let mut args = std::env::args().skip(1);
    let run_id = args.next().unwrap_or_else(|| "example-tour".to_owned());
    if args.any(|arg| arg == "attach") {
        return attach(&run_id).await;
    }
    let client = Client::new(Config::default().run_id(&run_id))?;
    deploy(&client).await?;
    expense(&client).await?;
    repeat(&client).await?;
    many(&client, 200).await?;
    withdraw(&client).await?;
    time_out(&client).await?;
    crash(&client).await?;
    retry(&client, &format!("{run_id}-step")).await?;
    share(&client).await
}

/// An approval, with what the decision rests on.
async fn deploy(client: &Client) -> hitl::Result<()> {
    let event = client
        .event::<bool>("deploy", "Deploy 2.4 to production?")
        .title("Deploy 2.4?")
        .risk(Risk::High)
        .fact("Version", "2.4")
        .create()
        .await?;
    say("deploy", yes_no(event.wait().await?));
    Ok(())
}

/// A form with fields. What does not fit is refused by the server, and asked for again.
async fn expense(client: &Client) -> hitl::Result<()> {
    let schema = json!({
        "type": "object",
        "properties": {
            "amount": {"type": "integer", "minimum": 1, "maximum": 500},
            "purpose": {"type": "string", "minLength": 3},
            "category": {"type": "string", "enum": ["travel", "meals"]},
        },
        "required": ["amount", "purpose", "category"],
    });
    let form = client.event::<Object<Expense>>("expense", "What was paid?").schema(&schema);
    let Object(Expense { amount, purpose, category }) = form.create().await?.wait().await?;
    say("expense", format!("{amount} for {purpose} ({category})"));
    Ok(())
}

/// A loop asks each time it comes round.
async fn repeat(client: &Client) -> hitl::Result<()> {
    let mut total = 0;
    for item in 1..=3 {
        let question = client.event::<i64>("item", format!("How many of item {item}?")).min(0);
        total += question.create().await?.wait().await?;
    }
    say("loop", total);
    Ok(())
}

/// Many at once, whose waits share one stream.
async fn many(client: &Client, count: usize) -> hitl::Result<()> {
    let mut answers = Vec::new();
    for _ in 0..count {
        let event = client.event::<i64>("many", "How many?").create().await?;
        answers.push(tokio::spawn(async move { event.wait().await }));
    }
    let mut total = 0;
    for answer in answers {
        total += answer.await.expect("a wait does not panic")?;
    }
    say("many", total);
    Ok(())
}

/// A question that is withdrawn.
async fn withdraw(client: &Client) -> hitl::Result<()> {
    let event = client.event::<bool>("obsolete", "Is it still needed?").create().await?;
    event.cancel("nobody needs it any more").await?;
    match event.wait().await {
        Err(error) if error.kind() == ErrorKind::Cancelled => {
            say("cancel", error.response().map_or("", |response| &response.reason));
            Ok(())
        }
        other => other.map(|answer| say("answered", answer)),
    }
}

/// A question that nobody answers in time.
async fn time_out(client: &Client) -> hitl::Result<()> {
    let event = client
        .event::<bool>("silence", "Is anybody there?")
        .timeout(Duration::from_secs(1))
        .default_on_timeout(false)
        .create()
        .await?;
    say("silence", yes_no(event.wait().await?));
    Ok(())
}

/// Killed here and started again, it meets the answer that was given meanwhile.
async fn crash(client: &Client) -> hitl::Result<()> {
    let event = client.event::<i64>("crash", "How many?").create().await?;
    say("crash", "waits");
    say("crash", event.wait().await?);
    Ok(())
}

/// A step that is tried again in this process meets the question of its first attempt.
async fn retry(client: &Client, step_id: &str) -> hitl::Result<()> {
    let (first, _) = attempt(client.run(step_id)?).await?;
    let (second, answer) = attempt(client.run(step_id)?).await?;
    let asked = if first.id() == second.id() { "once" } else { "twice" };
    say("retry", format!("{answer} after 2 attempts, asked {asked}"));
    Ok(())
}

async fn attempt(run: Run) -> hitl::Result<(Event<i64>, i64)> {
    let event = run.event::<i64>("retry", "How many more?").create().await?;
    let answer = event.wait().await?;
    Ok((event, answer))
}

async fn share(client: &Client) -> hitl::Result<()> {
    let event = client.event::<String>("shared", "What do you say?").create().await?;
    say("shared", "waits");
    say("shared", event.wait().await?);
    Ok(())
}

/// Another process, which waits for the question of the first.
async fn attach(run_id: &str) -> hitl::Result<()> {
    let run = Client::from_env()?.run(run_id)?;
    let event = run.attach::<String>("shared", 1).await?;
    say("attached", "waits");
    say("attached", event.wait().await?);
    Ok(())
}

fn say(what: &str, how: impl Display) {
    println!("{what}: {how}");
}

fn yes_no(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}
