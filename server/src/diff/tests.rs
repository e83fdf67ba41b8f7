//! The rows of diffs as people read them, and that none of both texts is lost.

use proptest::prelude::*;

use super::*;

/// The rows as a person would write them down, with `[…]` around what differs within a line.
fn written(rows: &[Row<'_>]) -> Vec<String> {
    let number = |number: Option<u32>| number.map_or_else(|| "?".to_owned(), |it| it.to_string());
    let side = |sign: char, side: &Side<'_>| {
        let pieces = side.pieces.iter().map(|piece| match piece.differs {
            true => format!("[{}]", piece.text),
            false => piece.text.to_owned(),
        });
        format!("{sign}{} {}", number(side.number), pieces.collect::<String>())
    };
    let row = |row: &Row<'_>| match row {
        Row::Same(Line { old, new, text }) => format!("{}={} {text}", number(*old), number(*new)),
        Row::Change { old, new } => {
            let sides =
                old.iter().map(|old| side('-', old)).chain(new.iter().map(|new| side('+', new)));
            sides.collect::<Vec<_>>().join(" | ")
        }
        Row::Folded(lines) => format!("… {}", lines.len()),
        Row::Note(text) => format!("# {text}"),
    };
    rows.iter().map(row).collect()
}

#[test]
fn what_is_far_from_a_change_is_folded() {
    let before: String = (1..=30).map(|n| format!("line {n}\n")).collect();
    let after = before.replace("line 15\n", "line XV\n");
    assert_eq!(
        written(&texts(&before, &after)),
        [
            "… 11",
            "12=12 line 12",
            "13=13 line 13",
            "14=14 line 14",
            "-15 line [15] | +15 line [XV]",
            "16=16 line 16",
            "17=17 line 17",
            "18=18 line 18",
            "… 12",
        ]
    );
    // Too few to be worth it.
    let short = written(&texts("1\n2\n3\n4\n5\n6\nx\n", "1\n2\n3\n4\n5\n6\ny\n"));
    assert_eq!(short.len(), 8, "{short:?}");
}

#[test]
fn lines_that_are_alike_stand_beside_each_other() {
    let rows = texts(
        "total = price * 2\nsomething else\nend\n",
        "total = cost * 2\nentirely 9 new words\nand more\nend\n",
    );
    assert_eq!(
        written(&rows),
        [
            "-1 total = [price] * 2 | +1 total = [cost] * 2",
            "-2 something else",
            "+2 entirely 9 new words",
            "+3 and more",
            "3=4 end",
        ]
    );
    assert_eq!(count(&rows), (3, 2));
}

#[test]
fn a_text_that_was_not_there_is_all_new() {
    assert_eq!(written(&texts("", "a\nb\n")), ["+1 a", "+2 b"]);
    assert_eq!(written(&texts("a", "")), ["-1 a"]);
}

#[test]
fn a_line_break_at_the_end_is_said() {
    assert_eq!(
        written(&texts("a\nb\n", "a\nb")),
        ["1=1 a", "-2 b | +2 b", "# No line break at the end any more"]
    );
    assert_eq!(
        written(&texts("a\nb", "a\nb\n")),
        ["1=1 a", "-2 b | +2 b", "# A line break at the end is new"]
    );
}

#[test]
fn line_breaks_of_windows_are_seen_where_they_change() {
    assert_eq!(written(&texts("a\r\nb\r\n", "a\r\nc\r\n")), ["1=1 a", "-2 b", "+2 c"]);
    let rows = written(&texts("aaaa\nb\n", "aaaa\r\nb\n"));
    assert_eq!(rows, ["-1 aaaa | +1 aaaa[\r]", "2=2 b"]);
}

#[test]
fn a_unified_diff_is_read_with_its_places() {
    let text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -11,3 +11,4 @@ orders\n BEGIN;\n-rename total;\n+drop total;\n\
                +-- all of it\n COMMIT;\n@@ -40 +41 @@\n-x\n+y\n\\ No newline at end of file\n";
    assert_eq!(
        written(&unified(text)),
        [
            "# diff --git a/x b/x",
            "# --- a/x",
            "# +++ b/x",
            "# @@ -11,3 +11,4 @@ orders",
            "11=11 BEGIN;",
            "-12 [rename] total; | +12 [drop] total;",
            "+13 -- all of it",
            "13=14 COMMIT;",
            "# @@ -40 +41 @@",
            "-40 x",
            "+41 y",
            "# \\ No newline at end of file",
        ]
    );
}

#[test]
fn signs_without_places_are_a_diff_too() {
    assert_eq!(written(&unified("-old\n+new one\n same")), ["-? old", "+? new one", "?=? same"]);
    // A line that begins like a name of a file is one of the diff within it.
    let within = written(&unified("@@ -1,2 +1 @@\n--- x\n y\n"));
    assert_eq!(within, ["# @@ -1,2 +1 @@", "-1 -- x", "2=1 y"]);
}

#[test]
fn the_worst_texts_are_compared_in_time() {
    // Two texts of the largest size without a common line, and two of lines that all occur often.
    let distinct =
        |offset: u32| (0..5_000).map(|n| format!("{}\n", n + offset)).collect::<String>();
    assert_eq!(count(&texts(&distinct(0), &distinct(10_000))), (5_000, 5_000));
    let repeated =
        |step: u32| (0..5_000).map(|n| format!("{}\n", n * step % 7 % 3)).collect::<String>();
    assert!(!texts(&repeated(3), &repeated(5)).is_empty());
}

proptest! {
    /// Both texts can be put together from the rows.
    #[test]
    fn nothing_is_lost(before in "([abc ]{0,3}\n){0,12}", after in "([abc ]{0,3}\n){0,12}") {
        let (mut old, mut new) = (String::new(), String::new());
        let join = |side: &Side<'_>| side.pieces.iter().map(|piece| piece.text).collect::<String>() + "\n";
        let rows = texts(&before, &after);
        for row in &rows {
            match row {
                Row::Same(line) => {
                    old += &format!("{}\n", line.text);
                    new += &format!("{}\n", line.text);
                }
                Row::Folded(lines) => for line in lines {
                    old += &format!("{}\n", line.text);
                    new += &format!("{}\n", line.text);
                },
                Row::Change { old: cut, new: added } => {
                    old.extend(cut.iter().map(join));
                    new.extend(added.iter().map(join));
                }
                Row::Note(_) => {}
            }
        }
        if before != after {
            prop_assert_eq!((old, new), (before, after));
        }
    }

    #[test]
    fn no_text_makes_it_panic(before: String, after: String, lines in r"([-+ @\\][a-c0-9,@ +-]{0,8}\n?){0,20}") {
        let _ = texts(&before, &after);
        let _ = (unified(&before), unified(&lines));
    }
}
