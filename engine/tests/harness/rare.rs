//! Random statements of what seldom comes about by chance: modules together with a print of what they
//! attach, what clocks close, equal rows where only the first are wanted, regular expressions that are
//! tried at once.

use super::generate::Generator;
use super::query::{ModuleCall, Print, Stage, Statement, Test};
use super::scope::Scope;

/// The modules that measure.
const MEASURES: [&str; 9] = [
    "pdf",
    "histogram",
    "cumdist",
    "fifodelay",
    "changes",
    "active",
    "flow",
    "flowid",
    "dfa",
];

impl Generator {
    /// Modules that measure, each with a print of what it attaches.
    pub(super) fn statements_of_measures(&mut self) -> Vec<Statement> {
        let count = self.random.between(1, 2);
        let measures = (0..count).filter_map(|_| self.statement_of_a_measure());
        measures.collect()
    }

    fn statement_of_a_measure(&mut self) -> Option<Statement> {
        let mut scope = Scope::packet();
        let mut statement = self.of_packets(&scope);
        let name = *self.random.pick(&MEASURES);
        let call = self.measuring(name, &mut scope)?;
        statement.pipeline.push(Stage::Call(call));
        let mut fields = scope.attached();
        while fields.len() > 4 {
            fields.remove(self.random.below(fields.len()));
        }
        let (other, _) = scope.pick(&mut self.random);
        if !fields.contains(&other) {
            fields.push(other);
        }
        statement.pipeline.push(Stage::Print(Print {
            fields,
            ..Print::default()
        }));
        Some(statement)
    }

    /// A clock, and groups that it mostly closes.
    pub(super) fn statements_of_clocks(&mut self) -> Vec<Statement> {
        let mut scope = Scope::packet();
        let mut statement = self.of_packets(&scope);
        statement.pipeline.extend(self.clock(&mut scope));
        statement.pipeline.push(self.grouped(&mut scope, 1));
        statement.pipeline.push(self.print(&mut scope));
        vec![statement]
    }

    /// The first objects in an order in which many are equal, the last of these mostly first.
    pub(super) fn statements_of_ties(&mut self) -> Vec<Statement> {
        let mut scope = Scope::packet();
        let mut statement = self.of_packets(&scope);
        let few = ["srcip", "dstip", "srcport", "dstport", "ipprotocol", "ttl"];
        let mut flags = Vec::new();
        flags.extend(self.random.percent(75).then(|| "-r".to_owned()));
        statement.pipeline.push(Stage::Call(ModuleCall {
            module: "sort",
            flags,
            words: vec![(*self.random.pick(&few)).to_owned()],
            least: 1,
        }));
        let count = self.random.between(1, 4) as u64;
        statement.pipeline.push(Stage::Head(count));
        statement.pipeline.push(self.print(&mut scope));
        vec![statement]
    }

    /// Filters of one source that look for something in the same field.
    pub(super) fn statements_of_texts(&mut self) -> Vec<Statement> {
        let source = self.named_capture();
        let count = self.random.between(3, 8);
        let statement = |generator: &mut Generator| {
            let mut scope = Scope::packet();
            let call = match generator.random.percent(25) {
                true => generator.text_test("payload"),
                false => generator.expression("payload"),
            };
            let test = match (Test::Module(call), generator.random.percent(25)) {
                (test, true) => Test::And(vec![generator.limit_of_length(&scope), test]),
                (test, false) => test,
            };
            Statement {
                source: source.clone(),
                pipeline: vec![Stage::Where(test), generator.print(&mut scope)],
            }
        };
        (0..count).map(|_| statement(self)).collect()
    }

    /// A regular expression that mostly has no text that can be searched for.
    fn expression(&mut self, field: &str) -> String {
        let flag = *self.random.pick(&["", "", "", "-i, "]);
        let begin = *self.random.pick(&["", "", "^"]);
        let end = *self.random.pick(&["", "", "$"]);
        let count = self.random.between(1, 3);
        let classes = ["[a-c]", "[A-T]", "[0-9]", "[b-z]", "[T/ ]", "."];
        let mut parts: Vec<String> = (0..count)
            .map(|_| (*self.random.pick(&classes)).to_owned())
            .collect();
        // The oracle tries all ways: more signs would make many of them.
        let at = self.random.below(count);
        let times = *self.random.pick(&["", "", "+", "?", "*"]);
        parts[at].push_str(times);
        let parts = parts.concat();
        format!("match({flag}{field}, '{begin}{parts}{end}')")
    }

    /// What all statements here begin with: packets, or some of them.
    fn of_packets(&mut self, scope: &Scope) -> Statement {
        let mut pipeline = Vec::new();
        if self.random.percent(35) {
            pipeline.push(Stage::Where(self.test(scope, 1)));
        }
        Statement {
            source: self.named_capture(),
            pipeline,
        }
    }
}
