//! Groups in files.
//!
//! A spill writes all groups as one run: for each, in ascending order, a record with its state, then
//! one for each member of it ([`crate::Accumulator::take_members`]). Keys of records are the key of
//! the group, which is no beginning of another one, and what the record is; so all that runs hold of
//! a group stands together, the states first and the earliest of these first of all.
//!
//! A group that was given because of a Close begins anew: all that earlier spills wrote of it is
//! void. Every record has the number of its spill, and a state the number `since` which those of
//! its group count.

use super::states::States;
use crate::snapshot::{Reader, Writer};
use crate::spill::{Layout, Merge, RunWriter, Runs};
use crate::{Error, Size};
use std::collections::BTreeSet;
use wireq_typesys::Names;

const LAYOUT: Layout = Layout {
    fan_in: 16,
    index_bytes: 4096,
    filter: false,
};

/// What stands behind the group's key in the key of a state; members of a function have its number
/// and then themselves.
const STATE: [u8; 2] = [0, 0];

/// What a group that is put together may take at least.
const GROUP_BYTES_MIN: usize = 16 << 20;

/// What stands before the state of a group.
#[derive(Clone, Copy)]
struct Header {
    /// The spill that wrote it.
    number: u32,
    /// What earlier spills wrote of the group is void.
    since: u32,
    /// Whether a state follows: else it says only that what was before is void.
    has_state: bool,
}

const HEADER_BYTES: usize = 9;

impl Header {
    fn bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&self.number.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.since.to_le_bytes());
        bytes[8] = self.has_state.into();
        bytes
    }

    fn read(bytes: &[u8]) -> Result<(Header, &[u8]), Error> {
        let (header, state) = bytes.split_at_checked(HEADER_BYTES).ok_or_else(damaged)?;
        let header = Header {
            number: number_in(&header[..4])?,
            since: number_in(&header[4..8])?,
            has_state: header[8] != 0,
        };
        Ok((header, state))
    }
}

fn number_in(bytes: &[u8]) -> Result<u32, Error> {
    let bytes = bytes.try_into().map_err(|_| damaged())?;
    Ok(u32::from_le_bytes(bytes))
}

fn damaged() -> Error {
    Error::Snapshot("a group in a temporary file cannot be read".into())
}

/// All that is in files, and what is needed to put it together.
pub(super) struct Spilled {
    runs: Runs,
    codec: Codec,
    /// The number of the next spill, from 1.
    number: u32,
    /// Groups of which runs may hold something, all of it void.
    void: BTreeSet<Vec<u8>>,
    void_bytes: usize,
    /// The most memory that was taken when groups were spilled.
    most: usize,
}

impl Spilled {
    pub(super) fn new(states: &States) -> Spilled {
        Spilled {
            runs: Runs::new(LAYOUT),
            codec: Codec {
                left: one(states),
                right: one(states),
                writer: Writer::within(),
            },
            number: 1,
            void: BTreeSet::new(),
            void_bytes: 0,
            most: GROUP_BYTES_MIN,
        }
    }

    /// Writes groups as one run: `next` appends the key of the next group, in ascending order, and
    /// gives its number.
    pub(super) fn write(
        &mut self,
        states: &mut States,
        expected: usize,
        mut next: impl FnMut(&mut Vec<u8>) -> Option<u32>,
    ) -> Result<(), Error> {
        self.most = self.most.max(states.memory());
        let mut run = self.runs.begin(expected + self.void.len())?;
        let mut void = std::mem::take(&mut self.void).into_iter().peekable();
        self.void_bytes = 0;
        let mut key = Vec::new();
        while let Some(number) = next(&mut key) {
            while let Some(lower) = void.next_if(|void| *void < key) {
                self.write_void(lower, &mut run)?;
            }
            let is_anew = void.next_if(|void| *void == key).is_some();
            self.write_group(states, number, &mut key, is_anew, &mut run)?;
            key.clear();
        }
        for key in void {
            self.write_void(key, &mut run)?;
        }
        self.number += 1;
        let codec = &mut self.codec;
        self.runs
            .add(run, &mut |_, left, right| codec.combine(left, right))
    }

    fn header(&self, is_anew: bool, has_state: bool) -> Header {
        Header {
            number: self.number,
            since: if is_anew { self.number } else { 0 },
            has_state,
        }
    }

    fn write_void(&self, mut key: Vec<u8>, run: &mut RunWriter) -> Result<(), Error> {
        key.extend(STATE);
        run.push(&key, &self.header(true, false).bytes())
    }

    fn write_group(
        &mut self,
        states: &mut States,
        number: u32,
        key: &mut Vec<u8>,
        is_anew: bool,
        run: &mut RunWriter,
    ) -> Result<(), Error> {
        let group = key.len();
        let members = states.take_members(number);
        let header = self.header(is_anew, true);
        key.extend(STATE);
        run.push(key, self.codec.encode(header, states, number))?;
        for (function, members) in members {
            members.try_each(|member| {
                key.truncate(group);
                key.extend((function as u16 + 1).to_be_bytes());
                key.extend_from_slice(member);
                run.push(key, &self.number.to_le_bytes())
            })?;
        }
        Ok(())
    }

    /// Says that all that runs hold of a group is void.
    pub(super) fn forget(&mut self, key: &[u8]) {
        if self.void.insert(key.to_vec()) {
            self.void_bytes += key.len() + 64;
        }
    }

    /// All groups in ascending order of key.
    pub(super) fn groups(&self) -> Result<Groups<'_>, Error> {
        Ok(Groups {
            reading: self.read()?,
            spilled: self,
        })
    }

    /// Begins to read all groups in ascending order of key, those included that are void since the
    /// last spill.
    pub(super) fn read(&self) -> Result<Reading, Error> {
        Ok(Reading::new(
            self.runs.merge()?,
            &self.codec.left,
            self.most,
        ))
    }

    pub(super) fn names(&self) -> &[&'static Names] {
        self.codec.writer.known_names()
    }

    /// Puts a group together from what runs hold of it, as number 0 of `into`; gives whether they
    /// hold anything. A look at each run: some microseconds.
    pub(super) fn find(&self, key: &[u8], into: &mut States) -> Result<bool, Error> {
        if self.void.contains(key) {
            return Ok(false);
        }
        let mut reading = Reading::new(self.runs.merge_from(key)?, into, self.most);
        reading.read_group(self.names(), into, 0, key, false)
    }

    pub(super) fn memory(&self) -> usize {
        self.runs.memory() + self.void_bytes
    }
}

/// Room for one group.
fn one(states: &States) -> States {
    let mut one = states.fresh();
    one.grow(1);
    one
}

/// Groups that are read while more may come: all members are kept.
pub(super) struct Groups<'a> {
    reading: Reading,
    spilled: &'a Spilled,
}

impl Groups<'_> {
    /// Reads the next group as number 0 of `into`, which is empty; gives whether there is one.
    pub(super) fn next(&mut self, into: &mut States, key: &mut Vec<u8>) -> Result<bool, Error> {
        let names = self.spilled.names();
        loop {
            key.clear();
            if self.reading.next(names, into, 0, key, false)?.is_none() {
                return Ok(false);
            }
            if !self.spilled.void.contains(key) {
                return Ok(true);
            }
            into.clear(0);
        }
    }
}

/// Groups that are read.
pub(super) struct Reading {
    merge: Merge,
    /// Where later parts of a group's state are read.
    later: States,
    /// The function and bytes of the last member.
    member: Vec<u8>,
    most: usize,
}

impl Reading {
    fn new(merge: Merge, states: &States, most: usize) -> Reading {
        Reading {
            merge,
            later: one(states),
            member: Vec::new(),
            most,
        }
    }

    /// Puts the next group together as one of `into`, which has nothing of this number, and appends
    /// its key. Gives about how many bytes its state takes; none at the end.
    pub(super) fn next(
        &mut self,
        names: &[&'static Names],
        into: &mut States,
        number: u32,
        key: &mut Vec<u8>,
        to_count: bool,
    ) -> Result<Option<usize>, Error> {
        let start = key.len();
        let before = into.memory();
        while let Some(first) = self.merge.head() {
            let group = first.key.strip_suffix(&STATE).ok_or_else(damaged)?;
            key.truncate(start);
            key.extend_from_slice(group);
            if self.read_group(names, into, number, &key[start..], to_count)? {
                return Ok(Some(into.memory().saturating_sub(before)));
            }
        }
        key.truncate(start);
        Ok(None)
    }

    /// Reads all records of a group; gives whether there is anything that is not void.
    fn read_group(
        &mut self,
        names: &[&'static Names],
        into: &mut States,
        number: u32,
        key: &[u8],
        to_count: bool,
    ) -> Result<bool, Error> {
        let (mut since, mut any) = (0, false);
        let before = into.memory();
        self.member.clear();
        while let Some(record) = self.merge.head() {
            let Some(what) = record.key.strip_prefix(key) else {
                break;
            };
            if what == STATE {
                let (header, state) = Header::read(record.value)?;
                if header.since > since {
                    since = header.since;
                    into.clear(number);
                    any = false;
                }
                if header.has_state && header.number >= since {
                    let mut state = Reader::within(state, names);
                    if any {
                        self.later.load(0, &mut state)?;
                        into.merge(number, &self.later, 0);
                        self.later.clear(0);
                    } else {
                        into.load(number, &mut state)?;
                    }
                    any = true;
                }
            } else if any && number_in(record.value)? >= since && self.member != what {
                self.member.clear();
                self.member.extend_from_slice(what);
                let (function, member) = what.split_at_checked(2).ok_or_else(damaged)?;
                let function = u16::from_be_bytes([function[0], function[1]]);
                let function = function.checked_sub(1).ok_or_else(damaged)?;
                into.add_member(function.into(), number, member, to_count);
            }
            let used = into.memory().saturating_sub(before);
            if used > self.most {
                return Err(too_large(used));
            }
            self.merge.advance()?;
        }
        Ok(any)
    }

    pub(super) fn memory(&self) -> usize {
        self.merge.memory() + self.later.memory()
    }
}

fn too_large(used: usize) -> Error {
    Error::Module {
        module: "aggregate",
        message: format!(
            "out of memory: the functions of one group keep {}, and that cannot be divided",
            Size(used)
        ),
    }
}

/// Writes states as bytes and makes one of two.
struct Codec {
    left: States,
    right: States,
    writer: Writer,
}

impl Codec {
    fn encode(&mut self, header: Header, states: &States, number: u32) -> &[u8] {
        encode(&mut self.writer, header, states, number)
    }

    /// Makes one record of two with one key, of which the second was written later.
    fn combine(&mut self, left: &mut Vec<u8>, right: &[u8]) -> Result<bool, Error> {
        if left.len() < HEADER_BYTES {
            // A member: the later one counts wherever the earlier one does.
            replace(left, right);
            return Ok(true);
        }
        let (earlier, earlier_state) = Header::read(left)?;
        let (later, later_state) = Header::read(right)?;
        if later.since > earlier.since {
            replace(left, right);
            return Ok(true);
        }
        let header = Header {
            number: later.number,
            ..earlier
        };
        if !earlier.has_state {
            let header = Header {
                has_state: later.has_state,
                ..header
            };
            let later_state = later_state.to_vec();
            replace(left, &header.bytes());
            left.extend(later_state);
            return Ok(true);
        }
        let names = self.writer.known_names();
        self.left
            .load(0, &mut Reader::within(earlier_state, names))?;
        if later.has_state {
            self.right
                .load(0, &mut Reader::within(later_state, names))?;
            self.left.merge(0, &self.right, 0);
            self.right.clear(0);
        }
        replace(left, encode(&mut self.writer, header, &self.left, 0));
        self.left.clear(0);
        Ok(true)
    }
}

fn encode<'a>(writer: &'a mut Writer, header: Header, states: &States, number: u32) -> &'a [u8] {
    writer.clear();
    writer.raw(&header.bytes());
    states.save(number, writer);
    writer.as_bytes()
}

fn replace(bytes: &mut Vec<u8>, by: &[u8]) {
    bytes.clear();
    bytes.extend_from_slice(by);
}
