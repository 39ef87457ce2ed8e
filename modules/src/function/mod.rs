//! Scalar functions: some values in, one value out.
//!
//! | file | functions of |
//! |---|---|
//! | `numbers`, `doubles`, `bits`, `extremes` | numbers; `greatest` and `least` of anything |
//! | `text`, `characters`, `padding`, `parts`, `like`, `regexp` | texts, and bytes as texts |
//! | `encodings`, `bytes`, `hashes` | bytes: as texts, numbers in them, digests |
//! | `times`, `calendar`, `buckets`, `instants`, `time_format` | times |
//! | `addresses`, `networks`, `community_id` | addresses, blocks and flows |
//! | `conditional`, `cast` | values of any kind |
//! | `lists` | lists |
//!
//! Where DuckDB has a function of a name, this is the same function, in everything that both have
//! values for: what DuckDB refuses is absent here.

mod addresses;
mod bits;
mod buckets;
mod bytes;
mod calendar;
mod cast;
mod characters;
mod community_id;
mod conditional;
mod doubles;
mod encodings;
mod extremes;
mod hashes;
mod instants;
mod like;
mod lists;
mod matchers;
mod networks;
mod numbers;
mod padding;
mod parts;
mod regexp;
mod support;
mod text;
mod texts;
mod time_format;
mod times;
mod wildcards;

pub(crate) use encodings::write_base64;

use wireq_engine::ScalarFunction;

pub(crate) use time_format::write_strftime;

pub(crate) static FUNCTIONS: &[&ScalarFunction] = &[
    &lists::ALL,
    &lists::ALL_EQUAL,
    &lists::COUNT,
    &numbers::ABS,
    &numbers::SIGN,
    &numbers::CEIL,
    &numbers::CEILING,
    &numbers::FLOOR,
    &numbers::TRUNC,
    &numbers::ROUND,
    &numbers::MOD,
    &numbers::FORMAT_BYTES,
    &extremes::GREATEST,
    &extremes::LEAST,
    &doubles::SQRT,
    &doubles::EXP,
    &doubles::LN,
    &doubles::LOG,
    &doubles::LOG10,
    &doubles::LOG2,
    &doubles::POW,
    &doubles::POWER,
    &doubles::PI,
    &doubles::IS_NAN,
    &doubles::IS_INF,
    &doubles::IS_FINITE,
    &bits::BAND,
    &bits::BOR,
    &bits::BXOR,
    &bits::SHL,
    &bits::SHR,
    &bits::BIT_COUNT,
    &text::LENGTH,
    &text::LEN,
    &text::BYTE_LENGTH,
    &text::OCTET_LENGTH,
    &text::STRLEN,
    &text::UPPER,
    &text::LOWER,
    &text::REVERSE,
    &padding::REPEAT,
    &padding::LPAD,
    &padding::RPAD,
    &text::CONCAT,
    &text::CONCAT_STRICT,
    &text::CONCAT_WS,
    &text::REPLACE,
    &characters::TRIM,
    &characters::LTRIM,
    &characters::RTRIM,
    &characters::TRANSLATE,
    &characters::CHR,
    &characters::ORD,
    &characters::UNICODE,
    &characters::ASCII,
    &parts::SUBSTRING,
    &parts::SUBSTR,
    &parts::LEFT,
    &parts::RIGHT,
    &parts::POSITION,
    &parts::STRPOS,
    &parts::INSTR,
    &parts::STARTS_WITH,
    &parts::ENDS_WITH,
    &parts::CONTAINS,
    &parts::SPLIT_PART,
    &like::LIKE,
    &like::LIKE_ESCAPE,
    &like::ILIKE,
    &like::ILIKE_ESCAPE,
    &regexp::REGEXP_MATCHES,
    &regexp::REGEXP_FULL_MATCH,
    &regexp::REGEXP_EXTRACT,
    &regexp::REGEXP_REPLACE,
    &encodings::HEX,
    &encodings::BIN,
    &encodings::UNHEX,
    &encodings::FROM_HEX,
    &encodings::TO_BASE64,
    &encodings::BASE64,
    &encodings::FROM_BASE64,
    &encodings::URL_ENCODE,
    &encodings::URL_DECODE,
    &encodings::ESCAPE,
    &encodings::UNESCAPE,
    &bytes::BYTE,
    &bytes::UINT_BE,
    &bytes::UINT_LE,
    &bytes::SLICE,
    &bytes::BYTE_ENTROPY,
    &hashes::MD5,
    &hashes::SHA1,
    &hashes::SHA256,
    &hashes::CRC32,
    &hashes::XXH64,
    &hashes::HASH,
    &community_id::COMMUNITY_ID,
    &times::YEAR,
    &times::QUARTER,
    &times::MONTH,
    &times::WEEK,
    &times::DAY,
    &times::DAY_OF_MONTH,
    &times::DAY_OF_WEEK,
    &times::WEEKDAY,
    &times::ISO_DAY_OF_WEEK,
    &times::DAY_OF_YEAR,
    &times::YEAR_WEEK,
    &times::HOUR,
    &times::MINUTE,
    &times::SECOND,
    &times::MILLISECOND,
    &times::MICROSECOND,
    &times::DAY_NAME,
    &times::MONTH_NAME,
    &instants::EPOCH,
    &instants::EPOCH_MS,
    &instants::EPOCH_US,
    &instants::EPOCH_NS,
    &instants::NOW,
    &instants::MAKE_TIMESTAMP,
    &instants::TO_TIMESTAMP,
    &instants::MAKE_TIMESTAMP_MS,
    &instants::MAKE_TIMESTAMP_NS,
    &instants::TO_MICROSECONDS,
    &instants::TO_MILLISECONDS,
    &instants::TO_SECONDS,
    &instants::TO_MINUTES,
    &instants::TO_HOURS,
    &instants::TO_DAYS,
    &calendar::DATE_PART,
    &calendar::DATE_TRUNC,
    &calendar::DATE_DIFF,
    &calendar::DATE_SUB,
    &buckets::TIME_BUCKET,
    &time_format::STRFTIME,
    &time_format::STRPTIME,
    &addresses::CIDR,
    &addresses::IS_PRIVATE,
    &addresses::IS_LOOPBACK,
    &addresses::IS_MULTICAST,
    &addresses::IS_LINKLOCAL,
    &addresses::IS_GLOBAL,
    &networks::FAMILY,
    &networks::NETWORK,
    &networks::HOST,
    &networks::MASKLEN,
    &networks::BROADCAST,
    &networks::IP_TO_INT,
    &networks::INT_TO_IP,
    &networks::SAME_NET,
    &conditional::COALESCE,
    &conditional::IF_NULL,
    &conditional::NULL_IF,
    &conditional::IF,
    &conditional::TYPE_OF,
    &cast::TO_INT,
    &cast::TO_DOUBLE,
    &cast::TO_BOOL,
    &cast::TO_TEXT,
    &cast::TO_BYTES,
    &cast::TO_TIME,
    &cast::TO_DURATION,
    &cast::TO_ADDRESS,
    &cast::TO_PREFIX,
    &cast::TO_MAC,
];

#[cfg(test)]
mod tests;
