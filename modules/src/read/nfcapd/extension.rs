//! The extensions of layout 2: which element stands where (nfdump's `nfxV3.h`).

use crate::types::netflow::{Key, Place, key};

/// A field of an extension: its element, its first byte, its length.
type Member = (Key, u16, u16);

/// The user's name of Cisco's firewalls, an element that no registry has.
const USERNAME: Key = key(0, 40_000);

/// The fields of an extension; none of one that is not known.
fn members(kind: u16, len: u16) -> &'static [Member] {
    match kind {
        1 => &[
            (152, 0, 8),
            (153, 8, 8),
            (258, 16, 8),
            (2, 24, 8),
            (1, 32, 8),
            (7, 40, 2),
            (11, 42, 2),
            (4, 44, 1),
            (6, 45, 1),
            (89, 46, 1),
            (5, 47, 1),
        ],
        2 => &[(8, 0, 4), (12, 4, 4)],
        3 => &[(27, 0, 16), (28, 16, 16)],
        4 => &[
            (10, 0, 4),
            (14, 4, 4),
            (9, 8, 1),
            (13, 9, 1),
            (61, 10, 1),
            (55, 11, 1),
            (239, 12, 1),
            (136, 13, 1),
        ],
        5 => &[(3, 0, 8), (24, 8, 8), (23, 16, 8)],
        6 => &[(58, 0, 4), (59, 4, 4)],
        7 => &[(16, 0, 4), (17, 4, 4)],
        8 => &[(18, 0, 4)],
        9 => &[(63, 0, 16)],
        10 => &[(15, 0, 4)],
        11 => &[(62, 0, 16)],
        12 => &[(130, 0, 4)],
        13 => &[(131, 0, 16)],
        15 => &[(56, 0, 8), (57, 8, 8), (80, 16, 8), (81, 24, 8)],
        16 => &[(128, 0, 4), (129, 4, 4)],
        18 => &[(302, 0, 8)],
        19 => &[(323, 0, 8), (148, 8, 4), (33_002, 12, 2), (233, 14, 1)],
        20 => &[(225, 0, 4), (226, 4, 4)],
        21 => &[(281, 0, 16), (282, 16, 16)],
        22 => &[(227, 0, 2), (228, 2, 2)],
        24 => &[(USERNAME, 0, 66)],
        // Older files have two numbers of VRFs in between.
        25 if len >= 24 => &[
            (323, 0, 8),
            (235, 8, 4),
            (234, 12, 4),
            (283, 16, 4),
            (230, 20, 1),
        ],
        25 => &[(323, 0, 8), (283, 8, 4), (230, 12, 1)],
        26 => &[(361, 0, 2), (362, 2, 2), (363, 4, 2), (364, 6, 2)],
        33 => &[(138, 0, 8), (149, 8, 4)],
        36 => &[(235, 0, 4), (234, 4, 4)],
        _ => &[],
    }
}

/// The element that is all of an extension of any length.
fn whole(kind: u16) -> Option<Key> {
    match kind {
        27 => Some(95),
        _ => None,
    }
}

/// Adds the places of an extension whose content has `len` bytes from `at` of the record on.
pub(super) fn places(kind: u16, at: usize, len: u16, places: &mut Vec<Place>) {
    if let Some(key) = whole(kind) {
        places.push(Place::new(key, at as u32, len));
    }
    let within = |(_, start, size): &&Member| start + size <= len;
    for (key, start, size) in members(kind, len).iter().filter(within) {
        places.push(Place::little(*key, at as u32 + u32::from(*start), *size));
    }
}
