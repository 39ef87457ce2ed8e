//! tar archives, read from front to back with a bound on what stands before a file.
//!
//! Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar's manual,
//! "Basic Tar Format". Numbers and names of headers are the crate's; its own reader of archives takes
//! names and attributes of any length into memory.

use super::Sink;
use super::walk::{Marked, Peeked, corrupt, walk, within};
use std::io::{self, Read};
use tar::{EntryType, GnuExtSparseHeader, Header, PaxExtensions};

const BLOCK_LEN: usize = 512;
/// The most bytes of the names and attributes that stand before a file: more are no file's.
const AHEAD_MAX: u64 = 64 * 1024;
/// What GNU tar tells of sparse files in headers of pax begins so.
const SPARSE_KEY: &[u8] = b"GNU.sparse.";
const SPARSE: &str = "it is a sparse file in the tar archive, whose holes are left out";

/// What stands before a file's header about it.
#[derive(Default)]
struct Ahead {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    /// Whether its holes are left out.
    sparse: bool,
}

/// Gives the sink the files of an archive.
pub(super) fn untar(
    input: &mut Peeked<'_>,
    archive: &Option<String>,
    depth: usize,
    damage: &'static str,
    sink: &mut Sink,
) -> io::Result<()> {
    let mut ahead = Ahead::default();
    while let Some(header) = header(input, damage)? {
        let kind = header.entry_type();
        let is_ahead = is_about_another(kind);
        let own = header.entry_size().map_err(|_| corrupt(damage))?;
        let size = ahead.size.filter(|_| !is_ahead).unwrap_or(own);
        let padding = size.wrapping_neg() % BLOCK_LEN as u64;
        let mut content = Read::by_ref(input).take(size);
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
            ahead.read(kind, &mut content, damage)?;
        }
        if is_ahead {
            pass(&mut content, damage)?;
            pass(&mut Read::by_ref(input).take(padding), damage)?;
            continue;
        }
        let Ahead { name, sparse, .. } = std::mem::take(&mut ahead);
        if kind.is_gnu_sparse() {
            pass_map(input, &header, damage)?;
            content = Read::by_ref(input).take(size);
        }
        let name = || {
            let path = name.unwrap_or_else(|| header.path_bytes().into_owned());
            within(archive, &String::from_utf8_lossy(&path))
        };
        if kind.is_gnu_sparse() || sparse {
            sink.unusable(name(), SPARSE)?;
        } else if kind.is_file() || kind.is_contiguous() {
            let name = name();
            let inner = &mut content;
            walk(&mut Marked { inner, damage }, Some(name), depth + 1, sink)?;
        }
        pass(&mut content, damage)?;
        pass(&mut Read::by_ref(input).take(padding), damage)?;
    }
    Ok(())
}

/// Whether what has this type tells of a file behind it, or of all.
fn is_about_another(kind: EntryType) -> bool {
    kind.is_gnu_longname()
        || kind.is_gnu_longlink()
        || kind.is_pax_local_extensions()
        || kind.is_pax_global_extensions()
}

/// The next header; none at the end of the archive.
fn header(input: &mut Peeked<'_>, damage: &'static str) -> io::Result<Option<Header>> {
    let mut header = Header::new_old();
    let bytes = header.as_mut_bytes();
    if !block(input, bytes, damage)? || bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let (before, behind) = (&bytes[..148], &bytes[156..]);
    let sum: u32 = before.iter().chain(behind).map(|b| u32::from(*b)).sum();
    // The checksum itself counts as eight spaces.
    let sum = sum + 8 * u32::from(b' ');
    match header.cksum() {
        Ok(said) if said == sum => Ok(Some(header)),
        _ => Err(corrupt(damage)),
    }
}

/// Reads a block; false where the input is at its end.
fn block(
    input: &mut Peeked<'_>,
    bytes: &mut [u8; BLOCK_LEN],
    damage: &'static str,
) -> io::Result<bool> {
    let mut len = 0;
    while len < BLOCK_LEN {
        match input.read(&mut bytes[len..]) {
            Ok(0) if len == 0 => return Ok(false),
            Ok(0) => return Err(corrupt(damage)),
            Ok(count) => len += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Passes over what is left of something, all of which has to be there.
fn pass<R: Read>(rest: &mut io::Take<R>, damage: &'static str) -> io::Result<()> {
    io::copy(rest, &mut io::sink())?;
    match rest.limit() {
        0 => Ok(()),
        _ => Err(corrupt(damage)),
    }
}

/// Passes over what does not fit into the header of GNU's sparse files: where their stretches are.
fn pass_map(input: &mut Peeked<'_>, header: &Header, damage: &'static str) -> io::Result<()> {
    let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
    while more {
        let mut map = GnuExtSparseHeader::new();
        if !block(input, map.as_mut_bytes(), damage)? {
            return Err(corrupt(damage));
        }
        more = map.is_extended();
    }
    Ok(())
}

impl Ahead {
    fn read(
        &mut self,
        kind: EntryType,
        content: &mut dyn Read,
        damage: &'static str,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        content.take(AHEAD_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > AHEAD_MAX {
            return Err(corrupt(damage));
        }
        if kind.is_gnu_longname() {
            while bytes.last() == Some(&0) {
                bytes.pop();
            }
            self.name = Some(bytes);
            return Ok(());
        }
        let mut named = false;
        for extension in PaxExtensions::new(&bytes).flatten() {
            match extension.key_bytes() {
                b"GNU.sparse.name" => {
                    self.name = Some(extension.value_bytes().to_vec());
                    (self.sparse, named) = (true, true);
                }
                key if key.starts_with(SPARSE_KEY) => self.sparse = true,
                // The name of a sparse file stands there, and this one is made up.
                b"path" if !named => self.name = Some(extension.value_bytes().to_vec()),
                b"size" => {
                    let size = extension.value().ok().and_then(|size| size.parse().ok());
                    self.size = Some(size.ok_or_else(|| corrupt(damage))?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Means, Packed, damage};
    use crate::read::blocks::{Blocks, Pool, Stream};
    use std::io::{self, Read};
    use std::sync::atomic::AtomicBool;
    use tar::{Builder, EntryType, Header};

    const DAMAGE: &str = "the tar archive is damaged";

    /// Bytes, then so many zeros.
    struct Endless(io::Chain<io::Cursor<Vec<u8>>, io::Take<io::Repeat>>);

    impl Stream for Endless {
        fn read(&mut self, room: &mut [u8], _: &AtomicBool) -> io::Result<usize> {
            self.0.read(room)
        }
    }

    fn header(kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        header
    }

    /// The names and contents of an archive, and how its reading ended.
    fn files(bytes: Vec<u8>, zeros: u64) -> (Vec<(String, Vec<u8>)>, Option<&'static str>) {
        let (mut pool, never) = (Pool::default(), AtomicBool::new(false));
        let bytes = io::Cursor::new(bytes).chain(io::repeat(0).take(zeros));
        let input = Blocks::stream(Box::new(Endless(bytes)), &mut pool);
        let mut packed =
            Packed::new(input.into_source(), &Means::default(), false).expect("a thread");
        let mut found = Vec::new();
        loop {
            let (name, mut stream) = match packed.next_file(&never) {
                Ok(Some((name, stream))) => (name.unwrap_or_default(), stream),
                Ok(None) => return (found, None),
                Err(error) => return (found, damage(&error)),
            };
            let (mut content, mut room) = (Vec::new(), [0; 1000]);
            loop {
                match stream.read(&mut room, &never) {
                    Ok(0) => break,
                    Ok(count) => content.extend(&room[..count]),
                    Err(error) => {
                        content.extend(damage(&error).unwrap_or_default().as_bytes());
                        break;
                    }
                }
            }
            found.push((name, content));
        }
    }

    #[test]
    fn names_of_every_kind_and_sizes_of_pax() {
        let long = format!("{}/long.pcap", "folder".repeat(40));
        let mut builder = Builder::new(Vec::new());
        let mut plain = header(EntryType::Regular, 3);
        builder
            .append_data(&mut plain, "a.pcap", &b"abc"[..])
            .unwrap();
        let mut gnu = Header::new_gnu();
        gnu.set_size(600);
        builder
            .append_data(&mut gnu, &long, &[7u8; 600][..])
            .unwrap();
        let pax: [(&str, &[u8]); 2] = [("path", b"pax.pcap"), ("size", b"5")];
        builder.append_pax_extensions(pax).unwrap();
        // The size in the header is not that of the file.
        let mut lies = header(EntryType::Regular, 5);
        lies.set_size(0);
        lies.set_cksum();
        let mut bytes = builder.into_inner().unwrap();
        bytes.truncate(bytes.len() - 1024);
        bytes.extend(lies.as_bytes());
        bytes.extend(b"12345");
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes.extend(header(EntryType::Directory, 0).as_bytes());
        bytes.extend(header(EntryType::Regular, 1).as_bytes());
        bytes.extend([b'z'; 1]);
        bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
        let expected = [
            ("a.pcap".to_owned(), b"abc".to_vec()),
            (long, vec![7; 600]),
            ("pax.pcap".to_owned(), b"12345".to_vec()),
            (String::new(), b"z".to_vec()),
        ];
        let (found, ended) = files(bytes.clone(), 0);
        assert_eq!((&found[..], ended), (&expected[..], None));
        // Cut anywhere, what comes before is as it was.
        for cut in 512..bytes.len() {
            let (found, _) = files(bytes[..cut].to_vec(), 0);
            for ((name, content), (known, whole)) in found.iter().zip(&expected) {
                let content = content.strip_suffix(DAMAGE.as_bytes()).unwrap_or(content);
                assert!(name == known && whole.starts_with(content), "cut at {cut}");
            }
        }
    }

    /// Files of both kinds that GNU tar writes of sparse files cannot be had, and others can.
    #[test]
    fn sparse_files_are_told_and_contiguous_ones_read() {
        let entry = |kind: EntryType, name: &str, content: &[u8]| {
            let mut header = Header::new_gnu();
            header.set_path(name).expect("a short name");
            header.set_entry_type(kind);
            header.set_size(content.len() as u64);
            header.set_cksum();
            let mut bytes = [header.as_bytes(), content].concat();
            bytes.resize(bytes.len().next_multiple_of(512), 0);
            bytes
        };
        let mut pax = Builder::new(Vec::new());
        let keys: [(&str, &[u8]); 4] = [
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"holes.pcap"),
            ("GNU.sparse.realsize", b"1000000"),
        ];
        pax.append_pax_extensions(keys).expect("they are short");
        let mut pax = pax.into_inner().expect("it is in memory");
        pax.truncate(pax.len() - 1024);
        let bytes = [
            entry(EntryType::Continuous, "a", b"abc"),
            entry(EntryType::GNUSparse, "b", b"stretches"),
            entry(EntryType::Regular, "c", b"c"),
            pax,
            entry(EntryType::Regular, "GNUSparseFile.0/holes.pcap", b"a map"),
            entry(EntryType::Regular, "d", b"d"),
            vec![0; 1024],
        ];
        let (found, ended) = files(bytes.concat(), 0);
        let sparse = super::SPARSE.as_bytes();
        let expected: [(&str, &[u8]); 5] = [
            ("a", b"abc"),
            ("b", sparse),
            ("c", b"c"),
            ("holes.pcap", sparse),
            ("d", b"d"),
        ];
        let found: Vec<(&str, &[u8])> = found.iter().map(|(n, c)| (&n[..], &c[..])).collect();
        assert_eq!((&found[..], ended), (&expected[..], None));
    }

    /// A name of gigabytes is damage, and not read into memory; a name of a link is passed over.
    #[test]
    fn what_stands_before_a_file_is_bounded() {
        let begin = |kind: EntryType, size: u64| header(kind, size).as_bytes().to_vec();
        for kind in [EntryType::GNULongName, EntryType::XHeader] {
            let (found, ended) = files(begin(kind, 8 << 30), 8 << 30);
            assert_eq!((found.len(), ended), (0, Some(DAMAGE)), "{kind:?}");
        }
        for kind in [EntryType::GNULongLink, EntryType::XGlobalHeader] {
            let (found, ended) = files(begin(kind, 1 << 30), (1 << 30) + 1024);
            assert_eq!((found.len(), ended), (0, None), "{kind:?}");
        }
    }
}
