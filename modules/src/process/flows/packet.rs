//! Packets as flows see them, and the columns that they are read from.

use super::columns::{number, time};
use wireq_engine::{Context, View};
use wireq_typesys::{Column, FieldPath, Position, Zone};

const UDP: u64 = 17;

/// One packet, as far as flows know it.
#[derive(Clone, Copy)]
pub(super) struct Packet {
    pub(super) time: Option<i64>,
    pub(super) bytes: u64,
    /// TCP flags and sequence number.
    pub(super) tcp: Option<(u16, u32)>,
    pub(super) udp: bool,
    /// Whether it comes from the higher end of its key.
    pub(super) from_high: bool,
    pub(super) position: Position,
    /// Which one it is of all that came.
    pub(super) number: u64,
}

/// The numbers of fields in the view.
pub(super) struct Places {
    time: Option<usize>,
    bytes: Option<usize>,
    protocol: Option<usize>,
    flags: Option<usize>,
    seq: Option<usize>,
}

impl Places {
    pub(super) fn new(has_ports: bool, bytes: &FieldPath, context: &Context) -> Places {
        let place = |path: &FieldPath| context.fields.iter().position(|field| field == path);
        let of_tcp = |name| place(&FieldPath::new(name)).filter(|_| has_ports);
        Places {
            time: place(&FieldPath::new("ts")),
            bytes: place(bytes),
            protocol: of_tcp("ipprotocol"),
            flags: of_tcp("tcpflags"),
            seq: of_tcp("seq"),
        }
    }
}

/// The columns of a view.
pub(super) struct Columns<'a> {
    /// That of times.
    pub(super) time: Option<&'a Column>,
    bytes: Option<&'a Column>,
    protocol: Option<&'a Column>,
    flags: Option<&'a Column>,
    seq: Option<&'a Column>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(view: View<'a>, places: &Places) -> Columns<'a> {
        let column = |place: Option<usize>| view.column(place?);
        Columns {
            time: column(places.time),
            bytes: column(places.bytes),
            protocol: column(places.protocol),
            flags: column(places.flags),
            seq: column(places.seq),
        }
    }

    /// The packet of a row.
    #[inline]
    pub(super) fn packet(
        &self,
        row: usize,
        from_high: bool,
        (position, number_of_row): (Position, u64),
        zone: &Zone,
    ) -> Packet {
        let flags = self.flags.filter(|flags| flags.valid.get(row));
        Packet {
            time: time(self.time, row, zone),
            bytes: number(self.bytes, row),
            tcp: flags.map(|flags| {
                let seq = number(self.seq, row);
                (number(Some(flags), row) as u16, seq as u32)
            }),
            udp: number(self.protocol, row) == UDP,
            from_high,
            position,
            number: number_of_row,
        }
    }
}
