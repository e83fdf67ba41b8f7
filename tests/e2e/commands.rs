//! The command line: what goes to which stream, with which exit code, against a server that runs.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use crate::shell::Shell;
use crate::site::{Site, soon};

/// Flags of a question, an answer to it as typed, and what a script must read.
const QUESTIONS: [(&[&str], &str, &str); 9] = [
    (&["--type", "int"], "-9223372036854775808", "-9223372036854775808\n"),
    (&["--type", "float"], "0.1", "0.1\n"),
    (&["--type", "str"], "Grüße \"quoted\" $HOME 👩‍👩‍👧‍👦", "Grüße \"quoted\" $HOME 👩‍👩‍👧‍👦\n"),
    (&["--multiline"], "two\nlines", "two\nlines\n"),
    (&["--type", "bool"], "yes", "true\n"),
    (&["--type", "bool"], "n", "false\n"),
    (&["--choice", "eu=Europe", "--choice", "us"], "Europe", "eu\n"),
    (&["--choice", "a", "--choice", "b", "--choice", "c", "--multi"], "c\na", "a\nc\n"),
    (&["--schema", "schema.json"], "{\"n\": 3}", "{\"n\":3}\n"),
];

#[tokio::test]
async fn ask_prints_nothing_but_the_value_on_stdout_and_the_link_on_stderr() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    std::fs::write(shell.dir().join("schema.json"), schema.to_string()).expect("it can be written");
    for (flags, typed, printed) in QUESTIONS {
        let asking = shell.ask(&[&["What?"], flags].concat()).await;
        assert!(asking.link.starts_with(&format!("{}/q/", site.url)), "{}", asking.link);
        let answered = shell.run(&["answer", asking.id(), typed, "--as", "Ann"]).await;
        assert_eq!((answered.code, answered.out.as_str()), (Some(0), ""), "{answered:?}");
        let done = asking.done().await;
        assert_eq!((done.code, done.out.as_str()), (Some(0), printed), "{flags:?}: {done:?}");
    }
}

#[tokio::test]
async fn the_exit_code_says_how_the_event_ended() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let declined = shell.ask(&["Well?"]).await;
    shell.out(&["decline", declined.id(), "--reason", "not today"]).await;
    let declined = declined.done().await;
    assert_eq!((declined.code, declined.out.as_str()), (Some(3), ""), "{declined:?}");
    assert!(declined.err.contains("not today"), "{declined:?}");
    let cancelled = shell.ask(&["Well?"]).await;
    shell.out(&["cancel", cancelled.id()]).await;
    let cancelled = cancelled.done().await;
    assert_eq!((cancelled.code, cancelled.out.as_str()), (Some(4), ""), "{cancelled:?}");
    let late = shell.ask(&["Well?", "--timeout", "200ms"]).await.done().await;
    assert_eq!((late.code, late.out.as_str()), (Some(5), ""), "{late:?}");
    let default = ["Well?", "--type", "int", "--timeout", "200ms", "--default", "-7"];
    let default = shell.ask(&default).await.done().await;
    assert_eq!((default.code, default.out.as_str()), (Some(0), "-7\n"), "{default:?}");
}

#[tokio::test]
async fn an_error_is_1_and_wrong_usage_is_2_and_both_say_why_on_stderr() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let unknown = "0".repeat(32);
    let errors: [&[&str]; 5] = [
        &["get", &unknown],
        &["wait", &unknown],
        &["answer", &unknown, "1"],
        &["cancel", "nonsense"],
        &["get", &unknown[..12]],
    ];
    for args in errors {
        let done = soon("a failure", shell.run(args)).await;
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{args:?}: {done:?}");
        assert!(done.err.starts_with("hitl: ") && !done.err.contains("panicked"), "{done:?}");
    }
    let wrong: [&[&str]; 8] = [
        &[],
        &["ask", "two\nlines?", "--name", "two\nlines"],
        &["explode"],
        &["ask"],
        &["ask", "What?", "--type", "colour"],
        &["ask", "What?", "--type", "bool", "--min", "1"],
        &["ask", "What?", "--timeout", "soon"],
        &["answer", &unknown],
    ];
    for args in wrong {
        let done = shell.run(args).await;
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{args:?}: {done:?}");
        assert!(!done.err.is_empty());
    }
}

#[tokio::test]
async fn a_bad_answer_is_an_error_and_the_question_stays_open() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let asking = shell.ask(&["How many?", "--type", "int", "--max", "9"]).await;
    for bad in ["ten", "10", ""] {
        let done = shell.run(&["answer", asking.id(), bad]).await;
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.err.contains("value"), "{done:?}");
    }
    shell.out(&["answer", asking.id(), "--json", "9"]).await;
    assert_eq!(asking.done().await.out, "9\n");
}

#[tokio::test]
async fn a_detached_question_is_waited_for_later_by_its_id() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let id = shell.out(&["ask", "What?", "--detach"]).await;
    let id = id.trim_end();
    assert_eq!(id.len(), 32, "{id}");
    let wait = ["wait", id];
    let (waited, ()) = tokio::join!(shell.out(&wait), async {
        shell.out(&["answer", id, "later"]).await;
    });
    assert_eq!(waited, "later\n");
    assert_eq!(shell.out(&["wait", id]).await, "later\n", "and again");
    let event: Json =
        serde_json::from_str(&shell.out(&["wait", id, "--json"]).await).expect("JSON");
    assert_eq!((&event["id"], &event["state"]), (&json!(id), &json!("EVENT_STATE_ANSWERED")));
}

#[tokio::test]
async fn get_and_list_show_what_there_is_and_never_let_a_prompt_command_the_terminal() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let ask =
        |prompt: &'static str| ["ask", prompt, "--detach", "--scope", "shown", "--label", "k=v w"];
    let id = shell.out(&ask("Red\u{1b}[31m \u{202e}or\r blue?\u{7}")).await;
    let id = id.trim_end();
    let shown = shell.out(&["get", id]).await;
    assert!(shown.contains(id) && shown.contains("PENDING") && shown.contains("/q/"), "{shown}");
    let listed = shell.out(&["list", "--scope", "shown", "--label", "k=v w"]).await;
    assert!(listed.contains(id) && listed.contains("Red"), "{listed}");
    for text in [shown, listed] {
        for forbidden in ['\u{1b}', '\u{202e}', '\r', '\u{7}'] {
            assert!(!text.contains(forbidden), "{forbidden:?} in {text:?}");
        }
    }
    shell.out(&["answer", id, "red"]).await;
    assert!(!shell.out(&["list", "--scope", "shown"]).await.contains(id), "it pends no more");
    let all = shell.out(&["list", "--scope", "shown", "--state", "any", "--json"]).await;
    let event: Json = serde_json::from_str(all.trim_end()).expect("one line of JSON");
    assert_eq!((&event["id"], &event["response"]["value"]["str"]), (&json!(id), &json!("red")));
}

#[tokio::test]
async fn what_the_server_refuses_is_said_of_the_option_that_it_was_given_by() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let long = "x".repeat(2_000);
    let wrong: [(&[&str], &str); 4] = [
        (&["--name", "two\nlines"], "--name: "),
        (&["--type", "int", "--min", "9", "--max", "1"], "--max: "),
        (&["--label", &format!("{long}=x")], "--label: "),
        (&["--timeout", "1000000h"], "--timeout: "),
    ];
    for (flags, option) in wrong {
        let done = shell.run(&[&["ask", "What?"], flags].concat()).await;
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{flags:?}: {done:?}");
        assert!(done.err.contains(option), "{flags:?}: {done:?}");
    }
}

#[tokio::test]
async fn the_link_is_for_terminals_unless_told_otherwise() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let mut command = shell.command(&support::tools::hitl());
    command.env_remove("HITL_PRINT_LINK").args(["ask", "What?", "--timeout", "1s"]);
    let output = soon("the end of the ask", command.output()).await.expect("the binary runs");
    let said = String::from_utf8(output.stderr).expect("the messages are text");
    assert!(said.contains("hitl answer ") && said.contains("--print-link"), "{said}");
    assert!(!said.contains("/form/") && !said.contains("/q/"), "{said}");
}

#[tokio::test]
async fn an_event_is_found_by_the_first_digits_of_its_id() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let ids = [
        shell.out(&["ask", "One?", "--detach"]).await,
        shell.out(&["ask", "Two?", "--detach"]).await,
    ];
    let ids = ids.map(|id| id.trim_end().to_owned());
    let [one, two] = &ids;
    let alike = one.bytes().zip(two.bytes()).take_while(|(a, b)| a == b).count();
    let shown = shell.out(&["get", &one[..alike.max(20) + 1]]).await;
    assert!(shown.contains(one.as_str()), "{shown}");
    shell.out(&["answer", &one[..31], "yes"]).await;
    assert_eq!(shell.out(&["wait", &one[..31]]).await, "yes\n");
    shell.out(&["decline", &two[..31]]).await;
    if alike >= 6 {
        let done = shell.run(&["get", &one[..alike]]).await;
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(ids.iter().all(|id| done.err.contains(id)), "it names what it could be: {done:?}");
    }
}

#[tokio::test]
async fn a_list_of_nothing_says_so_and_one_that_is_watched_shows_what_changes() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let done = shell.run(&["list", "--scope", "watched"]).await;
    assert_eq!((done.out.as_str(), done.err.as_str()), ("", "Nothing waits.\n"), "{done:?}");
    let mut watching = shell.command(&support::tools::hitl());
    let mut watching =
        watching.args(["list", "--scope", "watched", "--watch"]).spawn().expect("it runs");
    let mut said = BufReader::new(watching.stderr.take().expect("it is piped")).lines();
    let nothing = soon("the list", said.next_line()).await.expect("it can be read");
    assert_eq!(nothing.as_deref(), Some("Nothing waits."));
    let mut shown = BufReader::new(watching.stdout.take().expect("it is piped")).lines();
    // The watch begins after the list, so that events are made until it shows one.
    let seen = async {
        loop {
            let id = shell.out(&["ask", "Seen?", "--detach", "--scope", "watched"]).await;
            let line = timeout(Duration::from_secs(1), shown.next_line()).await;
            if let Ok(line) = line {
                break (id, line.expect("it can be read").expect("a line"));
            }
        }
    };
    let (id, line) = soon("a change", seen).await;
    assert!(line.starts_with(id.trim_end()) && line.contains("PENDING"), "{line}");
    shell.out(&["answer", id.trim_end(), "yes"]).await;
    let line = soon("the end", shown.next_line()).await.expect("it can be read").expect("a line");
    assert!(line.starts_with(id.trim_end()) && line.contains("ANSWERED"), "{line}");
    watching.kill().await.expect("it dies");
}

#[tokio::test]
async fn without_a_value_the_answer_is_asked_for_at_the_terminal() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    let asked = ["ask", "How many?", "--type", "int", "--max", "9", "--detach"];
    let id = shell.out(&asked).await;
    let id = id.trim_end();
    // It makes a terminal.
    let mut typing = shell.command("script".as_ref());
    let command = format!("{} answer {id}", support::tools::hitl().display());
    typing.args(["-qefc", &command, "/dev/null"]).stdin(Stdio::piped());
    let mut typing = typing.spawn().expect("script is part of every Debian");
    let mut keys = typing.stdin.take().expect("it is piped");
    keys.write_all(b"ten\n12\n7\n").await.expect("it reads");
    let output = soon("the end of the dialog", typing.wait_with_output()).await.expect("it ends");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    for expected in ["How many?", "A whole number, at most 9", "must be at most 9", "Answered"] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert_eq!(shell.out(&["wait", id]).await, "7\n");
}

#[tokio::test]
async fn shells_and_man_are_told_of_every_command() {
    let shell = Shell::with("HITL_ENDPOINT", "http://127.0.0.1:1");
    for shell_name in ["bash", "zsh", "fish"] {
        let script = shell.out(&["completions", shell_name]).await;
        assert!(script.contains("decline") && script.contains("idempotency-key"), "{shell_name}");
    }
    let page = shell.out(&["man"]).await;
    assert!(page.contains(".TH hitl 1") && page.contains("hitl\\-ask(1)"), "{page}");
    shell.run(&["man", "--dir", "pages"]).await;
    let ask = std::fs::read_to_string(shell.dir().join("pages/hitl-ask.1")).expect("a page");
    assert!(ask.contains("timeout"), "{ask}");
}

#[tokio::test]
async fn what_a_question_rests_on_is_shown_in_the_terminal_in_its_order() {
    let site = Site::shared().await;
    let shell = Shell::at(&site.url);
    for (name, text) in
        [("old.sql", "a b c\n"), ("new.sql", "a x c\n"), ("plan.json", "{\"n\": [1]}")]
    {
        std::fs::write(shell.dir().join(name), text).expect("it can be written");
    }
    let asking = shell
        .ask(&[
            "See [[B]].",
            "--title",
            "Deploy?",
            "--type",
            "bool",
            "--risk",
            "high",
            "--fact",
            "Version=v2",
            "--diff",
            "old.sql",
            "new.sql",
            "--json-file",
            "plan.json",
            "--link",
            "https://a.example/x",
        ])
        .await;
    let shown = shell.out(&["get", asking.id()]).await;
    let expected = "\
[A] Facts
    Version: v2
[B] new.sql (from old.sql)
    - a b c
    + a x c
[C] plan.json
    {\"n\": [1]}
[D] Link
    https://a.example/x";
    assert!(shown.contains(expected), "{shown}");
    assert!(shown.contains("title      Deploy?") && shown.contains("risk       high"), "{shown}");
    let answered = shell.run(&["answer", asking.id(), "yes", "--comment", "as agreed"]).await;
    assert!(answered.err.contains("with the comment: as agreed"), "{answered:?}");
    assert_eq!(asking.done().await.out, "true\n");
    let refused = shell.run(&["ask", "Well?", "--link", "javascript:alert(1)"]).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("evidence[0].link.url"), "{refused:?}");
}
