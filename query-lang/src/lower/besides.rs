//! What is added to the statements besides their text: how they print, how many objects they give,
//! of which time.

use super::{Flow, Lowering, bare};
use crate::{Printing, Writing};
use std::borrow::Cow;
use wireq_engine::arguments::Word;
use wireq_engine::module::{Module, SourceSpec};
use wireq_engine::plan::expr::Expr;
use wireq_engine::plan::{NodeId, stream::Stream};
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::{CompareOp, FieldPath, Kind, Literal};

/// The field that says of which time an object is.
const TIME: &str = "ts";

/// The module that ends a source which is in the order of time.
const DURING: &str = "during";

impl Lowering<'_> {
    /// The words of a call, with the flags for printing before them where the module prints.
    pub(super) fn printing<'w>(
        &self,
        module: &Module,
        words: &'w [Word],
        span: Span,
    ) -> Cow<'w, [Word]> {
        let printing = &self.options.printing;
        let prints = module
            .parameters
            .iter()
            .any(|parameter| parameter.name == Printing::FORMAT);
        if !prints {
            return Cow::Borrowed(words);
        }
        let number = self.plan.statements.len().to_string();
        let label = self.plan.statements.last().and_then(|s| s.name.as_deref());
        let is_mine = |name: &str| Some(name) == label || name == number;
        let elsewhere = printing.elsewhere.iter().find(|(name, _)| is_mine(name));
        let flags = elsewhere.map_or(&printing.flags, |(_, flags)| flags);
        let mut all: Vec<Word> = flags.iter().map(|flag| bare(flag, span)).collect();
        if printing.tag {
            let label = Word {
                quoted: true,
                ..bare(label.unwrap_or(&number), span)
            };
            all.extend([bare(Printing::STATEMENT, span), label]);
        }
        if all.is_empty() {
            return Cow::Borrowed(words);
        }
        all.extend_from_slice(words);
        Cow::Owned(all)
    }

    /// The end of a statement: its objects are printed where nothing else was done with them, and
    /// are no more than the limit.
    pub(super) fn end_statement(&mut self, end: Flow, span: Span) {
        let end = match self.options.limit {
            Some(limit) => {
                let words = [bare(&limit.to_string(), span)];
                self.operator(&bare("head", span), &words, end, span)
            }
            None => end,
        };
        if let Some(writing) = &self.options.writing {
            return self.write_to_file(end, writing, span);
        }
        if end.used {
            return;
        }
        let mut words = vec![bare("--summary", span)];
        if end.rows {
            words.insert(0, bare(Printing::ROWS, span));
        }
        let formatted = !self.options.printing.flags.is_empty();
        if formatted && is_named(self.plan.stream(end.node)) {
            words.insert(0, bare(Printing::NULL, span));
        }
        self.operator(&bare("print", span), &words, end, span);
    }

    /// Writes what a statement gives; one that does something else with it gives nothing.
    fn write_to_file(&mut self, end: Flow, writing: &Writing, span: Span) {
        let module = writing.module;
        let fault = |message: &str, help: &str| {
            let fault = Diagnostic::new("Q064", span, message.to_owned());
            fault.label("statement").help(help.to_owned())
        };
        if end.used {
            let message =
                "this statement does something with its objects, and so gives none to be written";
            let help = format!("end it before that, or write with `{module}` where they are");
            self.faults.push(fault(message, &help));
        } else if self.plan.statements.len() > 1 {
            let message = "what several statements give cannot be written to one file";
            let help = format!("end each with `{module}` and a file of its own");
            self.faults.push(fault(message, &help));
        } else {
            let words = [bare(writing.flag, span), quoted(&writing.path, span)];
            self.operator(&bare(module, span), &words, end, span);
        }
    }

    /// Passes the objects of a source that are of the time asked for.
    pub(super) fn period(&mut self, spec: &SourceSpec, source: NodeId, span: Span) -> NodeId {
        let period = self.options.period.clone();
        let time = FieldPath::new(TIME);
        if self.plan.stream(source).kind(&time) != Some(Kind::Time) {
            return source;
        }
        let test = |op: CompareOp, moment: &String| {
            let field = Box::new(Expr::Field(time.clone(), span));
            let moment = Box::new(Expr::Literal(Literal::quoted(moment), span));
            Expr::Holds(Box::new(Expr::Compare(op, field, moment)))
        };
        let from = period
            .from
            .iter()
            .map(|from| test(CompareOp::GreaterOrEqual, from));
        let to = period.to.iter().map(|to| test(CompareOp::Less, to));
        let mut tests: Vec<Expr> = from.chain(to).collect();
        let mut node = source;
        let ends = spec.time_ordered && self.registry.module(DURING).is_some();
        if let Some(to) = period.to.as_ref().filter(|_| ends) {
            // What follows is of a later time: the source need not be read further.
            let words = [bare("--ordered", span), bare("-", span), quoted(to, span)];
            node = self
                .operator(&bare(DURING, span), &words, Flow::new(node), span)
                .node;
        }
        match tests.len() {
            0 => node,
            1 => self.plan.add_filter(tests.remove(0), node, span),
            _ => self.plan.add_filter(Expr::And(tests), node, span),
        }
    }
}

fn quoted(text: &str, span: Span) -> Word {
    Word {
        quoted: true,
        ..bare(text, span)
    }
}

/// Whether what is printed without being asked for is what the query names: keys, functions, the
/// fields of new objects.
fn is_named(stream: &Stream) -> bool {
    let mut of_types: Vec<FieldPath> = Vec::new();
    for name in stream.types.iter().flat_map(|t| t.summary_fields()) {
        let path = FieldPath::new(name);
        if !of_types.contains(&path) {
            of_types.push(path);
        }
    }
    stream.summary != of_types
}
