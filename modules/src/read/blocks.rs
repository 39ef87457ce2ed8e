//! Input in blocks: what readers of files have in common.
//!
//! A file is read in pooled blocks that rows refer to without a copy. Only the start of a record
//! that the block's end cuts is moved to the next block.

use super::follow::Follow;
use super::packed;
use super::stretch::{Next, ROOM, Stretch, Stretches};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wireq_typesys::Block;

/// What a block holds: large enough that reading costs little, small enough to stay in cache.
pub(super) const BLOCK_LEN: usize = 256 * 1024;
/// Blocks kept for use again, by one thread and by several.
const POOL_MAX: usize = 4;
const POOL_OF_THREADS_MAX: usize = 64;

/// Blocks to be used again.
#[derive(Default)]
pub(super) struct Pool {
    /// Each with the thread that read into it.
    blocks: Vec<(Arc<Block>, usize)>,
    /// Whether several threads use them.
    threads: bool,
}

impl Pool {
    /// Blocks for several threads.
    pub(super) fn of_threads() -> Pool {
        Pool {
            threads: true,
            ..Pool::default()
        }
    }

    /// A block that nobody reads any more, or a new one.
    pub(super) fn take(&mut self, len: usize, thread: usize) -> Arc<Block> {
        let full = self.blocks.len() == POOL_OF_THREADS_MAX;
        // What was used last is in the cache.
        let free = self.blocks.iter_mut().rposition(|(block, of)| {
            (*of == thread || full) && Arc::get_mut(block).is_some_and(|block| block.0.len() >= len)
        });
        match free {
            Some(at) => self.blocks.remove(at).0,
            // Room for more than one long record, so that not each of them is moved.
            None if len > BLOCK_LEN => Arc::new(Block(vec![0; len + BLOCK_LEN])),
            None => Arc::new(Block(vec![0; BLOCK_LEN])),
        }
    }

    pub(super) fn put(&mut self, block: Arc<Block>, thread: usize) {
        let most = match self.threads {
            true => POOL_OF_THREADS_MAX,
            false => POOL_MAX,
        };
        // Oversized blocks of single records are not worth keeping.
        if self.blocks.len() < most && block.0.len() == BLOCK_LEN {
            self.blocks.push((block, thread));
        }
    }
}

/// Something that makes bytes.
pub(super) trait Stream: Send {
    /// Reads like [`Read::read`]. Gives an error of the kind `Interrupted` where the run is to end.
    fn read(&mut self, room: &mut [u8], interrupt: &AtomicBool) -> io::Result<usize>;

    /// How much the next read gives where there is room for it and it is there: what is found in what was read at
    /// once is a batch, and batches are the same whoever reads.
    fn step(&self) -> usize {
        1
    }
}

/// Where bytes come from.
enum Input {
    /// A file, where several threads may read.
    Stretches(Stretches),
    /// A file that others may read on in, or a pipe or device.
    File { file: File, blocking: Blocking },
    /// A file that grows.
    Follow(Follow),
    /// Something that makes them.
    Stream(Box<dyn Stream>),
}

/// What is done where reading would block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blocking {
    /// It does not.
    Never,
    /// It is waited.
    Waits,
    /// That is told.
    Told,
}

impl Stream for Input {
    fn read(&mut self, room: &mut [u8], interrupt: &AtomicBool) -> io::Result<usize> {
        match self {
            Input::Stream(stream) => stream.read(room, interrupt),
            Input::Follow(follow) => follow.read(room, interrupt),
            Input::Stretches(stretches) => loop {
                match stretches.read(room) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => return result,
                }
            },
            Input::File { file, blocking } => loop {
                if *blocking != Blocking::Never {
                    wait_for_input(file, *blocking, interrupt)?;
                }
                match file.read(room) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => return result,
                }
            },
        }
    }

    fn step(&self) -> usize {
        match self {
            Input::Stream(stream) => stream.step(),
            _ => 1,
        }
    }
}

/// All bytes of an input from the first one that was not used on.
pub(super) struct Source {
    read_already: io::Cursor<Vec<u8>>,
    input: Input,
    /// Whether that is all of the input.
    is_whole: bool,
}

impl Source {
    /// The file, where this is all of one that several threads may read.
    pub(super) fn whole_file(&self) -> Option<Arc<File>> {
        match &self.input {
            Input::Stretches(stretches) if self.is_whole => Some(stretches.file()),
            _ => None,
        }
    }
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
    /// The thread that read into the block.
    thread: usize,
    /// Whether it may be read on; else only stretches that are back are taken.
    pub(super) reads: bool,
    /// Whether it cannot be read on only because a stretch is handed out that is not back, or because
    /// it may not be.
    pub(super) elsewhere: bool,
}

impl Blocks {
    /// Opens a path; `-` is standard input. Nothing is read yet.
    pub(super) fn open(path: &str, pool: &mut Pool) -> io::Result<Blocks> {
        let file = open(path)?;
        let len = file.metadata().ok().filter(|data| data.is_file());
        let len = len.map(|data| data.len());
        let input = match len {
            // The place in standard input is everybody's.
            Some(len) if path != "-" => Input::Stretches(Stretches::new(file, len)),
            _ => Input::File {
                file,
                blocking: match len {
                    Some(_) => Blocking::Never,
                    None => Blocking::Waits,
                },
            },
        };
        Ok(match input {
            // Stretches have blocks of their own.
            Input::Stretches(_) => Blocks::with(input, Arc::default()),
            _ => Blocks::new(input, pool),
        })
    }

    /// Reads a file that grows.
    pub(super) fn follow(follow: Follow, pool: &mut Pool) -> Blocks {
        Blocks::new(Input::Follow(follow), pool)
    }

    /// Reads a pipe or device that is open. What waits for it hears that nothing is there now.
    pub(super) fn device(file: File, pool: &mut Pool) -> Blocks {
        let blocking = Blocking::Told;
        Blocks::new(Input::File { file, blocking }, pool)
    }

    /// Reads what something else makes.
    pub(super) fn stream(stream: Box<dyn Stream>, pool: &mut Pool) -> Blocks {
        Blocks::new(Input::Stream(stream), pool)
    }

    fn new(input: Input, pool: &mut Pool) -> Blocks {
        Blocks::with(input, pool.take(BLOCK_LEN, 0))
    }

    fn with(input: Input, block: Arc<Block>) -> Blocks {
        Blocks {
            input,
            block,
            at: 0,
            end: 0,
            offset: 0,
            at_end: false,
            waits: false,
            corrupt: None,
            moved: 0,
            thread: 0,
            reads: true,
            elsewhere: false,
        }
    }

    /// The bytes that are not used yet.
    pub(super) fn unread(&self) -> &[u8] {
        &self.block.0[self.at..self.end]
    }

    /// Where they begin in the file.
    pub(super) fn place(&self) -> u64 {
        self.offset.wrapping_add(self.at as u64)
    }

    /// Gives the block back: this input is read no more.
    pub(super) fn let_go(&mut self, pool: &mut Pool) {
        (self.at, self.end) = (0, 0);
        pool.put(std::mem::take(&mut self.block), self.thread);
    }

    /// Reads no more: what was read is all.
    pub(super) fn end_here(&mut self) {
        (self.at_end, self.waits) = (true, false);
    }

    /// The next stretch of the input, for another thread to read.
    pub(super) fn hand_out(&mut self, thread: usize, pool: &mut Pool) -> Option<Stretch> {
        pool.threads = true;
        match &mut self.input {
            Input::Stretches(stretches) if !self.at_end => stretches.hand_out(thread, pool),
            _ => None,
        }
    }

    /// Takes a stretch back that was read; gives it where it is none that is waited for.
    pub(super) fn give_back(&mut self, stretch: Stretch) -> Option<Stretch> {
        match &mut self.input {
            Input::Stretches(stretches) => stretches.give_back(stretch),
            _ => Some(stretch),
        }
    }

    /// How many stretches are handed out, and how many are back and not used up.
    pub(super) fn stretches(&self) -> (usize, usize) {
        match &self.input {
            Input::Stretches(stretches) => stretches.count(),
            _ => (0, 0),
        }
    }

    /// The first bytes of a file, where several threads may read; nothing else is changed.
    pub(super) fn peek(&self, len: usize) -> Vec<u8> {
        let mut begin = vec![0; len];
        let count = match &self.input {
            Input::Stretches(stretches) => stretches.peek(&mut begin),
            _ => 0,
        };
        begin.truncate(count);
        begin
    }

    /// Makes room for `need` bytes from the first unread one on, in this block where nobody reads it
    /// and else in another one, and reads once. Gives whether it is another block. Fails where it
    /// is [`Blocks::elsewhere`].
    pub(super) fn more(
        &mut self,
        need: usize,
        pool: &mut Pool,
        interrupt: &AtomicBool,
    ) -> io::Result<bool> {
        (self.waits, self.elsewhere) = (false, false);
        let next = match &mut self.input {
            Input::Stretches(stretches) => stretches.next(self.reads, pool)?,
            _ if self.reads => Next::Rest,
            _ => Next::Waits,
        };
        match next {
            Next::Stretch(stretch) => return Ok(self.take(stretch, need, pool)),
            Next::Waits => {
                self.elsewhere = true;
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Next::Rest => {}
        }
        let moves = self.make_room(need, pool);
        self.read(interrupt)?;
        Ok(moves)
    }

    /// Makes room in this block where nobody reads it and else in another one. Gives whether it is
    /// another block.
    fn make_room(&mut self, need: usize, pool: &mut Pool) -> bool {
        let len = self.block.0.len();
        let fits = len - self.end >= self.input.step() && len - self.at >= need;
        let writable = Arc::get_mut(&mut self.block).is_some();
        let moves = !(fits && writable);
        if moves {
            self.move_on(need, pool);
        }
        moves
    }

    /// Goes on in a stretch that was read, with the unread bytes before it: in its block where they
    /// fit before it. Gives whether it is another block.
    fn take(&mut self, mut stretch: Stretch, need: usize, pool: &mut Pool) -> bool {
        let have = self.end - self.at;
        let len = stretch.end - stretch.at;
        if have <= ROOM
            && need <= have + len
            && let Some(block) = Arc::get_mut(&mut stretch.block)
        {
            let begin = stretch.at - have;
            block.0[begin..stretch.at].copy_from_slice(&self.block.0[self.at..self.end]);
            let thread = std::mem::replace(&mut self.thread, stretch.thread);
            pool.put(std::mem::replace(&mut self.block, stretch.block), thread);
            // The block may begin before the file does.
            self.offset = stretch.offset.wrapping_sub(stretch.at as u64);
            self.moved += have as u64;
            (self.at, self.end) = (begin, stretch.end);
            return true;
        }
        let moves = self.make_room(need, pool);
        if let Some(block) = Arc::get_mut(&mut self.block) {
            let count = len.min(block.0.len() - self.end);
            let bytes = &stretch.block.0[stretch.at..stretch.at + count];
            block.0[self.end..self.end + count].copy_from_slice(bytes);
            self.end += count;
            stretch.at += count;
            stretch.offset += count as u64;
        }
        match &mut self.input {
            Input::Stretches(stretches) if stretch.at < stretch.end => stretches.put_back(stretch),
            _ => pool.put(stretch.block, stretch.thread),
        }
        moves
    }

    /// Takes the unread bytes to another block.
    fn move_on(&mut self, need: usize, pool: &mut Pool) {
        let have = self.end - self.at;
        let thread = std::mem::take(&mut self.thread);
        let needed = need.max(have + self.input.step());
        let mut block = pool.take(needed.max(BLOCK_LEN), 0);
        let target = Arc::get_mut(&mut block).expect("a block from the pool is not shared");
        target.0[..have].copy_from_slice(&self.block.0[self.at..self.end]);
        pool.put(std::mem::replace(&mut self.block, block), thread);
        self.offset = self.place();
        self.moved += have as u64;
        (self.at, self.end) = (0, have);
    }

    /// Reads once into the rest of the block.
    fn read(&mut self, interrupt: &AtomicBool) -> io::Result<()> {
        let Some(block) = Arc::get_mut(&mut self.block) else {
            return Err(io::Error::other("a block is still in use"));
        };
        let room = &mut block.0[self.end..];
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
            is_whole: self.place() == 0,
            input: match self.input {
                // What is packed is not waited for.
                Input::Follow(follow) => Input::File {
                    file: follow.into_file(),
                    blocking: Blocking::Never,
                },
                Input::File {
                    file,
                    blocking: Blocking::Told,
                } => Input::File {
                    file,
                    blocking: Blocking::Waits,
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
    // A pipe that nobody writes to would be waited for.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let kind = file.metadata()?;
    if kind.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a directory",
        ));
    }
    if !kind.is_file() {
        fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    }
    Ok(file)
}

/// How long a read of a pipe or device waits before it looks whether the run was interrupted.
const WAIT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// Waits until there is something to read; `WouldBlock` at once where that is told. `Interrupted` where
/// the run is to end before.
fn wait_for_input(input: &File, blocking: Blocking, interrupt: &AtomicBool) -> io::Result<()> {
    let is_told = blocking == Blocking::Told;
    let wait = if is_told { Timespec::default() } else { WAIT };
    loop {
        if interrupt.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match poll(&mut [PollFd::new(input, PollFlags::IN)], Some(&wait)) {
            Ok(0) if is_told => return Err(io::ErrorKind::WouldBlock.into()),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
