//! The command line: what goes to which stream, with which exit code, against a server that runs.

use serde_json::{Value as Json, json};

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
        assert!(asking.link.starts_with(&format!("{}/form/", site.url)), "{}", asking.link);
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
        &["ask", "two\nlines?", "--name", "two\nlines"],
    ];
    for args in errors {
        let done = soon("a failure", shell.run(args)).await;
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{args:?}: {done:?}");
        assert!(done.err.starts_with("hitl: ") && !done.err.contains("panicked"), "{done:?}");
    }
    let wrong: [&[&str]; 7] = [
        &[],
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
    assert!(shown.contains(id) && shown.contains("PENDING") && shown.contains("/form/"), "{shown}");
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
