//! Whether HTML is what our templates and our renderer may make of whatever others wrote.
//!
//! What is looked at was written by a serializer or a template, so every `<` begins a tag: this is no parser of HTML,
//! and whatever it cannot read is refused.

/// What a page may have.
pub(crate) struct Allowed {
    pub(crate) tags: &'static [&'static str],
    pub(crate) attributes: &'static [&'static str],
}

/// What a prompt may have.
pub(crate) const PROMPT: Allowed = Allowed {
    tags: &[
        "a",
        "bdi",
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
    ],
    attributes: &["class", "href", "rel", "start", "target"],
};

/// What the page around it may have besides.
pub(crate) const PAGE: Allowed = Allowed {
    tags: &[
        "bdi", "body", "button", "dd", "details", "div", "dl", "dt", "fieldset", "form", "h1",
        "head", "header", "html", "input", "label", "legend", "main", "meta", "option", "section",
        "select", "small", "style", "summary", "textarea", "time", "title", "script", "svg",
        "path", "rect", "circle", "link", "ul", "h2", "h3", "nav", "i", "b", "kbd", "ol", "abbr",
    ],
    attributes: &[
        "action",
        "aria-describedby",
        "aria-invalid",
        "aria-labelledby",
        "aria-hidden",
        "aria-label",
        "autocomplete",
        "autocapitalize",
        "autocorrect",
        "autofocus",
        "charset",
        "checked",
        "cols",
        "content",
        "datetime",
        "dir",
        "disabled",
        "enctype",
        "for",
        "formnovalidate",
        "id",
        "inputmode",
        "lang",
        "max",
        "maxlength",
        "method",
        "min",
        "minlength",
        "multiple",
        "name",
        "novalidate",
        "open",
        "placeholder",
        "readonly",
        "required",
        "role",
        "rows",
        "selected",
        "size",
        "spellcheck",
        "step",
        "tabindex",
        "title",
        "type",
        "value",
        "viewBox",
        "d",
        "x",
        "y",
        "width",
        "height",
        "rx",
        "cx",
        "cy",
        "r",
        "rel",
        "data-draft",
        "data-sent",
        "data-until",
        "data-since",
    ],
};

/// Refuses `html` that has anything but what one of `allowed` has.
///
/// # Panics
/// It has.
pub(crate) fn check(html: &str, allowed: &[Allowed]) {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix("!doctype html>") {
            rest = after;
            continue;
        }
        // The one script of a page is its last element, and its policy names its hash.
        if rest.starts_with("script>") && allowed.iter().any(|a| a.tags.contains(&"script")) {
            let (_, after) = rest.split_once("</script>").expect("a script ends");
            assert_eq!(after.trim(), "</body>\n</html>", "a script that is not the last element");
            return;
        }
        rest = tag(rest.strip_prefix('/').unwrap_or(rest), allowed);
    }
}

/// Checks the tag whose name is next, and returns what follows it.
fn tag<'a>(text: &'a str, allowed: &[Allowed]) -> &'a str {
    let shown = || text.chars().take(80).collect::<String>();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).expect("a tag ends");
    let name = &text[..end];
    assert!(allowed.iter().any(|a| a.tags.contains(&name)), "the tag <{}", shown());
    let mut rest = text[end..].trim_start();
    loop {
        if let Some(after) = rest.strip_prefix("/>").or_else(|| rest.strip_prefix('>')) {
            return after;
        }
        let end = rest.find(['=', ' ', '\n', '>']).expect("an attribute ends");
        let name = &rest[..end];
        assert!(
            allowed.iter().any(|a| a.attributes.contains(&name)),
            "an attribute in <{}",
            shown()
        );
        rest = &rest[end..];
        if let Some(value) = rest.strip_prefix("=\"") {
            let (value, after) = value.split_once('"').expect("a value ends");
            assert!(name != "href" || is_harmless(value), "a link in <{}", shown());
            rest = after;
        } else if let Some(value) = rest.strip_prefix('=') {
            // Only numbers and names of ours go without quotes.
            let end = value.find([' ', '\n', '>']).expect("a value ends");
            assert!(
                value[..end].chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
                "a value in <{}",
                shown()
            );
            rest = &value[end..];
        }
        rest = rest.trim_start();
    }
}

fn is_harmless(target: &str) -> bool {
    ["http://", "https://", "mailto:", "#", "data:image/svg+xml,%3Csvg xmlns="]
        .iter()
        .any(|scheme| target.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn what_an_attacker_would_write_is_found() {
        let right = "<p>1 &lt; 2 <a href=\"https://h/\" rel=\"noopener\">x</a></p>";
        check(right, &[PROMPT]);
        for wrong in [
            "<script>alert(1)</script>",
            "<p onclick=\"x\">",
            "<a href=\"javascript:x\">",
            "<img src=x>",
            "<p class=a\"b>",
            "< p>",
            "<p",
        ] {
            assert!(catch_unwind(|| check(wrong, &[PROMPT])).is_err(), "{wrong}");
        }
    }
}
