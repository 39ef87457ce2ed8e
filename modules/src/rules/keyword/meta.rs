//! What rules say of themselves: `msg`, `sid`, `classtype`.

use super::Read::{Option, Refused, Said};
use super::{Keyword, number, text, unquoted};
use crate::rules::classes;

const STATE: &str = "needs the state of a flow, which single packets don't have";

pub(super) static KEYWORDS: &[Keyword] = &[
    Keyword {
        name: "msg",
        read: Option(|draft, value| {
            draft.msg = unescaped(unquoted(value));
            Ok(())
        }),
    },
    Keyword {
        name: "sid",
        read: Option(|draft, value| {
            let sid: u32 = number(text(value)?)?;
            draft.sid = Some(sid).filter(|sid| *sid > 0);
            draft.sid.map(|_| ()).ok_or_else(|| "must not be 0".into())
        }),
    },
    Keyword {
        name: "gid",
        read: Option(|draft, value| {
            let _: () = draft.gid = number(text(value)?)?;
            Ok(())
        }),
    },
    Keyword {
        name: "rev",
        read: Option(|draft, value| {
            let _: () = draft.rev = number(text(value)?)?;
            Ok(())
        }),
    },
    Keyword {
        name: "priority",
        read: Option(|draft, value| match number(text(value)?)? {
            priority @ 1..=255 => {
                let _: () = draft.priority = Some(priority);
                Ok(())
            }
            _ => Err("must be from 1 to 255".into()),
        }),
    },
    Keyword {
        name: "classtype",
        read: Option(|draft, value| {
            draft.classtype = text(unquoted(value))?.to_owned();
            match classes::priority(&draft.classtype) {
                Some(priority) => {
                    let _: () = draft.class_priority = priority;
                    Ok(())
                }
                // A class that is not known is as urgent as most.
                None => {
                    let _: () = draft.class_priority = classes::UNKNOWN;
                    Ok(())
                }
            }
        }),
    },
    Keyword {
        name: "reference",
        read: Said,
    },
    Keyword {
        name: "metadata",
        read: Said,
    },
    Keyword {
        name: "target",
        read: Said,
    },
    Keyword {
        name: "requires",
        read: Refused("asks what version reads it"),
    },
    Keyword {
        name: "flow",
        read: Option(|_, value| match text(value)?.trim() {
            "stateless" => Ok(()),
            _ => Err(STATE.into()),
        }),
    },
    Keyword {
        name: "flowbits",
        read: Refused(STATE),
    },
    Keyword {
        name: "flowint",
        read: Refused(STATE),
    },
    Keyword {
        name: "xbits",
        read: Refused(STATE),
    },
    Keyword {
        name: "hostbits",
        read: Refused(STATE),
    },
    Keyword {
        name: "stream_size",
        read: Refused(STATE),
    },
    Keyword {
        name: "threshold",
        read: Refused("counts packets, which rules on single packets don't"),
    },
    Keyword {
        name: "detection_filter",
        read: Refused("counts packets, which rules on single packets don't"),
    },
    Keyword {
        name: "noalert",
        read: Refused("makes a rule speak to other rules alone"),
    },
    Keyword {
        name: "tag",
        read: Refused("is about packets that follow"),
    },
];

/// Text with `\"`, `\;`, `\:` and `\\` as what they stand for.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => match rest.next() {
                Some(escaped @ (b'"' | b';' | b':' | b'\\')) => out.push(*escaped),
                Some(other) => out.extend([b'\\', *other]),
                None => out.push(b'\\'),
            },
            byte => out.push(*byte),
        }
    }
    out
}
