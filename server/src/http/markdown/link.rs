//! Where links lead, as a browser reads them, and the label that says so.
//!
//! A link is kept only if its label can be made, and both are made from one parse by the rules that browsers follow.
//! The label stands behind the link in an element of its own, `<bdi class="host">`, which is added after the cleaning;
//! the cleaner takes away everything that could look like it.

use hitl_core::WebAddress;
use url::Url;

/// Longest mail address of a label.
const LABEL_CHARS_MAX: usize = 260;

/// A link that may be followed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The address as a browser would write it.
    pub(super) href: String,
    /// The host, in the form in which it is looked up, with its port; or the mail address.
    label: String,
}

impl Target {
    /// Where `address` leads. `None` if it may not be linked or cannot be put into a label: other schemes, relative
    /// addresses, and addresses with a name or a password before the host, which a reader may take for the host.
    pub(super) fn of(address: &str) -> Option<Self> {
        if let Some(WebAddress { href, host }) = WebAddress::of(address) {
            return Some(Self { href, label: host });
        }
        let url = Url::parse(address).ok()?;
        let target = (url.scheme() == "mailto").then(|| mail(&url)).flatten();
        target.filter(|target| target.label.len() <= LABEL_CHARS_MAX)
    }
}

/// A mail to the addresses in the path alone. Behind the question mark there could be others, which no label shows.
fn mail(url: &Url) -> Option<Target> {
    let to = url.path();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$*+-/=?^_{|}~@,".contains(&byte);
    if !to.contains('@') || !to.bytes().all(is_plain) {
        return None;
    }
    let fields = url.query().unwrap_or_default().split('&');
    let harmless = |field: &&str| {
        let name = field.split('=').next().unwrap_or_default();
        name.eq_ignore_ascii_case("subject") || name.eq_ignore_ascii_case("body")
    };
    let fields: Vec<_> = fields.filter(harmless).collect();
    let query = if fields.is_empty() { String::new() } else { format!("?{}", fields.join("&")) };
    Some(Target { href: format!("mailto:{to}{query}"), label: to.to_owned() })
}

/// `clean`, which the cleaner has written, with the label behind every link; what cannot be labelled is no link.
pub(super) fn labelled(clean: &str) -> String {
    let mut html = String::with_capacity(clean.len() + clean.len() / 4);
    let mut rest = clean;
    // The cleaner escapes every `<` that is no tag's, and knows no other tag that begins so.
    while let Some((before, link)) = rest.split_once("<a") {
        html.push_str(before);
        let Some((tag, content)) = link.split_once('>') else { break };
        let (content, after) = content.split_once("</a>").unwrap_or((content, ""));
        match href(tag).and_then(|href| Target::of(&href)) {
            Some(Target { label, .. }) => {
                let label = ammonia::clean_text(&label);
                html += &format!("<a{tag}>{content}</a> <bdi class=\"host\">{label}</bdi>");
            }
            None => html.push_str(content),
        }
        rest = after;
    }
    html.push_str(rest);
    html
}

/// The address among the attributes of a link, as the cleaner writes them.
fn href(attributes: &str) -> Option<String> {
    let (_, value) = attributes.split_once("href=\"")?;
    let (value, _) = value.split_once('"')?;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(address: &str) -> Option<String> {
        Target::of(address).map(|target| target.label)
    }

    #[test]
    fn a_label_names_the_host_that_a_browser_goes_to() {
        for (address, host) in [
            ("https://evil.example/login", "evil.example"),
            ("https:///evil.example/login", "evil.example"),
            ("https:evil.example", "evil.example"),
            ("https:\\\\evil.example\\@bank.example", "evil.example"),
            ("https://evil.example\\.bank.example/", "evil.example"),
            ("ht\ttps://ev\nil.example/", "evil.example"),
            ("  HTTPS://EVIL.example  ", "evil.example"),
            ("https://evil.example#@bank.example", "evil.example"),
            ("https://evil.example?@bank.example", "evil.example"),
            ("https://evil.example:8443/", "evil.example:8443"),
            ("https://evil.example:443/", "evil.example"),
            ("http://2130706433/", "127.0.0.1"),
            ("http://0x7f.1:4485/", "127.0.0.1:4485"),
            ("http://[::1]:4485/", "[::1]:4485"),
            ("https://xn--bnk-ula.example/", "xn--bnk-ula.example"),
            ("https://b\u{E4}nk.example/", "xn--bnk-qla.example"),
            ("https://%65vil.example/", "evil.example"),
            ("https://evil\u{AD}.example/", "evil.example"),
            ("mailto:a@b.example?subject=x", "a@b.example"),
        ] {
            assert_eq!(label(address).as_deref(), Some(host), "{address}");
        }
    }

    #[test]
    fn what_no_label_can_say_is_no_link() {
        for address in [
            "https://bank.example@evil.example/",
            "https://bank.example:pass@evil.example/",
            "https:\\\\bank.example:443@evil.example",
            "//evil.example/x",
            "\\\\evil.example\\x",
            "/relative",
            "#anchor",
            "evil.example",
            "https://",
            "https://a b.example/",
            "javascript:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,x",
            "blob:https://a.example/x",
            "file:///etc/passwd",
            "mailto:",
            "mailto:nobody",
            "mailto:a%40b.example",
            "mailto:\u{202E}a@b.example",
            "mailto:a@b.example\"<",
        ] {
            assert_eq!(label(address), None, "{address}");
        }
        assert_eq!(label(&format!("mailto:{}@b.example", "a".repeat(300))), None);
    }

    #[test]
    fn a_mail_goes_to_nobody_whom_the_label_does_not_name() {
        let sly = "mailto:a@b.example?to=x@evil.example&Subject=Hi%20you&BCC=y@evil.example&body=t&%62cc=z";
        let target = Target::of(sly).unwrap();
        assert_eq!(target.href, "mailto:a@b.example?Subject=Hi%20you&body=t");
    }
}
