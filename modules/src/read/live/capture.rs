//! Interfaces: which there are, and how one is opened.

use super::NAME;
use super::prefilter::filter;
use pcap::{Active, Capture, Device, Linktype, Precision};
use std::fmt;
use wireq_engine::Error;
use wireq_engine::plan::expr::Expr;

/// The most bytes that can be kept of a packet: what libpcap allows for Ethernet.
pub(super) const SNAPLEN_MAX: u32 = 262_144;

/// Packets stay in the kernel no longer than so many milliseconds.
pub(super) const TIMEOUT_MS: i32 = 10;

/// How interfaces are opened.
pub(super) struct Settings {
    pub(super) interfaces: Vec<String>,
    pub(super) snaplen: u32,
    pub(super) promiscuous: bool,
    /// The kernel's buffer, in bytes.
    pub(super) buffer: i32,
    pub(super) immediate: bool,
    /// Which packets to take, in the language of pcap-filter(7).
    pub(super) filter: Option<String>,
    /// What packets have to pass for any query to take them.
    pub(super) prefilter: Option<Expr>,
}

/// Opens an interface: packets are taken from now on. Gives what the kernel leaves out beyond what
/// was asked for, as the filter that others pass.
pub(super) fn open(
    name: &str,
    settings: &Settings,
) -> Result<(Capture<Active>, Option<String>), Error> {
    let failed = |message: String| Error::Module {
        module: NAME,
        message: format!("cannot listen on {name}: {message}"),
    };
    let capture = Capture::from_device(name).map_err(|error| failed(said(&error)))?;
    let capture = capture
        .snaplen(settings.snaplen as i32)
        // All interfaces together have no promiscuous mode.
        .promisc(settings.promiscuous && name != "any")
        .buffer_size(settings.buffer)
        .immediate_mode(settings.immediate)
        .timeout(TIMEOUT_MS)
        .precision(Precision::Nano);
    let capture = capture.open().map_err(|error| failed(said(&error)))?;
    let mut capture = capture
        .setnonblock()
        .map_err(|error| failed(said(&error)))?;
    if let Some(narrow) = narrowed(&mut capture, settings) {
        return Ok((capture, Some(narrow)));
    }
    if let Some(filter) = &settings.filter {
        capture
            .filter(filter, true)
            .map_err(|error| failed(format!("`{filter}` is no filter there: {}", said(&error))))?;
    }
    Ok((capture, None))
}

/// Lets the kernel leave out what no query takes, where it can.
fn narrowed(capture: &mut Capture<Active>, settings: &Settings) -> Option<String> {
    let narrow = filter(settings.prefilter.as_ref()?, link_type(capture))?;
    // What was asked for stands behind: `vlan` in it changes what the words after it mean.
    let both = match &settings.filter {
        Some(asked) => format!("({narrow}) and ({asked})"),
        None => narrow.clone(),
    };
    capture.filter(&both, true).is_ok().then_some(narrow)
}

/// What libpcap said, without the words that the crate puts around it.
pub(super) fn said(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(message) => message.clone(),
        other => other.to_string(),
    }
}

/// What a LINKTYPE number is, of the number that libpcap has here: they differ for a few.
pub(super) fn link_type(capture: &Capture<Active>) -> u16 {
    match capture.get_datalink().0 {
        // DLT_RAW, which is 14 on OpenBSD, and DLT_ATM_RFC1483.
        12 | 14 => 101,
        11 => 100,
        other => u16::try_from(other).unwrap_or(u16::MAX),
    }
}

/// Whether a filter means something for any of the usual link layers; else what is wrong.
pub(super) fn check_filter(text: &str) -> Result<(), String> {
    let compile = |link_type| {
        let capture = Capture::dead(link_type).map_err(|error| said(&error))?;
        let program = capture.compile(text, true).map_err(|error| said(&error))?;
        drop(program);
        Ok(())
    };
    let first = compile(Linktype::ETHERNET);
    let others = [Linktype::LINUX_SLL, Linktype::IEEE802_11, Linktype::RAW];
    match first {
        Err(_) if others.into_iter().any(|other| compile(other).is_ok()) => Ok(()),
        first => first,
    }
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub description: Option<String>,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Whether it is up and running.
    pub is_running: bool,
    /// Whether it is the machine's way to itself.
    pub is_loopback: bool,
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_running { "running" } else { "down" };
        write!(f, "{}\t{state}\t{}", self.name, self.addresses.join(" "))?;
        let words = self.is_loopback.then_some("loopback");
        let words: Vec<&str> = words
            .into_iter()
            .chain(self.description.as_deref())
            .collect();
        write!(f, "\t{}", words.join(": "))
    }
}

/// The interfaces that packets can be taken from.
///
/// # Errors
/// Where they cannot be asked for.
pub fn interfaces() -> Result<Vec<Interface>, Error> {
    let devices = Device::list().map_err(|error| Error::Module {
        module: NAME,
        message: format!("cannot list interfaces: {}", said(&error)),
    })?;
    let of = |device: Device| Interface {
        is_running: device.flags.is_up() && device.flags.is_running(),
        is_loopback: device.flags.is_loopback(),
        name: device.name,
        description: device.desc,
        addresses: device
            .addresses
            .iter()
            .map(|address| address.addr.to_string())
            .collect(),
    };
    Ok(devices.into_iter().map(of).collect())
}
