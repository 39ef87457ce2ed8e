//! How often everything occurred.

use super::oracle::Results;
use std::collections::BTreeMap;
use std::fmt;
use wireq_engine::plan::explain::explain;
use wireq_engine::plan::expr::Expr;
use wireq_engine::plan::{NodeKind, Plan};
use wireq_engine::rewrite::{Choices, REWRITES};

/// Counts by name.
#[derive(Debug, Default)]
pub struct Census {
    /// Modules, core operators and functions of plans.
    pub modules: BTreeMap<String, usize>,
    /// Flags of modules, and what joins have.
    pub flags: BTreeMap<String, usize>,
    /// What keeps a state for each group.
    pub grouped: BTreeMap<String, usize>,
    /// Operators of expressions.
    pub operators: BTreeMap<String, usize>,
    /// `Done` and `End`.
    pub controls: BTreeMap<String, usize>,
    /// Rewrites that changed a plan.
    pub rewrites: BTreeMap<String, usize>,
    /// All statements.
    pub statements: usize,
    /// Statements that printed something.
    pub with_rows: usize,
    /// Sets that were no queries after all.
    pub invalid: usize,
}

fn count(counts: &mut BTreeMap<String, usize>, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}

impl Census {
    /// Counts what is in a plan and what it did.
    pub fn of(plan: &Plan, results: &Results) -> Census {
        let mut census = Census::default();
        for node in plan.graph.node_weights() {
            census.node(&node.kind);
        }
        let done = ("Done".to_owned(), results.dones);
        let close = ("Close".to_owned(), results.closes);
        census.controls = BTreeMap::from([("End".to_owned(), 1), done, close]);
        census.rewritten(plan);
        census.statements = plan.statements.len();
        let printed = |statement: &usize| results.writes.iter().any(|w| w.statement == *statement);
        census.with_rows = (0..census.statements).filter(printed).count();
        census
    }

    /// Counts the rewrites that do anything to a plan, one behind the other.
    fn rewritten(&mut self, plan: &Plan) {
        let choices = Choices::default();
        let mut plan = plan.clone();
        let mut before = explain(&plan);
        for rewrite in REWRITES {
            rewrite.run(&mut plan, &choices);
            let after = explain(&plan);
            if after != before {
                count(&mut self.rewrites, rewrite.name);
            }
            before = after;
        }
    }

    fn node(&mut self, kind: &NodeKind) {
        count(&mut self.modules, kind.name());
        match kind {
            NodeKind::Filter(expr) => self.expression(expr),
            NodeKind::Aggregate(aggregate) => {
                if aggregate.group.is_some() {
                    count(&mut self.grouped, kind.name());
                }
                for function in &aggregate.functions {
                    count(&mut self.modules, function.module.name);
                }
            }
            NodeKind::Operator(module, arguments, spec) => {
                if spec.group.is_some() {
                    count(&mut self.grouped, module.name);
                }
                spec.expressions.iter().for_each(|e| self.expression(e));
                let flags = module
                    .parameters
                    .iter()
                    .filter(|parameter| parameter.is_flag());
                for flag in flags.filter(|flag| arguments.flag(flag.name)) {
                    count(&mut self.flags, &format!("{} {}", module.name, flag.name));
                }
            }
            NodeKind::Compute(list) => list.iter().for_each(|c| self.expression(&c.expr)),
            NodeKind::Join(join) => {
                for alias in &join.aliases {
                    for (name, there) in [
                        ("own", !alias.own.is_empty()),
                        ("until", alias.until.is_some()),
                        ("max", alias.max.is_some()),
                    ] {
                        if there {
                            count(&mut self.flags, &format!("join {name}"));
                        }
                    }
                    alias
                        .own
                        .iter()
                        .chain(&alias.until)
                        .for_each(|e| self.expression(e));
                }
                join.condition.iter().for_each(|e| self.expression(e));
            }
            NodeKind::Group(group) => {
                if group.outer.is_some() {
                    count(&mut self.grouped, "group");
                }
            }
            NodeKind::Source(..)
            | NodeKind::Union
            | NodeKind::Match(_)
            | NodeKind::Branch(_)
            | NodeKind::Columns(_)
            | NodeKind::Tally(_)
            | NodeKind::Table(_)
            | NodeKind::Deal(_) => {}
        }
    }

    fn expression(&mut self, expr: &Expr) {
        let name = match expr {
            Expr::Field(..) | Expr::Literal(..) | Expr::Bool(..) | Expr::Absent(_) => return,
            Expr::Call(function, ..) => function.name,
            Expr::Case(..) => "case",
            Expr::Truth(_) => "truth",
            Expr::IsAbsent(_) => "is null",
            Expr::Compare(op, ..) => op.symbol(),
            Expr::Arithmetic(op, ..) => op.symbol(),
            Expr::And(_) => "and",
            Expr::Or(_) => "or",
            Expr::Not(_) => "not",
            Expr::Exists(..) => "exists",
            Expr::Holds(_) => "holds",
            Expr::Passes(call) => call.module.name,
        };
        count(&mut self.operators, name);
        match expr {
            Expr::Compare(_, left, right) | Expr::Arithmetic(_, left, right) => {
                self.expression(left);
                self.expression(right);
            }
            Expr::And(parts) | Expr::Or(parts) => {
                parts.iter().for_each(|part| self.expression(part));
            }
            Expr::Not(inner) | Expr::Holds(inner) | Expr::Truth(inner) | Expr::IsAbsent(inner) => {
                self.expression(inner);
            }
            Expr::Call(_, arguments, _) => arguments.iter().for_each(|a| self.expression(a)),
            Expr::Case(arms, otherwise) => {
                for (test, value) in arms {
                    self.expression(test);
                    self.expression(value);
                }
                otherwise.iter().for_each(|o| self.expression(o));
            }
            _ => {}
        }
    }

    /// Adds the counts of another set.
    pub fn add(&mut self, other: Census) {
        for (mine, others) in [
            (&mut self.modules, other.modules),
            (&mut self.flags, other.flags),
            (&mut self.grouped, other.grouped),
            (&mut self.operators, other.operators),
            (&mut self.controls, other.controls),
            (&mut self.rewrites, other.rewrites),
        ] {
            for (name, count) in others {
                *mine.entry(name).or_default() += count;
            }
        }
        self.statements += other.statements;
        self.with_rows += other.with_rows;
        self.invalid += other.invalid;
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, counts) in [
            ("modules", &self.modules),
            ("flags", &self.flags),
            ("for each group", &self.grouped),
            ("operators", &self.operators),
            ("controls", &self.controls),
            ("rewrites", &self.rewrites),
        ] {
            write!(f, "{title}:")?;
            for (name, count) in counts {
                write!(f, "  {name} {count}")?;
            }
            writeln!(f)?;
        }
        write!(
            f,
            "statements: {}, with rows {}; sets that are no queries: {}",
            self.statements, self.with_rows, self.invalid
        )
    }
}
