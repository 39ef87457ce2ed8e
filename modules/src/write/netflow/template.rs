//! Templates of the records that are exported, and the records.

use super::message::{Form, Version};
use crate::write::flow_rows::{Extras, FlowRow};

/// The enterprise whose elements are those of the other direction (RFC 5103).
const REVERSE: u32 = 29305;

/// What a field of a record holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Src,
    Dst,
    SrcPort,
    DstPort,
    Protocol,
    Flags,
    Start,
    End,
    Packets,
    Bytes,
    PacketsBack,
    BytesBack,
    FlagsBack,
    Tos,
    Input,
    Output,
    SrcSystem,
    DstSystem,
    SrcMask,
    DstMask,
    NextHop,
    Vlan,
}

/// A field: its element, whether it is one of the other direction, its bytes.
#[derive(Clone, Copy, Debug)]
struct Field {
    part: Part,
    element: u16,
    reverse: bool,
    len: u16,
}

/// A template.
pub(super) struct Template {
    /// Its number, from 256 on.
    pub(super) number: u16,
    /// The bytes of a record.
    pub(super) record_len: usize,
    v6: bool,
    extras: Extras,
    fields: Vec<Field>,
}

impl Template {
    pub(super) fn new(number: u16, v6: bool, extras: Extras, form: &Form) -> Template {
        let fields = fields(v6, extras, form);
        Template {
            number,
            record_len: fields.iter().map(|field| usize::from(field.len)).sum(),
            v6,
            extras,
            fields,
        }
    }

    pub(super) fn is_of(&self, v6: bool, extras: Extras) -> bool {
        (self.v6, self.extras) == (v6, extras)
    }

    /// What makes it another one than others, as a number.
    pub(super) fn kind(&self) -> u64 {
        let Extras {
            tos,
            interfaces,
            systems,
            masks,
            next_hop,
            vlan,
        } = self.extras;
        let bits = [self.v6, tos, interfaces, systems, masks, next_hop, vlan];
        let bits = bits.into_iter().enumerate();
        bits.fold(0, |all, (at, bit)| all | u64::from(bit) << at)
    }

    pub(super) fn of_kind(kind: u64) -> (bool, Extras) {
        let bit = |at: u32| kind >> at & 1 == 1;
        let extras = Extras {
            tos: bit(1),
            interfaces: bit(2),
            systems: bit(3),
            masks: bit(4),
            next_hop: bit(5),
            vlan: bit(6),
        };
        (bit(0), extras)
    }

    /// The bytes of its announcement.
    pub(super) fn announced_len(&self) -> usize {
        let lens = self.fields.iter();
        4 + lens
            .map(|field| if field.reverse { 8 } else { 4 })
            .sum::<usize>()
    }

    pub(super) fn announce(&self, out: &mut Vec<u8>) {
        out.extend(self.number.to_be_bytes());
        out.extend((self.fields.len() as u16).to_be_bytes());
        for field in &self.fields {
            let enterprise = if field.reverse { 0x8000 } else { 0 };
            out.extend((field.element | enterprise).to_be_bytes());
            out.extend(field.len.to_be_bytes());
            if field.reverse {
                out.extend(REVERSE.to_be_bytes());
            }
        }
    }

    /// Writes a flow. `times` are those since the exporter started, where it counts such.
    pub(super) fn write_record(&self, flow: &FlowRow, times: Option<[u32; 2]>, out: &mut Vec<u8>) {
        let next_hop = flow.next_hop.filter(|hop| hop.v6 == self.v6);
        for field in &self.fields {
            let value: u128 = match field.part {
                Part::Src => flow.src,
                Part::Dst => flow.dst,
                Part::SrcPort => flow.src_port.into(),
                Part::DstPort => flow.dst_port.into(),
                Part::Protocol => flow.protocol.into(),
                Part::Flags => flow.flags.into(),
                Part::Start => times.map_or(flow.start as u128, |times| times[0].into()),
                Part::End => times.map_or(flow.end as u128, |times| times[1].into()),
                Part::Packets => flow.packets.into(),
                Part::Bytes => flow.bytes.into(),
                Part::PacketsBack => flow.packets_back.into(),
                Part::BytesBack => flow.bytes_back.into(),
                Part::FlagsBack => flow.flags_back.into(),
                Part::Tos => flow.tos.into(),
                Part::Input => flow.input.into(),
                Part::Output => flow.output.into(),
                Part::SrcSystem => flow.src_as.into(),
                Part::DstSystem => flow.dst_as.into(),
                Part::SrcMask => flow.src_mask.into(),
                Part::DstMask => flow.dst_mask.into(),
                Part::NextHop => next_hop.map_or(0, |hop| hop.bits),
                Part::Vlan => flow.vlan.into(),
            };
            out.extend(&value.to_be_bytes()[16 - usize::from(field.len)..]);
        }
    }
}

/// The fields of a template; elements are those of IANA's registry, which version 9 shares.
fn fields(v6: bool, extras: Extras, form: &Form) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut add = |wanted: bool, part: Part, element: u16, len: u16| {
        if wanted {
            fields.push(Field {
                part,
                element,
                reverse: false,
                len,
            });
        }
    };
    let (address, src, dst, hop) = if v6 { (16, 27, 28, 62) } else { (4, 8, 12, 15) };
    let ((start, end), time) = match form.version {
        Version::Ipfix => ((152, 153), 8),
        Version::V5 | Version::V9 => ((22, 21), 4),
    };
    let (src_mask, dst_mask) = if v6 { (29, 30) } else { (9, 13) };
    add(true, Part::Start, start, time);
    add(true, Part::End, end, time);
    add(true, Part::Src, src, address);
    add(true, Part::Dst, dst, address);
    add(true, Part::SrcPort, 7, 2);
    add(true, Part::DstPort, 11, 2);
    add(true, Part::Protocol, 4, 1);
    add(true, Part::Flags, 6, 1);
    add(true, Part::Packets, 2, 8);
    add(true, Part::Bytes, 1, 8);
    add(extras.tos, Part::Tos, 5, 1);
    add(extras.interfaces, Part::Input, 10, 4);
    add(extras.interfaces, Part::Output, 14, 4);
    add(extras.systems, Part::SrcSystem, 16, 4);
    add(extras.systems, Part::DstSystem, 17, 4);
    add(extras.masks, Part::SrcMask, src_mask, 1);
    add(extras.masks, Part::DstMask, dst_mask, 1);
    add(extras.next_hop, Part::NextHop, hop, address);
    add(extras.vlan, Part::Vlan, 58, 2);
    if form.biflow {
        for (part, element, len) in [
            (Part::PacketsBack, 2, 8),
            (Part::BytesBack, 1, 8),
            (Part::FlagsBack, 6, 1),
        ] {
            fields.push(Field {
                part,
                element,
                reverse: true,
                len,
            });
        }
    }
    fields
}
