//! `flowid`: the first object of each flow, and a row when the flow is over.

use super::connections::count_of;
use super::expression::key_of;
use super::follows::nanos;
use super::object::{Fields, Object};
use super::stage::{Close, Effects, Stage};
use super::total::canonical;
use std::rc::Rc;
use wireq_typesys::{FieldPath, Value, total_order};

/// Flows by some fields.
pub struct FlowId {
    /// The fields.
    pub fields: Vec<FieldPath>,
    /// Whether objects of the other direction are of the same flow.
    pub reverse: bool,
    /// How long a flow may be idle.
    pub timeout: Option<i128>,
    /// How many flows are known at most.
    pub most: usize,
    /// How many flows there were.
    pub count: i128,
    /// The latest time.
    pub now: Option<i128>,
    /// Those that are not over; the one whose object came last is last.
    pub flows: Vec<Flow>,
}

/// A flow.
pub struct Flow {
    number: i128,
    key: Vec<Value>,
    start: Option<i128>,
    finish: Option<i128>,
    packets: [i128; 2],
    bytes: [i128; 2],
    /// The latest time when its last object came.
    touched: Option<i128>,
}

fn same(left: &[Value], right: &[Value]) -> bool {
    let mut pairs = left.iter().zip(right);
    pairs.all(|(a, b)| total_order(a, b).is_eq())
}

fn time(nanos: Option<i128>) -> Value {
    nanos.map_or(Value::Absent, |nanos| Value::Time(nanos as i64))
}

impl Flow {
    fn row(&self, fields: &[FieldPath]) -> Rc<Object> {
        let named = |name: &str, value| (FieldPath::new(name), value);
        let mut row: Fields = vec![named("flowid", Value::Integer(self.number))];
        row.extend(fields.iter().cloned().zip(self.key.iter().map(canonical)));
        row.push(named("start", time(self.start)));
        row.push(named("finish", time(self.finish)));
        let [packets, packetsback] = self.packets.map(Value::Integer);
        let [bytes, bytesback] = self.bytes.map(Value::Integer);
        row.push(named("packets", packets));
        row.push(named("bytes", bytes));
        row.push(named("packetsback", packetsback));
        row.push(named("bytesback", bytesback));
        Rc::new(Object::Made(row))
    }

    /// Whether a time is more than a timeout away from all that the flow has seen.
    fn is_far(&self, time: i128, timeout: i128) -> bool {
        self.finish.is_some_and(|finish| time - finish > timeout)
            || self.start.is_some_and(|start| start - time > timeout)
    }
}

impl FlowId {
    fn reversed(key: &[Value]) -> Vec<Value> {
        let mut key = key.to_vec();
        key.chunks_exact_mut(2).for_each(<[Value]>::reverse);
        key
    }

    /// Tells what is known of flows that are over.
    fn end(&self, flows: Vec<Flow>, effects: &mut Effects<'_>) {
        for flow in &flows {
            effects.give(flow.row(&self.fields));
        }
        for flow in flows {
            effects.close(self.fields.iter().cloned().zip(flow.key).collect());
        }
    }

    /// Ends the flows that were idle for too long, the one that was idle longest first.
    fn end_idle(&mut self, effects: &mut Effects<'_>) {
        let (Some(timeout), Some(now)) = (self.timeout, self.now) else {
            return;
        };
        let idle = |flow: &Flow| now - flow.touched.unwrap_or(now) > timeout;
        let flows = std::mem::take(&mut self.flows).into_iter();
        let (mut idle, alive): (Vec<Flow>, _) = flows.partition(idle);
        self.flows = alive;
        idle.sort_by_key(|flow| (flow.touched, flow.number));
        self.end(idle, effects);
    }

    /// The flow of a key, and whether it is the other direction.
    fn find(&self, key: &[Value]) -> Option<(usize, bool)> {
        let position = |key: &[Value]| self.flows.iter().position(|flow| same(&flow.key, key));
        let forth = position(key).map(|at| (at, false));
        forth.or_else(|| {
            let reversed = self.reverse.then(|| FlowId::reversed(key))?;
            Some((position(&reversed)?, true))
        })
    }
}

impl Stage for FlowId {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let get = |name| object.get(&FieldPath::new(name), effects.zone);
        let own_time = nanos(&get("ts"), effects.zone);
        let bytes = count_of(&get("len"));
        self.now = self.now.max(own_time);
        for flow in &mut self.flows {
            flow.touched = flow.touched.or(self.now);
        }
        self.end_idle(effects);
        let key = key_of(&self.fields, &object, effects.zone);
        if key.iter().all(Value::is_absent) {
            return;
        }
        if let (Some((at, _)), Some(timeout), Some(time)) =
            (self.find(&key), self.timeout, own_time)
            && self.flows[at].is_far(time, timeout)
        {
            let over = self.flows.remove(at);
            self.end(vec![over], effects);
        }
        if let Some((at, back)) = self.find(&key) {
            let mut flow = self.flows.remove(at);
            flow.packets[usize::from(back)] += 1;
            flow.bytes[usize::from(back)] += bytes;
            flow.finish = flow.finish.max(own_time);
            flow.touched = self.now;
            return self.flows.push(flow);
        }
        if self.flows.len() >= self.most {
            let over = self.flows.remove(0);
            self.end(vec![over], effects);
        }
        let flow = Flow {
            number: self.count,
            key,
            start: own_time,
            finish: own_time,
            packets: [1, 0],
            bytes: [bytes, 0],
            touched: self.now,
        };
        self.count += 1;
        let named = |name: &str, value| (FieldPath::new(name), value);
        effects.give(object.annotated(vec![
            named("flowid", Value::Integer(flow.number)),
            named("start", time(flow.start)),
            // It is not over: a time that the object has from a flow before is not its end.
            named("finish", Value::Absent),
            named("packets", Value::Integer(1)),
            named("bytes", Value::Integer(bytes)),
            named("packetsback", Value::Integer(0)),
            named("bytesback", Value::Integer(0)),
        ]));
        self.flows.push(flow);
    }

    fn close(&mut self, close: &Close, effects: &mut Effects<'_>) {
        effects.pass(close);
    }

    fn reacts(&self) -> bool {
        true
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        self.flows.sort_by_key(|flow| flow.number);
        for flow in self.flows.drain(..) {
            effects.give(flow.row(&self.fields));
        }
    }
}
