//! What is to be said of whole captures: `wireq info`.

use super::files::CaptureFiles;
use crate::types::packet::{Frame, Frames, Interface, Packet};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use wireq_engine::schedule::output::Item;
use wireq_engine::{Error, InputReport, Source, SourceContext};
use wireq_typesys::{ROWS_MAX, Shape, Zone};

/// The most interfaces of a capture that are told apart: files have a few, damaged ones any number.
const INTERFACES_MAX: usize = 4096;

/// What is to be said of one capture.
#[derive(Debug)]
pub struct CaptureInfo {
    /// Its name, what was read of it and what could not be.
    pub report: InputReport,
    /// The name of its format; none where nothing could be read.
    pub format: Option<&'static str>,
    /// The bytes of the file, where it is one.
    pub file_size: Option<u64>,
    /// Bytes of frames on the wire.
    pub bytes: u64,
    /// Bytes of frames that were captured.
    pub captured: u64,
    /// The earliest time: nanoseconds since 1970.
    pub first: Option<i64>,
    /// The latest time.
    pub last: Option<i64>,
    /// Frames that are earlier than the one before them.
    pub steps_back: u64,
    /// Frames without a time.
    pub timeless: u64,
    /// Frames by LINKTYPE number.
    pub link_types: BTreeMap<u16, u64>,
    /// The interfaces that there are frames of, with how many, in the order of sections and numbers;
    /// the first 4096 of them.
    pub interfaces: Vec<(Arc<Interface>, u64)>,
    /// Where they stand, by section and number.
    places: BTreeMap<(u32, Option<u32>), usize>,
    /// The time of the last frame.
    previous: Option<i64>,
}

impl CaptureInfo {
    fn new() -> CaptureInfo {
        CaptureInfo {
            report: InputReport::default(),
            format: None,
            file_size: None,
            bytes: 0,
            captured: 0,
            first: None,
            last: None,
            steps_back: 0,
            timeless: 0,
            link_types: BTreeMap::new(),
            interfaces: Vec::new(),
            places: BTreeMap::new(),
            previous: None,
        }
    }

    /// Counts the frames of a part.
    fn add(&mut self, frames: &Frames) {
        let mut counts = vec![0u64; frames.interfaces.len()];
        for frame in &frames.rows {
            self.bytes += u64::from(frame.len);
            self.captured += u64::from(frame.caplen);
            if let Some(count) = counts.get_mut(usize::from(frame.interface)) {
                *count += 1;
            }
            self.time(frame);
        }
        for (interface, count) in frames.interfaces.iter().zip(counts) {
            if count == 0 {
                continue;
            }
            *self.link_types.entry(interface.link_type).or_default() += count;
            // The same interface is another object where its frames come in blocks of another kind.
            let key = (interface.section, interface.number);
            let next = self.interfaces.len();
            let place = match next < INTERFACES_MAX {
                true => Some(*self.places.entry(key).or_insert(next)),
                false => self.places.get(&key).copied(),
            };
            match place.and_then(|at| self.interfaces.get_mut(at)) {
                Some((_, known)) => *known += count,
                None if place.is_some() => self.interfaces.push((Arc::clone(interface), count)),
                None => {}
            }
        }
    }

    fn time(&mut self, frame: &Frame) {
        let Some(ts) = frame.time() else {
            self.timeless += 1;
            return;
        };
        self.first = Some(self.first.map_or(ts, |first| first.min(ts)));
        self.last = Some(self.last.map_or(ts, |last| last.max(ts)));
        self.steps_back += u64::from(self.previous.is_some_and(|previous| ts < previous));
        self.previous = Some(ts);
    }
}

/// No field is read of the frames.
fn shape() -> Shape {
    Shape {
        record_type: Some(Arc::new(Packet)),
        base: Vec::new(),
        extra: Vec::new(),
        summary: Vec::new(),
    }
}

/// Reads captures to their ends and says what is in each. Files of archives are captures of their own.
///
/// # Errors
/// On damage with `strict`.
pub fn capture_info(
    paths: Vec<String>,
    strict: bool,
    interrupt: &AtomicBool,
) -> Result<Vec<CaptureInfo>, Error> {
    let mut files = CaptureFiles::new(paths, None);
    let (shape, zone) = (Arc::new(shape()), Arc::new(Zone::utc()));
    let mut retired = Vec::new();
    let mut infos: Vec<CaptureInfo> = Vec::new();
    while !interrupt.load(Relaxed) {
        let mut context = SourceContext {
            shape: &shape,
            origin: 0,
            rows_max: ROWS_MAX,
            retired: &mut retired,
            strict,
            interrupt,
            wait: std::time::Duration::ZERO,
            reads: true,
            threads: 1,
            zone: &zone,
        };
        let item = files.next(&mut context)?;
        let count = files.formats().len();
        infos.resize_with(count, CaptureInfo::new);
        let Some(Item::Rows(part)) = item else {
            break;
        };
        if let (Some(info), Some(frames)) = (infos.last_mut(), part.data.rows::<Frames>()) {
            info.add(frames);
        }
        retired.push(part.data);
    }
    let reports = files.input_account().inputs;
    for ((info, report), format) in infos.iter_mut().zip(reports).zip(files.formats()) {
        let file = std::fs::metadata(&report.name).ok();
        info.file_size = file.filter(|file| file.is_file()).map(|file| file.len());
        info.format = *format;
        info.report = report;
        info.interfaces
            .sort_by_key(|(interface, _)| (interface.section, interface.number));
    }
    Ok(infos)
}
