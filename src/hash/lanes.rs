//! Many keys hashed side by side, each in a lane of a vector.
//!
//! ```text
//! many(keys):
//!     take 96 keys
//!     all have one block -> load and transpose them into lanes, and hash
//!     otherwise          -> each joins those of as many blocks, which are hashed when they are 96,
//!                           block by block, or at the end; very long ones alone
//! ```
//!
//! A block is MD5's: 64 bytes, of which the last has room for a bit and the key's length. All
//! hashes take keys so, and each instruction set has a file that loads them.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;

use super::simd::Simd;

/// The keys of a group: six vectors of AVX-512's 16 lanes, as many as hide a vector's latency, and a
/// multiple of AVX2's.
pub(crate) const LANES: usize = 96;

/// Fewer keys are as fast one by one.
const WORTH_IT: usize = 3;

/// Longer keys are hashed one by one: memcached takes 250 bytes.
const MAX_BLOCKS: usize = 4;
// Lengths of masks are 8 bits.
const _: () = assert!(64 * MAX_BLOCKS <= 256);

/// The blocks of a key with its padding.
pub(super) fn blocks(len: usize) -> usize {
    (len + 8) / 64 + 1
}

/// Keys to be hashed side by side. `key` gives each lane's.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a, K> {
    pub(super) key: K,
    /// The keys' lengths in bytes, from which vectors are loaded.
    pub(super) lens: &'a [u32; LANES],
    /// The length of the longest.
    pub(super) longest: u32,
    /// How many are wanted, which have as many blocks as the longest. Behind them are any others.
    pub(super) count: usize,
}

/// A list of keys.
///
/// # Safety
///
/// `len` and, for the same place, `get` give the same each time.
pub(crate) unsafe trait Keys<'keys>: Copy {
    fn len(self) -> usize;

    /// The key at a place. Unchecked, since checks take longer than hashing a key in lanes.
    ///
    /// # Safety
    ///
    /// `place` is below `len()`.
    unsafe fn get(self, place: usize) -> &'keys [u8];
}

// SAFETY: what is borrowed does not change.
unsafe impl<'keys> Keys<'keys> for &[&'keys [u8]] {
    fn len(self) -> usize {
        self.len()
    }

    #[inline(always)]
    unsafe fn get(self, place: usize) -> &'keys [u8] {
        // SAFETY: the caller's promise.
        unsafe { self.get_unchecked(place) }
    }
}

/// Keys that stand one behind the other.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'keys> {
    bytes: &'keys [u8],
    offsets: &'keys [u32],
}

impl<'keys> Packed<'keys> {
    /// Key `i` is from `offsets[i]` to before `offsets[i + 1]`. Where one is not in `bytes`, its number.
    pub(crate) fn new(bytes: &'keys [u8], offsets: &'keys [u32]) -> Result<Packed<'keys>, usize> {
        let fits = |pair: &[u32]| pair[0] <= pair[1] && pair[1] as usize <= bytes.len();
        // All at once, which the compiler does in vectors; then, if need be, one by one.
        if offsets.windows(2).fold(true, |fit, pair| fit & fits(pair)) {
            return Ok(Packed { bytes, offsets });
        }
        // The last offset may be why another is outside.
        let descends = |pair: &[u32]| pair[1] < pair[0];
        let pairs = || offsets.windows(2);
        let key = pairs()
            .position(descends)
            .or_else(|| pairs().position(|pair| !fits(pair)));
        Err(key.expect("one of all"))
    }
}

// SAFETY: what is borrowed does not change.
unsafe impl<'keys> Keys<'keys> for Packed<'keys> {
    fn len(self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    #[inline(always)]
    unsafe fn get(self, place: usize) -> &'keys [u8] {
        // SAFETY: the caller's promise, and `new` has seen that they are in order and in the bytes.
        unsafe {
            let start = *self.offsets.get_unchecked(place) as usize;
            let end = *self.offsets.get_unchecked(place + 1) as usize;
            self.bytes.get_unchecked(start..end)
        }
    }
}

/// A hash of keys in lanes.
pub(crate) trait Hash {
    fn one(simd: Simd, key: &[u8]) -> u32;

    /// Hashes the keys of a group; what is not wanted may become anything.
    ///
    /// # Safety
    ///
    /// - The processor has AVX2, BMI1 and BMI2.
    /// - The group's `lens` are its keys' lengths, or less, and `longest` is their maximum.
    #[cfg(target_arch = "x86_64")]
    unsafe fn with_avx2<'keys>(
        group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
        words: &mut [u32; LANES],
    );

    /// The same.
    ///
    /// # Safety
    ///
    /// As above, with AVX-512F, BW and VL.
    #[cfg(target_arch = "x86_64")]
    unsafe fn with_avx512<'keys>(
        group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
        words: &mut [u32; LANES],
    );
}

/// Where in the list of keys those of a group stand: one behind the other, or each on its own.
pub(crate) enum Places<'a> {
    From(usize),
    Each(&'a [usize]),
}

fn longest_of(lens: &[u32]) -> u32 {
    lens.iter().fold(0, |longest, &len| longest.max(len))
}

/// Hashes the keys of a group, as [`Hash::with_avx2`] says.
///
/// # Safety
///
/// Its second point.
unsafe fn hash<'keys, H: Hash>(
    simd: Simd,
    group: Group<impl Fn(usize) -> &'keys [u8] + Copy>,
    words: &mut [u32; LANES],
) {
    let is_worth_it = group.count >= WORTH_IT;
    match simd {
        // SAFETY: the caller's promise, and `Simd`'s that this processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2 if is_worth_it => unsafe { H::with_avx2(group, words) },
        // SAFETY: the same.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512 if is_worth_it => unsafe { H::with_avx512(group, words) },
        _ => {
            for (i, word) in words[..group.count].iter_mut().enumerate() {
                *word = H::one(simd, (group.key)(i));
            }
        }
    }
}

/// Keys of one number of blocks that wait until there are enough of them.
struct Waiting<'keys> {
    /// Behind the first `count` are others, or empty ones.
    keys: [&'keys [u8]; LANES],
    lens: [u32; LANES],
    count: usize,
}

/// An empty key, which is somewhere: a load of no bytes from nowhere takes 100 ns.
pub(crate) static NOTHING: &[u8] = b"0".split_at(0).0;

impl<'keys> Waiting<'keys> {
    const NONE: Waiting<'static> = Waiting {
        keys: [NOTHING; LANES],
        lens: [0; LANES],
        count: 0,
    };

    fn add(&mut self, key: &'keys [u8]) {
        self.keys[self.count] = key;
        self.lens[self.count] = key.len() as u32;
        self.count += 1;
    }

    fn hash<H: Hash>(&self, simd: Simd, words: &mut [u32; LANES]) {
        let group = Group {
            key: |i: usize| self.keys[i],
            lens: &self.lens,
            longest: longest_of(&self.lens),
            count: self.count,
        };
        // SAFETY: these are the keys' lengths.
        unsafe { hash::<H>(simd, group, words) };
    }
}

/// Hands out the places and hashes of keys, each once, at most 96 at a time; what takes
/// them may use their memory.
#[inline]
pub(crate) fn many<'keys, H: Hash>(
    simd: Simd,
    keys: impl Keys<'keys>,
    mut found: impl FnMut(Places, &mut [u32]),
) {
    let count = keys.len();
    // SAFETY: all places that follow are below the list's length.
    let key = move |place| unsafe { keys.get(place) };
    if count < WORTH_IT {
        for place in 0..count {
            found(Places::From(place), &mut [H::one(simd, key(place))]);
        }
        return;
    }
    let mut words = [0; LANES];
    let mut lens = [0; LANES];
    let mut sorter: Option<Sorter> = None;
    for start in (0..count).step_by(LANES) {
        let end = count.min(start + LANES);
        for (len, place) in lens.iter_mut().zip(start..end) {
            *len = u32::try_from(key(place).len()).unwrap_or(u32::MAX);
        }
        // On its own, since each comparison waits for the one before, unless they are in vectors.
        let longest = longest_of(&lens[..end - start]);
        // The next keys come while these are hashed.
        let next = end..count.min(end + LANES);
        for place in next.clone() {
            prefetch(key(place), 0);
        }
        if longest > 64 {
            for place in next {
                (1..4).for_each(|line| prefetch(key(place), 64 * line));
            }
        }
        if blocks(longest as usize) > 1 {
            let sorter = sorter.get_or_insert_with(Sorter::default);
            for place in start..end {
                sorter.add::<H>(simd, place, key(place), &mut found);
            }
            continue;
        }
        if end - start == LANES {
            let group = Group {
                key: move |i| key(start + i),
                lens: &lens,
                longest,
                count: LANES,
            };
            // SAFETY: these are the keys' lengths, which stay the same.
            unsafe { hash::<H>(simd, group, &mut words) };
        } else {
            let mut last = Waiting::NONE;
            (start..end).for_each(|place| last.add(key(place)));
            last.hash::<H>(simd, &mut words);
        }
        found(Places::From(start), &mut words[..end - start]);
    }
    if let Some(sorter) = sorter {
        sorter.finish::<H>(simd, &mut found);
    }
}

/// Keys of several lengths, each in the group of its number of blocks.
struct Sorter<'keys> {
    groups: [(Waiting<'keys>, [usize; LANES]); MAX_BLOCKS],
}

impl Default for Sorter<'_> {
    fn default() -> Self {
        Sorter {
            groups: std::array::from_fn(|_| (Waiting::NONE, [0; LANES])),
        }
    }
}

impl<'keys> Sorter<'keys> {
    fn add<H: Hash>(
        &mut self,
        simd: Simd,
        place: usize,
        key: &'keys [u8],
        found: &mut impl FnMut(Places, &mut [u32]),
    ) {
        let Some((group, places)) = self.groups.get_mut(blocks(key.len()) - 1) else {
            return found(Places::From(place), &mut [H::one(simd, key)]);
        };
        places[group.count] = place;
        group.add(key);
        if group.count == LANES {
            hand_out::<H>(simd, group, places, found);
            group.count = 0;
        }
    }

    fn finish<H: Hash>(&self, simd: Simd, found: &mut impl FnMut(Places, &mut [u32])) {
        for (group, places) in &self.groups {
            hand_out::<H>(simd, group, places, found);
        }
    }
}

fn hand_out<H: Hash>(
    simd: Simd,
    group: &Waiting,
    places: &[usize; LANES],
    found: &mut impl FnMut(Places, &mut [u32]),
) {
    let mut words = [0; LANES];
    group.hash::<H>(simd, &mut words);
    found(
        Places::Each(&places[..group.count]),
        &mut words[..group.count],
    );
}

/// Has the processor fetch the bytes of a key around one.
#[inline(always)]
fn prefetch(key: &[u8], at: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: any address may be prefetched.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let at = at.min(key.len());
        _mm_prefetch::<_MM_HINT_T0>(key.as_ptr().wrapping_add(at).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (key, at);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Compares hashes in lanes, with all that this processor has, with a plain one's.
    pub(crate) fn check<H: Hash>(plain: impl Fn(&[u8]) -> u32) {
        for simd in Simd::here() {
            let check = |keys: &[&[u8]]| check_keys::<H>(simd, &plain, keys);
            every_length_count_and_alignment(check);
            nothing_outside_a_key(check);
        }
    }

    fn check_keys<H: Hash>(simd: Simd, plain: impl Fn(&[u8]) -> u32, keys: &[&[u8]]) {
        let mut seen = vec![None; keys.len()];
        let found = |places: Places, hashes: &mut [u32]| {
            for (i, &mut hash) in hashes.iter_mut().enumerate() {
                let place = match places {
                    Places::From(start) => start + i,
                    Places::Each(places) => places[i],
                };
                assert_eq!(seen[place].replace(hash), None);
            }
        };
        many::<H>(simd, keys, found);
        for (key, hash) in keys.iter().zip(seen) {
            assert_eq!(hash, Some(plain(key)), "{simd:?}: {key:?}");
        }
    }

    fn every_length_count_and_alignment(check: impl Fn(&[&[u8]])) {
        let bytes: Vec<u8> = (0..2000u32).map(|i| (i * i / 7) as u8).collect();
        for len in 0..=300 {
            let keys: Vec<&[u8]> = (0..100).map(|i| &bytes[i..][..len]).collect();
            check(&keys);
        }
        for count in 0..=200 {
            // All within 31 bytes, within one block, and mixed.
            for most in [31, 55, 300] {
                let keys: Vec<&[u8]> = (0..count)
                    .map(|i| &bytes[13 * i % 1500..][..(i * i * 31 + count) % (most + 1)])
                    .collect();
                check(&keys);
            }
        }
    }

    /// Keys that end where the next page cannot be read, or begin where the one before cannot.
    fn nothing_outside_a_key(check: impl Fn(&[&[u8]])) {
        const PAGE: usize = 1 << 16;
        // SAFETY: fresh memory, of which the middle third alone may be used.
        let middle = unsafe {
            let all = libc::mmap(
                std::ptr::null_mut(),
                3 * PAGE,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(all, libc::MAP_FAILED);
            let middle = all.cast::<u8>().add(PAGE);
            let status = libc::mprotect(middle.cast(), PAGE, libc::PROT_READ | libc::PROT_WRITE);
            assert_eq!(status, 0);
            std::slice::from_raw_parts_mut(middle, PAGE)
        };
        for (i, byte) in middle.iter_mut().enumerate() {
            *byte = (i * 31 / 7) as u8;
        }
        let middle = &*middle;
        for len in 0..=300 {
            for count in [1, 5, 100] {
                check(&vec![&middle[PAGE - len..]; count]);
                check(&vec![&middle[..len]; count]);
            }
        }
    }
}
