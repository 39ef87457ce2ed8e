//! NTP (RFC 5905) over UDP: the header of time packets.

use super::cursor::Cursor;
use super::found::Found;
use super::{Payload, fields};
use wireq_typesys::Kind::{Bytes, Signed, Time, Unsigned};

const PORT: u16 = 123;
/// Modes 6 and 7 are for control and have other headers.
const MODE_CONTROL: u8 = 6;
/// Seconds from 1900, where NTP's first era begins, to 1970.
const SECONDS_TO_1970: i64 = 2_208_988_800;

fields! { walk, "ntp", "RFC 5905";
    Flags "ntp.flags" [] Unsigned, "The first byte: leap, version and mode.";
    Leap "ntp.flags.li" [] Unsigned, "Whether a second is added or left out; 3 is a clock that is not set.";
    Version "ntp.flags.vn" [] Unsigned, "Version.";
    Mode "ntp.flags.mode" [] Unsigned, "Mode: 3 is a client's, 4 a server's.";
    Stratum "ntp.stratum" [] Unsigned, "How many servers lie between the clock and its reference, and 1.";
    Poll "ntp.ppoll" [] Unsigned, "Logarithm to base 2 of the seconds between messages.";
    Precision "ntp.precision" [] Signed, "Logarithm to base 2 of the seconds that the clock tells apart.";
    RootDelay "ntp.rootdelay" [] Unsigned, "The way to the reference and back, as sent: in 1/65536 seconds.";
    RootDispersion "ntp.rootdispersion" [] Unsigned, "The error that is possible, as sent: in 1/65536 seconds.";
    ReferenceId "ntp.refid" [] Bytes, "What the reference is: letters, or the address of a server.";
    ReferenceTime "ntp.reftime" [] Time, "When the clock was last set.";
    Origin "ntp.org" [] Time, "When the client sent, by its clock.";
    Receive "ntp.rec" [] Time, "When the server received, by its clock.";
    Transmit "ntp.xmt" [] Time, "When the message was sent, by its sender's clock.";
}

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    if !payload.is_udp() || !payload.has_port(PORT) {
        return None;
    }
    let mut header = Cursor::new(payload.bytes);
    let flags = header.u8()?;
    found.number(Id::Flags, flags);
    if flags & 7 < MODE_CONTROL {
        found.number(Id::Leap, flags >> 6);
    }
    found.number(Id::Version, flags >> 3 & 7);
    found.number(Id::Mode, flags & 7);
    if flags & 7 >= MODE_CONTROL {
        return None;
    }
    found.number(Id::Stratum, header.u8()?);
    found.number(Id::Poll, header.u8()?);
    found.signed(Id::Precision, i8::from_be_bytes(header.array()?));
    found.number(Id::RootDelay, header.u32()?);
    found.number(Id::RootDispersion, header.u32()?);
    found.bytes(Id::ReferenceId, header.take(4)?);
    for id in [Id::ReferenceTime, Id::Origin, Id::Receive, Id::Transmit] {
        let (seconds, fraction) = (header.u32()?, header.u32()?);
        if let Some(nanos) = since_1970(seconds, fraction) {
            found.signed(id, nanos);
        }
    }
    Some(())
}

/// Nanoseconds since 1970; none for 0, which says that the time is not known. Seconds below 2^31
/// are of the era that begins in 2036 (RFC 4330, 3).
fn since_1970(seconds: u32, fraction: u32) -> Option<i64> {
    if seconds == 0 && fraction == 0 {
        return None;
    }
    let era = if seconds & 1 << 31 == 0 { 1 << 32 } else { 0 };
    let seconds = i64::from(seconds) + era - SECONDS_TO_1970;
    Some(seconds * 1_000_000_000 + (i64::from(fraction) * 1_000_000_000 >> 32))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, tcp, udp};

    #[test]
    fn a_header() {
        let packet = hex("e3 00 03 fa 00010000 00000003 4c4f434c
            0000000000000000 0000000100000000 ed0cfe3480000000 ed0cfe3540000000");
        for (name, value) in [
            ("ntp.flags", Some("227")),
            ("ntp.flags.li", Some("3")),
            ("ntp.flags.vn", Some("4")),
            ("ntp.flags.mode", Some("3")),
            ("ntp.precision", Some("-6")),
            ("ntp.refid", Some("LOCL")),
            ("ntp.reftime", None),
            ("ntp.org", Some("2036-02-07T06:28:17+00:00")),
        ] {
            assert_eq!(udp([123, 123], &packet, name).as_deref(), value, "{name}");
        }
        assert_eq!(tcp([123, 123], &packet, "ntp.flags"), None);
        assert_eq!(udp([123, 5], &packet[..20], "ntp.xmt"), None);
        assert_eq!(udp([123, 5], &hex("16 02 0000"), "ntp.stratum"), None);
    }
}
