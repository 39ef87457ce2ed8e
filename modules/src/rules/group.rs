//! Groups of addresses and ports: `[10.0.0.0/8, !10.1.0.0/16, $MORE]`.

use super::address::Addresses;
use super::port::{self, Ports};
use super::ranges::Ranges;
use super::variables::Variables;
use nom::branch::alt;
use nom::bytes::complete::take_while1;
use nom::character::complete::{char, multispace0};
use nom::combinator::{all_consuming, map, map_res, opt};
use nom::multi::separated_list1;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

/// Groups in groups, and variables in variables, go no deeper.
const DEPTH_MAX: usize = 24;

/// What groups are of.
pub trait Set: Sized + Clone {
    /// All of them.
    fn all() -> Self;
    /// One as written.
    fn read(text: &str) -> Result<Self, String>;
    /// Those in any.
    fn any(sets: &[Self]) -> Self;
    /// Those that are not in the other.
    fn minus(&self, other: &Self) -> Self;
    /// Whether there are none.
    fn is_none(&self) -> bool;
}

impl Set for Addresses {
    fn all() -> Addresses {
        Addresses {
            v4: Ranges::all(),
            v6: Ranges::all(),
        }
    }

    fn read(text: &str) -> Result<Addresses, String> {
        Addresses::read(text)
    }

    fn any(sets: &[Addresses]) -> Addresses {
        Addresses {
            v4: Ranges::any(sets.iter().map(|set| &set.v4)),
            v6: Ranges::any(sets.iter().map(|set| &set.v6)),
        }
    }

    fn minus(&self, other: &Addresses) -> Addresses {
        Addresses {
            v4: self.v4.minus(&other.v4),
            v6: self.v6.minus(&other.v6),
        }
    }

    fn is_none(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

impl Set for Ports {
    fn all() -> Ports {
        Ranges::all()
    }

    fn read(text: &str) -> Result<Ports, String> {
        port::read(text)
    }

    fn any(sets: &[Ports]) -> Ports {
        Ranges::any(sets)
    }

    fn minus(&self, other: &Ports) -> Ports {
        Ranges::minus(self, other)
    }

    fn is_none(&self) -> bool {
        self.is_empty()
    }
}

/// A group as written.
enum Group<'a> {
    Not(Box<Group<'a>>),
    List(Vec<Group<'a>>),
    Variable(&'a str),
    One(&'a str),
}

/// The set that a group stands for.
pub fn read<S: Set>(text: &str, variables: &Variables) -> Result<S, String> {
    let set = evaluate::<S>(&parse(text)?, variables, 0)?;
    if set.is_none() {
        return Err(format!("`{}` leaves none", shortened(text)));
    }
    Ok(set)
}

fn parse(text: &str) -> Result<Group<'_>, String> {
    // Brackets are counted first, so that the parser's recursion has a bound.
    let mut depth = 0usize;
    let mut deepest = 0;
    let mut signs = 0;
    for byte in text.bytes() {
        depth = match byte {
            b'[' => depth + 1,
            b']' => depth.saturating_sub(1),
            _ => depth,
        };
        signs = if byte == b'!' { signs + 1 } else { 0 };
        deepest = deepest.max(depth + signs);
    }
    if deepest > DEPTH_MAX {
        return Err(format!("has groups in groups deeper than {DEPTH_MAX}"));
    }
    match all_consuming(delimited(multispace0, group, multispace0)).parse(text) {
        Ok((_, group)) => Ok(group),
        Err(_) => Err(format!("`{}` is no group", shortened(text))),
    }
}

fn group(input: &str) -> IResult<&str, Group<'_>> {
    let (rest, negated) = opt((char('!'), multispace0)).parse(input)?;
    let (rest, group) = alt((list, variable, one)).parse(rest)?;
    Ok((
        rest,
        match negated {
            Some(_) => Group::Not(Box::new(group)),
            None => group,
        },
    ))
}

fn list(input: &str) -> IResult<&str, Group<'_>> {
    let comma = delimited(multispace0, char(','), multispace0);
    let members = separated_list1(comma, group);
    let inside = delimited(multispace0, members, multispace0);
    map(delimited(char('['), inside, char(']')), Group::List).parse(input)
}

fn variable(input: &str) -> IResult<&str, Group<'_>> {
    let name = take_while1(|c: char| c.is_alphanumeric() || c == '_' || c == '-');
    map(preceded(char('$'), name), Group::Variable).parse(input)
}

fn one(input: &str) -> IResult<&str, Group<'_>> {
    let text = take_while1(|c: char| !matches!(c, '[' | ']' | ',' | '!' | '$'));
    map_res(text, |text: &str| match text.trim() {
        "" => Err(()),
        text => Ok(Group::One(text)),
    })
    .parse(input)
}

fn evaluate<S: Set>(group: &Group<'_>, variables: &Variables, depth: usize) -> Result<S, String> {
    if depth > DEPTH_MAX {
        return Err(format!(
            "has variables in variables deeper than {DEPTH_MAX}"
        ));
    }
    match group {
        Group::One(text) => S::read(text),
        Group::Variable(name) => {
            let text = variables
                .get(name)
                .ok_or_else(|| format!("variable ${name} has no value"))?;
            let within = |fault| format!("${name}: {fault}");
            evaluate(&parse(text).map_err(within)?, variables, depth + 1).map_err(within)
        }
        Group::Not(inner) => Ok(S::all().minus(&evaluate(inner, variables, depth + 1)?)),
        Group::List(members) => {
            let (mut some, mut but): (Vec<S>, Vec<S>) = (Vec::new(), Vec::new());
            for member in members {
                match member {
                    Group::Not(inner) => but.push(evaluate(inner, variables, depth + 1)?),
                    member => some.push(evaluate(member, variables, depth + 1)?),
                }
            }
            // A list of exceptions alone is what is left of all.
            let some = match some.is_empty() {
                true => S::all(),
                false => S::any(&some),
            };
            Ok(some.minus(&S::any(&but)))
        }
    }
}

/// The begin of a text, for messages.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(text: &str) -> Result<Vec<(u16, u16)>, String> {
        let variables = Variables::default();
        read::<Ports>(text, &variables).map(|set| set.ranges().to_vec())
    }

    #[test]
    fn exceptions_are_taken_from_what_stands_beside_them() {
        assert_eq!(ports("[80,443]"), Ok(vec![(80, 80), (443, 443)]));
        assert_eq!(ports("!80"), Ok(vec![(0, 79), (81, 65535)]));
        assert_eq!(ports("[1:9, !5]"), Ok(vec![(1, 4), (6, 9)]));
        assert_eq!(ports("[!5,1:9]"), Ok(vec![(1, 4), (6, 9)]));
        assert_eq!(ports("[!5,!7]"), Ok(vec![(0, 4), (6, 6), (8, 65535)]));
        assert_eq!(ports("[1:9,![2:8,!5]]"), Ok(vec![(1, 1), (5, 5), (9, 9)]));
        assert_eq!(ports("![1:65535]"), Ok(vec![(0, 0)]));
        assert_eq!(ports("[[1,2],[[3]]]"), Ok(vec![(1, 3)]));
        assert_eq!(ports("$HTTP_PORTS"), Ok(vec![(80, 80)]));
        assert_eq!(ports("!$HTTP_PORTS"), Ok(vec![(0, 79), (81, 65535)]));
        assert_eq!(ports("[ 1 , 3 : 4 ]"), Ok(vec![(1, 1), (3, 4)]));
    }

    #[test]
    fn faults_say_what_is_wrong() {
        for (text, part) in [
            ("[80", "no group"),
            ("80]", "no group"),
            ("[]", "no group"),
            ("[1,,2]", "no group"),
            ("", "no group"),
            ("!", "no group"),
            ("$NOWHERE", "variable $NOWHERE has no value"),
            ("![0:65535]", "leaves none"),
            ("[80,!80]", "leaves none"),
            ("[1,x]", "`x` is no port"),
            (&"[".repeat(100_000), "deeper"),
            (&"!".repeat(100_000), "deeper"),
        ] {
            let message = ports(text).expect_err("a fault");
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn many_members_are_merged_once() {
        // Each second port; to merge them one by one took the square of their number.
        let members: Vec<String> = (0..32_768).map(|at| (2 * at).to_string()).collect();
        let start = std::time::Instant::now();
        let set = ports(&format!("[{}]", members.join(","))).expect("a set");
        assert_eq!(set.len(), 32_768);
        assert!(start.elapsed().as_secs() < 10);
    }

    #[test]
    fn a_variable_within_itself_is_a_fault() {
        let mut variables = Variables::default();
        variables.set("A", "[$B,1]");
        variables.set("B", "$A");
        let message = read::<Ports>("$A", &variables).expect_err("a fault");
        assert!(message.contains("deeper"), "{message}");
    }

    #[test]
    fn both_families_are_kept_apart() {
        let variables = Variables::default();
        let set = read::<Addresses>("!$HOME_NET", &variables).expect("a set");
        for (address, expected) in [("10.0.0.1", false), ("11.0.0.1", true), ("fd00::1", true)] {
            let address: std::net::IpAddr = address.parse().expect("an address");
            assert_eq!(set.contain(address.into()), expected, "{address}");
        }
    }
}
