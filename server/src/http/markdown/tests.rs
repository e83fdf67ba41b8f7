//! What becomes of prompts, from the harmless to the worst.

use super::*;

/// What only the label of a link begins with.
const LABEL: &str = "<bdi class=\"host\">";

fn render(markdown: &str) -> String {
    to_html(markdown).unwrap()
}

#[test]
fn what_people_write_is_rendered() {
    let html = render(
        "# Deploy\n\n**Now** or ~~never~~?\n\n- a\n- b\n\n|x|y|\n|-|-|\n|1|2|\n\n```sh\nrm x\n```\n",
    );
    for part in ["<h2>Deploy</h2>", "<strong>Now</strong>", "<del>never</del>", "<li>a</li>"] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(html.contains("<td>1</td>") && html.contains("<code>rm x\n</code>"), "{html}");
}

#[test]
fn a_link_shows_where_it_leads_and_tells_no_one_where_it_came_from() {
    let html = render("[your bank](https://evil.example/login?x=1)");
    let shown = "your bank</a> <bdi class=\"host\">evil.example</bdi>";
    assert!(html.contains(shown), "{html}");
    assert!(html.contains(r#"rel="noopener noreferrer nofollow""#), "{html}");
    assert!(render("[write](mailto:a@b.example?body=x)").contains(">a@b.example</bdi>"));
}

#[test]
fn nothing_active_and_nothing_remote_gets_through() {
    let corpus = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "text <b onmouseover=alert(1)>b</b>",
        "<iframe src=https://evil.example></iframe>",
        "<style>*{display:none}</style>",
        "<form action=https://evil.example><button>Approve</button></form>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](/relative) [y](//evil.example/x) [z](#anchor)",
        "<javascript:alert(1)>",
        "![beacon](https://evil.example/b.png)",
        "![x](x \"onerror=alert(1)\")",
        "[x](https://a.example/\" onclick=\"alert(1))",
        "[a]: javascript:alert(1)\n[a]",
        "`<script>`",
        "<!-- comment --><![CDATA[x]]>",
        "<svg/onload=alert(1)>",
        "<math><mtext></p><img src=x onerror=alert(1)>",
        "# x {onclick=alert(1) .cls #id}",
    ];
    let active = ["<script", "<img", "<iframe", "<style", "<form", "<button", "<svg", "<math"];
    for markdown in corpus {
        let html = render(markdown).replace(LABEL, "");
        for tag in active {
            assert!(!html.contains(tag), "{markdown} gave {html}");
        }
        // Attributes exist only inside tags; text may say what it likes.
        for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or(rest)) {
            for bad in [" on", "javascript:", "data:", "vbscript:", "file:", "style=", "class="] {
                assert!(!tag.to_lowercase().contains(bad), "{markdown} gave {html}");
            }
            assert!(!tag.contains("href=\"/") && !tag.contains("href=\"#"), "{html}");
        }
    }
}

/// The labels in `html`, and all of it that an author may have written.
fn labels(html: &str) -> (Vec<&str>, String) {
    let mut parts = html.split(LABEL);
    let mut rest = parts.next().unwrap().to_owned();
    let mut labels = Vec::new();
    for part in parts {
        let (label, after) = part.split_once("</bdi>").unwrap();
        labels.push(label);
        rest += after;
    }
    (labels, rest)
}

#[test]
fn a_label_can_be_neither_forged_nor_lost() {
    for (markdown, hosts) in [
        (
            "[https://bank.example](https:///evil.example/login) (bank.example)",
            vec!["evil.example"],
        ),
        (r"[https://bank.example](https:\\\\evil.example\\@bank.example)", vec!["evil.example"]),
        ("[x](https://bank.example@evil.example/)", vec![]),
        ("[x](https://evil.example:8443/)", vec!["evil.example:8443"]),
        ("[x](https://b\u{E4}nk.example)", vec!["xn--bnk-qla.example"]),
        ("[x](ht&Tab;tps://evil.example/)", vec!["evil.example"]),
        ("[x](<https://ev\til.example/>)", vec!["evil.example"]),
        ("[x](//evil.example) [y](\\\\evil.example) [z](evil.example)", vec![]),
        ("<https://evil.example/a>", vec!["evil.example"]),
        ("<a@evil.example>", vec!["a@evil.example"]),
        ("[a][r] [r] [r][]\n\n[r]: https:/\\evil.example", vec!["evil.example"; 3]),
        ("[![bank.example](x.png)](https://evil.example)", vec!["evil.example"]),
        ("![[bank](https://evil.example)](x.png)", vec!["evil.example"]),
        ("[](https://evil.example)", vec!["evil.example"]),
        (
            "[x](https://evil.example '\"><bdi class=\"host\">bank.example</bdi>')",
            vec!["evil.example"],
        ),
        ("<bdi class=\"host\">bank.example</bdi> [x](https://evil.example)", vec!["evil.example"]),
        ("[<bdi class=\"host\">bank.example</bdi>](https://evil.example)", vec!["evil.example"]),
        ("[x</a>](https://evil.example) `</a>`", vec!["evil.example"]),
        ("[x](mailto:a@evil.example?to=b@evil.example)", vec!["a@evil.example"]),
        ("[x](mailto:a%40bank.example,b@evil.example)", vec![]),
    ] {
        let html = render(markdown);
        let (labels, rest) = labels(&html);
        assert_eq!(labels, hosts, "{markdown} gave {html}");
        assert_eq!(rest.matches("<a ").count(), hosts.len(), "{markdown} gave {html}");
        assert!(!rest.contains("<bdi"), "{markdown} gave {html}");
        assert!(!rest.contains("title="), "{markdown} gave {html}");
    }
}

#[test]
fn what_cannot_be_seen_is_written_out_wherever_it_stands() {
    let cases = [
        ("a\u{202E}b", "a\\u{202E}b"),
        ("a&#x202E;b&zwnj;c&shy;d", "a\\u{202E}b\\u{200C}c\\u{AD}d"),
        ("`a\u{200B}b`", "<code>a\\u{200B}b</code>"),
        ("    a\u{2066}b", "a\\u{2066}b"),
        ("[a\u{202E}b](https://x.example)", ">a\\u{202E}b</a>"),
        ("<b\u{200B}>", "b\\u{200B}"),
        ("|a\u{FEFF}|\n|-|\n|b\u{7}|", "a\\u{FEFF}</th>"),
        ("👩\u{200D}💻", "👩\u{200D}💻"),
    ];
    for (markdown, shown) in cases {
        let html = render(markdown);
        assert!(html.contains(shown), "{markdown} gave {html}");
    }
}

#[test]
fn a_prompt_that_makes_too_much_of_itself_is_not_rendered() {
    let fill = |unit: &str| unit.repeat(64 * 1024 / unit.len());
    let table = |columns: usize, rows: usize| {
        format!("{}\n{}\n{}\n", "|a".repeat(columns), "|-".repeat(columns), "a\n".repeat(rows))
    };
    for (what, markdown) in [
        ("tables whose rows leave cells out", table(362, 724).repeat(22)),
        ("the same in a quote", format!("> {}", table(362, 724).repeat(22).replace('\n', "\n> "))),
        ("quotes in quotes", "> ".repeat(40)),
        (
            "quotes in quotes behind many lines",
            format!("{}a{}", ">".repeat(20_000), "\na".repeat(20_000)),
        ),
        ("lists in lists", format!("{}a{}", "- ".repeat(10_000), "\na".repeat(20_000))),
        ("emphasis", fill("*a* ")),
    ] {
        assert!(to_html(&markdown).is_err(), "{what}");
    }
}

#[test]
fn no_prompt_becomes_more_than_it_may() {
    let units = [
        ">",
        "> ",
        "- ",
        "1. ",
        "*a ",
        "**a ",
        "*a **b ",
        "~~a ",
        "[",
        "![",
        "[a](",
        "[a]",
        "<",
        "<a",
        "<!--",
        "<?",
        "`",
        "``a`",
        "&",
        "&amp;",
        "\u{A0}",
        "\"",
        "\\",
        "|",
        "|a",
        "|a\n|-\n",
        "a\n=\n",
        "# a\n",
        "***\n",
        "```\n",
        "\n",
        "- a\n\n",
        "<http:a>",
        "<a@b>",
        "\u{0}",
        "\u{E0041}",
        "[a](http://b)",
        "<script>",
        "&#x1F600;",
        "a*",
        "_*",
    ];
    let reference = format!("[a]: http://b/{}\n\n{}", "x".repeat(30_000), "[a]".repeat(11_000));
    let deep = (0..250).map(|depth| format!("{}- a\n", " ".repeat(depth))).collect();
    let prompts = units.map(|unit| unit.repeat(64 * 1024 / unit.len())).into_iter();
    for prompt in prompts.chain([reference, deep]) {
        if let Ok(html) = to_html(&prompt) {
            let begins: String = prompt.chars().take(12).collect();
            assert!(html.len() < 4 * 1024 * 1024, "{begins:?} became {} bytes", html.len());
        }
    }
}

#[test]
fn the_first_line_is_what_the_first_block_says() {
    for (markdown, line) in [
        ("Ship **it** `now`?\n\nBecause.", "Ship it now?"),
        ("# Ship it?\nBecause.", "Ship it?"),
        ("- one\n- two", "one"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "ab"),
        ("[bank](https://evil.example) and\nmore", "bank and more"),
        ("", ""),
    ] {
        assert_eq!(first_line(markdown), line, "{markdown}");
    }
}
