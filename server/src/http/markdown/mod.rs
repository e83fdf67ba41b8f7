//! Prompts in markdown, made harmless.
//!
//! Whoever writes a prompt may be a program under somebody else's influence, so a prompt gets no
//! say outside its box: raw HTML is shown as text, images are left out (each is a beacon), and a
//! link shows the host that it leads to, whatever its text says. What remains is rendered by
//! pulldown-cmark and then cleaned by ammonia, so that a slip in one is caught by the other.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use axum::http::Uri;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Deepest nesting that is rendered; a prompt that goes deeper is not written for people.
const DEPTH_MAX: usize = 32;

const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

const TAGS: [&str; 25] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
    "span",
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::empty();
    cleaner
        .tags(HashSet::from(TAGS))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("ol", HashSet::from(["start"])),
        ]))
        // Looking something up must not cost what was typed so far.
        .set_tag_attribute_value("a", "target", "_blank")
        .link_rel(Some("noopener noreferrer nofollow"))
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Deny);
    cleaner
});

/// `markdown` as HTML that can be put into a page, or `None` if it nests too deeply.
pub(super) fn to_html(markdown: &str) -> Option<String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let (mut depth, mut links) = (0_usize, Vec::new());
    let mut events = Vec::new();
    for event in Parser::new_ext(markdown, options) {
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return None;
        }
        if let Event::Start(Tag::Link { dest_url, .. }) = &event {
            links.push(target(dest_url));
        }
        let host = match &event {
            Event::End(TagEnd::Link) => links.pop().flatten(),
            _ => None,
        };
        events.extend(harmless(event));
        events.extend(host.map(|host| Event::Text(format!(" ({host})").into())));
    }
    let mut unsafe_html = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut unsafe_html, events.into_iter());
    Some(CLEANER.clean(&unsafe_html).to_string())
}

fn harmless(event: Event<'_>) -> Option<Event<'_>> {
    Some(match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        // The text within, which describes the image, stays.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => return None,
        Event::Start(Tag::Heading { level, .. }) => {
            let level = below_title(level);
            Event::Start(Tag::Heading { level, id: None, classes: Vec::new(), attrs: Vec::new() })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below_title(level))),
        other => other,
    })
}

/// The page has one title of its own.
fn below_title(level: HeadingLevel) -> HeadingLevel {
    HeadingLevel::try_from(level as usize + 1).unwrap_or(HeadingLevel::H6)
}

/// Where a link leads, in a few words; `None` if it will not be a link.
fn target(url: &CowStr<'_>) -> Option<String> {
    if let Some(address) = url.strip_prefix("mailto:") {
        return Some(address.split('?').next().unwrap_or_default().to_owned());
    }
    let uri: Uri = url.parse().ok()?;
    SCHEMES.contains(&uri.scheme_str()?).then(|| uri.host().map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(html.contains("your bank</a> (evil.example)"), "{html}");
        assert!(html.contains(r#"rel="noopener noreferrer nofollow""#), "{html}");
        assert!(render("[write](mailto:a@b.example?body=x)").contains("(a@b.example)"));
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
            let html = render(markdown);
            for tag in active {
                assert!(!html.contains(tag), "{markdown} gave {html}");
            }
            // Attributes exist only inside tags; text may say what it likes.
            for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or(rest)) {
                for bad in [" on", "javascript:", "data:", "vbscript:", "file:", "style=", "class="]
                {
                    assert!(!tag.to_lowercase().contains(bad), "{markdown} gave {html}");
                }
                assert!(!tag.contains("href=\"/") && !tag.contains("href=\"#"), "{html}");
            }
        }
    }

    #[test]
    fn a_prompt_that_is_all_nesting_is_not_rendered() {
        for unit in [">", "- ", "1. ", "*a ", "> - "] {
            let deep = unit.repeat(64 * 1024 / unit.len());
            if let Some(html) = to_html(&deep) {
                assert!(html.len() < 10 * deep.len(), "{unit}");
            }
        }
        assert_eq!(to_html(&"> ".repeat(40)).filter(|html| html.contains('<')), None);
    }
}
