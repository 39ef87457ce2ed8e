//! Expressions of PCRE2 as ones of ours that match the same bytes.
//!
//! The two are like enough to be taken for each other, and unlike in what they say nothing of: `$`
//! before a last line end, `\<`, `\v`, `{,3}`, `[a[b]`, white space in classes. So nothing is passed
//! through: each element is read as PCRE2 reads it (pcre2pattern(3)) and written with bytes, sets
//! of bytes and groups alone. What has no such form is refused.
//!
//! `$` and `\Z` match before a line end that ends the text, and take no byte. They stand as a group
//! that takes the line end, and whoever searches takes it off a match again; so nothing may follow.

use crate::rules::payload::LINE_ENDS_MAX;
use std::fmt::Write;

/// The flags behind an expression.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags {
    /// `i`
    pub any_case: bool,
    /// `s`
    pub dot_all: bool,
    /// `m`
    pub multi_line: bool,
    /// `x`
    pub extended: bool,
    /// `A`
    pub anchored: bool,
    /// `E`
    pub dollar_end_only: bool,
    /// `G`
    pub lazy: bool,
}

/// Groups in groups go no deeper.
const DEPTH_MAX: usize = 200;

/// An expression as one of ours.
#[derive(Debug)]
pub struct Translated {
    /// The expression.
    pub text: String,
    /// How many groups it has; each is a line end that a match does not take.
    pub line_ends: usize,
}

/// Translates an expression.
///
/// # Errors
/// What in it can't be translated.
pub fn translate(expression: &[u8], flags: Flags) -> Result<Translated, String> {
    let mut translator = Translator {
        rest: expression,
        out: String::with_capacity(expression.len() * 2),
        flags,
        outer: Vec::new(),
        repeatable: false,
        at_start: true,
        branch: Branch::default(),
        line_ends: 0,
    };
    translator.run()?;
    let text = if flags.anchored {
        format!(r"\A(?:{})", translator.out)
    } else {
        translator.out
    };
    Ok(Translated {
        text,
        line_ends: translator.line_ends,
    })
}

/// Which branches of a group have asked for the end of the text.
#[derive(Clone, Copy, Default)]
struct Branch {
    /// The one that is read.
    ended: bool,
    /// One before it.
    other_ended: bool,
}

struct Translator<'a> {
    rest: &'a [u8],
    out: String,
    flags: Flags,
    /// The flags outside of each group that is open, and the branch that it stands in.
    outer: Vec<(Flags, Branch)>,
    /// Whether what was written last can be repeated.
    repeatable: bool,
    /// Whether nothing stands before in this branch of a group.
    at_start: bool,
    /// Where it is read.
    branch: Branch,
    /// Line ends that a match does not take.
    line_ends: usize,
}

/// A set of bytes.
type Bytes = [bool; 256];

fn refused<T>(what: &str) -> Result<T, String> {
    Err(format!("has {what}, which has no translation"))
}

impl<'a> Translator<'a> {
    fn take(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn take_if(&mut self, text: &[u8]) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(byte) = self.take() {
            let started = self.at_start;
            self.at_start = false;
            let is_space = byte == b'#' || is_space(byte);
            let is_nothing = is_space && self.flags.extended;
            let goes_on = !is_nothing && !matches!(byte, b')' | b'|' | b'?');
            if self.branch.ended && goes_on {
                return refused(r"`$` or `\Z` before more");
            }
            match byte {
                b'\\' => self.escape()?,
                b'[' => self.class()?,
                b'(' => self.open()?,
                b')' => self.close()?,
                b'|' => {
                    self.out.push('|');
                    self.repeatable = false;
                    self.at_start = true;
                    self.branch.other_ended |= self.branch.ended;
                    self.branch.ended = false;
                }
                b'*' | b'+' | b'?' => self.repeat(char::from(byte).to_string())?,
                b'{' => match self.counted() {
                    Some(count) => self.repeat(count)?,
                    None => self.literal(byte),
                },
                b'^' if self.flags.multi_line => {
                    // It does not match behind a line end that ends the text, which shows only
                    // where something that can be empty stands around it.
                    if !started || matches!(self.rest.first(), None | Some(b'$' | b'|' | b')')) {
                        return refused("`^` within a line");
                    }
                    self.assertion(r"(?m:^)");
                }
                b'^' => self.assertion(r"\A"),
                b'$' if self.flags.multi_line => self.assertion("(?m:$)"),
                b'$' if self.flags.dollar_end_only => self.assertion(r"\z"),
                b'$' => self.line_end()?,
                b'.' => {
                    let all = self.flags.dot_all;
                    self.set(&std::array::from_fn(|byte| all || byte != 10));
                }
                b'#' if self.flags.extended => {
                    while self.take().is_some_and(|byte| byte != b'\n') {}
                    self.at_start = started;
                }
                b' ' | b'\t'..=b'\r' if self.flags.extended => self.at_start = started,
                byte => self.literal(byte),
            }
        }
        if self.outer.is_empty() {
            Ok(())
        } else {
            Err("has a group that does not end".into())
        }
    }

    fn assertion(&mut self, text: &str) {
        self.out.push_str(text);
        self.repeatable = false;
    }

    /// The end of the text, or the place before a line end that ends it.
    fn line_end(&mut self) -> Result<(), String> {
        if self.line_ends == LINE_ENDS_MAX {
            return Err(format!("has more than {LINE_ENDS_MAX} of `$` and `\\Z`"));
        }
        self.line_ends += 1;
        self.branch.ended = true;
        self.assertion(r"(\n?\z)");
        Ok(())
    }

    fn literal(&mut self, byte: u8) {
        self.set(&std::array::from_fn(|other| other == usize::from(byte)));
    }

    /// One of these bytes.
    fn set(&mut self, bytes: &Bytes) {
        let mut bytes = *bytes;
        if self.flags.any_case {
            fold(&mut bytes);
        }
        self.write_set(&bytes);
    }

    fn write_set(&mut self, bytes: &Bytes) {
        self.repeatable = true;
        let mut members = (0..256).filter(|byte| bytes[*byte]);
        if let (Some(one), None) = (members.next(), members.next()) {
            return write_byte(&mut self.out, one);
        }
        let mut next = 0;
        self.out.push('[');
        while let Some(low) = (next..256).find(|byte| bytes[*byte]) {
            let high = (low..256).find(|byte| !bytes[*byte]).unwrap_or(256) - 1;
            write_byte(&mut self.out, low);
            if high > low {
                self.out.push('-');
                write_byte(&mut self.out, high);
            }
            next = high + 1;
        }
        if next == 0 {
            // No byte at all.
            self.out.push_str(r"^\x00-\xff");
        }
        self.out.push(']');
    }

    fn repeat(&mut self, mut text: String) -> Result<(), String> {
        if !self.repeatable {
            return Err("repeats nothing".into());
        }
        self.repeatable = false;
        if self.take_if(b"+") {
            return refused("a repetition without a way back");
        }
        if self.take_if(b"?") != self.flags.lazy {
            text.push('?');
        }
        self.out.push_str(&text);
        Ok(())
    }

    /// `{2}`, `{2,}` or `{2,5}`; anything else is a bracket.
    fn counted(&mut self) -> Option<String> {
        let end = self.rest.iter().position(|byte| *byte == b'}')?;
        let text = std::str::from_utf8(&self.rest[..end]).ok()?;
        let (low, high) = text.split_once(',').unwrap_or((text, "0"));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if low.is_empty() || !digits(low) || !digits(high) {
            return None;
        }
        self.rest = &self.rest[end + 1..];
        Some(format!("{{{text}}}"))
    }

    fn open(&mut self) -> Result<(), String> {
        self.repeatable = false;
        self.at_start = true;
        let outside = self.flags;
        if self.rest.first() == Some(&b'*') {
            return refused("a verb");
        }
        if !self.take_if(b"?") {
            return self.enter(outside);
        }
        if self.take_if(b"#") {
            // Rules are written again, where `\Q` in a comment would look as if it were none.
            while let Some(byte) = self.take().filter(|byte| *byte != b')') {
                if byte == b'\\' {
                    return refused(r"a comment with `\` in it");
                }
            }
            return Ok(());
        }
        if self.rest.first() == Some(&b'\'') {
            return refused("a name in single quotes");
        }
        if self.take_if(b"P<") || self.named() {
            while self
                .take()
                .is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
            {}
            return self.enter(outside);
        }
        let mut on = true;
        loop {
            let flag = match self.take() {
                Some(b':') => return self.enter(outside),
                // Up to the end of the group around.
                Some(b')') => return Ok(()),
                Some(b'-') if on => {
                    on = false;
                    continue;
                }
                Some(b'i') => &mut self.flags.any_case,
                Some(b's') => &mut self.flags.dot_all,
                Some(b'm') => &mut self.flags.multi_line,
                Some(b'x') => &mut self.flags.extended,
                Some(b'U') => &mut self.flags.lazy,
                Some(b'=' | b'!' | b'<') => return refused("a look around"),
                Some(b'>') => return refused("a group without a way back"),
                Some(b'P' | b'R' | b'&' | b'0'..=b'9' | b'+') => return refused("a reference"),
                Some(b'(') => return refused("a condition"),
                _ => return refused("a group of an unknown kind"),
            };
            *flag = on;
        }
    }

    /// `(?<name>`, but not `(?<=` or `(?<!`.
    fn named(&mut self) -> bool {
        let named = matches!(self.rest, [b'<', next, ..] if !matches!(next, b'=' | b'!'));
        named && self.take_if(b"<")
    }

    fn enter(&mut self, outside: Flags) -> Result<(), String> {
        if self.outer.len() == DEPTH_MAX {
            return Err(format!("has groups in groups deeper than {DEPTH_MAX}"));
        }
        self.outer.push((outside, std::mem::take(&mut self.branch)));
        self.out.push_str("(?:");
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let inner = self.branch;
        (self.flags, self.branch) = self.outer.pop().ok_or("closes a group that is not open")?;
        self.branch.ended |= inner.ended || inner.other_ended;
        self.out.push(')');
        self.repeatable = true;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.take() {
            None => Err(r"ends with `\`".into()),
            Some(b'A') => {
                self.assertion(r"\A");
                Ok(())
            }
            Some(b'z') => {
                self.assertion(r"\z");
                Ok(())
            }
            Some(b'Z') => self.line_end(),
            Some(b'b') => {
                self.assertion(r"\b");
                Ok(())
            }
            Some(b'B') => {
                self.assertion(r"\B");
                Ok(())
            }
            Some(b'N') => {
                self.set(&std::array::from_fn(|byte| byte != 10));
                Ok(())
            }
            Some(b'Q') => {
                self.quoted();
                Ok(())
            }
            Some(b'E') => Ok(()),
            Some(b'1'..=b'9' | b'g' | b'k') => refused("a back reference"),
            Some(byte) => match kind(byte) {
                Some(bytes) => {
                    self.set(&bytes);
                    Ok(())
                }
                None => {
                    let byte = self.character(byte)?;
                    self.literal(byte);
                    Ok(())
                }
            },
        }
    }

    /// What stands between `\Q` and `\E` stands for itself.
    fn quoted(&mut self) {
        while !self.rest.is_empty() && !self.take_if(br"\E") {
            if let Some(byte) = self.take() {
                self.literal(byte);
            }
        }
    }

    /// The one byte that `\` and `byte` stand for.
    fn character(&mut self, byte: u8) -> Result<u8, String> {
        Ok(match byte {
            b'a' => 7,
            b'e' => 27,
            b'f' => 12,
            b'n' => 10,
            b'r' => 13,
            b't' => 9,
            b'0' => self.digits(8, 2),
            b'x' if self.take_if(b"{") => {
                let end = self.rest.iter().position(|byte| *byte == b'}');
                let digits = end.and_then(|end| std::str::from_utf8(&self.rest[..end]).ok());
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                match (byte, end) {
                    (Some(byte), Some(end)) => {
                        self.rest = &self.rest[end + 1..];
                        byte
                    }
                    _ => return refused("a character that is no byte"),
                }
            }
            b'x' => self.digits(16, 2),
            b'c' => match self.take() {
                Some(byte @ b' '..=b'~') => byte.to_ascii_uppercase() ^ 0x40,
                _ => return Err(r"has `\c` without a letter".into()),
            },
            byte if byte.is_ascii_alphanumeric() => {
                return refused(&format!(r"`\{}`", char::from(byte)));
            }
            byte => byte,
        })
    }

    /// The number of at most so many digits that follow, 0 where there are none.
    fn digits(&mut self, base: u32, most: usize) -> u8 {
        let mut number = 0;
        for _ in 0..most {
            let digit = self
                .rest
                .first()
                .and_then(|byte| char::from(*byte).to_digit(base));
            let Some(digit) = digit else { break };
            number = number * base + digit;
            self.rest = &self.rest[1..];
        }
        number as u8
    }

    fn class(&mut self) -> Result<(), String> {
        let negated = self.take_if(b"^");
        let mut bytes = [false; 256];
        // The byte before, where a range may begin with it.
        let mut low: Option<u8> = None;
        let mut first = true;
        loop {
            let byte = self.take().ok_or("has a class that does not end")?;
            let element = match byte {
                b']' if !first => break,
                b'[' if matches!(self.rest.first(), Some(b':' | b'.' | b'=')) => {
                    match self.posix()? {
                        Some(set) => Element::Set(set),
                        None => Element::Byte(b'['),
                    }
                }
                b'\\' => self.class_escape()?,
                byte => Element::Byte(byte),
            };
            first = false;
            match element {
                Element::Byte(b'-') if low.is_some() && byte == b'-' => {
                    // A range, unless the class ends behind it.
                    if self.rest.first() == Some(&b']') {
                        bytes[usize::from(b'-')] = true;
                        low = None;
                        continue;
                    }
                    let from = low.take().unwrap_or_default();
                    let high = self.take().ok_or("has a class that does not end")?;
                    let high = match high {
                        b'\\' => self.class_escape()?,
                        b'[' if matches!(self.rest.first(), Some(b':' | b'.' | b'=')) => {
                            return refused("a range up to a class");
                        }
                        byte => Element::Byte(byte),
                    };
                    match high {
                        Element::Byte(high) if from <= high => {
                            (from..=high).for_each(|byte| bytes[usize::from(byte)] = true);
                        }
                        Element::Byte(_) => return Err("has a range that is none".into()),
                        Element::Set(set) => {
                            // Then the hyphen stands for itself.
                            bytes[usize::from(b'-')] = true;
                            add(&mut bytes, &set);
                        }
                    }
                }
                Element::Byte(byte) => {
                    bytes[usize::from(byte)] = true;
                    low = Some(byte);
                }
                Element::Set(set) => {
                    add(&mut bytes, &set);
                    low = None;
                }
            }
        }
        if self.flags.any_case {
            fold(&mut bytes);
        }
        if negated {
            bytes.iter_mut().for_each(|member| *member = !*member);
        }
        self.write_set(&bytes);
        Ok(())
    }

    fn class_escape(&mut self) -> Result<Element, String> {
        let byte = self.take().ok_or("has a class that does not end")?;
        match byte {
            b'b' => return Ok(Element::Byte(8)),
            b'Q' | b'E' => return refused(r"`\Q` or `\E` in a class"),
            // In a class these are no references.
            b'1'..=b'7' => {
                let mut number = u32::from(byte - b'0');
                for _ in 0..2 {
                    let digit = self
                        .rest
                        .first()
                        .and_then(|byte| char::from(*byte).to_digit(8));
                    let Some(digit) = digit else { break };
                    number = number * 8 + digit;
                    self.rest = &self.rest[1..];
                }
                return match u8::try_from(number) {
                    Ok(byte) => Ok(Element::Byte(byte)),
                    Err(_) => refused("a character that is no byte"),
                };
            }
            _ => {}
        }
        match kind(byte) {
            Some(set) => Ok(Element::Set(set)),
            None => Ok(Element::Byte(self.character(byte)?)),
        }
    }

    /// `[:alpha:]`; none where the bracket stands for itself.
    fn posix(&mut self) -> Result<Option<Bytes>, String> {
        let Some(b':') = self.rest.first() else {
            return refused("a class of a language");
        };
        let inner = &self.rest[1..];
        let Some(end) = inner.windows(2).position(|pair| pair == b":]") else {
            return Ok(None);
        };
        if inner[..end].iter().any(|byte| matches!(byte, b']' | b'\\')) {
            return Ok(None);
        }
        let (negated, name) = match &inner[..end] {
            [b'^', name @ ..] => (true, name),
            name => (false, name),
        };
        let test: fn(u8) -> bool = match name {
            b"alpha" => |byte| byte.is_ascii_alphabetic(),
            b"digit" => |byte| byte.is_ascii_digit(),
            b"alnum" => |byte| byte.is_ascii_alphanumeric(),
            b"upper" => |byte| byte.is_ascii_uppercase(),
            b"lower" => |byte| byte.is_ascii_lowercase(),
            b"space" => is_space,
            b"blank" => |byte| matches!(byte, b' ' | b'\t'),
            b"punct" => |byte| byte.is_ascii_punctuation(),
            b"print" => |byte| matches!(byte, b' '..=b'~'),
            b"graph" => |byte| byte.is_ascii_graphic(),
            b"cntrl" => |byte| byte.is_ascii_control(),
            b"xdigit" => |byte| byte.is_ascii_hexdigit(),
            b"word" => is_word,
            b"ascii" => |byte| byte.is_ascii(),
            _ => return Err("has a class of an unknown name".into()),
        };
        self.rest = &inner[end + 2..];
        Ok(Some(std::array::from_fn(|byte| {
            test(byte as u8) != negated
        })))
    }
}

/// What a class is made of.
#[allow(clippy::large_enum_variant, reason = "a pattern has few elements")]
enum Element {
    Byte(u8),
    Set(Bytes),
}

fn add(bytes: &mut Bytes, more: &Bytes) {
    bytes
        .iter_mut()
        .zip(more)
        .for_each(|(member, more)| *member |= more);
}

/// Adds the other case of each letter.
fn fold(bytes: &mut Bytes) {
    for upper in b'A'..=b'Z' {
        let (upper, lower) = (usize::from(upper), usize::from(upper.to_ascii_lowercase()));
        let either = bytes[upper] || bytes[lower];
        (bytes[upper], bytes[lower]) = (either, either);
    }
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The bytes that `\d` and its like stand for.
fn kind(letter: u8) -> Option<Bytes> {
    let test: fn(u8) -> bool = match letter.to_ascii_lowercase() {
        b'd' => |byte| byte.is_ascii_digit(),
        b'w' => is_word,
        b's' => is_space,
        b'h' => |byte| matches!(byte, b' ' | b'\t' | 0xa0),
        b'v' => |byte| matches!(byte, 10..=13 | 0x85),
        _ => return None,
    };
    let negated = letter.is_ascii_uppercase();
    Some(std::array::from_fn(|byte| test(byte as u8) != negated))
}

fn write_byte(out: &mut String, byte: usize) {
    let byte = byte as u8;
    let plain = byte.is_ascii_alphanumeric();
    // Writing to a string does not fail.
    let _ = match plain {
        true => write!(out, "{}", char::from(byte)),
        false => write!(out, r"\x{byte:02x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::payload::Pcre;
    use regex_automata::util::syntax;

    fn find(text: &str, letters: &str, haystack: &str) -> Option<(usize, usize)> {
        let has = |letter| letters.contains(letter);
        let flags = Flags {
            any_case: has('i'),
            dot_all: has('s'),
            multi_line: has('m'),
            extended: has('x'),
            anchored: has('A'),
            dollar_end_only: has('E'),
            lazy: has('G'),
        };
        let translated = translate(text.as_bytes(), flags).expect("a translation");
        let syntax = syntax::Config::new().unicode(false).utf8(false);
        let regex = crate::regexes::builder(syntax, false).build(&translated.text);
        let regex = regex.unwrap_or_else(|error| panic!("{text}: {translated:?}: {error}"));
        let pcre = Pcre {
            regex: regex.into(),
            line_ends: translated.line_ends,
            text: b"".as_slice().into(),
            negated: false,
            relative: false,
        };
        pcre.find(haystack.as_bytes(), 0, 0)
    }

    #[test]
    fn matches_what_pcre_matches() {
        // What pcre2test 10.42 says, and perl 5.36 of `$`.
        for (text, flags, haystack, expected) in [
            ("a$", "", "a\n", Some((0, 1))),
            ("a$", "", "a\n\n", None),
            (r"a\n?$", "", "a\n", Some((0, 2))),
            (r"a\n*?$", "", "a\n", Some((0, 1))),
            (r"a\s*$", "", "a \n\n", Some((0, 4))),
            ("(a$|b)?", "", "a\n", Some((0, 1))),
            ("a|b$", "", "b\n", Some((0, 1))),
            (r"a(\s|$)", "", "a\n", Some((0, 2))),
            (r"a($|\s)", "", "a\n", Some((0, 1))),
            ("$ # c", "x", "\n", Some((0, 0))),
            ("a$", "E", "a\n", None),
            ("a$", "", "a\nb", None),
            ("a$", "m", "a\nb", Some((0, 1))),
            ("^b", "m", "a\nb", Some((2, 3))),
            ("^b", "", "a\nb", None),
            (r"a\Z", "", "a\n", Some((0, 1))),
            (r"\<b\>", "", "a<b>", Some((1, 4))),
            (r"\<b\>", "", "a b c", None),
            (r"a\vb", "", "a\nb", Some((0, 3))),
            (r"a\hb", "", "a\tb", Some((0, 3))),
            ("a{,3}", "", "a{,3}", Some((0, 5))),
            ("a{2}", "", "aaa", Some((0, 2))),
            ("a{2,}", "", "aaa", Some((0, 3))),
            ("a{x}", "", "a{x}", Some((0, 4))),
            ("[a[b]+", "", "a[b", Some((0, 3))),
            ("[]a]+", "", "]a", Some((0, 2))),
            ("[^]a]", "", "]ab", Some((2, 3))),
            ("[a-]+", "", "a-b", Some((0, 2))),
            (r"[\w-.]+", "", "a-.", Some((0, 3))),
            ("[a&&b]+", "", "a&b", Some((0, 3))),
            ("[a~~b]+", "", "a~b", Some((0, 3))),
            ("a b", "x", "ab", Some((0, 2))),
            ("a[ ]b # c", "x", "a b", Some((0, 3))),
            ("a.b", "", "a\nb", None),
            ("a.b", "s", "a\nb", Some((0, 3))),
            ("(?s)a.b", "", "a\nb", Some((0, 3))),
            ("(?i:A)b", "", "ab", Some((0, 2))),
            ("(?i:A)b", "", "aB", None),
            ("a(?i)b|c", "", "aB", Some((0, 2))),
            ("[^a]", "i", "A", None),
            ("a+", "G", "aaa", Some((0, 1))),
            ("a+?", "G", "aaa", Some((0, 3))),
            ("b", "A", "ab", None),
            ("a|b", "A", "xb", None),
            (r"\x41\x{42}\103", "", "", None),
            (r"\x4", "", "\u{4}", Some((0, 1))),
            (r"\cA\e\a", "", "\u{1}\u{1b}\u{7}", Some((0, 3))),
            (r"[\b\101]+", "", "\u{8}A", Some((0, 2))),
            (r"\Qa.b\E+", "", "a.bb", Some((0, 4))),
            ("(?<n>a)(?P<m>b)", "", "ab", Some((0, 2))),
            ("(?#no)a", "", "a", Some((0, 1))),
            ("[[:alpha:]_]+", "", "a_1", Some((0, 2))),
            ("[[:^digit:]]", "", "1a", Some((1, 2))),
            (r"\ba\b", "", "xa a", Some((3, 4))),
            (r"\/\-\_\;", "", "/-_;", Some((0, 4))),
            ("a|ab", "", "ab", Some((0, 1))),
        ] {
            if text.contains(r"\103") {
                let fault = translate(text.as_bytes(), Flags::default());
                assert!(fault.is_err(), "{text}");
                continue;
            }
            assert_eq!(find(text, flags, haystack), expected, "{text} {haystack:?}");
        }
    }

    #[test]
    fn what_has_no_translation_is_refused() {
        for (text, part) in [
            ("(?=a)", "look around"),
            ("(?<!a)b", "look around"),
            (r"(a)\1", "back reference"),
            (r"(a)\g1", "back reference"),
            ("a++", "without a way back"),
            ("(?>a)", "without a way back"),
            ("(?R)", "reference"),
            ("(?(1)a)", "condition"),
            ("(*FAIL)", "verb"),
            ("(?'n'a)", "name in single quotes"),
            (r"(?#\Q)a", "comment with"),
            (r"\K", r"`\K`"),
            (r"\R", r"`\R`"),
            (r"\pL", r"`\p`"),
            (r"\x{100}", "no byte"),
            ("[[.a.]]", "class of a language"),
            ("[z-a]", "range that is none"),
            ("(a", "does not end"),
            ("a)", "not open"),
            ("[a", "does not end"),
            ("*a", "repeats nothing"),
            ("a**", "repeats nothing"),
            ("a\\", "ends with"),
            (r"a$\n", "before more"),
            (r"a\Zb", "before more"),
            (r"a$$", "before more"),
            (r"(a$|b)c", "before more"),
            (r"(a|b$)(?i)", "before more"),
            (r"(?:\n|$)*", "before more"),
            (r"((x$)|a){2}", "before more"),
            (r"(a$)?b", "before more"),
            (&"a$|".repeat(17), "more than 16"),
            (&"(".repeat(100_000), "deeper"),
        ] {
            let message = translate(text.as_bytes(), Flags::default()).expect_err("a fault");
            assert!(message.contains(part), "{message}");
        }
        let multi_line = Flags {
            multi_line: true,
            ..Flags::default()
        };
        for text in ["a^b", "^", "^$", "(^)a"] {
            assert!(translate(text.as_bytes(), multi_line).is_err(), "{text}");
        }
        assert!(translate(b"^a|(^b)", multi_line).is_ok());
    }
}
