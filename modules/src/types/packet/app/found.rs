//! What a walk over a payload finds.
//!
//! A protocol has ONE walk, which names every value that it comes by with the number of its field;
//! a column takes those of the field it is for. Text and bytes stay where they are in the block;
//! what does not stand there as such (a name of DNS, a calculated fingerprint) is written beside.

use crate::types::packet::header::Payload;
use crate::types::packet::values::Values;
use std::io::Write;
use wireq_typesys::Mac;

/// Takes the values of one field, one after the other.
pub(super) struct Found<'a> {
    wanted: u16,
    block: &'a [u8],
    values: &'a mut Values,
}

impl<'a> Found<'a> {
    /// For the values of a field in a payload.
    pub fn new(wanted: u16, payload: &Payload<'a>, values: &'a mut Values) -> Found<'a> {
        Found {
            wanted,
            block: payload.header.block,
            values,
        }
    }

    /// Whether a value of this field has a use: what costs something to make is made then only.
    #[inline]
    pub fn wants(&self, id: impl Into<u16>) -> bool {
        id.into() == self.wanted
    }

    /// Whether the values of this field are among those that come behind, as fields are declared.
    #[inline]
    pub fn wants_from(&self, id: impl Into<u16>) -> bool {
        self.wanted >= id.into()
    }

    /// A number, or whether it is not 0.
    #[inline]
    pub fn number(&mut self, id: impl Into<u16>, number: impl Into<u64>) {
        if self.wants(id) {
            self.values.number(number);
        }
    }

    /// A number that may be negative, or nanoseconds: since 1970 where the field is a time.
    #[inline]
    pub fn signed(&mut self, id: impl Into<u16>, number: impl Into<i64>) {
        if self.wants(id) {
            self.values.signed(number.into());
        }
    }

    #[inline]
    pub fn mac(&mut self, id: impl Into<u16>, mac: Mac) {
        if self.wants(id) {
            self.values.mac(mac);
        }
    }

    #[inline]
    pub fn v4(&mut self, id: impl Into<u16>, octets: [u8; 4]) {
        if self.wants(id) {
            self.values.v4(u32::from_be_bytes(octets));
        }
    }

    #[inline]
    pub fn v6(&mut self, id: impl Into<u16>, octets: [u8; 16]) {
        if self.wants(id) {
            self.values.v6(u128::from_be_bytes(octets));
        }
    }

    /// Bytes or text as they stand in the packet, or, where they were decrypted, beside it.
    #[inline]
    pub fn bytes(&mut self, id: impl Into<u16>, bytes: &[u8]) {
        if !self.wants(id) {
            return;
        }
        let start = (bytes.as_ptr() as usize).wrapping_sub(self.block.as_ptr() as usize);
        let is_in_block = start
            .checked_add(bytes.len())
            .is_some_and(|end| end <= self.block.len());
        if is_in_block {
            self.values.slice(start as u32, bytes.len());
        } else {
            self.values.made(bytes);
        }
    }

    /// Bytes or text that `write` makes; nothing where it gives none.
    #[inline]
    pub fn made(&mut self, id: impl Into<u16>, write: impl FnOnce(&mut Vec<u8>) -> Option<()>) {
        if self.wants(id) {
            self.values.written(write);
        }
    }

    /// Calls `then` with what `open` makes of the payload that begins at `start`: once for all fields
    /// of a part. Nothing where it gives none.
    pub fn opened(
        &mut self,
        start: u32,
        open: impl FnOnce(&mut Vec<u8>) -> Option<()>,
        then: impl FnOnce(&[u8], &mut Found<'_>) -> Option<()>,
    ) -> Option<()> {
        let mut opened = std::mem::take(&mut self.values.opened);
        let done = opened.get(start, open).and_then(|bytes| then(bytes, self));
        self.values.opened = opened;
        done
    }

    /// The text of something that can be shown.
    pub fn shown(&mut self, id: impl Into<u16>, value: impl std::fmt::Display) {
        self.made(id, |out| write!(out, "{value}").ok());
    }
}
