//! The scoreboard: whether the code is still made of small files.

use super::text::FILE_LINES_GOAL;
use crate::tree::Tree;

/// Files, median, share within the goal, the largest; then those beyond the goal, longest first.
pub(crate) fn board(tree: &Tree) -> String {
    let mut sizes: Vec<(usize, &str)> =
        tree.rust().map(|(path, text)| (text.lines().count(), path)).collect();
    sizes.sort_unstable();
    let (Some((largest, path)), Some((median, _))) = (sizes.last(), sizes.get(sizes.len() / 2))
    else {
        return "no Rust".to_owned();
    };
    let beyond = sizes.iter().filter(|(lines, _)| *lines > FILE_LINES_GOAL).count();
    let share = 100 * (sizes.len() - beyond) / sizes.len();
    let mut board = format!(
        "{} Rust files, median {median} lines, {share}% within {FILE_LINES_GOAL}, \
         largest {largest} ({path})",
        sizes.len()
    );
    for (lines, path) in sizes.iter().rev().take(beyond) {
        board.push_str(&format!("\n  {lines} {path}"));
    }
    board
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_board_shows_what_is_beyond_the_goal() {
        let (long, short) = ("x\n".repeat(301), "x\n".repeat(10));
        let tree =
            Tree::of(&[("a.rs", &short), ("b.rs", &long), ("c.rs", &short), ("d.md", &long)]);
        assert_eq!(
            board(&tree),
            "3 Rust files, median 10 lines, 66% within 300, largest 301 (b.rs)\n  301 b.rs"
        );
    }
}
