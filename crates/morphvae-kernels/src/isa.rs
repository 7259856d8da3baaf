//! Which vector instructions the kernels run with, found once at run time.
//!
//! A kernel is written once, generic over [`Vector`], inside the `simd!` macro. The macro makes an ordinary function
//! whose first argument is an [`Isa`] and which enters the right instantiation through a `#[target_feature]` function.
//! Everything below that entry is `#[inline(always)]`, so the whole kernel is compiled with those instructions.

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

pub(crate) use portable::Portable;
pub(crate) use vector::{Tile, Vector};

#[cfg(target_arch = "x86_64")]
pub(crate) use {avx2::Avx2, avx512::Avx512};

#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;

/// An instruction set that this processor has; holding the value is the proof.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
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

    pub(crate) fn kind(self) -> Kind {
        self.0
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Defines a kernel: `fn name<V>(arguments) { body using V }` becomes `fn name(isa, arguments)`.
///
/// `#[target_feature]` stands on the outermost function of each instruction set only; the body is inlined into it.
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
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            fn generic<$vector: $crate::isa::Vector $(, $generic: $bound)?>($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            fn avx2$(<$generic: $bound>)?($($argument: $type),*) $(-> $result)? {
                generic::<$crate::isa::Avx2 $(, $generic)?>($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx2,fma")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            fn avx512$(<$generic: $bound>)?($($argument: $type),*) $(-> $result)? {
                generic::<$crate::isa::Avx512 $(, $generic)?>($($argument),*)
            }

            match isa.kind() {
                $crate::isa::Kind::Portable => generic::<$crate::isa::Portable $(, $generic)?>($($argument),*),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: an `Isa` of this kind is only made after the processor was found to have AVX2 and FMA.
                $crate::isa::Kind::Avx2 => unsafe { avx2$(::<$generic>)?($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: an `Isa` of this kind is only made after the processor was found to have AVX-512F.
                $crate::isa::Kind::Avx512 => unsafe { avx512$(::<$generic>)?($($argument),*) },
                #[cfg(target_arch = "aarch64")]
                $crate::isa::Kind::Neon => generic::<$crate::isa::Neon $(, $generic)?>($($argument),*),
            }
        }
    };
}

pub(crate) use simd;
