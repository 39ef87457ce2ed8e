//! What the last word of a query can become.
//!
//! Queries that are being written are seldom right, so they are not parsed: a walk over their words
//! tells in which place the cursor is.

use super::{Completions, fields};
use wireq_engine::arguments::{Arguments, Parameter, Takes};
use wireq_engine::{Build, Module, Registry};
use wireq_typesys::RecordType;

/// Where in a query the cursor is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Where a stage begins.
    Stage,
    /// Among the arguments of a module: its name, and the word before.
    Arguments(String, String),
    /// In a condition.
    Condition,
    /// In a condition of groups.
    Having,
    /// Behind `group`.
    By,
    /// Behind `group by`.
    Keys,
    /// Behind `as`, or in quotes: any name.
    Name,
}

/// What was found on the way to the cursor.
struct Walk {
    place: Place,
    /// The places outside of the open brackets.
    outer: Vec<Place>,
    /// The last word, and where in the text it begins.
    word: String,
    start: usize,
    /// Whether the last word is behind a blank or sign: then the one before is whole.
    module: String,
    /// Names of definitions.
    definitions: Vec<String>,
    /// Names behind `as`.
    aliases: Vec<String>,
    /// The first module that brings objects in.
    source: Option<&'static Module>,
}

/// Whether a character ends a word everywhere.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || "|,;()'\"".contains(c)
}

/// What the text up to the cursor can become.
pub fn complete(text: &str) -> Completions {
    let registry = wireq_modules::registry();
    let walk = Walk::new(text, &registry);
    let stem = text[..walk.start].chars().count();
    Completions::new(stem, &walk.word, walk.candidates(&registry))
}

/// The labels of a text's statements.
pub fn labels(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || c == ';');
    words
        .filter_map(|word| word.strip_suffix(':'))
        .filter(|label| !label.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The names that a text has for arguments.
pub fn arguments(text: &str) -> Vec<String> {
    let behind = text.split('$').skip(1);
    let name = |rest: &str| -> String {
        rest.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    };
    behind.map(name).filter(|name| !name.is_empty()).collect()
}

impl Walk {
    fn new(text: &str, registry: &Registry) -> Walk {
        let mut walk = Walk {
            place: Place::Stage,
            outer: Vec::new(),
            word: String::new(),
            start: 0,
            module: String::new(),
            definitions: Vec::new(),
            aliases: Vec::new(),
            source: None,
        };
        let mut rest = text.char_indices();
        while let Some((at, c)) = rest.next() {
            let operator =
                matches!(walk.place, Place::Condition | Place::Having) && "=<>!&".contains(c);
            if !ends_word(c) && !operator {
                walk.word.push(c);
                continue;
            }
            walk.end_word(registry);
            walk.start = at + c.len_utf8();
            match c {
                '\'' | '"' => match rest.by_ref().find(|(_, other)| *other == c) {
                    Some((end, _)) => walk.start = end + 1,
                    None => {
                        text[walk.start..].clone_into(&mut walk.word);
                        walk.quote(c);
                        return walk;
                    }
                },
                c => walk.sign(c),
            }
        }
        walk
    }

    /// In open quotes only the name of a file can be completed.
    fn quote(&mut self, _mark: char) {
        let reads = matches!(&self.place, Place::Arguments(..)) && self.source.is_some();
        if !reads {
            self.place = Place::Name;
        }
    }

    fn sign(&mut self, c: char) {
        match c {
            '|' | ';' | '\n' => self.place = Place::Stage,
            '(' => {
                self.outer.push(self.place.clone());
                self.place = match &self.place {
                    Place::Arguments(_, before) if !before.is_empty() => {
                        Place::Arguments(before.clone(), String::new())
                    }
                    place => place.clone(),
                };
            }
            ')' => {
                let outside = self.outer.pop();
                self.place = match outside {
                    // Behind a bag or a call its clauses can follow.
                    Some(Place::Stage) | None => {
                        Place::Arguments(self.module.clone(), String::new())
                    }
                    Some(place) => place,
                };
            }
            _ => {}
        }
    }

    /// A word is whole: it may change what can follow.
    fn end_word(&mut self, registry: &Registry) {
        let word = std::mem::take(&mut self.word);
        if word.is_empty() {
            return;
        }
        if word.ends_with(":-") || word == "+" {
            if let Place::Arguments(name, _) = &self.place {
                self.definitions.push(name.clone());
            }
            self.place = Place::Stage;
            return;
        }
        let keyword = word.to_ascii_lowercase();
        self.place = match (&self.place, keyword.as_str()) {
            (Place::Stage, "filter") | (_, "where") => Place::Condition,
            (_, "having") => Place::Having,
            (_, "group") => Place::By,
            (Place::By, "by") => Place::Keys,
            (_, "from") => Place::Stage,
            (Place::Arguments(..) | Place::Keys, "as") => Place::Name,
            // A label.
            (Place::Stage, label) if label.ends_with(':') => Place::Stage,
            (Place::Stage, _) => {
                let module = registry.module(&word);
                let source = module.filter(|m| matches!(m.build, Build::Source(_)));
                self.source = self.source.or(source);
                self.module.clone_from(&word);
                Place::Arguments(word, String::new())
            }
            (Place::Arguments(module, _), _) => Place::Arguments(module.clone(), word),
            (Place::Name, _) => {
                self.aliases.push(word);
                Place::Arguments(self.module.clone(), String::new())
            }
            (place, _) => place.clone(),
        };
    }

    fn candidates(&self, registry: &Registry) -> Vec<(String, String)> {
        let fields = || {
            let types = self.types(registry);
            let types: Vec<&dyn RecordType> = types.iter().map(|t| &**t).collect();
            let aliases = self
                .aliases
                .iter()
                .map(|name| (name.clone(), String::new()));
            let mut fields = fields::fields(&types, &self.word);
            fields.extend(aliases);
            fields
        };
        match &self.place {
            Place::Stage => {
                let definitions = self.definitions.iter();
                let mut all = fields::modules(registry);
                all.extend(definitions.map(|name| (name.clone(), "a definition".to_owned())));
                all.extend(words(&["where"]));
                all
            }
            Place::Arguments(module, before) => {
                let mut all = self.argument(registry.module(module), before, &fields, registry);
                if !self.word.starts_with('-') {
                    all.extend(words(&["where", "group by", "every", "having"]));
                }
                all
            }
            Place::Condition => [fields(), words(&["and", "or", "not", "in"])].concat(),
            Place::Having => {
                let functions = fields::functions(registry);
                [fields(), functions, words(&["and", "or", "not", "in"])].concat()
            }
            Place::By => words(&["by"]),
            Place::Keys => [fields(), words(&["every", "having"])].concat(),
            Place::Name => Vec::new(),
        }
    }

    /// What can be an argument of a module.
    fn argument(
        &self,
        module: Option<&Module>,
        before: &str,
        fields: &dyn Fn() -> Vec<(String, String)>,
        registry: &Registry,
    ) -> Vec<(String, String)> {
        let Some(module) = module else {
            return fields();
        };
        let of_flag = module.parameters.iter().find(|p| p.name == before);
        if let Some(flag) = of_flag.filter(|flag| flag.takes != Takes::Nothing) {
            return match flag.takes {
                Takes::File => fields::paths(&self.word),
                Takes::Field => fields(),
                _ => Vec::new(),
            };
        }
        if self.word.starts_with('-') {
            let flags = module.parameters.iter().filter(|p| p.is_flag());
            let flag = |p: &Parameter| (p.name.to_owned(), p.summary.to_owned());
            return flags.map(flag).collect();
        }
        let takes = |takes: Takes| {
            let mut arguments = module.parameters.iter().filter(|p| !p.is_flag());
            arguments.any(|p| p.takes == takes)
        };
        let mut all = Vec::new();
        if takes(Takes::File) {
            all.extend(fields::paths(&self.word));
        }
        if takes(Takes::Field) {
            all.extend(fields());
            if !matches!(module.build, Build::Aggregate(_)) {
                all.extend(fields::functions(registry));
            }
        }
        all
    }

    /// The types of the objects: that of the source, else all there are.
    fn types(&self, registry: &Registry) -> Vec<std::sync::Arc<dyn RecordType>> {
        if let Some(Build::Source(build)) = self.source.map(|module| &module.build)
            && let Ok(spec) = build(&Arguments::default())
        {
            return vec![spec.record_type];
        }
        registry.types().to_vec()
    }
}

fn words(words: &[&str]) -> Vec<(String, String)> {
    let word = |word: &&str| ((*word).to_owned(), String::new());
    words.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(text: &str) -> Vec<String> {
        let completions = complete(text);
        let stem: String = text.chars().take(completions.stem).collect();
        let whole = |(candidate, _): (String, String)| format!("{stem}{candidate}");
        completions.candidates.into_iter().map(whole).collect()
    }

    #[test]
    fn places_are_told_apart() {
        for (text, expected) in [
            ("uniqo", &["uniqobj"][..]),
            ("pcapf", &["pcapfile"]),
            ("wher", &["where"]),
            ("where dstpo", &["where dstport"]),
            (
                "where dstport=80 and dstpo",
                &["where dstport=80 and dstport"],
            ),
            ("where a=dstpo", &["where a=dstport"]),
            ("where x | uniqo", &["where x | uniqobj"]),
            ("where x|uniqo", &["where x|uniqobj"]),
            ("web: uniqo", &["web: uniqobj"]),
            ("uniq srcip, dstpo", &["uniq srcip, dstport"]),
            ("print(dstpo", &["print(dstport"]),
            ("print cou", &["print count()"]),
            ("print sum(dstpo", &["print sum(dstport"]),
            ("print --boul", &["print --boulder"]),
            ("print srcip gro", &["print srcip group by"]),
            ("print srcip group b", &["print srcip group by"]),
            ("count() group by dstpo", &["count() group by dstport"]),
            (
                "count() as entirety group by x having entir",
                &["count() as entirety group by x having entirety"],
            ),
            ("print ts.hou", &["print ts.hour"]),
            ("print srcip from uniqo", &["print srcip from uniqobj"]),
            (
                "Web :- where x; Web | uniqo",
                &["Web :- where x; Web | uniqobj"],
            ),
            ("Webs :- where x; We", &["Webs :- where x; Webs"]),
            ("(where dstpo", &["(where dstport"]),
            ("where payload = 'dstpo", &[]),
            ("count() as dstpo", &[]),
        ] {
            assert_eq!(candidates(text), expected, "{text}");
        }
    }

    #[test]
    fn files_are_completed_where_they_are_read() {
        let text = format!("pcapfile {}/src/ma", env!("CARGO_MANIFEST_DIR"));
        let found = candidates(&text);
        assert!(
            found.iter().any(|path| path.ends_with("/src/main.rs")),
            "{found:?}"
        );
    }

    #[test]
    fn any_text_has_an_answer() {
        for text in [
            "",
            "'",
            "(((",
            ")))",
            "| | |",
            "é\u{301} 'ü",
            "$a = ",
            "a\\",
            ":-",
            "+",
            "\n\n",
        ] {
            complete(text);
        }
    }
}
