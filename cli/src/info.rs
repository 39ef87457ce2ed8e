//! `wireq info`: what is in captures, as text and as JSON.

use crate::{Failure, exit, report, sinks, stats};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use wireq_modules::capture::{CaptureInfo, Interface, capture_info, link_type_name};
use wireq_typesys::{Zone, write_time};

/// What is asked for.
pub struct Options {
    pub files: Vec<String>,
    pub json: bool,
    pub strict: bool,
    pub zone: Zone,
    pub interrupt: Arc<AtomicBool>,
}

/// Prints what is in captures.
pub fn info(options: Options) -> Result<u8, Failure> {
    let infos = capture_info(options.files, options.strict, &options.interrupt)?;
    let text = if options.json {
        let objects: Vec<String> = infos.iter().map(|info| json(info, &options.zone)).collect();
        format!("[{}]\n", objects.join(",\n"))
    } else {
        let texts: Vec<String> = infos.iter().map(|info| text(info, &options.zone)).collect();
        texts.join("\n")
    };
    sinks::print(&text)?;
    if options.interrupt.load(Relaxed) {
        eprintln!("wireq: interrupted: the last capture was read in part");
        return Ok(exit::INTERRUPTED);
    }
    let unusable = infos.iter().any(|info| info.report.unusable.is_some());
    Ok(if unusable { exit::UNUSABLE } else { 0 })
}

fn time(ts: i64, zone: &Zone) -> String {
    let mut bytes = Vec::new();
    write_time(ts, zone, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Seconds from the first to the last frame.
fn duration(info: &CaptureInfo) -> Option<f64> {
    let nanos = i128::from(info.last?) - i128::from(info.first?);
    Some(nanos as f64 / 1e9)
}

fn name_of(link_type: u16) -> String {
    match link_type_name(link_type) {
        Some(name) => format!("{name} ({link_type})"),
        None => format!("link type {link_type}"),
    }
}

fn text_of(interface: &Interface, range: Option<(u32, u32)>) -> Option<String> {
    let (start, len) = range?;
    let bytes = interface
        .block
        .0
        .get(start as usize..)?
        .get(..len as usize)?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

fn text(info: &CaptureInfo, zone: &Zone) -> String {
    let mut out = String::new();
    let mut line = |label: &str, value: String| {
        // Names come from the captures.
        let value = report::show(&value);
        let _ = writeln!(out, "{:<22}{value}", format!("{label}:"));
    };
    line("File name", info.report.name.clone());
    if let Some(reason) = &info.report.unusable {
        line("Not usable", reason.clone());
    }
    if let Some(format) = info.format {
        line("File type", format.to_owned());
    }
    let link_types: Vec<String> = info
        .link_types
        .keys()
        .map(|number| name_of(*number))
        .collect();
    if !link_types.is_empty() {
        line("File encapsulation", link_types.join(", "));
    }
    line("Number of packets", info.report.records.to_string());
    if let Some(size) = info.file_size {
        line("File size", format!("{size} bytes"));
    }
    line("Data size", format!("{} bytes", info.bytes));
    line("Data captured", format!("{} bytes", info.captured));
    if let (Some(first), Some(last), Some(duration)) = (info.first, info.last, duration(info)) {
        line("Capture duration", format!("{duration:.9} seconds"));
        line("First packet time", time(first, zone));
        line("Last packet time", time(last, zone));
        if duration > 0.0 {
            let rate = info.bytes as f64 / duration;
            line("Data byte rate", format!("{rate:.2} bytes/s"));
            let rate = info.report.records as f64 / duration;
            line("Average packet rate", format!("{rate:.2} packets/s"));
        }
    }
    if info.report.records > 0 {
        let mean = info.bytes as f64 / info.report.records as f64;
        line("Average packet size", format!("{mean:.2} bytes"));
        let order = match info.steps_back {
            0 => "True".to_owned(),
            1 => "False (1 step back)".to_owned(),
            steps => format!("False ({steps} steps back)"),
        };
        line("Strict time order", order);
    }
    if info.timeless > 0 {
        line("Packets without time", info.timeless.to_string());
    }
    for (interface, packets) in &info.interfaces {
        let label = match interface.number {
            Some(number) if interface.section > 1 => {
                format!("Interface {}/{number}", interface.section)
            }
            Some(number) => format!("Interface {number}"),
            None => "Interface".to_owned(),
        };
        let names = [interface.name, interface.description];
        let names = names.iter().filter_map(|range| text_of(interface, *range));
        let mut said: Vec<String> = names.collect();
        said.push(name_of(interface.link_type));
        said.push(format!("snaplen {}", interface.snaplen));
        said.push(format!("{} digits of a second", interface.tsresol));
        said.push(format!("{packets} packets"));
        line(&label, said.join(", "));
    }
    for skipped in &info.report.skipped {
        line("Skipped", report::skipped(skipped));
    }
    for (reason, count) in &info.report.faults {
        line("Fault", format!("{reason}: {count}"));
    }
    out
}

fn json(info: &CaptureInfo, zone: &Zone) -> String {
    let quote = |text: &str| stats::quote(text);
    let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
    let link_types: Vec<String> = info
        .link_types
        .iter()
        .map(|(number, packets)| {
            let name = or_null(link_type_name(*number).map(quote));
            format!("{{\"linktype\":{number},\"name\":{name},\"packets\":{packets}}}")
        })
        .collect();
    let interfaces: Vec<String> = info
        .interfaces
        .iter()
        .map(|(interface, packets)| {
            format!(
                "{{\"section\":{},\"number\":{},\"name\":{},\"description\":{},\"linktype\":{},\"snaplen\":{},\"tsresol\":{},\"packets\":{packets}}}",
                interface.section,
                or_null(interface.number.map(|number| number.to_string())),
                or_null(text_of(interface, interface.name).as_deref().map(quote)),
                or_null(text_of(interface, interface.description).as_deref().map(quote)),
                interface.link_type,
                interface.snaplen,
                interface.tsresol,
            )
        })
        .collect();
    let moment = |ts: Option<i64>| or_null(ts.map(|ts| quote(&time(ts, zone))));
    format!(
        "{{\"name\":{},\"format\":{},\"packets\":{},\"file_size\":{},\"bytes\":{},\"captured\":{},\"first\":{},\"last\":{},\"duration\":{},\"steps_back\":{},\"without_time\":{},\"linktypes\":[{}],\"interfaces\":[{}],\"bytes_used\":{},{}}}",
        quote(&info.report.name),
        or_null(info.format.map(quote)),
        info.report.records,
        or_null(info.file_size.map(|size| size.to_string())),
        info.bytes,
        info.captured,
        moment(info.first),
        moment(info.last),
        or_null(duration(info).map(|seconds| format!("{seconds:.9}"))),
        info.steps_back,
        info.timeless,
        link_types.join(","),
        interfaces.join(","),
        info.report.bytes_used,
        stats::damage_json(&info.report),
    )
}
