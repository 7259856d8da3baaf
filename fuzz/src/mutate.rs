//! New inputs out of old ones.

use std::ops::Range;

use morphvae::random::Generator;
use rand::{Rng, RngExt, SeedableRng};

use crate::formats::{self, Form};

/// Bytes that an input grows to, at most.
const LONGEST: usize = 1 << 20;

/// Sizes at which readers go wrong.
const INTERESTING: [u64; 26] = [
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    16,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x3fff,
    0x4000,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0xff_ffff,
    0x3fff_ffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff0,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// Numbers as text at which readers go wrong.
const NUMBERS: [&str; 16] = [
    "0",
    "-1",
    "1",
    "255",
    "256",
    "65535",
    "65536",
    "20000",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "1e308",
    "1e999",
    "-0.0",
    "nan",
];

/// The generator of one input of a target.
pub fn generator(seed: u64, target: &str, number: u64) -> Generator {
    let name = target.bytes().fold(seed, |sum, byte| {
        sum.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(byte))
    });
    let mut generator = Generator::seed_from_u64(name);
    generator.set_stream(number);
    generator
}

/// `base` changed in one to eight ways, of which some know its format; checksums and lengths are mostly made right again,
/// so that what is wrong is met behind them.
pub fn mutate(base: &[u8], all: &[Vec<u8>], form: Form, generator: &mut Generator) -> Vec<u8> {
    let mut bytes = formats::mutate(base, all, form, generator);
    bytes.truncate(LONGEST);
    bytes
}

/// One to eight changes that know nothing of any format.
pub fn many(bytes: &mut Vec<u8>, all: &[Vec<u8>], generator: &mut Generator) {
    for _ in 0..1 << generator.random_range(0..4) {
        one(bytes, all, generator);
    }
}

fn one(bytes: &mut Vec<u8>, all: &[Vec<u8>], generator: &mut Generator) {
    if bytes.is_empty() {
        bytes.extend(random(generator, 16));
        return;
    }
    let place = generator.random_range(0..bytes.len());
    match generator.random_range(0..14) {
        0 => bytes[place] ^= 1 << generator.random_range(0..8),
        1 => bytes[place] = generator.random_range(0..=255),
        2 => bytes[place] = bytes[place].wrapping_add(generator.random_range(0..9)).wrapping_sub(4),
        3 | 4 => interesting(&mut bytes[place..], generator),
        // Most lengths stand near the beginning.
        5 => interesting(&mut bytes[place % 64..], generator),
        6 => bytes.truncate(place),
        7 => drop(bytes.drain(range(bytes.len(), generator))),
        8 => {
            let inserted = random(generator, 32);
            bytes.splice(place..place, inserted);
        }
        9 => {
            let copied = bytes[range(bytes.len(), generator)].to_vec();
            bytes.splice(place..place, copied);
        }
        10 => {
            let copied = bytes[range(bytes.len(), generator)].to_vec();
            let length = copied.len().min(bytes.len() - place);
            bytes[place..place + length].copy_from_slice(&copied[..length]);
        }
        11 => {
            let other = &all[generator.random_range(0..all.len())];
            let cut = generator.random_range(0..=other.len());
            bytes.truncate(place);
            bytes.extend(&other[cut..]);
        }
        12 => {
            let piece = range(bytes.len(), generator);
            let value = [0, 0xff, b' ', b'['][generator.random_range(0..4)];
            bytes[piece].fill(value);
        }
        _ => {
            let piece = bytes[range(bytes.len(), generator)].to_vec();
            let times = generator.random_range(1..=LONGEST / 8 / piece.len().max(1));
            let repeated = piece.repeat(times.min(1 << generator.random_range(0..12)));
            bytes.splice(place..place, repeated);
        }
    }
}

/// Changes to text: numbers in place of numbers, whole lines and words moved, and bytes as everywhere.
pub fn text(bytes: &mut Vec<u8>, all: &[Vec<u8>], generator: &mut Generator) {
    for _ in 0..1 << generator.random_range(0..3) {
        match generator.random_range(0..5) {
            0 | 1 => number(bytes, generator),
            2 => {
                // A line of another input.
                let other = &all[generator.random_range(0..all.len())];
                let lines: Vec<&[u8]> = other.split_inclusive(|byte| *byte == b'\n').collect();
                let starts: Vec<usize> = line_starts(bytes);
                if !lines.is_empty() {
                    let place = starts[generator.random_range(0..starts.len())];
                    let line = lines[generator.random_range(0..lines.len())].to_vec();
                    bytes.splice(place..place, line);
                }
            }
            3 => {
                let token = [
                    "[", "{", "\"", "}", "]", ",", ":", "=", "\\u0000", "\u{feff}", "null", "\\ud800", "'''", "#",
                ];
                let token =
                    token[generator.random_range(0..token.len())].repeat(1 << generator.random_range(0..14_u32));
                let place = generator.random_range(0..=bytes.len());
                bytes.splice(place..place, token.into_bytes());
            }
            _ => one(bytes, all, generator),
        }
    }
}

fn line_starts(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    [0].into_iter().chain(ends.map(|(index, _)| index + 1)).collect()
}

/// Another number in place of one that is there.
fn number(bytes: &mut Vec<u8>, generator: &mut Generator) {
    let is_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|&index| is_number(bytes[index]) && (index == 0 || !is_number(bytes[index - 1])))
        .collect();
    if starts.is_empty() {
        return;
    }
    let start = starts[generator.random_range(0..starts.len())];
    let length = bytes[start..].iter().take_while(|byte| is_number(**byte)).count();
    let new = if generator.random_range(0..4) == 0 {
        generator.next_u64().to_string()
    } else {
        NUMBERS[generator.random_range(0..NUMBERS.len())].to_owned()
    };
    bytes.splice(start..start + length, new.into_bytes());
}

/// A size that readers go wrong at, in 1 to 8 bytes, of either order.
pub fn interesting(bytes: &mut [u8], generator: &mut Generator) {
    let value = INTERESTING[generator.random_range(0..INTERESTING.len())];
    let length = [1, 2, 3, 4, 4, 8][generator.random_range(0..6)].min(bytes.len());
    let little = value.to_le_bytes();
    if generator.random() {
        bytes[..length].copy_from_slice(&little[..length]);
    } else {
        let big: Vec<u8> = little[..length].iter().rev().copied().collect();
        bytes[..length].copy_from_slice(&big);
    }
}

/// A 32-bit size that readers go wrong at.
pub fn interesting_size(generator: &mut Generator) -> u32 {
    INTERESTING[generator.random_range(0..INTERESTING.len())] as u32
}

/// Up to `most` random bytes.
pub fn random(generator: &mut Generator, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; generator.random_range(0..=most)];
    generator.fill_bytes(&mut bytes);
    bytes
}

/// A piece of something of `length`, mostly short.
fn range(length: usize, generator: &mut Generator) -> Range<usize> {
    let start = generator.random_range(0..length);
    let longest = (length - start).min(1 << generator.random_range(0..12_u32));
    start..start + generator.random_range(1..=longest)
}
