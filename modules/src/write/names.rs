//! Names of files: with the time of a file's first packet, with its number.

use crate::function::write_strftime;
use wireq_typesys::{Zone, write_time};

const NANOS: i64 = 1_000_000_000;

/// A name of files, of which parts follow from their first packets.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The time, all of it.
    Time,
    /// The time in a form of strftime.
    Form(String),
    /// The number of the file, from 1, of at least so many digits.
    Number(usize),
}

/// The digits of a number are not more.
const WIDTH_MAX: usize = 9;

impl Pattern {
    /// Reads a pattern; where that fails, what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Pattern, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('%') {
            push_text(&mut pieces, before);
            rest = piece(behind, &mut pieces)?;
        }
        push_text(&mut pieces, rest);
        Ok(Pattern(pieces))
    }

    /// Whether names have times in them.
    pub(super) fn is_timed(&self) -> bool {
        let is_time = |piece: &Piece| matches!(piece, Piece::Time | Piece::Form(_));
        self.0.iter().any(is_time)
    }

    /// Whether names have the numbers of the files in them.
    pub(super) fn is_numbered(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Number(_)))
    }

    /// All names that files may get, as a pattern of paths.
    pub(super) fn glob(&self) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => glob::Pattern::escape(text),
            Piece::Time | Piece::Form(_) | Piece::Number(_) => "*".to_owned(),
        });
        pieces.collect()
    }

    /// The name of a file: `second` is that of its first packet.
    pub(super) fn name(&self, second: i64, number: u64, zone: &Zone) -> String {
        let mut name = Vec::new();
        let nanos = second.saturating_mul(NANOS);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => name.extend_from_slice(text.as_bytes()),
                Piece::Time => write_time(nanos, zone, &mut name),
                // What it is was checked when it was read.
                Piece::Form(form) => {
                    write_strftime(nanos, form.as_bytes(), zone, &mut name);
                }
                Piece::Number(width) => {
                    name.extend_from_slice(format!("{number:0width$}").as_bytes());
                }
            }
        }
        String::from_utf8_lossy(&name).into_owned()
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Text(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// Reads what stands behind a `%`; what is left.
fn piece<'a>(text: &'a str, pieces: &mut Vec<Piece>) -> Result<&'a str, String> {
    let short = text.strip_prefix('-').unwrap_or(text);
    let digits = short.len() - short.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (width, letter) = (&short[..digits], short[digits..].chars().next());
    let Some(letter) = letter else {
        return Err("ends with `%`: `%%` stands for one".to_owned());
    };
    let len = text.len() - short.len() + digits + letter.len_utf8();
    let form = &text[..len];
    match (letter, form.len()) {
        ('%', 1) => push_text(pieces, "%"),
        ('T', 1) => pieces.push(Piece::Time),
        ('i', _) if form.len() == digits + 1 => {
            let width = match width {
                "" => Some(1),
                width => width.parse().ok().filter(|width| *width <= WIDTH_MAX),
            };
            let width = width.ok_or_else(|| format!("has `%{form}`: up to %{WIDTH_MAX}i"))?;
            pieces.push(Piece::Number(width));
        }
        _ => {
            let form = format!("%{form}");
            let mut out = Vec::new();
            if write_strftime(0, form.as_bytes(), &Zone::utc(), &mut out).is_none() {
                return Err(format!("has `{form}`, which stands for nothing"));
            }
            pieces.push(Piece::Form(form));
        }
    }
    Ok(&text[len..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_times_and_numbers() {
        let zone = Zone::utc();
        for (pattern, expected) in [
            ("x.pcap", "x.pcap"),
            ("%T.pcap", "1970-01-02T00:00:05+00:00.pcap"),
            ("a-%Y%m%d-%H%M%S_%4i.pcap", "a-19700102-000005_0007.pcap"),
            ("%i%%%-d", "7%2"),
        ] {
            let pattern = Pattern::new(pattern).expect("a pattern");
            assert_eq!(pattern.name(86_405, 7, &zone), expected);
        }
        for wrong in ["x%", "x%Q.pcap", "%10i", "%-i", "%3Y", "%é"] {
            assert!(Pattern::new(wrong).is_err(), "{wrong}");
        }
        let is = |text| Pattern::new(text).map(|p| (p.is_timed(), p.is_numbered()));
        assert_eq!(is("%T"), Ok((true, false)));
        assert_eq!(is("%%Y%i"), Ok((false, true)));
        let glob = Pattern::new("%H/a[%4i]%%").map(|pattern| pattern.glob());
        assert_eq!(glob.as_deref(), Ok("*/a[[]*[]]%"));
    }
}
