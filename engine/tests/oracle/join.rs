//! Joins: every arrival beside every combination of the objects kept of the other streams.

use super::expression::is_true;
use super::object::Object;
use super::stage::{Effects, Stage};
use std::rc::Rc;
use wireq_engine::plan::expr::Expr;
use wireq_engine::plan::{Join, JoinAlias};
use wireq_typesys::{FieldPath, Zone};

/// A join with what it keeps.
pub struct Joining {
    join: Join,
    /// For each alias the objects that no `until` has ended, in the order of their arrival.
    kept: Vec<Vec<Rc<Object>>>,
}

/// What an `until` calls the arrival.
const NEW: &str = "new";

/// An object that has come.
struct Arrival<'a> {
    alias: usize,
    object: &'a Rc<Object>,
    /// Whether it fulfils what concerns its alias alone.
    passed: bool,
}

impl Joining {
    /// Nothing kept yet.
    pub fn new(join: &Join) -> Joining {
        Joining {
            join: join.clone(),
            kept: vec![Vec::new(); join.aliases.len()],
        }
    }

    fn alias(&self, number: usize) -> &JoinAlias {
        &self.join.aliases[number]
    }

    /// Whether an arrival is one that the `until` of an alias speaks of: any object of a stream
    /// that it names, or as `new.NAME` one that passed. Where it names none, one that passed of
    /// the alias itself.
    fn is_meant(&self, until: &Expr, of: usize, arrival: &Arrival<'_>) -> bool {
        let fields = until.fields();
        let names = |name: FieldPath| {
            let of_name = |path: &FieldPath| *path == name || path.below(&name).is_some();
            fields.iter().any(of_name)
        };
        let new = FieldPath::new(NEW);
        let is_other = |number: &usize| *number != of;
        let all = 0..self.join.aliases.len();
        let others_named = all
            .filter(is_other)
            .any(|n| names(self.alias(n).name.clone()));
        if !others_named && !names(new.clone()) {
            return arrival.alias == of && arrival.passed;
        }
        let name = &self.alias(arrival.alias).name;
        let as_new = names(new.join(name.as_str())) || arrival.alias == of && fields.contains(&new);
        arrival.passed && as_new || arrival.alias != of && names(name.clone())
    }

    /// Forgets the kept objects of an alias that an arrival ends.
    fn end(&mut self, of: usize, arrival: &Arrival<'_>, zone: &Zone) {
        let Some(until) = self.alias(of).until.clone() else {
            return;
        };
        if !self.is_meant(&until, of, arrival) {
            return;
        }
        let name = self.alias(of).name.clone();
        let arriving = (
            self.alias(arrival.alias).name.clone(),
            Rc::clone(arrival.object),
        );
        self.kept[of].retain(|object| {
            let mut known = vec![(name.clone(), Rc::clone(object))];
            if arrival.alias != of {
                known.push(arriving.clone());
            }
            if arrival.passed {
                let new = FieldPath::new(NEW);
                // By itself it is an object of the alias whose `until` this is.
                if arrival.alias == of {
                    known.push((new.clone(), Rc::new(Object::Made(Vec::new()))));
                }
                known.push((new.join(arriving.0.as_str()), Rc::clone(&arriving.1)));
            }
            !is_true(&until, &Object::carrying(known), zone)
        });
    }

    /// Gives the combinations of an arrival with kept objects, the first alias outermost.
    fn pair(&self, found: &mut Vec<Rc<Object>>, arrival: &Arrival<'_>, effects: &mut Effects<'_>) {
        let next = found.len();
        if next == self.join.aliases.len() {
            let names = self.join.aliases.iter().map(|alias| alias.name.clone());
            let together = Object::carrying(names.zip(found.iter().cloned()).collect());
            let mut tests = self.join.condition.iter();
            if tests.all(|test| is_true(test, &together, effects.zone)) {
                effects.give(together);
            }
            return;
        }
        let candidates = match next == arrival.alias {
            true => std::slice::from_ref(arrival.object),
            false => &self.kept[next],
        };
        for candidate in candidates {
            found.push(Rc::clone(candidate));
            self.pair(found, arrival, effects);
            found.pop();
        }
    }
}

impl Stage for Joining {
    fn take(&mut self, port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let alone = Object::carrying(vec![(self.alias(port).name.clone(), Rc::clone(&object))]);
        let mut own = self.alias(port).own.iter();
        let arrival = Arrival {
            alias: port,
            object: &object,
            passed: own.all(|test| is_true(test, &alone, effects.zone)),
        };
        for of in 0..self.kept.len() {
            self.end(of, &arrival, effects.zone);
        }
        if !arrival.passed {
            return;
        }
        self.pair(&mut Vec::new(), &arrival, effects);
        self.kept[port].push(Rc::clone(&object));
        let most = self.alias(port).max.unwrap_or(usize::MAX);
        if self.kept[port].len() > most {
            self.kept[port].remove(0);
        }
    }
}
