//! Input in blocks: what readers of files have in common.
//!
//! A file is read in pooled blocks that rows refer to without a copy. Only the start of a record
//! that the block's end cuts is moved to the next block.

use super::follow::Follow;
use super::packed;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wireq_typesys::Block;

/// What a block holds: large enough that reading costs little, small enough to stay in cache.
pub(super) const BLOCK_LEN: usize = 256 * 1024;
/// Blocks kept for use again.
const POOL_MAX: usize = 4;

/// Blocks to be used again.
#[derive(Default)]
pub(super) struct Pool(Vec<Arc<Block>>);

impl Pool {
    /// A block that nobody reads any more, or a new one.
    pub(super) fn take(&mut self, len: usize) -> Arc<Block> {
        let free = self
            .0
            .iter_mut()
            .position(|block| Arc::get_mut(block).is_some_and(|block| block.0.len() >= len));
        match free {
            Some(at) => self.0.swap_remove(at),
            // Room for more than one long record, so that not each of them is moved.
            None if len > BLOCK_LEN => Arc::new(Block(vec![0; len + BLOCK_LEN])),
            None => Arc::new(Block(vec![0; BLOCK_LEN])),
        }
    }

    pub(super) fn put(&mut self, block: Arc<Block>) {
        // Oversized blocks of single records are not worth keeping.
        if self.0.len() < POOL_MAX && block.0.len() == BLOCK_LEN {
            self.0.push(block);
        }
    }
}

/// Something that makes bytes.
pub(super) trait Stream: Send {
    /// Reads like [`Read::read`]. Gives an error of the kind `Interrupted` where the run is to end.
    fn read(&mut self, room: &mut [u8], interrupt: &AtomicBool) -> io::Result<usize>;
}

/// Where bytes come from.
enum Input {
    /// A file, or a pipe or device, where reading may block.
    File { file: File, may_block: bool },
    /// A file that grows.
    Follow(Follow),
    /// Something that makes them.
    Stream(Box<dyn Stream>),
}

impl Stream for Input {
    fn read(&mut self, room: &mut [u8], interrupt: &AtomicBool) -> io::Result<usize> {
        match self {
            Input::Stream(stream) => stream.read(room, interrupt),
            Input::Follow(follow) => follow.read(room, interrupt),
            Input::File { file, may_block } => loop {
                if *may_block {
                    wait_for_input(file, interrupt)?;
                }
                match file.read(room) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => return result,
                }
            },
        }
    }
}

/// All bytes of an input from the first one that was not used on.
pub(super) struct Source {
    read_already: io::Cursor<Vec<u8>>,
    input: Input,
}

impl Stream for Source {
    fn read(&mut self, room: &mut [u8], interrupt: &AtomicBool) -> io::Result<usize> {
        match self.read_already.read(room)? {
            0 => self.input.read(room, interrupt),
            count => Ok(count),
        }
    }
}

/// An open file or device, and the block that is read into.
pub(super) struct Blocks {
    input: Input,
    /// The block being read.
    pub(super) block: Arc<Block>,
    /// The stretch of it that is not used yet.
    pub(super) at: usize,
    pub(super) end: usize,
    /// The offset in the file of the block's first byte.
    offset: u64,
    /// Nothing more can be read.
    pub(super) at_end: bool,
    /// Nothing more is there now, and there may be later.
    pub(super) waits: bool,
    /// Why nothing more can be read, where that is damage of what was to be unpacked.
    pub(super) corrupt: Option<&'static str>,
    /// Bytes that were moved to another block.
    pub(super) moved: u64,
}

impl Blocks {
    /// Opens a path; `-` is standard input.
    pub(super) fn open(path: &str, pool: &mut Pool) -> io::Result<Blocks> {
        let file = open(path)?;
        let may_block = !file.metadata().is_ok_and(|data| data.is_file());
        Ok(Blocks::new(Input::File { file, may_block }, pool))
    }

    /// Reads a file that grows.
    pub(super) fn follow(follow: Follow, pool: &mut Pool) -> Blocks {
        Blocks::new(Input::Follow(follow), pool)
    }

    /// Reads what something else makes.
    pub(super) fn stream(stream: Box<dyn Stream>, pool: &mut Pool) -> Blocks {
        Blocks::new(Input::Stream(stream), pool)
    }

    fn new(input: Input, pool: &mut Pool) -> Blocks {
        Blocks {
            input,
            block: pool.take(BLOCK_LEN),
            at: 0,
            end: 0,
            offset: 0,
            at_end: false,
            waits: false,
            corrupt: None,
            moved: 0,
        }
    }

    /// The bytes that are not used yet.
    pub(super) fn unread(&self) -> &[u8] {
        &self.block.0[self.at..self.end]
    }

    /// Where they begin in the file.
    pub(super) fn place(&self) -> u64 {
        self.offset + self.at as u64
    }

    /// Makes room for `need` bytes from the first unread one on, in this block where nobody reads it
    /// and else in another one, and reads once. Gives whether it is another block.
    pub(super) fn more(
        &mut self,
        need: usize,
        pool: &mut Pool,
        interrupt: &AtomicBool,
    ) -> io::Result<bool> {
        let len = self.block.0.len();
        let fits = self.end < len && len - self.at >= need;
        let writable = Arc::get_mut(&mut self.block).is_some();
        let moves = !(fits && writable);
        if moves {
            self.move_on(need, pool);
        }
        self.read(interrupt)?;
        Ok(moves)
    }

    /// Takes the unread bytes to another block.
    fn move_on(&mut self, need: usize, pool: &mut Pool) {
        let have = self.end - self.at;
        let mut block = pool.take(need.max(BLOCK_LEN));
        let target = Arc::get_mut(&mut block).expect("a block from the pool is not shared");
        target.0[..have].copy_from_slice(&self.block.0[self.at..self.end]);
        pool.put(std::mem::replace(&mut self.block, block));
        self.offset += self.at as u64;
        self.moved += have as u64;
        (self.at, self.end) = (0, have);
    }

    /// Reads once into the rest of the block.
    fn read(&mut self, interrupt: &AtomicBool) -> io::Result<()> {
        let Some(block) = Arc::get_mut(&mut self.block) else {
            return Err(io::Error::other("a block is still in use"));
        };
        let room = &mut block.0[self.end..];
        self.waits = false;
        let count = match self.input.read(room, interrupt) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.waits = true;
                0
            }
            Err(error) => {
                self.corrupt = Some(packed::damage(&error).ok_or(error)?);
                0
            }
        };
        self.end += count;
        self.at_end = count == 0 && !self.waits;
        Ok(())
    }

    /// The bytes from the first unread one on, for something that unpacks them.
    pub(super) fn into_source(self) -> Source {
        Source {
            read_already: io::Cursor::new(self.unread().to_vec()),
            input: match self.input {
                // What is packed is not waited for.
                Input::Follow(follow) => Input::File {
                    file: follow.into_file(),
                    may_block: false,
                },
                input => input,
            },
        }
    }

    /// Reads to the end of the file, to say how many bytes could not be used; or until the run is to
    /// end, since devices have none.
    pub(super) fn drain(&mut self, interrupt: &AtomicBool) -> u64 {
        let (mut room, mut sum) = (vec![0; BLOCK_LEN], 0);
        while !interrupt.load(Ordering::Relaxed)
            && let Ok(count @ 1..) = self.input.read(&mut room, interrupt)
        {
            sum += count as u64;
        }
        sum
    }
}

pub(super) fn open(path: &str) -> io::Result<File> {
    if path == "-" {
        // Not through the standard library's buffer, which polling would not see.
        return Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a directory",
        ));
    }
    Ok(file)
}

/// How long a read of a pipe or device waits before it looks whether the run was interrupted.
const WAIT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// Waits until there is something to read. `Interrupted` where the run is to end before.
fn wait_for_input(input: &File, interrupt: &AtomicBool) -> io::Result<()> {
    loop {
        if interrupt.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match poll(&mut [PollFd::new(input, PollFlags::IN)], Some(&WAIT)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
