//! Programs of the BSD packet filter (McCanne, Jacobson, "The BSD packet filter: a new architecture for
//! user-level packet capture", 1993), as libpcap compiles them.

use std::sync::{Mutex, PoisonError};

/// A compiled filter.
pub(super) struct Program(Vec<Instruction>);

#[derive(Clone, Copy)]
struct Instruction {
    code: u16,
    if_true: u8,
    if_false: u8,
    k: u32,
}

/// Words of memory that a program has.
const MEMORY: usize = 16;

/// Old versions of libpcap compile in one thread at a time only.
static COMPILER: Mutex<()> = Mutex::new(());

impl Program {
    /// Compiles a filter for frames of a link type, a LINKTYPE number.
    ///
    /// # Errors
    /// What libpcap says where it can't.
    pub(super) fn compile(filter: &str, link: u16) -> Result<Program, String> {
        let said = |error: pcap::Error| match error {
            pcap::Error::PcapError(message) => message,
            error => error.to_string(),
        };
        let _one = COMPILER.lock().unwrap_or_else(PoisonError::into_inner);
        let dead = pcap::Capture::dead(pcap::Linktype(data_link(link))).map_err(said)?;
        let program = dead.compile(filter, true).map_err(said)?;
        let read = |text: String| Instruction::read(&text).ok_or_else(|| format!("`{text}`"));
        let instructions = program
            .get_instructions()
            .iter()
            .map(|i| read(i.to_string()));
        instructions.collect::<Result<_, _>>().map(Program)
    }

    /// Whether a frame passes: its bytes as captured, and its length on the wire.
    pub(super) fn passes(&self, bytes: &[u8], len: u32) -> bool {
        self.run(bytes, len).unwrap_or(0) != 0
    }

    /// What the program returns; none where it reads what is not there. Jumps go forward only, so
    /// that it ends.
    fn run(&self, bytes: &[u8], len: u32) -> Option<u32> {
        let (mut a, mut x, mut memory) = (0u32, 0u32, [0u32; MEMORY]);
        let mut at = 0usize;
        loop {
            let Instruction {
                code,
                if_true,
                if_false,
                k,
            } = *self.0.get(at)?;
            at += 1;
            let jump = |yes: bool| usize::from(if yes { if_true } else { if_false });
            let operand = if code & 8 != 0 { x } else { k };
            match code & 7 {
                0 => a = load(code, k, x, bytes, len, &memory)?,
                // The length of an IPv4 header, in the low bits of its first byte.
                1 if code & 0xe0 == 0xa0 => x = u32::from(bytes.get(k as usize)? & 15) * 4,
                1 => x = load(code, k, x, bytes, len, &memory)?,
                2 => *memory.get_mut(k as usize)? = a,
                3 => *memory.get_mut(k as usize)? = x,
                4 => a = calculate(code, a, operand)?,
                5 => {
                    at += match code & 0xf0 {
                        0x00 => k as usize,
                        0x10 => jump(a == operand),
                        0x20 => jump(a > operand),
                        0x30 => jump(a >= operand),
                        0x40 => jump(a & operand != 0),
                        _ => return None,
                    }
                }
                6 => return Some(if code & 0x18 == 0x10 { a } else { k }),
                _ if code & 0xf8 == 0x80 => a = x,
                _ => x = a,
            }
        }
    }
}

fn load(code: u16, k: u32, x: u32, bytes: &[u8], len: u32, memory: &[u32; MEMORY]) -> Option<u32> {
    let at = match code & 0xe0 {
        0x00 => return Some(k),
        0x20 => k as usize,
        0x40 => (k as usize).checked_add(x as usize)?,
        0x60 => return memory.get(k as usize).copied(),
        0x80 => return Some(len),
        _ => return None,
    };
    let bytes = bytes.get(at..)?;
    match code & 0x18 {
        0x00 => bytes.first_chunk().map(|word| u32::from_be_bytes(*word)),
        0x08 => bytes
            .first_chunk()
            .map(|half| u16::from_be_bytes(*half).into()),
        _ => bytes.first().map(|byte| u32::from(*byte)),
    }
}

fn calculate(code: u16, a: u32, operand: u32) -> Option<u32> {
    Some(match code & 0xf0 {
        0x00 => a.wrapping_add(operand),
        0x10 => a.wrapping_sub(operand),
        0x20 => a.wrapping_mul(operand),
        0x30 => a.checked_div(operand)?,
        0x40 => a | operand,
        0x50 => a & operand,
        0x60 => a.checked_shl(operand).unwrap_or(0),
        0x70 => a.checked_shr(operand).unwrap_or(0),
        0x80 => a.wrapping_neg(),
        0x90 => a.checked_rem(operand)?,
        0xa0 => a ^ operand,
        _ => return None,
    })
}

impl Instruction {
    /// An instruction as libpcap's wrapper gives it: code, two jumps, operand.
    fn read(text: &str) -> Option<Instruction> {
        let mut parts = text.split(' ');
        Some(Instruction {
            code: parts.next()?.parse().ok()?,
            if_true: parts.next()?.parse().ok()?,
            if_false: parts.next()?.parse().ok()?,
            k: parts.next()?.parse().ok()?,
        })
    }
}

/// libpcap's number of a link type, which differs from that in files for a few old ones.
fn data_link(link: u16) -> i32 {
    match link {
        100 => 11,
        101 => 12,
        102 => 15,
        103 => 16,
        106 => 19,
        link => link.into(),
    }
}
