//! `print`: objects as text.

use super::object::Object;
use super::stage::{Effects, Stage};
use std::rc::Rc;
use wireq_engine::arguments::Arguments;
use wireq_engine::plan::stream::Stream;
use wireq_typesys::{FieldPath, Zone, unescape, write_value};

/// One `print` of a plan.
pub struct Print {
    fields: Vec<FieldPath>,
    form: Form,
    separator: Vec<u8>,
    end: Vec<u8>,
    /// The file it writes to, where that is not the output of its statement.
    file: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// Values alone.
    Columns,
    /// `name = value`
    Named,
    /// `<name>value</name>`
    Tagged,
    /// `name=value` lines, then a line `=`.
    Boulder,
}

impl Print {
    /// The print with these arguments behind objects of a stream.
    pub fn new(arguments: &Arguments, input: &Stream) -> Print {
        let text = |flag: &str, default: &str| match arguments.value(flag) {
            Some(word) => unescape(word.text.as_bytes()),
            None => default.as_bytes().to_vec(),
        };
        Print {
            fields: fields(arguments, input),
            form: form(arguments),
            separator: text("-d", "\t"),
            end: text("-r", "\n"),
            file: arguments.value("-f").map(|word| word.text.clone()),
        }
    }

    /// The text of an object; none where it has none of the fields.
    fn text(&self, object: &Object, zone: &Zone) -> Option<Vec<u8>> {
        let mut columns: Vec<Option<Vec<u8>>> = self
            .fields
            .iter()
            .map(|path| self.column(path, object, zone))
            .collect();
        let present = columns.iter().rposition(Option::is_some)? + 1;
        columns.truncate(present);
        // Names tell what a column is; only those missing at the left leave their places.
        let leading = columns.iter().position(Option::is_some)?;
        if self.form != Form::Columns {
            columns.retain(Option::is_some);
        }
        if self.form == Form::Named {
            columns.splice(0..0, std::iter::repeat_n(None, leading));
        }
        let texts: Vec<Vec<u8>> = columns.into_iter().map(Option::unwrap_or_default).collect();
        Some(match self.form {
            Form::Boulder => [texts.join(&b'\n'), b"\n=\n".to_vec()].concat(),
            _ => [texts.join(&self.separator[..]), self.end.clone()].concat(),
        })
    }

    fn column(&self, path: &FieldPath, object: &Object, zone: &Zone) -> Option<Vec<u8>> {
        let value = object.get(path, zone);
        if value.is_absent() {
            return None;
        }
        let (before, after) = match self.form {
            Form::Columns => (String::new(), String::new()),
            Form::Named => (format!("{path} = "), String::new()),
            Form::Tagged => (format!("<{path}>"), format!("</{path}>")),
            Form::Boulder => (format!("{path}="), String::new()),
        };
        let mut text = before.into_bytes();
        write_value(&value, zone, &mut text);
        text.extend(after.bytes());
        Some(text)
    }
}

impl Stage for Print {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let text = self.text(&object, effects.zone);
        effects
            .texts
            .extend(text.map(|text| (self.file.clone(), text)));
        effects.give(object);
    }
}

fn fields(arguments: &Arguments, input: &Stream) -> Vec<FieldPath> {
    if arguments.flag("--summary") {
        input.summary.clone()
    } else if arguments.words().is_empty() {
        input.all_fields()
    } else {
        arguments.fields()
    }
}

fn form(arguments: &Arguments) -> Form {
    if arguments.flag("--boulder") {
        Form::Boulder
    } else if arguments.flag("-x") {
        Form::Tagged
    } else if arguments.flag("-v") {
        Form::Named
    } else {
        Form::Columns
    }
}
