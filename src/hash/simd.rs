//! The choice among the processor's instruction sets, made once and carried in each ring.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// What keys are hashed and looked up with. [`get`](Simd::get) hands out what this processor has, and
/// nothing else does: whoever has one may use its instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simd {
    Scalar,
    /// AVX2, BMI1 and BMI2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// All these, and AVX-512F, BW and VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The place of the one chosen in the list of all, which has fewer than 9.
static CHOSEN: AtomicU8 = AtomicU8::new(9);

/// Chooses what rings to come are made and looked up with, so that one process can compare them all;
/// false where this processor does not have it.
#[cfg(fuzzing)]
pub fn choose(name: &str) -> bool {
    let mut places = 0..Simd::ALL.len();
    let place = places.find(|&place| Simd::ALL[place].name() == name && Simd::ALL[place].is_here());
    place
        .inspect(|&place| CHOSEN.store(place as u8, Relaxed))
        .is_some()
}

impl Simd {
    /// All that there are, the best first.
    const ALL: &[Simd] = &[
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512,
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2,
        Simd::Scalar,
    ];

    /// The best of this processor, or what the environment variable `KETAMA_SIMD` says, if it has
    /// that: `scalar`, `avx2` or `avx512`. Found out once.
    #[inline]
    pub(crate) fn get() -> Simd {
        // No OnceLock: a fork could leave it half done. Threads that come here together find the
        // same.
        match Simd::ALL.get(usize::from(CHOSEN.load(Relaxed))) {
            Some(&chosen) => chosen,
            None => {
                let found = Simd::find_out();
                CHOSEN.store(found as u8, Relaxed);
                Simd::ALL[found]
            }
        }
    }

    #[cold]
    fn find_out() -> usize {
        let wanted = std::env::var("KETAMA_SIMD").unwrap_or_default();
        let mut places = 0..Simd::ALL.len();
        let is_wanted = |&place: &usize| Simd::ALL[place].name() == wanted;
        let wanted = places.clone().find(is_wanted);
        let is_here = |&place: &usize| Simd::ALL[place].is_here();
        let best = places.find(is_here);
        wanted
            .filter(is_here)
            .or(best)
            .expect("Scalar is everywhere")
    }

    /// All that this processor has.
    #[cfg(test)]
    pub(crate) fn here() -> impl Iterator<Item = Simd> {
        Simd::ALL.iter().copied().filter(|simd| simd.is_here())
    }

    fn is_here(self) -> bool {
        match self {
            Simd::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
            }
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => {
                Simd::Avx2.is_here()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
            }
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Simd::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => "avx512",
        }
    }
}
