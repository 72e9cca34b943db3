//! Rules of one's own
//!
//! A dialect is a row of choices, and fleets combine them in ways of their own: twemproxy with
//! `hash: md5`, say, is its row with another `key_hash`. `ketama_dialect_rules()` gives a row to
//! begin with, and `ketama_ring_new_custom()` makes the ring.
//!
//! What a client does with a single server needs no choice: by any rules every key goes to it.

use super::ring::{
    DialectArgument, Failure, dialect, hand_out, ketama_ring, ketama_server, ketama_status, list,
    not_null, status,
};
use crate::dialect::{Count, Digest, KeyHash, Lookup, Name, Order, Rules, Ties, ZeroWeight};
use crate::error::Error;
use crate::ring::Ring;
use std::ffi::c_int;

/// Which part of a server's name is hashed.
#[repr(C)]
pub enum ketama_name {
    /// All of it.
    KETAMA_NAME_FULL = 0,
    /// Without a port 11211.
    KETAMA_NAME_ELIDED = 1,
    /// Without one leading `/`.
    KETAMA_NAME_NO_SLASH = 2,
}

/// What is hashed for a server's points.
#[repr(C)]
pub enum ketama_digest {
    /// MD5: its first words, little-endian.
    KETAMA_DIGEST_MD5 = 0,
    /// Jenkins's one-at-a-time, with signed bytes, as libmemcached has it.
    KETAMA_DIGEST_ONE_AT_A_TIME = 1,
    /// SHA-1: its first word, big-endian.
    KETAMA_DIGEST_SHA1 = 2,
    /// nginx's chain: the CRC-32 of host, NUL, port and the server's previous point, 0 at first.
    /// `name` and `separator` do not matter then.
    KETAMA_DIGEST_CRC32_CHAIN = 3,
}

/// How many digests a server of weight w gets, of n servers whose weights sum to W.
#[repr(C)]
pub enum ketama_count {
    /// `base`; weights are ignored.
    KETAMA_COUNT_FIXED = 0,
    /// base * w.
    KETAMA_COUNT_TIMES_WEIGHT = 1,
    /// base * n * w / W, in integers.
    KETAMA_COUNT_INTEGER = 2,
    /// libketama's: w / W in single precision, times base and n in double, rounded to single.
    KETAMA_COUNT_LIBKETAMA = 3,
    /// libmemcached's: w / W * (4 * base) / 4 * n + 1e-10, each step in single precision.
    KETAMA_COUNT_LIBMEMCACHED = 4,
    /// npm hashring's: w / W * base * n in double precision.
    KETAMA_COUNT_HASHRING = 5,
    /// dalli's: n * base * w / W, the division in double precision.
    KETAMA_COUNT_DALLI = 6,
}

/// What a weight of 0 means.
#[repr(C)]
pub enum ketama_zero_weight {
    /// An error.
    KETAMA_ZERO_WEIGHT_REFUSED = 0,
    /// The same as 1.
    KETAMA_ZERO_WEIGHT_COUNTS_ONE = 1,
    /// A server without points, which counts among the servers all the same.
    KETAMA_ZERO_WEIGHT_NO_POINTS = 2,
}

/// In which order servers that share a point come.
#[repr(C)]
pub enum ketama_order {
    /// As they are listed.
    KETAMA_ORDER_LISTED = 0,
    /// twemproxy's: by the length of the hashed name, then by its bytes.
    KETAMA_ORDER_BY_NAME_LENGTH = 1,
}

/// What becomes of a point that servers share.
#[repr(C)]
pub enum ketama_ties {
    /// All stay, in their order.
    KETAMA_TIES_ALL_KEPT = 0,
    /// All stay, and belong to the last.
    KETAMA_TIES_LAST_OWNS_ALL = 1,
    /// The first stays.
    KETAMA_TIES_FIRST_KEPT = 2,
    /// The last stays.
    KETAMA_TIES_LAST_KEPT = 3,
}

/// How a key's position is computed.
#[repr(C)]
pub enum ketama_key_hash {
    /// MD5: its first word, little-endian.
    KETAMA_KEY_HASH_MD5 = 0,
    /// Jenkins's one-at-a-time, with signed bytes.
    KETAMA_KEY_HASH_ONE_AT_A_TIME = 1,
    /// libmemcached's and twemproxy's fnv1a_64: its low 32 bits, with signed bytes; 0 for the empty
    /// key.
    KETAMA_KEY_HASH_FNV1A_64 = 2,
    /// zlib's CRC-32.
    KETAMA_KEY_HASH_CRC32 = 3,
}

/// Which point a key belongs to. Past the last point the first follows, and before the first the
/// last.
#[repr(C)]
pub enum ketama_lookup {
    /// The first at or after its position.
    KETAMA_LOOKUP_AT_OR_AFTER = 0,
    /// The first after its position.
    KETAMA_LOOKUP_AFTER = 1,
    /// The last at or before its position.
    KETAMA_LOOKUP_AT_OR_BEFORE = 2,
}

// What C passes for these: any int. The header writes the enums' names for them.
pub type NameArgument = c_int;
pub type DigestArgument = c_int;
pub type CountArgument = c_int;
pub type ZeroWeightArgument = c_int;
pub type OrderArgument = c_int;
pub type TiesArgument = c_int;
pub type KeyHashArgument = c_int;
pub type LookupArgument = c_int;

/// How a ring is made of servers, and keys are found in it.
#[repr(C)]
pub struct ketama_rules {
    /// sizeof(ketama_rules): it tells which fields the caller knows.
    pub struct_size: usize,
    pub name: NameArgument,
    pub digest: DigestArgument,
    /// How many points one digest gives: 1 to 4 with `KETAMA_DIGEST_MD5`, else 1.
    pub points_per_digest: u32,
    /// How many digests a server gets.
    pub count: CountArgument,
    /// The digests of a server of average weight, or with `KETAMA_COUNT_TIMES_WEIGHT` of weight 1;
    /// at least 1.
    pub base: u32,
    pub zero_weight: ZeroWeightArgument,
    pub order: OrderArgument,
    pub ties: TiesArgument,
    pub key_hash: KeyHashArgument,
    pub lookup: LookupArgument,
    /// What stands between the name and the digest's number, from 0, in the text that is hashed:
    /// '-' or ':' in the dialects; any byte is taken.
    pub separator: u8,
}

// The choices in the order of their numbers.
const NAME: &[Name] = &[Name::Full, Name::Elided, Name::NoSlash];
const DIGEST: &[Digest] = &[
    Digest::Md5,
    Digest::OneAtATime,
    Digest::Sha1,
    Digest::Crc32Chain,
];
const COUNT: &[Count] = &[
    Count::Fixed,
    Count::TimesWeight,
    Count::Integer,
    Count::Libketama,
    Count::Libmemcached,
    Count::Hashring,
    Count::Dalli,
];
const ZERO_WEIGHT: &[ZeroWeight] = &[
    ZeroWeight::Refused,
    ZeroWeight::CountsOne,
    ZeroWeight::NoPoints,
];
const ORDER: &[Order] = &[Order::Listed, Order::ByNameLength];
const TIES: &[Ties] = &[
    Ties::AllKept,
    Ties::LastOwnsAll,
    Ties::FirstKept,
    Ties::LastKept,
];
const KEY_HASH: &[KeyHash] = &[
    KeyHash::Md5,
    KeyHash::OneAtATime,
    KeyHash::Fnv1a64,
    KeyHash::Crc32,
];
const LOOKUP: &[Lookup] = &[Lookup::AtOrAfter, Lookup::After, Lookup::AtOrBefore];

/// The choice that C made by its number.
fn choice<T: Copy>(choices: &[T], number: c_int, field: &'static str) -> Result<T, Error> {
    let found = usize::try_from(number)
        .ok()
        .and_then(|number| choices.get(number));
    found.copied().ok_or(Error::InvalidRules(field))
}

/// The number by which C knows a choice.
fn number<T: PartialEq>(choices: &[T], chosen: T) -> c_int {
    let found = choices.iter().position(|choice| *choice == chosen);
    found.expect("every choice has a number") as c_int
}

impl TryFrom<&ketama_rules> for Rules {
    type Error = Error;

    fn try_from(rules: &ketama_rules) -> Result<Rules, Error> {
        Ok(Rules {
            name: choice(NAME, rules.name, "name")?,
            digest: choice(DIGEST, rules.digest, "digest")?,
            count: choice(COUNT, rules.count, "count")?,
            zero_weight: choice(ZERO_WEIGHT, rules.zero_weight, "zero_weight")?,
            order: choice(ORDER, rules.order, "order")?,
            ties: choice(TIES, rules.ties, "ties")?,
            key_hash: choice(KEY_HASH, rules.key_hash, "key_hash")?,
            lookup: choice(LOOKUP, rules.lookup, "lookup")?,
            points_per_digest: rules
                .points_per_digest
                .try_into()
                .map_err(|_| Error::InvalidRules("points_per_digest"))?,
            separator: rules.separator,
            base: rules.base,
        })
    }
}

/// Gives a dialect's rules, to be used as they are or with changes.
///
/// `dialect`: whose rules.
/// `out`: receives them. `out->struct_size` must be set before; nothing is written on failure.
///
/// Returns `KETAMA_OK`, `KETAMA_UNKNOWN_DIALECT`, `KETAMA_INVALID_RULES` where `struct_size` is
/// none that this version knows, or `KETAMA_NULL_ARGUMENT`. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_dialect_rules(
    dialect: DialectArgument,
    out: *mut ketama_rules,
) -> ketama_status {
    status(|| {
        // SAFETY: NULL, or a struct whose size stands in its first field, by the caller's promise.
        unsafe { check_size(out, "out") }?;
        let rules = self::dialect(dialect)?.rules();
        let rules = ketama_rules {
            struct_size: size_of::<ketama_rules>(),
            name: number(NAME, rules.name),
            digest: number(DIGEST, rules.digest),
            count: number(COUNT, rules.count),
            zero_weight: number(ZERO_WEIGHT, rules.zero_weight),
            order: number(ORDER, rules.order),
            ties: number(TIES, rules.ties),
            key_hash: number(KEY_HASH, rules.key_hash),
            lookup: number(LOOKUP, rules.lookup),
            points_per_digest: rules.points_per_digest.into(),
            base: rules.base,
            separator: rules.separator,
        };
        // SAFETY: not NULL, of this size, and writable by the caller's promise.
        unsafe { out.write(rules) };
        Ok(())
    })
}

/// Makes the ring of a list of servers by rules of one's own.
///
/// `servers`, `count`, `out`: as for `ketama_ring_new()`.
/// `rules`: the rules, with their `struct_size`; they need not live on.
///
/// Returns `KETAMA_OK`; `KETAMA_INVALID_RULES` with a text that names the field;
/// `KETAMA_NO_POINTS`; or a code of `ketama_ring_new()`. Any thread may call it at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ketama_ring_new_custom(
    servers: *const ketama_server,
    count: usize,
    rules: *const ketama_rules,
    out: *mut *mut ketama_ring,
) -> ketama_status {
    // SAFETY: NULL or as the header says, by the caller's promise; the same for the other pointers.
    unsafe {
        hand_out(out, || {
            check_size(rules, "rules")?;
            let rules = Rules::try_from(&*rules)?;
            Ok(Ring::with_rules(&list(servers, count)?, &rules)?)
        })
    }
}

/// Whether rules that C passed have the size that this version knows.
///
/// # Safety
///
/// `rules` is NULL or has a readable `struct_size`.
unsafe fn check_size(rules: *const ketama_rules, argument: &str) -> Result<(), Failure> {
    not_null(rules, argument)?;
    // SAFETY: not NULL, and that field is readable by the caller's promise.
    let size = unsafe { (&raw const (*rules).struct_size).read() };
    if size != size_of::<ketama_rules>() {
        return Err(Error::InvalidRules("struct_size").into());
    }
    Ok(())
}
