//! SSH (RFC 4253) over TCP, at any port: the line with the version, and the lists of algorithms that
//! both sides send before encryption, where they are whole in the packet.

use super::cursor::Cursor;
use super::found::Found;
use super::{Payload, fields, firsts};
use md5::{Digest, Md5};
use memchr::memchr;
use std::io::Write;
use wireq_typesys::Kind::{Bytes, Text};

/// The line with the version has at most this many bytes (RFC 4253, 4.2).
const VERSION_LEN_MAX: usize = 255;
const KEXINIT: u8 = 20;
/// Behind the lists: whether a guess follows, and a word that is reserved.
const BEHIND_LISTS: u32 = 5;
/// Packets that are longer need not be understood (RFC 4253, 6.1).
const PACKET_LEN_MAX: u32 = 35_000;
const COOKIE_LEN: usize = 16;

fields! { walk, "ssh", "RFC 4253";
    Protocol "ssh.protocol" [] Text, "The line that names version and program.";
    Cookie "ssh.cookie" [] Bytes, "Random bytes before the algorithms.";
    Kex "ssh.kex_algorithms" [] Text, "Ways to exchange keys.";
    HostKeys "ssh.server_host_key_algorithms" [] Text, "Algorithms of the server's key.";
    CiphersOut "ssh.encryption_algorithms_client_to_server" [] Text, "Ciphers of what the client sends.";
    CiphersIn "ssh.encryption_algorithms_server_to_client" [] Text, "Ciphers of what the server sends.";
    MacsOut "ssh.mac_algorithms_client_to_server" [] Text, "Authentication of what the client sends.";
    MacsIn "ssh.mac_algorithms_server_to_client" [] Text, "Authentication of what the server sends.";
    CompressionsOut "ssh.compression_algorithms_client_to_server" [] Text, "Compression of what the client sends.";
    CompressionsIn "ssh.compression_algorithms_server_to_client" [] Text, "Compression of what the server sends.";
    Hassh "ssh.kex.hassh" ["ssh.hassh"] Text, "Fingerprint of a client: HASSH, of the algorithms for what it sends.";
    HasshText "ssh.kex.hassh_algorithms" [] Text, "What HASSH is the MD5 of.";
    HasshServer "ssh.kex.hasshserver" ["ssh.hasshserver"] Text, "Fingerprint of a server, of the algorithms for what it sends.";
    HasshServerText "ssh.kex.hasshserver_algorithms" [] Text, "What that is the MD5 of.";
}

firsts! {
    "ssh.banner" Protocol Text, "The line that names version and program: SSH-2.0-OpenSSH_9.2.";
}

/// The ten lists in their order; the last two, of languages, have no field.
const LISTS: [Option<Id>; 10] = [
    Some(Id::Kex),
    Some(Id::HostKeys),
    Some(Id::CiphersOut),
    Some(Id::CiphersIn),
    Some(Id::MacsOut),
    Some(Id::MacsIn),
    Some(Id::CompressionsOut),
    Some(Id::CompressionsIn),
    None,
    None,
];

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    if !payload.is_tcp() {
        return None;
    }
    let mut segment = Cursor::new(payload.bytes);
    if segment.bytes.starts_with(b"SSH-") {
        let head = &segment.bytes[..segment.bytes.len().min(VERSION_LEN_MAX)];
        let end = memchr(b'\n', head)?;
        let line = &segment.take(end + 1)?[..end];
        found.bytes(Id::Protocol, line.strip_suffix(b"\r").unwrap_or(line));
    }
    algorithms(segment, payload.srcport < payload.dstport, found)
}

/// A packet of algorithms. The side with the lower port is taken for the server. `length` must be that
/// of the lists and what fills them up, or fill blocks, so that encrypted packets are not taken for one.
fn algorithms(mut packet: Cursor<'_>, is_server: bool, found: &mut Found<'_>) -> Option<()> {
    let length = packet.u32()?;
    let padding = packet.u8()?;
    let code = packet.u8()?;
    let is_kex = code == KEXINIT
        && length <= PACKET_LEN_MAX
        && padding >= 4
        && u32::from(padding) + 2 + COOKIE_LEN as u32 <= length;
    is_kex.then_some(())?;
    let cookie = packet.take(COOKIE_LEN)?;
    let mut lists = packet;
    let mut texts = [&[][..]; LISTS.len()];
    for text in &mut texts {
        let len = lists.u32()?;
        *text = lists.take(usize::try_from(len).ok()?)?;
    }
    let lists_len = (packet.bytes.len() - lists.bytes.len()) as u32;
    let whole = 2 + COOKIE_LEN as u32 + lists_len + BEHIND_LISTS + u32::from(padding);
    ((length + 4) % 8 == 0 || length == whole).then_some(())?;
    found.bytes(Id::Cookie, cookie);
    for (id, text) in LISTS.iter().zip(texts) {
        if let Some(id) = id {
            found.bytes(*id, text);
        }
    }
    let [
        kex,
        _,
        ciphers_out,
        ciphers_in,
        macs_out,
        macs_in,
        out,
        back,
        ..,
    ] = texts;
    if is_server {
        let ids = [Id::HasshServer, Id::HasshServerText];
        hassh(ids, [kex, ciphers_in, macs_in, back], found);
    } else {
        let ids = [Id::Hassh, Id::HasshText];
        hassh(ids, [kex, ciphers_out, macs_out, out], found);
    }
    Some(())
}

/// <https://github.com/salesforce/hassh>
fn hassh([digest, text]: [Id; 2], lists: [&[u8]; 4], found: &mut Found<'_>) {
    found.made(text, |out| {
        out.extend_from_slice(&lists.join(&b';'));
        Some(())
    });
    found.made(digest, |out| {
        let digest = Md5::digest(lists.join(&b';'));
        digest
            .iter()
            .try_for_each(|byte| write!(out, "{byte:02x}").ok())
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, tcp};

    fn kexinit(lists: &[&str]) -> Vec<u8> {
        let mut body = vec![20];
        body.extend([5; 16]);
        for list in lists {
            body.extend((list.len() as u32).to_be_bytes());
            body.extend(list.as_bytes());
        }
        body.extend([0; 5]);
        let padding = 8 - (5 + body.len()) % 8;
        let padding = if padding < 4 { padding + 8 } else { padding };
        let length = (1 + body.len() + padding) as u32;
        let mut packet = length.to_be_bytes().to_vec();
        packet.push(padding as u8);
        packet.extend(body);
        packet.extend(vec![0; padding]);
        packet
    }

    const LISTS: [&str; 10] = [
        "curve25519-sha256,ext-info-c",
        "ssh-ed25519",
        "aes128-ctr",
        "aes256-ctr",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "none",
        "zlib",
        "",
        "",
    ];

    #[test]
    fn a_version_and_algorithms() {
        let mut segment = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".to_vec();
        let banner = segment.clone();
        segment.extend(kexinit(&LISTS));
        for (name, value) in [
            ("ssh.banner", "SSH-2.0-OpenSSH_9.2p1 Debian-2"),
            ("ssh.kex_algorithms", "curve25519-sha256,ext-info-c"),
            ("ssh.encryption_algorithms_server_to_client", "aes256-ctr"),
            (
                "ssh.kex.hassh_algorithms",
                "curve25519-sha256,ext-info-c;aes128-ctr;hmac-sha2-256;none",
            ),
        ] {
            assert_eq!(
                tcp([40_000, 2222], &segment, name).as_deref(),
                Some(value),
                "{name}"
            );
        }
        assert_eq!(
            tcp([40_000, 2222], &segment, "ssh.kex.hasshserver_algorithms"),
            None
        );
        assert_eq!(
            tcp([2222, 40_000], &segment, "ssh.kex.hasshserver_algorithms").as_deref(),
            Some("curve25519-sha256,ext-info-c;aes256-ctr;hmac-sha2-512;zlib")
        );
        let whole = tcp([40_000, 2222], &segment, "ssh.hassh").expect("a fingerprint");
        assert_eq!(whole.len(), 32);
        for end in 0..segment.len() - 8 {
            let found = tcp([40_000, 2222], &segment[..end], "ssh.banner");
            assert_eq!(found.is_some(), end >= banner.len());
        }
        assert_eq!(
            tcp([40_000, 2222], &segment[..segment.len() - 40], "ssh.hassh"),
            None
        );
    }

    /// Some do not fill up blocks (RFC 4253, 6, says that they have to), as in captures that were made
    /// up: the length is right all the same.
    #[test]
    fn algorithms_that_do_not_fill_blocks() {
        let mut packet = kexinit(&LISTS);
        packet.push(0);
        let kex = |packet: &[u8]| tcp([40_000, 22], packet, "ssh.kex_algorithms");
        packet[3] += 1;
        assert_eq!(kex(&packet), None, "more than what fills up is said to");
        packet[4] += 1;
        assert_eq!(kex(&packet).as_deref(), Some(LISTS[0]));
    }

    #[test]
    fn what_is_encrypted_is_no_list() {
        for text in [
            "",
            "00000020 0a 14",
            "00000021 04 14 00",
            "0000ffff 04 14 00",
        ] {
            assert_eq!(
                tcp([22, 5], &hex(text), "ssh.kex_algorithms"),
                None,
                "{text}"
            );
        }
    }
}
