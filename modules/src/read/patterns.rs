//! Patterns of paths: whether two of them may mean the same file.

use std::path::{Component, Path, PathBuf};

/// Whether there may be a file that both of these names mean. They are patterns of paths where they
/// have `*`, `?` or `[`, and `is_pattern` says so.
pub fn may_be_one(a: (&str, bool), b: (&str, bool)) -> bool {
    meet(&parts(a), &parts(b))
}

/// A name in a path.
enum Part {
    /// Any folders.
    Deep,
    Name(Vec<Piece>),
}

enum Piece {
    /// Any characters.
    Any,
    /// This one.
    Char(char),
    /// One that this matches.
    One(glob::Pattern),
}

impl Piece {
    fn meets(&self, other: &Piece) -> bool {
        match (self, other) {
            (Piece::Char(a), Piece::Char(b)) => a == b,
            (Piece::Char(c), Piece::One(one)) | (Piece::One(one), Piece::Char(c)) => {
                one.matches(c.encode_utf8(&mut [0; 4]))
            }
            (Piece::One(a), Piece::One(b)) => {
                // Others than these are in one and not in the other so seldom that it does not count.
                let mut letters = (0..=u8::MAX).map(char::from);
                letters.any(|c| {
                    let mut room = [0; 4];
                    let letter = c.encode_utf8(&mut room);
                    a.matches(letter) && b.matches(letter)
                })
            }
            (Piece::Any, _) | (_, Piece::Any) => true,
        }
    }
}

/// The names in a path from the root on. The folders before a pattern are those that links lead to.
fn parts((path, is_pattern): (&str, bool)) -> Vec<Part> {
    let path = Path::new(path);
    let text = |name: &Component<'_>| name.as_os_str().to_string_lossy().into_owned();
    let is_plain = |name: &Component<'_>| !is_pattern || !super::is_pattern(&text(name));
    let plain = path.components().take_while(is_plain).count();
    // What the last name leads to may come to be another file.
    let plain = plain.min(path.components().count().saturating_sub(1));
    let mut folder: PathBuf = path.components().take(plain).collect();
    if folder.as_os_str().is_empty() {
        folder.push(".");
    }
    let folder = folder.canonicalize().or(std::path::absolute(&folder));
    let folder = folder.unwrap_or_default();
    let before = folder.components().map(|name| literal(&text(&name)));
    let behind = path.components().skip(plain).map(|name| {
        let name = text(&name);
        match is_pattern {
            true if name == "**" => Part::Deep,
            true => pattern(&name),
            false => literal(&name),
        }
    });
    before.chain(behind).collect()
}

fn literal(name: &str) -> Part {
    Part::Name(name.chars().map(Piece::Char).collect())
}

fn pattern(name: &str) -> Part {
    let (mut pieces, mut rest) = (Vec::new(), name);
    while let Some(c) = rest.chars().next() {
        let len = match c {
            '[' => class_len(rest).unwrap_or(1),
            c => c.len_utf8(),
        };
        let (text, behind) = rest.split_at(len);
        rest = behind;
        pieces.push(match (c, glob::Pattern::new(text)) {
            ('*', _) => Piece::Any,
            ('?' | '[', Ok(one)) => Piece::One(one),
            _ => Piece::Char(c),
        });
    }
    Part::Name(pieces)
}

/// The length of what stands in brackets at the begin, with them.
fn class_len(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('[')?;
    let negated = inside.strip_prefix('!').unwrap_or(inside);
    // A bracket that comes first is one of the letters.
    let first = negated.chars().next()?.len_utf8();
    let end = negated.get(first..)?.find(']')?;
    Some(text.len() - negated.len() + first + end + 1)
}

fn meet(a: &[Part], b: &[Part]) -> bool {
    let table = Table::new(a, b, |part| matches!(part, Part::Deep));
    table.meets(|a, b| match (a, b) {
        (Part::Name(a), Part::Name(b)) => {
            let table = Table::new(a, b, |piece| matches!(piece, Piece::Any));
            table.meets(Piece::meets)
        }
        _ => true,
    })
}

/// Two sequences, in which some stand for any number of others.
struct Table<'a, T> {
    a: &'a [T],
    b: &'a [T],
    is_any: fn(&T) -> bool,
}

impl<'a, T> Table<'a, T> {
    fn new(a: &'a [T], b: &'a [T], is_any: fn(&T) -> bool) -> Table<'a, T> {
        Table { a, b, is_any }
    }

    /// Whether there is a sequence that both stand for. By the product of their lengths.
    fn meets(&self, meets: impl Fn(&T, &T) -> bool) -> bool {
        let any = |item: Option<&T>| item.is_some_and(self.is_any);
        // Whether what is left from each place of `b` on goes with what is left of `a`.
        let mut behind = vec![false; self.b.len() + 1];
        for i in (0..=self.a.len()).rev() {
            let mut now = vec![false; self.b.len() + 1];
            for j in (0..=self.b.len()).rev() {
                let (a, b) = (self.a.get(i), self.b.get(j));
                now[j] = match (a, b) {
                    (None, None) => true,
                    _ if any(a) || any(b) => {
                        (a.is_some() && any(a) && (behind[j] || (b.is_some() && now[j + 1])))
                            || (any(b) && (now[j + 1] || (a.is_some() && behind[j])))
                    }
                    (Some(a), Some(b)) => meets(a, b) && behind[j + 1],
                    _ => false,
                };
            }
            behind = now;
        }
        behind[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_may_mean_one_file() {
        for (a, b, expected) in [
            ("x-2", "x-*", true),
            ("./x-2", "x-?", true),
            ("x-2", "x-[13]", false),
            ("x-2", "x-[!13]", true),
            ("x.[0-9]*", "x.*", true),
            ("x.[0-9]*", "x.[a-z]*", false),
            ("x.[0-9]*", "x", false),
            ("x.[0-9]*", "x.12", true),
            ("*-x", "x-*", true),
            ("*.pcap", "*.pcapng", false),
            ("a/x", "*", false),
            ("a/x", "*/x", true),
            ("a/b/c/x", "a/**/x", true),
            ("a/x", "a/**/x", true),
            ("a/**/y", "a/**/x", false),
            ("b/x", "a/**/x", false),
            ("odd[", "odd*", true),
            ("*", "*", true),
            ("é", "?", true),
            ("a*b*c*d*e*f*g*h*", "*h*g*f*e*d*c*b*a", true),
        ] {
            let is = |name: &str| super::super::is_pattern(name);
            let found = may_be_one((a, is(a)), (b, is(b)));
            assert_eq!(found, expected, "{a} and {b}");
            assert_eq!(may_be_one((b, is(b)), (a, is(a))), expected, "{b} and {a}");
        }
        // What is no pattern is itself.
        assert!(!may_be_one(("x*", false), ("xy", false)));
        assert!(may_be_one(("x*", false), ("x[*]", true)));
    }

    /// Folders are those that links lead to.
    #[test]
    fn links_to_folders_are_followed() {
        let folder = tempfile::tempdir().expect("the temporary folder takes folders");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::create_dir(path("a")).expect("a folder");
        std::os::unix::fs::symlink("a", path("b")).expect("a link");
        assert!(may_be_one((&path("a/x"), false), (&path("b/*"), true)));
        assert!(!may_be_one((&path("a/x"), false), (&path("c/*"), true)));
    }
}
