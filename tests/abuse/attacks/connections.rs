//! Connections of HTTP/1 that are not read, not finished, or not used.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::peers::Target;

pub(super) async fn unread_pages(target: Target, over: CancellationToken) -> usize {
    let mut held = Vec::new();
    while !over.is_cancelled() && held.len() < 1_000 {
        let form = &target.events[held.len() % target.events.len()].form_url;
        let form = form.split_once("/q/").map_or("", |(_, rest)| rest);
        let path = match held.len() % 2 {
            0 => "/v1/events?namespace=large&page_size=50".to_owned(),
            _ => format!("/q/{form}"),
        };
        let Some(mut stream) = target.tcp().await else { continue };
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", target.address);
        if stream.write_all(request.as_bytes()).await.is_ok() {
            held.push(stream);
        }
    }
    over.cancelled().await;
    held.len()
}

pub(super) async fn unfinished_bodies(target: Target, over: CancellationToken) -> usize {
    let body = vec![b' '; 1024 * 1024 - 1];
    slow_bodies(&target, &over, &body, Duration::MAX).await
}

pub(super) async fn trickled_bodies(target: Target, over: CancellationToken) -> usize {
    slow_bodies(&target, &over, b"{", Duration::from_millis(500)).await
}

/// Up to 2,000 connections that send `body` of one byte more, and then a byte at each `pause`.
async fn slow_bodies(
    target: &Target,
    over: &CancellationToken,
    body: &[u8],
    pause: Duration,
) -> usize {
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        target.address,
        1024 * 1024,
    );
    let mut held = JoinSet::new();
    let mut done = 0;
    while !over.is_cancelled() && done < 2_000 {
        let Some(mut stream) = target.tcp().await else { continue };
        let sent = async {
            stream.write_all(head.as_bytes()).await.ok()?;
            stream.write_all(body).await.ok()
        };
        if timeout(Duration::from_secs(1), sent).await.is_ok_and(|sent| sent.is_some()) {
            done += 1;
        }
        held.spawn(async move {
            loop {
                sleep(pause).await;
                if stream.write_all(b" ").await.is_err() {
                    return;
                }
            }
        });
    }
    over.cancelled().await;
    done
}

pub(super) async fn idle(target: Target, over: CancellationToken) -> usize {
    let mut tasks = JoinSet::new();
    let (mut quiet, mut silent) = (Vec::new(), Vec::new());
    while !over.is_cancelled() && quiet.len() + silent.len() < 2_000 {
        if silent.len() % 2 == 0 {
            quiet.extend(target.http2(65_535, &mut tasks).await);
        }
        silent.extend(target.tcp().await);
    }
    over.cancelled().await;
    quiet.len() + silent.len()
}
