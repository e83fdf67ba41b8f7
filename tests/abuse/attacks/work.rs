//! Questions that take the server long to show, or to judge the answers of.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::peers::{Target, until_over};

pub(super) async fn exploding_prompts(target: Target, over: CancellationToken) -> usize {
    let table = format!("{}\n{}\n{}", "|a".repeat(362), "|-".repeat(362), "a\n".repeat(724));
    let prompt: String = (0..22).map(|_| format!("{table}\n\n")).collect();
    let prompt: String = prompt.chars().take(65_000).collect();
    let ask = serde_json::json!({
        "name": "explodes", "prompt": prompt, "promptFormat": "PROMPT_FORMAT_MARKDOWN",
        "input": {"bool": {}},
    });
    let Some(form) = asked(&target, &ask).await else { return 0 };
    let mut askers = JoinSet::new();
    for _ in 0..8 {
        let (form, over) = (form.clone(), over.clone());
        askers.spawn(async move {
            until_over(&over, async || usize::from(http().get(&form).send().await.is_ok())).await
        });
    }
    askers.join_all().await.into_iter().sum()
}

pub(super) async fn heavy_patterns(target: Target, over: CancellationToken) -> usize {
    let patterns: serde_json::Map<String, serde_json::Value> = (0..90)
        .map(|n| {
            (
                format!("f{n}"),
                serde_json::json!({"type": "string", "pattern": format!("^{n}[a-z]{{0,200}}$")}),
            )
        })
        .collect();
    let schema = serde_json::json!({"type": "object", "properties": patterns}).to_string();
    let schema = serde_json::json!({
        "name": "schema", "prompt": "?", "input": {"object": {"jsonSchema": schema}},
    });
    let form = asked(&target, &schema).await;
    // One that the server may refuse; either way it must not take long.
    let pattern = serde_json::json!({
        "name": "pattern", "prompt": "?", "input": {"str": {"pattern": r"\b.{0,900}\b!"}},
    });
    let link = asked(&target, &pattern).await.map(|form| form.replace("/q/", "/v1/links/"));
    let text = serde_json::json!({"value": "a ".repeat(87_000)});
    let mut askers = JoinSet::new();
    for _ in 0..8 {
        let (form, link, text, over) = (form.clone(), link.clone(), text.clone(), over.clone());
        askers.spawn(async move {
            until_over(&over, async || {
                let shown = match &form {
                    Some(form) => http().get(form).send().await.is_ok(),
                    None => false,
                };
                let matched = match &link {
                    Some(link) => http().post(link).json(&text).send().await.is_ok(),
                    None => false,
                };
                sleep(Duration::from_millis(1)).await;
                usize::from(shown) + usize::from(matched)
            })
            .await
        });
    }
    askers.join_all().await.into_iter().sum()
}

/// Asks a question, and returns the address of its form.
async fn asked(target: &Target, question: &serde_json::Value) -> Option<String> {
    let address = format!("http://{}/v1/events", target.address);
    let reply = http().post(address).json(question).send().await.ok()?;
    let reply: serde_json::Value = reply.json().await.ok()?;
    Some(reply["event"]["formUrl"].as_str()?.to_owned())
}

fn http() -> reqwest::Client {
    let client = support::http::client().timeout(Duration::from_secs(10));
    client.build().expect("a client without special settings")
}
