//! What names mean: modules; functions and other names in argument lists.

use super::functions::Functions;
use super::{Flow, Lowering, bare};
use crate::ast::{self, Argument, ArgumentValue};
use wireq_engine::arguments::Word;
use wireq_engine::diagnostic::suggest;
use wireq_engine::module::Module;
use wireq_engine::plan::NodeId;
use wireq_engine::{Diagnostic, Span};

/// What may stand where a module does.
const STAGE_KEYWORDS: [&str; 2] = ["where", "filter"];

/// The module that gives fields other names.
pub(super) const RENAME: &str = "rename";

/// The name of a calculated column that has no other.
const COLUMN: &str = "expr";

/// Whether tcpdump's filters begin with this word.
fn is_word_of_tcpdump(name: &str) -> bool {
    let words = [
        "tcp",
        "udp",
        "icmp",
        "icmp6",
        "ip",
        "ip6",
        "arp",
        "host",
        "port",
        "portrange",
        "net",
        "src",
        "dst",
        "ether",
        "vlan",
        "proto",
        "less",
        "greater",
    ];
    words.contains(&name)
}

/// The words of an argument list.
#[derive(Default)]
pub(super) struct Words<'t> {
    pub words: Vec<Word>,
    /// Columns that are calculated before the call.
    pub calculated: Vec<(Word, &'t ast::Expr)>,
    /// Fields and the names that they are given before the call.
    renamed: Vec<Word>,
}

impl Lowering<'_> {
    /// The module that a name means.
    pub(super) fn module(&mut self, name: &Word) -> Option<&'static Module> {
        let module = self.registry.module(&name.text);
        if module.is_none() {
            let fault = match &self.definitions.calls(&name.text)[..] {
                [] => self.unknown_module(name),
                calls => other_arguments(name, calls),
            };
            self.faults.push(fault);
        }
        module
    }

    fn unknown_module(&self, name: &Word) -> Diagnostic {
        let modules = self.registry.modules().iter().map(|module| module.name);
        let names = modules
            .chain(STAGE_KEYWORDS)
            .chain(self.definitions.names());
        let help = match suggest(&name.text, names) {
            _ if name.text.eq_ignore_ascii_case("with") => {
                "a query has a name through a definition: `NAME :- SELECT ...`".to_owned()
            }
            _ if self.definitions.is_defining(&name.text) => {
                "a definition sees only those before it, not itself".to_owned()
            }
            _ if name.text.contains(['.', '/']) => {
                format!(
                    "name the module that reads a file: `pcapfile({})`",
                    name.text
                )
            }
            _ if is_word_of_tcpdump(&name.text) => {
                "a condition: `where ipprotocol = tcp and dstport = 80`".to_owned()
            }
            _ if self.is_field(&name.text) => {
                let field = &name.text;
                format!("`{field}` is a field: `print {field}` prints it, `where {field}` tests it")
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => "`wireq modules` lists the modules; a condition begins with `where`".to_owned(),
        };
        let message = format!("there is no module `{}`", name.text);
        Diagnostic::new("Q040", name.span, message)
            .label("unknown module")
            .help(help)
    }

    /// Whether objects of any type have a field of this name.
    pub(crate) fn is_field(&self, name: &str) -> bool {
        self.registry
            .types()
            .iter()
            .any(|t| t.field(name).is_some())
    }

    /// The words of an argument list. Functions in it go to `functions` and leave their names.
    pub(super) fn words<'t>(
        &mut self,
        arguments: &'t [Argument],
        input: NodeId,
        functions: &mut Functions,
    ) -> Words<'t> {
        let mut list = Words::default();
        for argument in arguments {
            let word = match (&argument.value, &argument.alias) {
                (ArgumentValue::Function(call), alias) if self.attaches(call) => {
                    alias.clone().unwrap_or_else(|| call.name.clone())
                }
                (ArgumentValue::Function(call), alias) => {
                    self.function(call, alias.as_ref(), input, functions)
                }
                (ArgumentValue::Expression(expr), alias) => {
                    let name = alias.clone().unwrap_or_else(|| bare(COLUMN, expr.span));
                    list.calculated.push((name.clone(), expr));
                    Word {
                        quoted: false,
                        ..name
                    }
                }
                (ArgumentValue::Word(word), None) => word.clone(),
                (ArgumentValue::Word(word), Some(alias)) => {
                    self.renamed(word, alias, &mut list.renamed)
                }
            };
            list.words.push(word);
        }
        list
    }

    /// The word that a call sees in place of `field as alias`.
    fn renamed(&mut self, field: &Word, alias: &Word, renamed: &mut Vec<Word>) -> Word {
        if self.registry.module(RENAME).is_none() {
            let message = format!(
                "the field `{}` cannot be given another name yet",
                field.text
            );
            self.no_alias(message, field, alias);
            return field.clone();
        }
        renamed.extend([field.clone(), alias.clone()]);
        Word {
            quoted: false,
            ..alias.clone()
        }
    }

    /// Gives fields the names that an argument list has for them.
    pub(super) fn rename(&mut self, list: &Words<'_>, input: NodeId, span: Span) -> NodeId {
        if list.renamed.is_empty() {
            return input;
        }
        let name = bare(RENAME, span);
        self.operator(&name, &list.renamed, Flow::new(input), span)
            .node
    }

    pub(super) fn no_alias(&mut self, message: String, word: &Word, alias: &Word) {
        let fault = Diagnostic::new("Q021", word.span.to(alias.span), message);
        self.faults
            .push(fault.help(format!("`as` names functions: `count() as {}`", alias.text)));
    }
}

/// The fault of a definition that is called with too few or too many arguments.
fn other_arguments(name: &Word, calls: &[String]) -> Diagnostic {
    let message = format!("`{}` is defined for other arguments", name.text);
    Diagnostic::new("Q041", name.span, message)
        .label("too few or too many")
        .help(format!("it is defined as `{}`", calls.join("`, `")))
}
