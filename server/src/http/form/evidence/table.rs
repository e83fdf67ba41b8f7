//! Columns of tables: numbers are read by their ends.

/// One column.
pub(super) struct Column<'a> {
    pub(super) name: &'a str,
    /// Whether all that stands in it are numbers.
    pub(super) is_number: bool,
}

/// The columns of a table with these rows.
pub(super) fn columns<'a>(names: &'a [String], rows: &[Vec<String>]) -> Vec<Column<'a>> {
    let column = |(at, name): (usize, &'a String)| {
        let mut cells = rows.iter().filter_map(|row| row.get(at)).filter(|cell| !cell.is_empty());
        let is_number = cells.clone().next().is_some() && cells.all(|cell| is_number(cell));
        Column { name, is_number }
    };
    names.iter().enumerate().map(column).collect()
}

/// Whether `cell` is a number as people write them, perhaps with a sign and in percent.
fn is_number(cell: &str) -> bool {
    let cell = cell.trim().trim_start_matches(['+', '-', '\u{2212}']);
    let digits = cell.trim_end_matches(['%', ' ', '\u{a0}', '\u{202f}']);
    let is_part =
        |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | ' ' | '\u{a0}' | '\u{202f}');
    digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_of_numbers_if_all_its_cells_are() {
        let names = ["n", "mixed", "empty", "share"].map(str::to_owned);
        let rows = [["1,900.5", "1", "", "0.12 %"], ["\u{2212}3", "x", "", ""]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let are_numbers: Vec<_> = columns(&names, &rows).iter().map(|it| it.is_number).collect();
        assert_eq!(are_numbers, [true, false, false, true]);
    }
}
