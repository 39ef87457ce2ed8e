//! Input in blocks: what readers of files have in common.
//!
//! A file is read in pooled blocks that rows refer to without a copy. Only the start of a record
//! that the block's end cuts is moved to the next block.

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
    fn take(&mut self, len: usize) -> Arc<Block> {
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

    fn put(&mut self, block: Arc<Block>) {
        // Oversized blocks of single records are not worth keeping.
        if self.0.len() < POOL_MAX && block.0.len() == BLOCK_LEN {
            self.0.push(block);
        }
    }
}

/// Where bytes come from.
enum Input {
    /// A file, or a pipe or device, where reading may block.
    File { file: File, may_block: bool },
    /// Something that makes them.
    #[cfg_attr(not(test), allow(dead_code))]
    Stream(Box<dyn Read + Send>),
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

    /// Reads what something else makes. It gives an error of the kind `Interrupted` where the run is
    /// to end.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(super) fn stream(stream: Box<dyn Read + Send>, pool: &mut Pool) -> Blocks {
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
        let count = match &mut self.input {
            Input::Stream(stream) => stream.read(room)?,
            Input::File { file, may_block } => loop {
                if *may_block {
                    wait_for_input(file, interrupt)?;
                }
                match file.read(room) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result?,
                }
            },
        };
        self.end += count;
        self.at_end = count == 0;
        Ok(())
    }

    /// Reads to the end of the file, to say how many bytes could not be used.
    pub(super) fn drain(&mut self) -> u64 {
        let input: &mut dyn Read = match &mut self.input {
            Input::File { file, .. } => file,
            Input::Stream(stream) => stream,
        };
        io::copy(input, &mut io::sink()).unwrap_or(0)
    }
}

fn open(path: &str) -> io::Result<File> {
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
