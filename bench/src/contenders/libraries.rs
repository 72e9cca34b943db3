//! This library as it comes, and copies of it that keep to one instruction set.

use super::ours::Library;
use std::path::Path;

/// What bulk lookups hash keys side by side with.
#[derive(Clone, Copy, PartialEq)]
pub enum Simd {
    Avx512,
    Avx2,
    Scalar,
}

impl Simd {
    pub const ALL: [Simd; 3] = [Simd::Avx512, Simd::Avx2, Simd::Scalar];

    /// What the library uses if nothing is said.
    pub fn best() -> Simd {
        let best = Simd::ALL.into_iter().find(|simd| simd.is_here());
        best.expect("Scalar is everywhere")
    }

    fn is_here(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => {
                Simd::Avx2.is_here()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Simd::Avx512 | Simd::Avx2 => false,
            Simd::Scalar => true,
        }
    }

    /// As `KETAMA_SIMD` names it.
    fn name(self) -> &'static str {
        match self {
            Simd::Avx512 => "avx512",
            Simd::Avx2 => "avx2",
            Simd::Scalar => "scalar",
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            Simd::Avx512 => "AVX-512",
            Simd::Avx2 => "AVX2 alone",
            Simd::Scalar => "no SIMD",
        }
    }
}

/// The library as it comes, and a copy for each instruction set that is here.
pub struct Libraries {
    pub ours: Library,
    copies: Vec<(Simd, Library)>,
}

impl Libraries {
    pub fn open(path: &Path, folder: &Path) -> Libraries {
        let ours = Library::open(path);
        let here = Simd::ALL.into_iter().filter(|simd| simd.is_here());
        let copies = here.map(|simd| (simd, Library::copy(path, folder, simd.name())));
        Libraries {
            ours,
            copies: copies.collect(),
        }
    }

    pub fn copies(&self) -> impl Iterator<Item = (Simd, Library)> {
        self.copies.iter().copied()
    }
}
