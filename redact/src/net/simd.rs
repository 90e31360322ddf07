//! The one place that knows the processor: kernels are written once over [`Simd`] and compiled for the baseline and for
//! AVX2 with FMA, because a binary for any x86-64 may use neither unasked, and compilers do not find these loops' vectors
//! by themselves.
//!
//! Everything that takes a [`Simd`] is `#[inline(always)]`, so that it takes on the instructions of what it is run by.
#![expect(unsafe_code, reason = "AVX2 and FMA may be used only after asking the processor for them")]
#![expect(clippy::inline_always, reason = "kernels take on the instruction set of what dispatches them")]

use super::lane::{LANES, Lane};

/// Arithmetic on eight numbers at once; a value of it proves that the processor has it.
pub(super) trait Simd: Copy {
    /// Eight numbers in registers.
    type Lanes: Copy;

    /// `lane`, as it lies in memory.
    fn load(self, lane: &Lane) -> Self::Lanes;
    /// The reverse of [`Simd::load`].
    fn store(self, lanes: Self::Lanes) -> Lane;
    /// `value` eight times.
    fn splat(self, value: f32) -> Self::Lanes;
    fn add(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    /// `a * b + c`, rounded once or twice.
    fn multiply_add(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes;
    /// The greater of each two numbers.
    fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
}

/// A loop to be compiled for each kind of processor.
pub(super) trait Kernel {
    /// The loop itself, `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S);
}

/// Runs `kernel` with the best instructions this processor has.
pub(super) fn dispatch(kernel: impl Kernel) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = avx2::Avx2::detect() {
        return avx2.run(kernel);
    }
    kernel.run(Portable);
}

/// Whether this processor has instructions that the kernels were written for.
pub(super) fn is_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    return avx2::Avx2::detect().is_some();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// What every processor has, left to the compiler.
#[derive(Clone, Copy)]
struct Portable;

impl Simd for Portable {
    type Lanes = [f32; LANES];

    #[inline(always)]
    fn load(self, lane: &Lane) -> Self::Lanes {
        lane.0
    }

    #[inline(always)]
    fn store(self, lanes: Self::Lanes) -> Lane {
        Lane(lanes)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Lanes {
        [value; LANES]
    }

    #[inline(always)]
    fn add(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn multiply_add(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes {
        // Without an instruction for it `mul_add` is a slow call; every aarch64 has one.
        let fused = cfg!(target_arch = "aarch64");
        std::array::from_fn(|lane| if fused { a[lane].mul_add(b[lane], c[lane]) } else { a[lane] * b[lane] + c[lane] })
    }

    #[inline(always)]
    fn max(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes {
        std::array::from_fn(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] })
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{Kernel, Lane, Simd};
    use std::arch::x86_64::{
        __m256, _mm256_add_ps, _mm256_fmadd_ps, _mm256_load_ps, _mm256_max_ps, _mm256_set1_ps, _mm256_store_ps,
    };

    /// Proof that the processor has AVX2 and FMA: only [`Avx2::detect`] makes one.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(());

    impl Avx2 {
        pub fn detect() -> Option<Self> {
            let has = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
            has.then_some(Self(()))
        }

        pub fn run(self, kernel: impl Kernel) {
            #[target_feature(enable = "avx2,fma")]
            fn compiled(simd: Avx2, kernel: impl Kernel) {
                kernel.run(simd);
            }
            // SAFETY: `self` proves that the processor has what the function is compiled for.
            unsafe { compiled(self, kernel) }
        }
    }

    // SAFETY of every block below: `self` proves that the processor has these instructions, and a `Lane` is eight floats
    // aligned to 32 bytes, as loading and storing need it.
    impl Simd for Avx2 {
        type Lanes = __m256;

        #[inline(always)]
        fn load(self, lane: &Lane) -> __m256 {
            unsafe { _mm256_load_ps(lane.0.as_ptr()) }
        }

        #[inline(always)]
        fn store(self, lanes: __m256) -> Lane {
            let mut lane = Lane::default();
            unsafe { _mm256_store_ps(lane.0.as_mut_ptr(), lanes) };
            lane
        }

        #[inline(always)]
        fn splat(self, value: f32) -> __m256 {
            unsafe { _mm256_set1_ps(value) }
        }

        #[inline(always)]
        fn add(self, a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_add_ps(a, b) }
        }

        #[inline(always)]
        fn multiply_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
            unsafe { _mm256_fmadd_ps(a, b, c) }
        }

        #[inline(always)]
        fn max(self, a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_max_ps(a, b) }
        }
    }
}
