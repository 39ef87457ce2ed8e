//! Queries as structures that can be made smaller, and their text, in which `{0}` stands for the
//! path of the first capture.

use std::fmt::{self, Display, Formatter};

/// One statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The file it reads; none where the files given beside the query are meant, or where its
    /// first stage is a bag with sources of its own.
    pub source: Option<Source>,
    /// What follows.
    pub pipeline: Pipeline,
}

/// A file that is read.
#[derive(Clone, Debug)]
pub enum Source {
    /// The capture of this number.
    Capture(usize),
    /// A table: the call that reads it.
    Table(String),
}

/// Stages one behind the other.
pub type Pipeline = Vec<Stage>;

/// One stage.
#[derive(Clone, Debug)]
pub enum Stage {
    /// `where TEST`
    Where(Test),
    /// `uniq FIELDS`
    Uniq(Vec<String>),
    /// `head N`
    Head(u64),
    /// `project FIELDS`
    Project(Vec<String>, Option<Group>),
    /// `print FIELDS`
    Print(Print),
    /// `count() group by FIELDS`
    Aggregate(Group),
    /// `(STATEMENT) + (STATEMENT)`
    Bag(Vec<Statement>),
    /// Any other module.
    Call(ModuleCall),
    /// `(PIPELINE) group by FIELDS having TEST`
    Grouped(Pipeline, Vec<String>, Option<Test>),
    /// Streams with names; only at the beginning of a statement.
    Join(Join),
}

/// `last -t 2s srcip`
#[derive(Clone, Debug)]
pub struct ModuleCall {
    /// `last`
    pub module: &'static str,
    /// `-t 2s`
    pub flags: Vec<String>,
    /// `srcip`; for `rename` and the like, what belongs together is one word.
    pub words: Vec<String>,
    /// How many words it has to have.
    pub least: usize,
}

/// `(STATEMENT) a until (TEST), b where TEST`
#[derive(Clone, Debug)]
pub struct Join {
    /// At least two.
    pub inputs: Vec<JoinInput>,
    /// What objects fulfil together; none of these is always true.
    pub conditions: Vec<Test>,
}

/// One stream of a join.
#[derive(Clone, Debug)]
pub struct JoinInput {
    /// Where its objects come from; none where that is as for the stream before.
    pub source: Option<Statement>,
    /// `a`
    pub alias: &'static str,
    /// The most objects kept.
    pub max: Option<usize>,
    /// When objects are forgotten.
    pub until: Option<Test>,
}

/// The arguments of `print`.
#[derive(Clone, Debug, Default)]
pub struct Print {
    /// `-v`, `-B`, `-d S` ...
    pub flags: Vec<String>,
    /// `-f FILE`
    pub file: Option<String>,
    /// None mean all.
    pub fields: Vec<String>,
    /// Functions among the arguments.
    pub group: Option<Group>,
}

/// Functions over groups.
#[derive(Clone, Debug)]
pub struct Group {
    /// At least one.
    pub calls: Vec<Call>,
    /// `group by FIELDS`
    pub keys: Vec<String>,
    /// `having TEST`
    pub having: Option<Test>,
}

/// `sum(len) as bytes`
#[derive(Clone, Debug)]
pub struct Call {
    /// `sum`
    pub function: &'static str,
    /// What stands before the field, with a space behind.
    pub option: String,
    /// `len`
    pub field: Option<String>,
    /// `bytes`
    pub name: Option<&'static str>,
}

impl Call {
    /// The column it gives.
    pub fn column(&self) -> &'static str {
        self.name.unwrap_or(self.function)
    }
}

/// A test.
#[derive(Clone, Debug)]
pub enum Test {
    /// A comparison.
    Compare(Term, &'static str, Term),
    /// The object has the field.
    Exists(String),
    /// All hold.
    And(Vec<Test>),
    /// One holds.
    Or(Vec<Test>),
    /// Does not hold.
    Not(Box<Test>),
    /// `len in (60, 74)`
    In(Term, Vec<String>),
    /// `len between 60 and 74`
    Between(Term, String, String),
    /// `len is null`
    IsNull(Term),
    /// A value that is true, or a number other than 0: `case ... end`, `(len > 60) is true`.
    Is(Term, &'static str),
    /// A call of a filter module.
    Module(String),
}

/// A value in a test.
#[derive(Clone, Debug)]
pub enum Term {
    /// A field.
    Field(String),
    /// A constant as it is written.
    Constant(String),
    /// Arithmetic.
    Arithmetic(Box<Term>, &'static str, Box<Term>),
    /// `case when TEST then VALUE else VALUE end`
    Case(Vec<(Test, Term)>, Option<Box<Term>>),
    /// A test as a value.
    Test(Box<Test>),
    /// A call of a scalar function.
    Call(&'static str, Vec<Term>),
}

impl Term {
    /// Whether there is a field in it: constants alone are no value to compare.
    pub fn has_field(&self) -> bool {
        match self {
            Term::Field(_) => true,
            Term::Constant(_) => false,
            Term::Arithmetic(left, _, right) => left.has_field() || right.has_field(),
            Term::Case(..) | Term::Test(_) => true,
            Term::Call(_, arguments) => arguments.iter().any(Term::has_field),
        }
    }
}

/// Parts with something between two.
struct Joined<'a, T>(&'a [T], &'static str);

impl<T: Display> Display for Joined<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            write!(f, "{}{part}", if at > 0 { self.1 } else { "" })?;
        }
        Ok(())
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            match source {
                Source::Capture(number) => write!(f, "pcapfile {{{number}}}")?,
                Source::Table(call) => f.write_str(call)?,
            }
            if !self.pipeline.is_empty() {
                f.write_str(" | ")?;
            }
        }
        Joined(&self.pipeline, " | ").fmt(f)
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Where(test) => write!(f, "where {test}"),
            Stage::Uniq(fields) => write!(f, "uniq {}", Joined(fields, " ")),
            Stage::Head(count) => write!(f, "head {count}"),
            Stage::Project(fields, None) => write!(f, "project {}", Joined(fields, " ")),
            Stage::Project(fields, Some(group)) => {
                write!(f, "project {} {group}", Joined(fields, ", "))
            }
            Stage::Print(print) => print.fmt(f),
            Stage::Aggregate(group) => group.fmt(f),
            Stage::Bag(branches) => {
                let branches: Vec<String> = branches.iter().map(|b| format!("({b})")).collect();
                Joined(&branches, " + ").fmt(f)
            }
            Stage::Call(call) => call.fmt(f),
            Stage::Grouped(pipeline, keys, having) => {
                let pipeline = Joined(pipeline, " | ");
                write!(f, "({pipeline}) group by {}", Joined(keys, " "))?;
                match having {
                    Some(test) => write!(f, " having {test}"),
                    None => Ok(()),
                }
            }
            Stage::Join(join) => join.fmt(f),
        }
    }
}

impl Display for ModuleCall {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.module)?;
        let mut words = self.flags.iter().chain(&self.words);
        words.try_for_each(|word| write!(f, " {word}"))
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Joined(&self.inputs, ", ").fmt(f)?;
        if self.conditions.is_empty() {
            return Ok(());
        }
        write!(f, " where {}", Joined(&self.conditions, " and "))
    }
}

impl Display for JoinInput {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            write!(f, "({source}) ")?;
        }
        f.write_str(self.alias)?;
        if let Some(max) = self.max {
            write!(f, " max {max}")?;
        }
        match &self.until {
            Some(until) => write!(f, " until ({until})"),
            None => Ok(()),
        }
    }
}

impl Display for Print {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("print")?;
        for flag in &self.flags {
            write!(f, " {flag}")?;
        }
        if let Some(file) = &self.file {
            write!(f, " -f {file}")?;
        }
        for field in &self.fields {
            write!(f, " {field}")?;
        }
        if let Some(group) = &self.group {
            write!(f, " {group}")?;
        }
        Ok(())
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Joined(&self.calls, " ").fmt(f)?;
        if !self.keys.is_empty() {
            write!(f, " group by {}", Joined(&self.keys, " "))?;
        }
        match &self.having {
            Some(test) => write!(f, " having {test}"),
            None => Ok(()),
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}({}{})",
            self.function,
            self.option,
            self.field.as_deref().unwrap_or("")
        )?;
        match self.name {
            Some(name) => write!(f, " as {name}"),
            None => Ok(()),
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Test::Compare(left, op, right) => write!(f, "{left} {op} {right}"),
            Test::Exists(field) => f.write_str(field),
            Test::And(parts) => write!(f, "({})", Joined(parts, " and ")),
            Test::Or(parts) => write!(f, "({})", Joined(parts, " or ")),
            Test::Not(inner) => write!(f, "not ({inner})"),
            Test::In(term, constants) => write!(f, "{term} in ({})", Joined(constants, ", ")),
            Test::Between(term, low, high) => write!(f, "{term} between {low} and {high}"),
            Test::IsNull(term) => write!(f, "{term} is null"),
            Test::Is(term, "") => term.fmt(f),
            Test::Is(term, what) => write!(f, "({term}) is {what}"),
            Test::Module(call) => f.write_str(call),
        }
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Term::Field(field) => f.write_str(field),
            Term::Constant(constant) => f.write_str(constant),
            Term::Arithmetic(left, op, right) => write!(f, "({left} {op} {right})"),
            Term::Case(arms, otherwise) => {
                f.write_str("case")?;
                for (test, value) in arms {
                    write!(f, " when {test} then {value}")?;
                }
                if let Some(value) = otherwise {
                    write!(f, " else {value}")?;
                }
                f.write_str(" end")
            }
            Term::Test(test) => write!(f, "({test})"),
            Term::Call(name, arguments) => write!(f, "{name}({})", Joined(arguments, ", ")),
        }
    }
}
