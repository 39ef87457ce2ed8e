//! Rules as text: as a rule again, and as a query.

use super::condition;
use super::number::NumberTest;
use super::payload::{ByteJump, ByteTest, Content, Number, Operator, Origin, Pcre, Step};
use super::rule::{Protocol, Rule};
use super::test::{BitTest, Bits, Test};
use std::fmt::Write;
use wireq_engine::plan::expr::Expr;

/// A rule as what was understood of it, in Suricata's syntax. One on TCP is on its packets, which
/// single packets are.
pub fn rule_text(rule: &Rule) -> String {
    let protocol = match rule.header.protocol {
        Protocol::Tcp => "tcp-pkt",
        Protocol::Udp => "udp",
        Protocol::Icmp => "icmp",
        Protocol::Ip => "ip",
        Protocol::Ip4 => "ip4",
        Protocol::Ip6 => "ip6",
    };
    let arrow = if rule.header.both_ways { "<>" } else { "->" };
    let [from, from_ports, to, to_ports] = &rule.header.written;
    let action = rule.action.name();
    let mut text =
        format!("{action} {protocol} {from} {from_ports} {arrow} {to} {to_ports} (msg:\"");
    for letter in String::from_utf8_lossy(&rule.msg).chars() {
        match letter {
            '"' | ';' | '\\' => text.extend(['\\', letter]),
            letter if letter.is_control() => text.push(' '),
            letter => text.push(letter),
        }
    }
    text.push_str("\"; ");
    rule.tests
        .iter()
        .for_each(|test| write_test(test, &mut text));
    write_steps(rule.payload.steps(), &mut text);
    let class = String::from_utf8_lossy(&rule.classtype);
    if !class.is_empty() {
        let _ = write!(text, "classtype:{class}; ");
    }
    let (priority, gid, sid) = (rule.priority, rule.gid, rule.sid);
    let _ = write!(text, "priority:{priority}; gid:{gid}; sid:{sid};");
    // Suricata takes a revision of 0 for none, and none for a fault.
    if rule.rev > 0 {
        let _ = write!(text, " rev:{};", rule.rev);
    }
    text.push(')');
    text
}

/// A rule as a query that gives the same packets, each once.
pub fn query(rule: &Rule) -> String {
    let cases = condition::of_header(&rule.header).into_iter();
    let all = |tests: Vec<Expr>| match <[Expr; 1]>::try_from(tests) {
        Ok([test]) => test,
        Err(tests) => Expr::And(tests),
    };
    let mut cases: Vec<Expr> = cases.map(all).collect();
    let header = match cases.len() {
        1 => cases.remove(0),
        _ => Expr::Or(cases),
    };
    let mut tests = header.conjuncts();
    let mut options = String::new();
    for test in &rule.tests {
        match condition::of_test(test) {
            Some(more) => tests.extend(more),
            None => write_test(test, &mut options),
        }
    }
    write_steps(rule.payload.steps(), &mut options);
    let tests: Vec<String> = tests.iter().map(Expr::to_string).collect();
    let mut query = format!("where {}", tests.join(" and "));
    if !options.is_empty() {
        // Neither contents nor expressions are written with quotes of this kind.
        let _ = write!(query, " | inspect '{}'", options.trim_end());
    }
    query
}

fn write_test(test: &Test, text: &mut String) {
    let _ = match test {
        Test::PayloadSize(test) => write_number("dsize", test, 65_535, text),
        Test::Ttl(test) => write_number("ttl", test, 255, text),
        Test::Tos(test) => write_number("tos", test, 255, text),
        Test::Id(test) => write_number("id", test, 65_535, text),
        Test::Window(test) => write_number("window", test, 65_535, text),
        Test::IcmpType(test) => write_number("itype", test, 255, text),
        Test::IcmpCode(test) => write_number("icode", test, 255, text),
        Test::IpProtocol(test) => write_number("ip_proto", test, 255, text),
        Test::Sequence(number) => write!(text, "seq:{number}; "),
        Test::Acknowledgment(number) => write!(text, "ack:{number}; "),
        Test::SameAddress => write!(text, "sameip; "),
        Test::Flags(test) => write_bits("flags", test, "FSRPAUEC", text),
        Test::FragmentBits(test) => write_bits("fragbits", test, "MDR", text),
    };
}

fn write_number(name: &str, test: &NumberTest, max: u32, text: &mut String) -> std::fmt::Result {
    let NumberTest { low, high, negated } = *test;
    match negated {
        true => write!(text, "{name}:!{low}; "),
        false if low == high => write!(text, "{name}:{low}; "),
        // There is no number beyond to name.
        false if low == 0 && high == max => write!(text, "{name}:<={max}; "),
        false if low == 0 => write!(text, "{name}:<{}; ", high + 1),
        false if high == max => write!(text, "{name}:>{}; ", low - 1),
        // `ttl` alone has the other sign.
        false if name == "ttl" => write!(text, "{name}:{}-{}; ", low - 1, high + 1),
        false => write!(text, "{name}:{}<>{}; ", low - 1, high + 1),
    }
}

fn write_bits(name: &str, test: &BitTest, letters: &str, text: &mut String) -> std::fmt::Result {
    let named = |bits: u16| -> String {
        let numbered = letters.chars().enumerate();
        numbered
            .filter(|(bit, _)| bits >> bit & 1 == 1)
            .map(|(_, letter)| letter)
            .collect()
    };
    let sign = match test.how {
        Bits::Exactly => "",
        Bits::All => "+",
        Bits::Any => "*",
        Bits::NotAll => "!",
    };
    let bits = match named(test.bits) {
        bits if bits.is_empty() => "0".to_owned(),
        bits => bits,
    };
    write!(text, "{name}:{sign}{bits}")?;
    let all = (1u16 << letters.len()) - 1;
    match named(all & !test.mask) {
        ignored if ignored.is_empty() => write!(text, "; "),
        ignored => write!(text, ",{ignored}; "),
    }
}

fn write_steps(steps: &[Step], text: &mut String) {
    for step in steps {
        let _ = match step {
            Step::Content(content) => write_content(content, text),
            Step::Pcre(pcre) => write_pcre(pcre, text),
            Step::IsDataAt {
                count,
                relative,
                negated,
            } => {
                let sign = if *negated { "!" } else { "" };
                let relative = if *relative { ",relative" } else { "" };
                write!(text, "isdataat:{sign}{count}{relative}; ")
            }
            Step::ByteTest(test) => write_byte_test(test, text),
            Step::ByteJump(jump) => write_byte_jump(jump, text),
        };
    }
}

fn write_content(content: &Content, text: &mut String) -> std::fmt::Result {
    text.push_str("content:");
    text.push_str(if content.negated { "!\"" } else { "\"" });
    let mut hex = false;
    for byte in &*content.bytes {
        let plain = byte.is_ascii_alphanumeric() || b" !#$%&()*+,-./<=>?@[]^_`{}~".contains(byte);
        if plain == hex {
            text.push('|');
            hex = !hex;
        } else if hex {
            text.push(' ');
        }
        match plain {
            true => text.push(char::from(*byte)),
            false => write!(text, "{byte:02x}")?,
        }
    }
    text.push_str(if hex { "|\"; " } else { "\"; " });
    if content.any_case {
        text.push_str("nocase; ");
    }
    if content.offset > 0 {
        write!(text, "offset:{}; ", content.offset)?;
    }
    if let Some(depth) = content.depth {
        write!(text, "depth:{}; ", depth - content.offset)?;
    }
    if let Some(distance) = content.distance {
        write!(text, "distance:{distance}; ")?;
    }
    if let Some(within) = content.within {
        write!(text, "within:{within}; ")?;
    }
    if content.at_end {
        text.push_str("endswith; ");
    }
    if content.fast {
        text.push_str("fast_pattern; ");
    }
    Ok(())
}

fn write_pcre(pcre: &Pcre, text: &mut String) -> std::fmt::Result {
    let sign = if pcre.negated { "!" } else { "" };
    write!(text, "pcre:{sign}\"")?;
    write_expression(&pcre.text, text)?;
    text.push_str("\"; ");
    Ok(())
}

/// An expression in ASCII and without the quote of queries: such bytes are written as numbers.
fn write_expression(expression: &[u8], text: &mut String) -> std::fmt::Result {
    let is_plain = |byte: &u8| byte.is_ascii() && *byte != b'\'';
    let mut rest = expression;
    // Between `\Q` and `\E`, where nothing stands for another.
    let mut quoted = false;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'\\', [b'E', behind @ ..]) if quoted => {
                quoted = false;
                text.push_str(r"\E");
                rest = behind;
            }
            (byte, _) if quoted && !is_plain(byte) => write!(text, r"\E\x{byte:02x}\Q")?,
            (b'\\', [b'c', byte, behind @ ..]) if !quoted => {
                let byte = byte.to_ascii_uppercase() ^ 0x40;
                write!(text, r"\x{byte:02x}")?;
                rest = behind;
            }
            (b'\\', [byte, behind @ ..]) if !quoted => {
                match is_plain(byte) {
                    true => text.extend(['\\', char::from(*byte)]),
                    false => write!(text, r"\x{byte:02x}")?,
                }
                quoted = *byte == b'Q';
                rest = behind;
            }
            (byte, _) if is_plain(byte) => text.push(char::from(*byte)),
            (byte, _) => write!(text, r"\x{byte:02x}")?,
        }
    }
    Ok(())
}

fn write_form(number: &Number, mask: Option<u64>, text: &mut String) -> std::fmt::Result {
    if number.relative {
        text.push_str(",relative");
    }
    if number.little {
        text.push_str(",little");
    }
    match number.base {
        None => {}
        Some(8) => text.push_str(",string,oct"),
        Some(10) => text.push_str(",string,dec"),
        Some(16) => text.push_str(",string,hex"),
        Some(_) => text.push_str(",string"),
    }
    match mask {
        Some(mask) => write!(text, ",bitmask {mask:#x}"),
        None => Ok(()),
    }
}

fn write_byte_test(test: &ByteTest, text: &mut String) -> std::fmt::Result {
    let sign = match test.operator {
        Operator::Equal => "=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::And => "&",
        Operator::Xor => "^",
    };
    let not = if test.negated { "!" } else { "" };
    let Number { count, offset, .. } = test.number;
    write!(
        text,
        "byte_test:{count},{not}{sign},{},{offset}",
        test.value
    )?;
    write_form(&test.number, test.mask, text)?;
    write!(text, "; ")
}

fn write_byte_jump(jump: &ByteJump, text: &mut String) -> std::fmt::Result {
    let Number { count, offset, .. } = jump.number;
    write!(text, "byte_jump:{count},{offset}")?;
    write_form(&jump.number, jump.mask, text)?;
    if jump.multiplier != 1 {
        write!(text, ",multiplier {}", jump.multiplier)?;
    }
    if jump.align {
        text.push_str(",align");
    }
    match jump.origin {
        Origin::Number => {}
        Origin::Begin => text.push_str(",from_beginning"),
        Origin::End => text.push_str(",from_end"),
    }
    if jump.post_offset != 0 {
        write!(text, ",post_offset {}", jump.post_offset)?;
    }
    write!(text, "; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Options, RuleSet, keyword};

    fn read(text: &[u8]) -> Rule {
        let mut set = RuleSet::from_text("test", text, &Options::default());
        let rule = set.rules.pop();
        rule.unwrap_or_else(|| panic!("{}: {:?}", text.escape_ascii(), set.refusals))
    }

    /// What two rules say of the same packets.
    fn meaning(rule: &Rule) -> String {
        let mut text = format!("{:?}", rule.tests);
        for step in rule.payload.steps() {
            let _ = match step {
                Step::Content(content) => {
                    let Content { bytes, negated, .. } = content;
                    let place = (content.offset, content.depth, content.at_end);
                    let shift = (content.distance, content.within);
                    let how = (content.any_case, content.fast);
                    write!(text, "{bytes:?} {negated} {place:?} {shift:?} {how:?}")
                }
                Step::Pcre(pcre) => {
                    let how = (pcre.negated, pcre.relative);
                    write!(text, "{} {how:?}", keyword::translated(&pcre.text))
                }
                step => write!(text, "{step:?}"),
            };
        }
        text
    }

    #[test]
    fn what_is_written_is_read_alike() {
        for options in [
            &br#"content:"a|00 22|b|3b|'"; nocase; offset:2; depth:9;"#[..],
            br#"content:!"a"; content:"b"; content:"c"; distance:-3; within:7; fast_pattern;"#,
            br#"content:"b"; startswith; content:"x"; endswith;"#,
            br#"pcre:!"/a'b\'c/iR"; isdataat:!4,relative; isdataat:5;"#,
            br#"pcre:"/a\\'b/";"#,
            b"pcre:\"/a\xe9\\\xe9[\xe0-\xe9']b/\";",
            b"pcre:\"/\\Qa'\\\\b\xe9\\E'\\c'\\ca/\";",
            br#"pcre:"/[(?'\"]\\\\'$/sm";"#,
            b"byte_test:4,!>,16,-2,relative,little,bitmask 0xff;",
            b"byte_test:8,=,5,0,string,hex;",
            b"byte_jump:4,2,relative,multiplier 3,align,post_offset -4;",
            b"byte_jump:1,0,string,dec,from_end;",
            b"dsize:<5; ttl:>9; tos:!4; id:7; window:!5; itype:3<>6; icode:0; ip_proto:!17;",
            b"dsize:>=0; ttl:<=255; tos:0<>255; id:>=65535; window:<=0; itype:<=254; icode:>=1;",
            b"ttl:3-9; seq:4; ack:5; sameip; flags:SA+,12; flags:0; flags:!F; fragbits:*MD;",
        ] {
            let open = &b"alert ip any any -> $HOME_NET any ("[..];
            let rule = read(&[open, options, b" sid:1;)"].concat());
            let written = rule_text(&rule);
            let again = read(written.as_bytes());
            assert_eq!(meaning(&again), meaning(&rule), "{written}");
            assert_eq!(rule_text(&again), written);
            assert!(
                !query(&rule)
                    .replace(" '", "")
                    .replace(";'", "")
                    .contains('\'')
            );
        }
    }

    #[test]
    fn a_rule_is_a_query() {
        let rule = read(
            br#"alert tcp any any -> 10.0.0.0/8 80 (msg:"x\;y"; content:"a'b"; nocase; ttl:<5; dsize:>9; sid:1;)"#,
        );
        assert_eq!(
            query(&rule),
            "where transport = tcp and dstip = 10.0.0.0/8 and dstport = 80 and ttl <= 4 \
             | inspect 'dsize:>9; content:\"a|27|b\"; nocase;'"
        );
        assert_eq!(
            rule_text(&rule),
            "alert tcp-pkt any any -> 10.0.0.0/8 80 (msg:\"x\\;y\"; ttl:<5; dsize:>9; \
             content:\"a|27|b\"; nocase; priority:3; gid:1; sid:1;)"
        );
    }
}
