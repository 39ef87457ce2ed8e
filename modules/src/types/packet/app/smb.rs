//! SMB (MS-CIFS, MS-SMB2) over TCP: the headers of messages that begin in the segment.

use super::cursor::Cursor;
use super::found::Found;
use super::{Payload, fields, has_port};
use wireq_typesys::Kind::{Bool, Named, Unsigned};
use wireq_typesys::Names;

const PORTS: &[u16] = &[445, 139];
/// A message in a session of NetBIOS (RFC 1002, 4.3.1).
const SESSION_MESSAGE: u8 = 0;
const MAGIC_1: &[u8] = b"\xffSMB";
const MAGIC_2: &[u8] = b"\xfeSMB";
/// An encrypted message (MS-SMB2, 2.2.41).
const MAGIC_3: &[u8] = b"\xfdSMB";
/// Where the number of its session is.
const SESSION_3: usize = 44;
/// The flag that says that the status is one of NT.
const NT_STATUS: u16 = 0x4000;
const HEADER_2_LEN: u16 = 64;
const RESPONSE_1: u8 = 0x80;
const RESPONSE_2: u32 = 1;
const ASYNC: u32 = 2;

/// MS-SMB2, 2.2.1.2.
static COMMANDS: Names = Names {
    name: "smb2-command",
    entries: &[
        (0, "negotiate"),
        (1, "session_setup"),
        (2, "logoff"),
        (3, "tree_connect"),
        (4, "tree_disconnect"),
        (5, "create"),
        (6, "close"),
        (7, "flush"),
        (8, "read"),
        (9, "write"),
        (10, "lock"),
        (11, "ioctl"),
        (12, "cancel"),
        (13, "echo"),
        (14, "query_directory"),
        (15, "change_notify"),
        (16, "query_info"),
        (17, "set_info"),
        (18, "oplock_break"),
    ],
};

fields! { walk, "smb", "MS-CIFS, MS-SMB2";
    Command1 "smb.cmd" [] Unsigned, "Commands of messages of version 1, without those chained to them.";
    Status1 "smb.nt_status" [] Unsigned, "How it went, in version 1, where it is a status of NT.";
    Response1 "smb.flags.response" [] Bool, "Whether it is an answer, in version 1.";
    Command2 "smb2.cmd" [] Named(&COMMANDS), "Commands of messages of version 2 and 3.";
    Status2 "smb2.nt_status" [] Unsigned, "How it went, in answers.";
    Response2 "smb2.flags.response" [] Bool, "Whether it is an answer.";
    MessageId "smb2.msg_id" [] Unsigned, "Number of the message.";
    Process "smb2.pid" [] Unsigned, "Number of the process that asks.";
    Tree "smb2.tid" [] Unsigned, "Number of the share.";
    Session "smb2.sesid" [] Unsigned, "Number of the session.";
}

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    if !payload.is_tcp() || !has_port(payload, PORTS) {
        return None;
    }
    let mut segment = Cursor::new(payload.bytes);
    while !segment.is_empty() {
        let kind = segment.u8()?;
        let len = segment.u24()?;
        let message = segment.within(len as usize);
        if kind == SESSION_MESSAGE && message.bytes.starts_with(MAGIC_1) {
            version_1(message, found)?;
        } else if kind == SESSION_MESSAGE && message.bytes.starts_with(MAGIC_2) {
            version_2(message, found)?;
        } else if kind == SESSION_MESSAGE && message.bytes.starts_with(MAGIC_3) {
            let mut session = message;
            session.take(SESSION_3)?;
            found.number(Id::Session, u64::from_le_bytes(session.array()?));
        } else {
            return None;
        }
    }
    Some(())
}

fn version_1(mut message: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    message.take(MAGIC_1.len())?;
    found.number(Id::Command1, message.u8()?);
    let status = u32::from_le_bytes(message.array()?);
    let flags = message.u8()?;
    found.number(Id::Response1, flags & RESPONSE_1);
    if u16::from_le_bytes(message.array()?) & NT_STATUS != 0 {
        found.number(Id::Status1, status);
    }
    Some(())
}

/// The headers of messages that are chained to each other.
fn version_2(mut message: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    loop {
        let whole = message;
        let next = header_2(message, found)? as usize;
        if next == 0 {
            return Some(());
        }
        message = Cursor::new(whole.bytes.get(next..)?);
    }
}

/// Says what a header of version 2 has; where the next one begins, 0 for the last.
fn header_2(mut header: Cursor<'_>, found: &mut Found<'_>) -> Option<u32> {
    let is_header =
        header.take(4)? == MAGIC_2 && u16::from_le_bytes(header.array()?) == HEADER_2_LEN;
    is_header.then_some(())?;
    let _credit_charge = header.u16()?;
    let status = u32::from_le_bytes(header.array()?);
    let command = u16::from_le_bytes(header.array()?);
    let _credits = header.u16()?;
    let flags = u32::from_le_bytes(header.array()?);
    let is_response = flags & RESPONSE_2 != 0;
    found.number(Id::Command2, command);
    if is_response {
        found.number(Id::Status2, status);
    }
    found.number(Id::Response2, flags & RESPONSE_2);
    let next = u32::from_le_bytes(header.array()?);
    found.number(Id::MessageId, u64::from_le_bytes(header.array()?));
    let (process, tree) = (header.array()?, header.array()?);
    if flags & ASYNC == 0 {
        found.number(Id::Process, u32::from_le_bytes(process));
        found.number(Id::Tree, u32::from_le_bytes(tree));
    }
    found.number(Id::Session, u64::from_le_bytes(header.array()?));
    // A chain goes forward.
    (next == 0 || next >= u32::from(HEADER_2_LEN)).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, tcp};

    const HEADER: &str = "fe534d42 4000 0000 220000c0 0500 0100 01000000 00000000
        0700000000000000 fffe0000 05000000 1122334455667788 00000000000000000000000000000000";

    #[test]
    fn messages_of_both_versions() {
        let first = HEADER.replace("01000000 00000000", "01000000 40000000");
        let mut segment = hex("00 000080");
        segment.extend(hex(&first));
        segment.extend(hex(HEADER));
        segment.extend(hex("00 000020 ff534d42 72 00000000 98 0000"));
        for (name, value) in [
            ("smb2.cmd", "create,create"),
            ("smb2.nt_status", "3221225506,3221225506"),
            ("smb2.msg_id", "7,7"),
            ("smb2.tid", "5,5"),
            ("smb2.sesid", "9833440827789222417,9833440827789222417"),
            ("smb.cmd", "114"),
            ("smb.flags.response", "true"),
        ] {
            assert_eq!(
                tcp([5, 445], &segment, name).as_deref(),
                Some(value),
                "{name}"
            );
        }
        assert_eq!(tcp([5, 446], &segment, "smb2.cmd"), None);
        // A chain that leads back ends.
        let mut round = hex("00 000080");
        round.extend(hex(
            &HEADER.replace("01000000 00000000", "01000000 01000000")
        ));
        assert_eq!(tcp([5, 445], &round, "smb2.cmd").as_deref(), Some("create"));
    }
}
