//! Rules in the syntax of Snort and Suricata, on single packets.
//!
//! | file | what |
//! |---|---|
//! | `source.rs`, `syntax.rs` | files, lines, and how a rule is written |
//! | `group.rs`, `address.rs`, `port.rs`, `variables.rs` | groups of addresses and ports |
//! | `keyword/` | one family of keywords a file: each is read, or refused by its name |
//! | `payload/` | what is asked of payloads, and the search for it |
//! | `rule.rs`, `test.rs`, `packet.rs` | a rule, and what it sees of a packet |
//! | `set.rs` | all rules of some files, in the order in which they speak |
//! | `condition.rs`, `search.rs` | headers as expressions, and the search for many rules at once |
//! | `write.rs` | rules as text: as a rule, and as a query |

mod address;
mod classes;
mod condition;
mod draft;
pub(crate) mod facts;
mod group;
mod keyword;
mod number;
mod packet;
mod payload;
mod port;
mod ranges;
mod read;
mod rule;
pub(crate) mod search;
mod set;
mod source;
mod syntax;
mod test;
mod variables;
mod write;

pub use packet::Packet;
pub use read::Options;
pub use rule::{Action, Header, Protocol, Refusal, Rule};
pub(crate) use search::demand_of;
pub use set::RuleSet;
pub use source::Place;
pub use variables::Variables;
pub use write::{query, rule_text};
