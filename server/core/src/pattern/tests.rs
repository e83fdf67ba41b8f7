//! What patterns mean, what is refused, and how much work they may take.

use super::*;

fn found(pattern: &str, text: &str) -> bool {
    let pattern = Pattern::of(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    pattern.is_found_in(text, &mut Work::of_one_answer()).unwrap()
}

#[test]
fn classes_and_word_boundaries_are_ascii() {
    for (pattern, not_found) in [
        (r"^\d+$", "१२३४"),
        (r"^\w+$", "é"),
        (r"^\s$", "\u{a0}"),
        (r"^\s$", "\u{b}"),
        (r"^[\d]$", "٣"),
        (r"^[\w.]$", "é"),
        (r"x\b", "xy"),
        (r"x\B", "xé"),
        (r"(?i)^[\D]$", "7"),
        (r"^[^\D]$", "٣"),
    ] {
        assert!(!found(pattern, not_found), "{pattern} is not found in {not_found}");
    }
    for (pattern, is_found) in [
        (r"^\d+$", "1234"),
        (r"^\D+$", "१२३४é"),
        (r"^\W$", "é"),
        (r"^\S$", "\u{a0}"),
        (r"^[\D]$", "é"),
        (r"^[^\w]$", "é"),
        (r"^[\W_]$", "é"),
        (r"x\b", "xé"),
        (r"x\B", "xy"),
        (r"é\Bé", "éé"),
        (r"^\B$", ""),
        (r"^.$", "🙂"),
        (r"^\p{L}$", "é"),
        (r"^[[:alpha:]]$", "a"),
        (r"^\<a\>$", "<a>"),
        (r"^\x{e9}\u00e9$", "éé"),
        (r"^a+?$", "aa"),
        (r"^a\ \-\/b$", "a -/b"),
        (r"^(?P<year>\d{4})-(?:\d\d)$", "2026-11"),
    ] {
        assert!(found(pattern, is_found), "{pattern} is found in {is_found}");
    }
}

#[test]
fn what_engines_read_differently_is_named_with_what_to_write_instead() {
    for (pattern, instead) in [
        ("[a&&b]", "backslash"),
        ("[a--b]", "backslash"),
        ("[a~~b]", "backslash"),
        ("[a[b]]", r"write \["),
        ("a++", "(?:a+)+"),
        ("a{2}{3}", "(?:a+)+"),
        ("a??b??c???", "leave it out"),
        (r"\b{start}a", r"write \b alone"),
        ("(?x)a b", "other than i, m, s and U"),
        ("(?u:a)", "other than i, m, s and U"),
        (r"\U0001F600", r"\x{1F600}"),
        (r"\p{sc:Greek}", r"\p{sc=Greek}"),
        (r"\p{sc!=Greek}", r"\P{"),
    ] {
        let foreign = Pattern::of(pattern).unwrap().foreign().join("; ");
        assert!(foreign.contains(instead), "{pattern}: {foreign}");
        assert!(foreign.contains("at character"), "{pattern}: {foreign}");
    }
    for own in [r"(?i)a", "(?ims:a)(?U)", "[a&b-]", r"[\[\]]", "(a+)+", r"\p{Script=Greek}", r"\pN"]
    {
        assert_eq!(Pattern::of(own).unwrap().foreign(), [""; 0], "{own}");
    }
}

#[test]
fn what_is_no_pattern_is_refused_with_what_to_write_instead() {
    for (pattern, instead) in [
        (r"a\Z", "write $"),
        (r"\Qa.b\E", "before each character"),
        (r"a\h", r"[ \t]"),
        (r"(a)\1", "write out"),
        ("(?=a)", "match the text itself"),
        ("(?<!a)b", "match the text itself"),
        (r"[\w-.]", r"\-"),
        ("a{,3}", "{0,5}"),
        ("a{", r"\{"),
        ("a{3,1}", "{n,m}"),
        ("*a", "backslash before it"),
        ("(?>a)", "(?P<name>"),
        ("(a", "unclosed group"),
        ("(a{1000}){1000}", "too large"),
        (r"\p{Klingon}", "Unicode property"),
    ] {
        let message = Pattern::of(pattern).unwrap_err();
        assert!(message.contains(instead), "{pattern}: {message}");
    }
}

#[test]
fn a_pattern_is_compiled_once_and_then_remembered() {
    let text = "remembered[0-9]+";
    assert!(Arc::ptr_eq(&Pattern::of(text).unwrap(), &Pattern::of(text).unwrap()));
    let mut bytes = 0;
    for n in 0..60 {
        bytes += Pattern::of(&format!(".{{0,1500}}x{n}")).unwrap().bytes();
    }
    assert!(u64::try_from(bytes).unwrap() > limits::PATTERN_CACHE_BYTES_MAX);
    assert!(CACHE.weight() <= CACHE.capacity());
}

/// Beyond its budget a match is refused, so that none takes longer than the budget allows. What took
/// seconds before takes none of it now.
#[test]
fn the_work_of_a_match_is_bounded_whatever_the_pattern() {
    let text = "a".repeat(174_000);
    for heavy in [r"\b.{0,900}\b!", r".{0,900}!", r"[ab]*a[ab]{200}!", r"(?:.*.*=.*)+!"] {
        let mut work = Work::of_one_answer();
        assert_eq!(Pattern::of(heavy).unwrap().is_found_in(&text, &mut work), Ok(false), "{heavy}");
    }
    let explosive = Pattern::of("(?:a?){900}a{900}!").unwrap();
    let longest = explosive.text_bytes_max();
    let mut work = Work::of_one_answer();
    let refused = explosive.is_found_in(&text, &mut work);
    assert_eq!(refused, Err(TooMuchWork { text_bytes_max: longest }));
    let fits = "a".repeat(usize::try_from(longest).unwrap());
    assert_eq!(explosive.is_found_in(&fits, &mut work), Ok(false));
    let spent = explosive.is_found_in(&fits, &mut work);
    assert!(spent.is_err(), "one answer has one budget, however many patterns it meets");
}
