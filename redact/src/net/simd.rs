//! The one place that knows the processor: kernels are written once over [`Pairs`] and compiled for the baseline, for
//! AVX2 with FMA and for AVX-512, because a binary for any x86-64 may use none of them unasked, and compilers do not find
//! these loops' vectors by themselves.
//!
//! Everything that takes a [`Simd`] is `#[inline(always)]`, so that it takes on the instructions of what it is run by.
#![expect(unsafe_code, reason = "vector instructions may be used only after asking the processor for them")]
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

/// Arithmetic on two lanes at once: in one register where the processor has such, else in two.
pub(super) trait Pairs: Simd {
    /// Whether a pair is one register, and there are twice as many of them.
    const IS_WIDE: bool;
    /// Twice [`Simd::Lanes`].
    type Pair: Copy;

    /// Two lanes that lie one behind the other.
    fn load_pair(self, lanes: &[Lane; 2]) -> Self::Pair;
    fn join(self, first: Self::Lanes, second: Self::Lanes) -> Self::Pair;
    /// The reverse of [`Pairs::join`].
    fn split(self, pair: Self::Pair) -> [Self::Lanes; 2];
    /// `value` sixteen times.
    fn splat_pair(self, value: f32) -> Self::Pair;
    /// As [`Simd::multiply_add`].
    fn multiply_add_pair(self, a: Self::Pair, b: Self::Pair, c: Self::Pair) -> Self::Pair;
    /// As [`Simd::max`].
    fn max_pair(self, a: Self::Pair, b: Self::Pair) -> Self::Pair;
}

/// Takes a pair for what it is.
trait Narrow: Simd {}

impl<S: Narrow> Pairs for S {
    const IS_WIDE: bool = false;
    type Pair = [S::Lanes; 2];

    #[inline(always)]
    fn load_pair(self, [first, second]: &[Lane; 2]) -> Self::Pair {
        [self.load(first), self.load(second)]
    }

    #[inline(always)]
    fn join(self, first: S::Lanes, second: S::Lanes) -> Self::Pair {
        [first, second]
    }

    #[inline(always)]
    fn split(self, pair: Self::Pair) -> [S::Lanes; 2] {
        pair
    }

    #[inline(always)]
    fn splat_pair(self, value: f32) -> Self::Pair {
        [self.splat(value); 2]
    }

    #[inline(always)]
    fn multiply_add_pair(self, a: Self::Pair, b: Self::Pair, c: Self::Pair) -> Self::Pair {
        [self.multiply_add(a[0], b[0], c[0]), self.multiply_add(a[1], b[1], c[1])]
    }

    #[inline(always)]
    fn max_pair(self, a: Self::Pair, b: Self::Pair) -> Self::Pair {
        [self.max(a[0], b[0]), self.max(a[1], b[1])]
    }
}

/// A loop to be compiled for each kind of processor.
pub(super) trait Kernel {
    /// The loop itself, `#[inline(always)]`.
    fn run<S: Pairs>(self, simd: S);
}

/// Runs `kernel` with the best instructions this processor has.
pub(super) fn dispatch(kernel: impl Kernel) {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(avx512) = avx512::Avx512::detect() {
            return avx512.run(kernel);
        }
        if let Some(avx2) = avx2::Avx2::detect() {
            return avx2.run(kernel);
        }
    }
    kernel.run(Portable);
}

/// As [`dispatch`], but on a given kind of processor: 0 is the baseline. `false` if this one is not of that kind.
#[cfg(all(test, target_arch = "x86_64"))]
pub(super) fn dispatch_on(kind: usize, kernel: impl Kernel) -> bool {
    match kind {
        0 => kernel.run(Portable),
        1 if let Some(avx2) = avx2::Avx2::detect() => avx2.run(kernel),
        2 if let Some(avx512) = avx512::Avx512::detect() => avx512.run(kernel),
        _ => return false,
    }
    true
}

/// Whether [`dispatch`] runs kernels whose pairs are wide.
pub(super) fn is_wide() -> bool {
    #[cfg(target_arch = "x86_64")]
    return avx512::Avx512::detect().is_some();
    #[cfg(not(target_arch = "x86_64"))]
    false
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

impl Narrow for Portable {}

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

    impl super::Narrow for Avx2 {}

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

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{Kernel, Lane, Pairs, Simd, avx2::Avx2};
    use std::arch::x86_64::{
        __m256, __m512, _mm512_castps256_ps512, _mm512_castps512_ps256, _mm512_extractf32x8_ps, _mm512_fmadd_ps,
        _mm512_insertf32x8, _mm512_loadu_ps, _mm512_max_ps, _mm512_set1_ps,
    };

    /// Proof that the processor has AVX-512 as it is since Ice Lake and Zen 4: those before slow down for it. Only
    /// [`Avx512::detect`] makes one.
    #[derive(Clone, Copy)]
    pub(super) struct Avx512(Avx2);

    impl Avx512 {
        pub fn detect() -> Option<Self> {
            let has = std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512dq")
                && std::arch::is_x86_feature_detected!("avx512vl")
                && std::arch::is_x86_feature_detected!("avx512vbmi");
            Avx2::detect().filter(|_| has).map(Self)
        }

        pub fn run(self, kernel: impl Kernel) {
            #[target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512vl")]
            fn compiled(simd: Avx512, kernel: impl Kernel) {
                kernel.run(simd);
            }
            // SAFETY: `self` proves that the processor has what the function is compiled for.
            unsafe { compiled(self, kernel) }
        }
    }

    impl Simd for Avx512 {
        type Lanes = __m256;

        #[inline(always)]
        fn load(self, lane: &Lane) -> __m256 {
            self.0.load(lane)
        }

        #[inline(always)]
        fn store(self, lanes: __m256) -> Lane {
            self.0.store(lanes)
        }

        #[inline(always)]
        fn splat(self, value: f32) -> __m256 {
            self.0.splat(value)
        }

        #[inline(always)]
        fn add(self, a: __m256, b: __m256) -> __m256 {
            self.0.add(a, b)
        }

        #[inline(always)]
        fn multiply_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
            self.0.multiply_add(a, b, c)
        }

        #[inline(always)]
        fn max(self, a: __m256, b: __m256) -> __m256 {
            self.0.max(a, b)
        }
    }

    // SAFETY of every block below: `self` proves that the processor has these instructions, and two `Lane`s are sixteen
    // floats one behind the other.
    impl Pairs for Avx512 {
        const IS_WIDE: bool = true;
        type Pair = __m512;

        #[inline(always)]
        fn load_pair(self, lanes: &[Lane; 2]) -> __m512 {
            unsafe { _mm512_loadu_ps(lanes.as_ptr().cast()) }
        }

        #[inline(always)]
        fn join(self, first: __m256, second: __m256) -> __m512 {
            unsafe { _mm512_insertf32x8::<1>(_mm512_castps256_ps512(first), second) }
        }

        #[inline(always)]
        fn split(self, pair: __m512) -> [__m256; 2] {
            unsafe { [_mm512_castps512_ps256(pair), _mm512_extractf32x8_ps::<1>(pair)] }
        }

        #[inline(always)]
        fn splat_pair(self, value: f32) -> __m512 {
            unsafe { _mm512_set1_ps(value) }
        }

        #[inline(always)]
        fn multiply_add_pair(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }

        #[inline(always)]
        fn max_pair(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_max_ps(a, b) }
        }
    }
}
