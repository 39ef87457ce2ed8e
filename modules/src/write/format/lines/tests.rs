use super::super::Columns;
use super::{Form, Lines};
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;
use wireq_engine::View;
use wireq_engine::schedule::output::TextRows;
use wireq_typesys::{
    Address, Bitmap, Block, Column, ColumnDef, Data, FieldPath, Kind, Names, Part, PartData,
    Position, Positions, Recipe, Shape, Slices, Slot, Zone, write_column_text,
};

static NAMES: Names = Names {
    name: "protocol",
    entries: &[(6, "tcp")],
};

/// Columns of all kinds that are short, and of some that are not.
fn columns(len: usize) -> impl Strategy<Value = Vec<Column>> {
    let numbers = || proptest::collection::vec(any::<u64>(), len);
    let shifted = (numbers(), 0u32..64).prop_map(|(mut numbers, shift)| {
        numbers.iter_mut().for_each(|number| *number >>= shift);
        numbers
    });
    let column = (
        0usize..10,
        shifted,
        proptest::collection::vec(any::<bool>(), len),
        0usize..3,
    );
    let column = column.prop_map(|(kind, numbers, valid, some)| {
        let all = || numbers.iter();
        let data = match kind {
            0 => Data::U8(all().map(|n| *n as u8).collect()),
            1 | 2 => Data::U16(all().map(|n| *n as u16).collect()),
            3 => Data::U32(all().map(|n| *n as u32).collect()),
            4 => Data::U64(numbers.clone()),
            5 => Data::Address4(all().map(|n| *n as u32).collect()),
            6 => {
                let address = |n: &u64| Address {
                    v6: n.is_multiple_of(3),
                    bits: match n % 3 {
                        0 => u128::from(*n) << (n % 64),
                        _ => u128::from(*n as u32),
                    },
                };
                Data::Address(all().map(address).collect())
            }
            7 => Data::Time(all().map(|n| *n as i64).collect()),
            8 => Data::I64(all().map(|n| *n as i64).collect()),
            _ => Data::Bytes(Slices {
                blocks: vec![Arc::new(Block(vec![b'x'; 40]))],
                rows: all().map(|n| (0, 0, (n % 40) as u32)).collect(),
            }),
        };
        let valid = |row: &usize| some == 0 || some == 1 && valid[*row];
        Column {
            data,
            valid: (0..numbers.len()).filter(valid).collect(),
            names: (kind == 2).then_some(&NAMES),
        }
    });
    proptest::collection::vec(column, 0..5)
}

fn view_of(columns: Vec<Column>, len: usize, selection: Bitmap) -> Part {
    let def = |at: usize| ColumnDef {
        path: FieldPath::new(&format!("field{at}")),
        kind: Kind::Dynamic,
        recipe: Recipe::Given,
    };
    let shape = Arc::new(Shape {
        record_type: None,
        base: (0..columns.len()).map(def).collect(),
        extra: Vec::new(),
        summary: Vec::new(),
    });
    let positions = Positions::Run(Position::START);
    let data = PartData::from_columns(shape, columns, len, positions, 0);
    Part::new(Arc::new(data)).select(selection)
}

fn write_quoted(column: &Column, row: usize, quotes: bool, zone: &Zone, out: &mut Vec<u8>) {
    let short = matches!(
        column.data,
        Data::Address4(_) | Data::Address(_) | Data::Time(_)
    );
    let quote: &[u8] = if quotes && short { b"\"" } else { b"" };
    out.extend(quote);
    write_column_text(column, row, zone, out);
    out.extend(quote);
}

/// A row as the form says, by the shortest way.
fn expected(form: &Form<'_>, columns: &[Column], zone: &Zone, row: usize) -> Vec<u8> {
    let written = || (0..columns.len()).filter(|at| form.before[*at].is_some());
    let has = |at: &usize| columns[*at].valid.get(row);
    let mut out = form.begin.to_vec();
    let last = match form.trim {
        true => written().filter(has).max(),
        false => written().max(),
    };
    for at in written().filter(|at| last.is_some_and(|last| *at <= last)) {
        let before = form.before[at].as_deref().unwrap_or_default();
        let between = if Some(at) == last { b"" } else { form.between };
        if !has(&at) {
            if let Some(missing) = form.missing {
                out.extend([before, missing, between].concat());
            }
            continue;
        }
        out.extend(before);
        write_quoted(&columns[at], row, form.quotes, zone, &mut out);
        out.extend(between);
    }
    out.extend(form.end);
    out
}

proptest! {
    #[test]
    fn rows_are_what_their_form_says(
        (len, columns, picked) in (1usize..200).prop_flat_map(|len| {
            (Just(len), columns(len), proptest::collection::vec(any::<bool>(), len))
        }),
        all: bool,
        // Texts of any length have a way of their own.
        begin in select(&["", "[", "a begin of more than sixteen bytes"][..]),
        before in select(&["", "k", "\"a name that is quite long\":"][..]),
        between in select(&["", "\t", ", ", " and then, behind that, "][..]),
        missing in select(&[None, Some(""), Some("null"), Some("there is none")][..]),
        end in select(&["", "\n", "}\n", "\nand that was the whole row\n"][..]),
        left_out in 0usize..8,
        (quotes, trim, rows) in any::<(bool, bool, bool)>(),
    ) {
        // Without a text for what is missing rows end behind their last value.
        let trim = trim || missing.is_none();
        let before = |at| (at != left_out).then(|| before.as_bytes().to_vec());
        let form = || Form {
            begin: begin.as_bytes(),
            before: (0..columns.len()).map(before).collect(),
            between: between.as_bytes(),
            missing: missing.map(str::as_bytes),
            quotes,
            end: end.as_bytes(),
            trim,
        };
        let zone = Arc::new(Zone::utc());
        let selection: Bitmap = (0..len).filter(|row| all || picked[*row]).collect();
        let part = view_of(columns.clone(), len, selection);
        let about = Columns {
            fields: part.data.shape.all_fields(),
            kinds: Vec::new(),
            statement: None,
            named: true,
            rows,
            zone: Arc::clone(&zone),
        };
        let slots: Vec<_> = (0..columns.len()).map(|at| Some(Slot::Base(at as u16))).collect();
        let view = View { part: &part, slots: &slots };
        let mut text = TextRows::default();
        let mut lines = Lines::new(form());
        lines.write(&about, view, &mut text, |column, row, out| {
            write_quoted(column, row, quotes, &zone, out);
        });
        let mut rows_expected = 0;
        let mut bytes = Vec::new();
        for row in selection.iter() {
            if rows || columns.iter().any(|column| column.valid.get(row)) {
                bytes.extend(expected(&form(), &columns, &zone, row));
                rows_expected += 1;
            }
        }
        prop_assert_eq!(text.len(), rows_expected);
        let written = text.bytes().clone();
        prop_assert_eq!(String::from_utf8(written), String::from_utf8(bytes));
    }
}
