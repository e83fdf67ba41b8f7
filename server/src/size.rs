//! Sizes as people write them: `512MiB`, `1G`, `65536`.

/// Units by their names, longest first. Those with an `i` are powers of 1,024, the others of 1,000.
const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
];

/// Reads a size in bytes: a whole number, and a unit of K, M, G, Ki, Mi, Gi, KiB, MiB, GiB or none.
///
/// # Errors
/// How it is to be written.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let unit = UNITS.iter().find_map(|(name, factor)| Some((text.strip_suffix(name)?, *factor)));
    let (digits, factor) = unit.unwrap_or((text, 1));
    let digits = digits.trim_end();
    let number = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number.and_then(|digits| digits.parse::<u64>().ok()?.checked_mul(factor)).ok_or_else(|| {
        "write it as a number of bytes or with a unit, such as 512MiB or 2G".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        let sizes = [
            ("0", 0),
            ("65536", 65_536),
            ("512MiB", 512 << 20),
            ("512Mi", 512 << 20),
            ("2 GiB", 2 << 30),
            ("1K", 1_000),
            ("3G", 3_000_000_000),
        ];
        for (text, bytes) in sizes {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for bad in ["", "MiB", "1.5G", "-1", "1e3", "10%", "1TB", "18446744073709551615K", "１K"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }
}
