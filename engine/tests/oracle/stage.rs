//! What a stage is: objects and controls in, objects and controls out, one after the other.

use super::object::{Fields, Object};
use std::rc::Rc;
use wireq_typesys::{FieldPath, Value, Zone, total_order};

/// One thing that travels over an edge.
#[derive(Clone, Debug)]
pub enum Item {
    /// An object.
    Row(Rc<Object>),
    /// A group or flow is complete.
    Close(Close),
}

/// The group or flow with these values is complete.
#[derive(Clone, Debug)]
pub struct Close {
    /// The fields with their values.
    pub fields: Rc<Fields>,
    /// Where a copy of a pipeline said so, for one group: the column of that group and its key.
    /// It is true among the objects of that group alone.
    pub scope: Option<(FieldPath, Value)>,
}

impl Close {
    /// Whether all that it says is about these fields. One that says more is about a part of what
    /// has their values, and nothing is known of the other parts.
    pub fn is_about(&self, names: &[FieldPath]) -> bool {
        self.fields.iter().all(|(name, _)| names.contains(name))
    }

    /// Whether it concerns what has these values under these names: all that it says is said of
    /// them. One that says nothing concerns everything.
    pub fn concerns(&self, own: &Fields) -> bool {
        let own_value = |name| own.iter().find(|(known, _)| known == name);
        self.fields.iter().all(|(name, value)| {
            own_value(name).is_some_and(|(_, own)| total_order(own, value).is_eq())
        })
    }

    /// How many groups stand one within the other where it is true: none where it is true
    /// everywhere. The plan gives each a column with one sign more.
    pub fn depth(&self) -> usize {
        let column = self.scope.as_ref().map(|(column, _)| column.as_str());
        column.map_or(0, str::len)
    }
}

/// What a stage does when it is given something.
pub struct Effects<'a> {
    /// The zone of times, and what counts as now.
    pub zone: &'a Zone,
    /// What it gives on.
    pub given: Vec<Item>,
    /// What it writes, and the file where that is not the output of its statement.
    pub texts: Vec<(Option<String>, Vec<u8>)>,
}

impl<'a> Effects<'a> {
    /// None so far.
    pub fn new(zone: &'a Zone) -> Effects<'a> {
        Effects {
            zone,
            given: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// Gives an object on.
    pub fn give(&mut self, object: Rc<Object>) {
        self.given.push(Item::Row(object));
    }

    /// Says that a group is complete.
    pub fn close(&mut self, fields: Fields) {
        let fields = Rc::new(fields);
        self.given.push(Item::Close(Close {
            fields,
            scope: None,
        }));
    }

    /// Sends a control on.
    pub fn pass(&mut self, close: &Close) {
        self.given.push(Item::Close(close.clone()));
    }
}

/// A stage with its state.
pub trait Stage {
    /// Takes an object that comes in at a port.
    fn take(&mut self, port: usize, object: Rc<Object>, effects: &mut Effects<'_>);

    /// Takes a control; most stages let it pass.
    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        effects.pass(close);
    }

    /// Takes the end.
    fn finish(&mut self, _effects: &mut Effects<'_>) {}

    /// Whether it goes by controls.
    fn reacts(&self) -> bool {
        false
    }

    /// Whether any further object could matter.
    fn wants_more(&self) -> bool {
        true
    }
}

/// A stage that stands in no group: what is true within one is nothing to it.
pub struct Alone(pub Box<dyn Stage>);

impl Stage for Alone {
    fn take(&mut self, port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        self.0.take(port, object, effects);
    }

    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        if close.scope.is_none() || !self.0.reacts() {
            self.0.close(close, effects);
        }
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        self.0.finish(effects);
    }

    fn wants_more(&self) -> bool {
        self.0.wants_more()
    }
}

/// A stage that keeps nothing: what it gives for an object depends on that object alone.
pub struct Each<F>(pub F);

impl<F, G> Stage for Each<F>
where
    F: Fn(Rc<Object>, &Zone) -> G,
    G: IntoIterator<Item = Rc<Object>>,
{
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        for given in (self.0)(object, effects.zone) {
            effects.give(given);
        }
    }
}
