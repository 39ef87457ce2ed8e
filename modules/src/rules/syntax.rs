//! How a rule is written: `ACTION PROTOCOL ADDRESS PORT -> ADDRESS PORT (NAME:VALUE; ...)`.
//!
//! This is Suricata's reading: an option ends at the first `;` that has no `\` before it, in
//! quotes or not.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{char, multispace0, multispace1};
use nom::combinator::{opt, recognize};
use nom::error::{Error, ErrorKind};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

/// A piece of a rule, and where in its line it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// As written.
    pub text: &'a [u8],
    /// The offset in the line.
    pub at: usize,
}

/// A rule as written.
#[derive(Debug)]
pub struct RuleText<'a> {
    /// `alert`, and what else there is.
    pub action: Piece<'a>,
    /// The protocol.
    pub protocol: Piece<'a>,
    /// Addresses and ports on the left of the arrow, then on the right.
    pub ends: [Piece<'a>; 4],
    /// `->` or `<>`.
    pub direction: Piece<'a>,
    /// The options, in order.
    pub options: Vec<OptionText<'a>>,
}

/// An option as written.
#[derive(Debug)]
pub struct OptionText<'a> {
    /// Its name.
    pub name: Piece<'a>,
    /// What stands behind the colon.
    pub value: Option<Piece<'a>>,
}

/// What is wrong with the form of a rule, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The offset in the line.
    pub at: usize,
    /// What was expected.
    pub expected: &'static str,
}

/// Reads a rule.
///
/// # Errors
/// Where the form is wrong.
pub fn parse(line: &[u8]) -> Result<RuleText<'_>, Fault> {
    let mut reader = Reader { line, rest: line };
    let action = reader.next(terminated(word, multispace1), "an action")?;
    let protocol = reader.next(terminated(word, multispace1), "a protocol")?;
    let source = reader.next(terminated(end, multispace1), "addresses")?;
    let source_port = reader.next(terminated(end, multispace1), "ports")?;
    let direction = reader.next(terminated(arrow, multispace1), "`->` or `<>`")?;
    let target = reader.next(terminated(end, multispace1), "addresses")?;
    let target_port = reader.next(terminated(end, multispace0), "ports")?;
    reader.next(recognize((char('('), multispace0)), "options in brackets")?;
    let mut options = Vec::new();
    while reader.next(recognize(char(')')), ")").is_err() {
        let name = reader.next(terminated(name, multispace0), "the name of an option")?;
        let colon = opt(delimited(multispace0, char(':'), multispace0));
        let has_value = !reader.next(recognize(colon), "a colon")?.text.is_empty();
        let value = has_value
            .then(|| reader.next(value, "a value with `;` behind it"))
            .transpose()?;
        reader.next(recognize(preceded(char(';'), multispace0)), "`;`")?;
        options.push(OptionText { name, value });
    }
    if !reader.rest.trim_ascii().is_empty() {
        return Err(reader.fault("nothing behind the options"));
    }
    Ok(RuleText {
        action,
        protocol,
        ends: [source, source_port, target, target_port],
        direction,
        options,
    })
}

struct Reader<'a> {
    line: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn fault(&self, expected: &'static str) -> Fault {
        Fault {
            at: self.line.len() - self.rest.len(),
            expected,
        }
    }

    fn next<P>(&mut self, mut parser: P, expected: &'static str) -> Result<Piece<'a>, Fault>
    where
        P: Parser<&'a [u8], Output = &'a [u8], Error = Error<&'a [u8]>>,
    {
        let at = self.line.len() - self.rest.len();
        let (rest, text) = parser.parse(self.rest).map_err(|_| self.fault(expected))?;
        self.rest = rest;
        Ok(Piece { text, at })
    }
}

fn word(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while1(|byte: u8| !byte.is_ascii_whitespace() && byte != b'(').parse(input)
}

fn name(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while1(|byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)).parse(input)
}

fn arrow(input: &[u8]) -> IResult<&[u8], &[u8]> {
    alt((tag("->"), tag("<>"))).parse(input)
}

/// Addresses or ports: white space ends them, but not within brackets.
fn end(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let mut depth = 0usize;
    for (at, byte) in input.iter().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b'(' => return split(input, at),
            _ if depth == 0 && byte.is_ascii_whitespace() => return split(input, at),
            _ => {}
        }
    }
    split(input, input.len())
}

/// What stands before the `;` that ends an option, without white space around it.
fn value(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let mut escaped = false;
    for (at, byte) in input.iter().enumerate() {
        match byte {
            b';' if !escaped => return Ok((&input[at..], input[..at].trim_ascii_end())),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    Err(nom::Err::Error(Error::new(input, ErrorKind::Eof)))
}

fn split(input: &[u8], at: usize) -> IResult<&[u8], &[u8]> {
    if at == 0 {
        return Err(nom::Err::Error(Error::new(input, ErrorKind::Eof)));
    }
    Ok((&input[at..], &input[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'a>(piece: &Piece<'a>) -> &'a str {
        std::str::from_utf8(piece.text).expect("text")
    }

    #[test]
    fn reads_header_and_options() {
        let line = br#"alert tcp [10.0.0.0/8, !10.1.0.0/16] any -> $NET [80, 443] (msg:"a\;b \" c"; nocase; content : "x" ; sid:1;)"#;
        let rule = parse(line).expect("a rule");
        assert_eq!(text(&rule.action), "alert");
        assert_eq!(text(&rule.protocol), "tcp");
        let ends: Vec<&str> = rule.ends.iter().map(text).collect();
        assert_eq!(
            ends,
            ["[10.0.0.0/8, !10.1.0.0/16]", "any", "$NET", "[80, 443]"]
        );
        let options: Vec<(&str, Option<&str>)> = rule
            .options
            .iter()
            .map(|option| (text(&option.name), option.value.as_ref().map(text)))
            .collect();
        assert_eq!(
            options,
            [
                ("msg", Some(r#""a\;b \" c""#)),
                ("nocase", None),
                ("content", Some("\"x\"")),
                ("sid", Some("1")),
            ]
        );
        assert_eq!(&line[rule.options[2].name.at..][..7], b"content");
        assert_eq!(
            &line[rule.options[2].value.as_ref().expect("a value").at..][..3],
            b"\"x\""
        );
    }

    #[test]
    fn white_space_is_free() {
        let rule = parse(b"alert\tip any any <> any any(sid:1;)").expect("a rule");
        assert_eq!(text(&rule.direction), "<>");
        assert_eq!(rule.options.len(), 1);
        assert!(parse(b"alert ip any any -> any any ( )").is_ok_and(|r| r.options.is_empty()));
    }

    #[test]
    fn faults_have_their_place() {
        for (line, at, expected) in [
            ("", 0, "an action"),
            ("alert", 0, "an action"),
            ("alert tcp any any any any (sid:1;)", 18, "`->` or `<>`"),
            ("alert tcp any any -> any any", 28, "options in brackets"),
            (
                "alert tcp any any -> any any (sid:1)",
                34,
                "a value with `;` behind it",
            ),
            (
                "alert tcp any any -> any any (sid:1;",
                36,
                "the name of an option",
            ),
            (
                "alert tcp any any -> any any (sid:1;) x",
                37,
                "nothing behind the options",
            ),
            (
                "alert tcp any any -> any any (:1;)",
                30,
                "the name of an option",
            ),
            ("alert tcp any any -> any any (nocase x;)", 37, "`;`"),
        ] {
            let fault = parse(line.as_bytes()).expect_err("a fault");
            assert_eq!((fault.at, fault.expected), (at, expected), "{line}");
        }
    }
}
