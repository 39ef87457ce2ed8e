//! `dfa`: state machines that objects move.

use super::expression::is_true;
use super::follows::nanos;
use super::object::Object;
use super::stage::{Effects, Stage};
use std::rc::Rc;
use wireq_engine::arguments::Arguments;
use wireq_engine::plan::expr::Expr;
use wireq_typesys::FieldPath;

/// Machines with the same transitions.
pub struct Dfa {
    transitions: Vec<Transition>,
    timeout: Option<i128>,
    most: Option<usize>,
    /// The latest time.
    now: Option<i128>,
    /// The oldest first.
    machines: Vec<Machine>,
}

struct Transition {
    from: String,
    to: String,
    predicate: Expr,
}

struct Machine {
    state: String,
    /// The object that moved it last, which carries the one before.
    previous: Rc<Object>,
    /// The time of that object, and the latest time when it came.
    time: Option<i128>,
    moved: Option<i128>,
}

/// The states of each transition, as they are written.
fn states(arguments: &Arguments) -> Vec<(String, String)> {
    let file = arguments.words().first().map(|word| {
        let text = std::fs::read_to_string(&word.text);
        text.expect("the machine can be read")
    });
    let own = arguments.values("-e").map(|word| word.text.clone());
    let texts: Vec<String> = own.chain(file).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let is_none =
        |line: &str| line.is_empty() || ["#", "%", "--"].iter().any(|c| line.starts_with(c));
    let lines = lines.map(str::trim).filter(|line| !is_none(line));
    let states = lines.map(|line| {
        let mut words = line.split_whitespace().map(str::to_owned);
        (
            words.next().expect("there is a state"),
            words.next().expect("there is a next state"),
        )
    });
    states.collect()
}

impl Dfa {
    /// No machine yet.
    pub fn new(arguments: &Arguments, predicates: &[Expr], timeout: Option<i128>) -> Dfa {
        let most = arguments.value("--max");
        let transitions = states(arguments).into_iter().zip(predicates);
        Dfa {
            transitions: transitions
                .map(|((from, to), predicate)| Transition {
                    from,
                    to,
                    predicate: predicate.clone(),
                })
                .collect(),
            timeout,
            most: most.map(|word| word.text.parse().expect("the flag is a number")),
            now: None,
            machines: Vec::new(),
        }
    }

    /// The state that an object leads to from another one.
    fn next(&self, from: &str, object: &Object, effects: &Effects<'_>) -> Option<String> {
        let mut own = self.transitions.iter().filter(|t| t.from == from);
        let found = own.find(|t| is_true(&t.predicate, object, effects.zone));
        found.map(|transition| transition.to.clone())
    }

    fn is_within(&self, machine: &Machine, time: Option<i128>) -> bool {
        match (self.timeout, machine.time, time) {
            (Some(timeout), Some(last), Some(time)) => (time - last).abs() <= timeout,
            _ => true,
        }
    }

    /// Drops machines that have not moved for too long.
    fn expire(&mut self) {
        if let (Some(timeout), Some(now)) = (self.timeout, self.now) {
            let alive =
                |machine: &Machine| machine.moved.is_none_or(|moved| now - moved <= timeout);
            self.machines.retain(alive);
        }
    }
}

fn beside(object: &Rc<Object>, previous: Option<&Rc<Object>>) -> Rc<Object> {
    let name = FieldPath::new("previous");
    let carried = previous.map(|previous| (name, Rc::clone(previous)));
    Rc::new(Object::With(
        Rc::clone(object),
        carried.into_iter().collect(),
    ))
}

impl Stage for Dfa {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let time = nanos(
            &object.get(&FieldPath::new("ts"), effects.zone),
            effects.zone,
        );
        self.now = self.now.max(time);
        let time = time.or(self.now);
        self.expire();
        let moved = self.machines.iter().enumerate().find_map(|(at, machine)| {
            let object = beside(&object, Some(&machine.previous));
            let next = self.next(&machine.state, &object, effects)?;
            self.is_within(machine, time).then_some((at, object, next))
        });
        let (object, next, at) = match moved {
            Some((at, object, next)) => (object, next, Some(at)),
            None => {
                let object = beside(&object, None);
                match self.next("START", &object, effects) {
                    Some(next) => (object, next, None),
                    None => return,
                }
            }
        };
        let machine = |state| Machine {
            state,
            previous: Rc::clone(&object),
            time,
            moved: self.now,
        };
        match (next.as_str(), at) {
            ("STOP" | "START", at) => {
                if next == "STOP" {
                    effects.give(object);
                }
                at.map(|at| self.machines.remove(at));
            }
            (_, Some(at)) => self.machines[at] = machine(next),
            (_, None) => self.machines.push(machine(next)),
        }
        if self.most.is_some_and(|most| self.machines.len() > most) {
            self.machines.remove(0);
        }
    }
}
