//! Just enough JSON to read what wireq writes.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text that is one value.
    #[track_caller]
    pub fn parse(text: &str) -> Json {
        let mut rest = text;
        let value = value(&mut rest);
        assert_eq!(rest.trim(), "", "there is more behind the value");
        value
    }

    #[track_caller]
    pub fn get(&self, name: &str) -> &Json {
        let Json::Object(members) = self else {
            panic!("{self:?} is no object");
        };
        let member = members.iter().find(|(known, _)| known == name);
        &member
            .unwrap_or_else(|| panic!("no `{name}` in {self:?}"))
            .1
    }

    #[track_caller]
    pub fn list(&self) -> &[Json] {
        let Json::List(values) = self else {
            panic!("{self:?} is no list");
        };
        values
    }

    /// The names of an object.
    #[track_caller]
    pub fn names(&self) -> Vec<&str> {
        let Json::Object(members) = self else {
            panic!("{self:?} is no object");
        };
        members.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[track_caller]
    pub fn text(&self) -> &str {
        let Json::Text(text) = self else {
            panic!("{self:?} is no text");
        };
        text
    }

    #[track_caller]
    pub fn number(&self) -> u64 {
        let Json::Number(number) = self else {
            panic!("{self:?} is no number");
        };
        *number as u64
    }
}

fn value(rest: &mut &str) -> Json {
    *rest = rest.trim_start();
    match rest.as_bytes().first() {
        Some(b'{') => Json::Object(items(rest, '}', |rest| {
            let name = text(rest);
            skip(rest, ":");
            (name, value(rest))
        })),
        Some(b'[') => Json::List(items(rest, ']', value)),
        Some(b'"') => Json::Text(text(rest)),
        _ => plain(rest),
    }
}

fn items<T>(rest: &mut &str, close: char, item: impl Fn(&mut &str) -> T) -> Vec<T> {
    *rest = rest[1..].trim_start();
    let mut items = Vec::new();
    while !rest.starts_with(close) {
        items.push(item(rest));
        *rest = rest.trim_start();
        if !rest.starts_with(close) {
            skip(rest, ",");
        }
    }
    *rest = &rest[1..];
    items
}

fn skip(rest: &mut &str, sign: &str) {
    let trimmed = rest.trim_start();
    let tail = trimmed.strip_prefix(sign);
    *rest = tail
        .unwrap_or_else(|| panic!("`{sign}` expected: {trimmed}"))
        .trim_start();
}

fn text(rest: &mut &str) -> String {
    let begin = rest.trim_start().strip_prefix('"');
    *rest = begin.unwrap_or_else(|| panic!("a text expected: {rest}"));
    let mut text = String::new();
    let mut characters = rest.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => {
                *rest = &rest[at + 1..];
                return text;
            }
            '\\' => match characters.next().expect("something is escaped").1 {
                'u' => {
                    let digits: String = characters.by_ref().take(4).map(|(_, c)| c).collect();
                    let code = u32::from_str_radix(&digits, 16).expect("four digits");
                    text.push(char::from_u32(code).expect("a character"));
                }
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                escaped => {
                    assert!("\"\\/".contains(escaped), "`\\{escaped}` is no escape");
                    text.push(escaped);
                }
            },
            c => {
                assert!(!c.is_control(), "a bare control character");
                text.push(c);
            }
        }
    }
    panic!("the text does not end");
}

fn plain(rest: &mut &str) -> Json {
    let end = rest.find([',', ']', '}', ' ', '\n']).unwrap_or(rest.len());
    let (word, tail) = rest.split_at(end);
    *rest = tail;
    match word {
        "null" => Json::Null,
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        number => Json::Number(number.parse().expect("a number")),
    }
}

#[test]
fn reads_what_it_has_to() {
    let json = Json::parse("{\"a\\\"\\u0041\": [1, {\"b\": null}, true], \"c\":\"\"}\n");
    assert_eq!(json.get("a\"A").list()[0].number(), 1);
    assert_eq!(json.get("a\"A").list()[1].get("b"), &Json::Null);
    assert_eq!(json.get("c"), &Json::Text(String::new()));
}
