//! Which vector instructions the kernels run with, found once at run time.
//!
//! A kernel is written once, generic over [`Vector`], inside the `simd!` macro. The macro makes an ordinary function
//! whose first argument is an [`Isa`] and which enters the right instantiation through [`Isa::run`]. Everything below that
//! entry is `#[inline(always)]`, so the whole kernel is compiled with those instructions.
//!
//! The vectors of each instruction set are private to this module: nobody else can name them, so that no safe code reaches
//! instructions that the processor does not have.

mod portable;
mod vector;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

use std::fmt;
use std::sync::OnceLock;

use portable::Portable;
pub(crate) use vector::{Tile, Vector};

#[cfg(target_arch = "x86_64")]
use {avx2::Avx2, avx512::Avx512};

#[cfg(target_arch = "aarch64")]
use neon::Neon;

/// An instruction set that this processor has; holding the value is the proof.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Isa {
    /// The names of all instruction sets this crate has kernels for, on any machine.
    pub const NAMES: [&'static str; 4] = ["portable", "avx2", "avx512", "neon"];

    /// The fastest instruction set of this processor, looked up once per process.
    #[must_use]
    pub fn detect() -> Self {
        static DETECTED: OnceLock<Isa> = OnceLock::new();
        *DETECTED.get_or_init(|| *Self::available().last().unwrap_or(&Self(Kind::Portable)))
    }

    /// Every instruction set of this processor, slowest first; the portable one is always there.
    #[must_use]
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "only some architectures add to it")]
        let mut found = vec![Self(Kind::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Self(Kind::Avx2));
                if is_x86_feature_detected!("avx512f") {
                    found.push(Self(Kind::Avx512));
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Self(Kind::Neon));
        found
    }

    /// The instruction set of this name, if the processor has it.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::available().into_iter().find(|isa| isa.name() == name)
    }

    /// One of [`Isa::NAMES`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
        }
    }

    /// Columns of a register tile: the width of a packed panel.
    pub(crate) fn panel(self) -> usize {
        match self.0 {
            Kind::Portable => Portable::PANEL,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => Avx2::PANEL,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => Avx512::PANEL,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => Neon::PANEL,
        }
    }

    /// Runs a kernel with these instructions.
    #[inline(always)]
    pub(crate) fn run<K: Kernel<A>, A>(self, arguments: A) -> K::Output {
        match self.0 {
            Kind::Portable => K::run::<Portable>(arguments),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` of this kind is only made after the processor was found to have AVX2 and FMA.
            Kind::Avx2 => unsafe { with_avx2::<K, A>(arguments) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` of this kind is only made after the processor was found to have AVX-512F, AVX2 and FMA.
            Kind::Avx512 => unsafe { with_avx512::<K, A>(arguments) },
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => K::run::<Neon>(arguments),
        }
    }
}

/// What `simd!` makes of a kernel: something to be run with any vector, given arguments `A`.
pub(crate) trait Kernel<A> {
    type Output;

    fn run<V: Vector>(arguments: A) -> Self::Output;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<K: Kernel<A>, A>(arguments: A) -> K::Output {
    K::run::<Avx2>(arguments)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn with_avx512<K: Kernel<A>, A>(arguments: A) -> K::Output {
    K::run::<Avx512>(arguments)
}

impl fmt::Debug for Isa {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Defines a kernel: `fn name<V>(arguments) { body using V }` becomes `fn name(isa, arguments)`.
macro_rules! simd {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident<$vector:ident $(, $generic:ident: $bound:path)?>(
            $($argument:ident: $type:ty),* $(,)?
        ) $(-> $result:ty)? $body:block
    ) => {
        $(#[$attribute])*
        #[allow(clippy::too_many_arguments, reason = "a kernel takes slices and sizes, no more structure than that")]
        $visibility fn $name$(<$generic: $bound>)?(isa: $crate::isa::Isa, $($argument: $type),*) $(-> $result)? {
            // Arguments that are parameters are known to the compiler not to overlap; in a tuple they are not.
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            fn generic<$vector: $crate::isa::Vector $(, $generic: $bound)?>($($argument: $type),*) $(-> $result)? $body

            struct Kernel$(<$generic>(std::marker::PhantomData<$generic>))?;

            impl$(<$generic: $bound>)? $crate::isa::Kernel<($($type,)*)> for Kernel$(<$generic>)? {
                type Output = $crate::isa::simd!(@output $($result)?);

                #[inline(always)]
                fn run<Lanes: $crate::isa::Vector>(($($argument,)*): ($($type,)*)) -> Self::Output {
                    generic::<Lanes $(, $generic)?>($($argument),*)
                }
            }

            isa.run::<Kernel$(<$generic>)?, _>(($($argument,)*))
        }
    };
    (@output) => { () };
    (@output $result:ty) => { $result };
}

pub(crate) use simd;
