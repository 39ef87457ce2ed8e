//! Regular expressions, matched by trying. Characters, classes, dots, `*`, `+`, `?`, `|`, brackets,
//! `^` and `$`: what else there is, the oracle does not know.

/// An expression.
pub struct Regex(Vec<Node>);

#[derive(Debug)]
enum Node {
    /// One byte of those listed.
    Byte(Vec<u8>),
    Begin,
    End,
    /// One of several.
    Either(Vec<Vec<Node>>),
    /// At least, at most.
    Repeat(Box<Node>, usize, usize),
}

impl Regex {
    /// Reads an expression; none where there is more in it than the oracle knows.
    pub fn new(text: &str, any_case: bool) -> Option<Regex> {
        if !text.is_ascii() {
            return None;
        }
        let mut rest = text.as_bytes();
        let branches = branches(&mut rest, any_case)?;
        rest.is_empty().then(|| Regex(vec![Node::Either(branches)]))
    }

    /// Whether it matches somewhere in a text.
    pub fn is_in(&self, text: &[u8]) -> bool {
        let nodes: Vec<&Node> = self.0.iter().collect();
        (0..=text.len()).any(|at| matches(&nodes, text, at))
    }
}

fn branches(rest: &mut &[u8], any_case: bool) -> Option<Vec<Vec<Node>>> {
    let mut branches = vec![Vec::new()];
    while let Some((first, tail)) = rest.split_first() {
        if *first == b')' {
            break;
        }
        *rest = tail;
        let last = branches.last_mut()?;
        match first {
            b'|' => branches.push(Vec::new()),
            b'*' => repeat(last, 0, usize::MAX, rest)?,
            b'+' => repeat(last, 1, usize::MAX, rest)?,
            b'?' => repeat(last, 0, 1, rest)?,
            b'(' => {
                let inner = branches_in_brackets(rest, any_case)?;
                last.push(Node::Either(inner));
            }
            b'[' => last.push(Node::Byte(fold(class(rest)?, any_case))),
            b'.' => last.push(Node::Byte(
                (0..=255).filter(|byte| *byte != b'\n').collect(),
            )),
            b'^' => last.push(Node::Begin),
            b'$' => last.push(Node::End),
            b'{' | b'}' | b']' => return None,
            b'\\' => last.push(Node::Byte(fold(escaped(rest)?, any_case))),
            byte => last.push(Node::Byte(fold(vec![*byte], any_case))),
        }
    }
    Some(branches)
}

fn branches_in_brackets(rest: &mut &[u8], any_case: bool) -> Option<Vec<Vec<Node>>> {
    if rest.starts_with(b"?") {
        return None;
    }
    let inner = branches(rest, any_case)?;
    *rest = rest.strip_prefix(b")")?;
    Some(inner)
}

fn repeat(nodes: &mut Vec<Node>, least: usize, most: usize, rest: &[u8]) -> Option<()> {
    let node = nodes.pop()?;
    // A second sign would say how greedy the first is.
    let single = !rest.starts_with(b"?") && !rest.starts_with(b"+") && !rest.starts_with(b"*");
    nodes.push(Node::Repeat(Box::new(node), least, most));
    single.then_some(())
}

/// `[0-9ab]`.
fn class(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == b']')?;
    let (inside, tail) = rest.split_at(end);
    *rest = &tail[1..];
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b". /-".contains(byte);
    if inside.is_empty() || !inside.iter().all(plain) || inside.starts_with(b"-") {
        return None;
    }
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < inside.len() {
        match inside.get(at + 1..at + 3) {
            Some([b'-', last]) => {
                bytes.extend(inside[at]..=*last);
                at += 3;
            }
            _ => {
                bytes.push(inside[at]);
                at += 1;
            }
        }
    }
    Some(bytes)
}

/// What stands behind a backslash.
fn escaped(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    match first {
        b'r' => Some(vec![b'\r']),
        b'n' => Some(vec![b'\n']),
        b't' => Some(vec![b'\t']),
        b'd' => Some((b'0'..=b'9').collect()),
        b'w' => Some(
            (0..=255u8)
                .filter(|b| b.is_ascii_alphanumeric() || *b == b'_')
                .collect(),
        ),
        b'x' => {
            let (digits, tail) = rest.split_at_checked(2)?;
            *rest = tail;
            let byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16);
            Some(vec![byte.ok()?])
        }
        byte if byte.is_ascii_punctuation() => Some(vec![*byte]),
        _ => None,
    }
}

/// The bytes, with ASCII letters of either case where that does not matter.
fn fold(bytes: Vec<u8>, any_case: bool) -> Vec<u8> {
    if !any_case {
        return bytes;
    }
    let both = |byte: u8| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
    bytes.into_iter().flat_map(both).collect()
}

/// Whether nodes match one after the other from a place of a text on.
fn matches(nodes: &[&Node], text: &[u8], at: usize) -> bool {
    let Some((first, rest)) = nodes.split_first() else {
        return true;
    };
    match first {
        Node::Byte(bytes) => {
            text.get(at).is_some_and(|byte| bytes.contains(byte)) && matches(rest, text, at + 1)
        }
        Node::Begin => at == 0 && matches(rest, text, at),
        Node::End => at == text.len() && matches(rest, text, at),
        Node::Either(branches) => branches.iter().any(|branch| {
            let nodes: Vec<&Node> = branch.iter().chain(rest.iter().copied()).collect();
            matches(&nodes, text, at)
        }),
        Node::Repeat(node, least, most) => {
            // No more repetitions than there are bytes: further ones would take none.
            let most = (*most).min(text.len() - at + least);
            (*least..=most).any(|times| {
                let again = std::iter::repeat_n(&**node, times);
                let nodes: Vec<&Node> = again.chain(rest.iter().copied()).collect();
                matches(&nodes, text, at)
            })
        }
    }
}
