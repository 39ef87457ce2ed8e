//! Names that words can become: modules, fields, files.

use std::fs;
use wireq_engine::arguments::{Count, Parameter};
use wireq_engine::{Build, Registry};
use wireq_typesys::{CONVERSIONS, Kind, RecordType};

/// The modules with what they do.
pub fn modules(registry: &Registry) -> Vec<(String, String)> {
    let modules = registry.modules().iter();
    modules
        .map(|module| (module.name.to_owned(), module.summary.to_owned()))
        .collect()
}

/// The aggregate functions, ready for their arguments.
pub fn functions(registry: &Registry) -> Vec<(String, String)> {
    let modules = registry.modules().iter();
    modules
        .filter(|module| matches!(module.build, Build::Aggregate(_)))
        .map(|module| {
            // What needs no field mostly has nothing between its brackets.
            let needs = |p: &Parameter| matches!(p.count, Count::One | Count::Some);
            let close = match module.parameters.iter().any(needs) {
                true => "",
                false => ")",
            };
            (
                format!("{}({close}", module.name),
                module.summary.to_owned(),
            )
        })
        .collect()
}

/// The record types.
pub fn types(registry: &Registry) -> Vec<(String, String)> {
    let types = registry.types().iter();
    types
        .map(|t| (t.name().to_owned(), t.summary().to_owned()))
        .collect()
}

/// The fields of a type, other names included.
pub fn of_type(record_type: &dyn RecordType) -> Vec<(String, String)> {
    let mut names = Vec::new();
    for field in record_type.fields() {
        for name in std::iter::once(&field.name).chain(field.aliases) {
            names.push(((*name).to_owned(), field.summary.to_owned()));
        }
    }
    names
}

/// The fields of all of these types that begin with a word; behind the name of a field and a
/// point, its conversions.
pub fn fields(types: &[&dyn RecordType], word: &str) -> Vec<(String, String)> {
    let mut names: Vec<(String, String)> = types.iter().flat_map(|t| of_type(*t)).collect();
    if let Some((field, _)) = word.rsplit_once('.') {
        let kinds = types.iter().filter_map(|t| t.resolve(field));
        for (_, kind) in kinds {
            let known = CONVERSIONS.iter().filter(|c| c.gives(kind).is_some());
            names.extend(known.map(|conversion| {
                let gives = conversion.gives(kind).unwrap_or(Kind::Dynamic);
                (format!("{field}.{}", conversion.name), gives.to_string())
            }));
        }
    }
    names
}

/// The files and folders whose paths begin like this.
pub fn paths(word: &str) -> Vec<(String, String)> {
    let (folder, name) = match word.rfind('/') {
        Some(at) => word.split_at(at + 1),
        None => ("", word),
    };
    let read = fs::read_dir(if folder.is_empty() { "." } else { folder });
    let mut paths = Vec::new();
    for entry in read.into_iter().flatten().flatten() {
        let Ok(file) = entry.file_name().into_string() else {
            continue;
        };
        let hidden = file.starts_with('.') && !name.starts_with('.');
        if file.starts_with(name) && !hidden {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            paths.push((format!("{folder}{file}{slash}"), String::new()));
        }
    }
    paths
}
