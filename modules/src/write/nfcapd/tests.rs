use super::record::{LEN_MAX, write};
use crate::write::flow_rows::{Extras, FlowRow};
use wireq_typesys::Address;

#[test]
fn no_record_is_longer_than_that() {
    let all = Extras {
        tos: true,
        interfaces: true,
        systems: true,
        masks: true,
        next_hop: true,
        vlan: true,
    };
    let flow = FlowRow {
        v6: true,
        packets_back: 1,
        next_hop: Some(Address { v6: true, bits: 1 }),
        ..FlowRow::default()
    };
    let mut bytes = Vec::new();
    write(&flow, all, &mut bytes);
    assert_eq!(bytes.len(), LEN_MAX);
    assert_eq!(u16::from_le_bytes([bytes[2], bytes[3]]) as usize, LEN_MAX);
    assert_eq!(bytes[4], 7);
    let mut least = Vec::new();
    write(&FlowRow::default(), Extras::default(), &mut least);
    assert_eq!(least.len(), 12 + 52 + 12);
}
