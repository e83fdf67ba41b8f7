//! Reads the fields of forms and queries, strictly: what is not text is refused, never replaced.
//!
//! Browsers put a replacement character where bytes are no text. Here that would record an answer
//! that nobody gave, so whoever sent such bytes hears of it.

/// A field that is not text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUtf8 {
    /// Its name, as far as that can be read.
    pub(super) name: String,
}

/// The fields in `text`, in order.
pub(super) fn read(text: &str) -> Result<Vec<(String, String)>, NotUtf8> {
    let mut fields = Vec::new();
    for field in text.split('&').filter(|field| !field.is_empty()) {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let read_name = decode(name).ok_or_else(|| NotUtf8 { name: name.to_owned() })?;
        let value = decode(value).ok_or_else(|| NotUtf8 { name: read_name.clone() })?;
        // A byte order mark before the whole is no part of the first name.
        let mark = if fields.is_empty() { '\u{feff}' } else { '\0' };
        let read_name = read_name.strip_prefix(mark).unwrap_or(&read_name).to_owned();
        fields.push((read_name, value));
    }
    Ok(fields)
}

/// `text` without its encoding; none if that leaves bytes that are no UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, hexadecimal(behind)) {
            (b'+', _) => bytes.push(b' '),
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                rest = &behind[2..];
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The byte that the first two characters of `text` spell.
fn hexadecimal(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        for (text, expected) in [
            ("a=1&b=%C3%A9+%0D%0A&a=", &[("a", "1"), ("b", "é \r\n"), ("a", "")][..]),
            ("&&a&=b&c=d=e", &[("a", ""), ("", "b"), ("c", "d=e")]),
            ("50%=%zz&é=%e2%82%AC%", &[("50%", "%zz"), ("é", "€%")]),
            ("%EF%BB%BFvalue=%EF%BB%BF5", &[("value", "\u{feff}5")]),
            ("", &[]),
        ] {
            assert_eq!(read(text).unwrap(), pairs(expected), "{text}");
            let lenient: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
            if !text.contains("%EF%BB") {
                assert_eq!(read(text).unwrap(), lenient, "{text}");
            }
        }
    }

    #[test]
    fn what_is_not_utf8_is_refused_by_name() {
        for (text, name) in [
            ("a=1&value=%E9", "value"),
            ("value=%C3", "value"),
            ("v%FF=1", "v%FF"),
            ("value=%ED%A0%80", "value"),
        ] {
            assert_eq!(read(text), Err(NotUtf8 { name: name.to_owned() }), "{text}");
        }
    }
}
