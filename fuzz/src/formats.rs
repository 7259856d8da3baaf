//! Changes that know a format: its parts moved, doubled and lied about, its checksums and lengths made right again.

use std::io::{Cursor, Read, Write};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use morphvae::random::Generator;
use rand::RngExt;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::mutate::{interesting, interesting_size, many, random, text};

/// What is known of a target's inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Nothing.
    Bytes,
    /// Lines, words and numbers.
    Text,
    /// A header of numbers as text, then bytes.
    Pnm,
    /// Chunks with checksums.
    Png,
    /// Segments with 16-bit lengths.
    Jpeg,
    /// Chunks in a RIFF container.
    Webp,
    /// IDX, which may be compressed.
    Idx,
    /// A JSON header with its length before it.
    Safetensors,
    /// A zip archive, or something older.
    Pth,
    /// A request with, perhaps, the length of its body.
    Http,
}

/// `base`, changed.
pub fn mutate(base: &[u8], all: &[Vec<u8>], form: Form, generator: &mut Generator) -> Vec<u8> {
    let mut bytes = base.to_vec();
    // Some inputs are wrong in every way.
    if generator.random_range(0..8) == 0 {
        many(&mut bytes, all, generator);
        return bytes;
    }
    match form {
        Form::Bytes => many(&mut bytes, all, generator),
        Form::Text => text(&mut bytes, all, generator),
        Form::Pnm => pnm(&mut bytes, all, generator),
        Form::Png => chunks(&mut bytes, all, generator, &PNG),
        Form::Jpeg => chunks(&mut bytes, all, generator, &JPEG),
        Form::Webp => chunks(&mut bytes, all, generator, &WEBP),
        Form::Idx => idx(&mut bytes, all, generator),
        Form::Safetensors => safetensors(&mut bytes, all, generator),
        Form::Pth => pth(&mut bytes, all, generator),
        Form::Http => http(&mut bytes, all, generator),
    }
    bytes
}

fn pnm(bytes: &mut Vec<u8>, all: &[Vec<u8>], generator: &mut Generator) {
    // The header alone, mostly; the body of plain formats is text, too.
    let header = bytes.len().min(generator.random_range(8..80));
    let body = bytes.split_off(header);
    text(bytes, all, generator);
    bytes.extend(body);
}

fn idx(bytes: &mut Vec<u8>, all: &[Vec<u8>], generator: &mut Generator) {
    many(bytes, all, generator);
    match generator.random_range(0..4) {
        0 => *bytes = gzip(bytes),
        1 => {
            *bytes = gzip(bytes);
            many(bytes, all, generator);
        }
        2 if generator.random_range(0..8) == 0 => {
            // Much behind a little, that is really there.
            let header = bytes.len().min(16);
            bytes.truncate(header);
            bytes.resize(header + (1 << generator.random_range(10..28_u32)), 0);
            *bytes = gzip(bytes);
        }
        _ => {}
    }
}

/// `bytes` compressed with gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn safetensors(bytes: &mut Vec<u8>, all: &[Vec<u8>], generator: &mut Generator) {
    let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    let end = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(8);
    if end > bytes.len() || bytes.len() < 8 {
        return many(bytes, all, generator);
    }
    let (mut header, mut data) = (bytes[8..end].to_vec(), bytes[end..].to_vec());
    match generator.random_range(0..4) {
        0 => many(&mut data, std::slice::from_ref(bytes), generator),
        _ => text(&mut header, std::slice::from_ref(bytes), generator),
    }
    *bytes = [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat();
}

fn pth(bytes: &mut Vec<u8>, all: &[Vec<u8>], generator: &mut Generator) {
    let Some(mut entries) = unzip(bytes) else {
        return many(bytes, all, generator);
    };
    // The pickle, mostly: everything else is numbers.
    let pickle = entries.iter().position(|(name, _)| name.ends_with("data.pkl"));
    let chosen = match pickle {
        Some(pickle) if generator.random_range(0..4) > 0 => pickle,
        _ => generator.random_range(0..entries.len()),
    };
    match generator.random_range(0..16) {
        0 => drop(entries.remove(chosen)),
        1 => entries[chosen].1 = vec![0; 1 << generator.random_range(10..28_u32)],
        2 => entries[chosen].1 = pickle_bomb(generator),
        3 => {
            let other = generator.random_range(0..entries.len());
            entries[chosen].1 = entries[other].1.clone();
        }
        _ => {
            let contents: Vec<Vec<u8>> = entries.iter().map(|(_, content)| content.clone()).collect();
            many(&mut entries[chosen].1, &contents, generator);
        }
    }
    let method = match generator.random_range(0..2) {
        0 => CompressionMethod::Stored,
        _ => CompressionMethod::Deflated,
    };
    if let Some(archive) = zip(&entries, method) {
        *bytes = archive;
    }
}

/// A pickle whose lists hold one another twice, or that nests without end.
fn pickle_bomb(generator: &mut Generator) -> Vec<u8> {
    let depth = 1 << generator.random_range(3..17_u32);
    let mut pickle = b"\x80\x02]q\x00".to_vec();
    match generator.random_range(0..3) {
        // Each list is memoized and put into the next, twice.
        0 => (0..depth.min(200)).for_each(|index: u32| {
            let (old, new) = (index as u8, (index + 1) as u8);
            pickle.extend([b']', b'q', new, b'(', b'h', old, b'h', old, b'e']);
        }),
        1 => pickle.extend(b"(".repeat(depth as usize)),
        _ => (0..depth).for_each(|_| pickle.extend(b"\x85")),
    }
    pickle.push(b'.');
    pickle
}

fn unzip(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut entries = Vec::new();
    for index in 0..archive.len().min(64) {
        let mut entry = archive.by_index(index).ok()?.take(1 << 20);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).ok()?;
        let name = entry.get_ref().name().ok()?.into_owned();
        entries.push((name, content));
    }
    (!entries.is_empty()).then_some(entries)
}

fn zip(entries: &[(String, Vec<u8>)], method: CompressionMethod) -> Option<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(name.as_str(), options).ok()?;
        archive.write_all(content).ok()?;
    }
    Some(archive.finish().ok()?.into_inner())
}

fn http(bytes: &mut Vec<u8>, all: &[Vec<u8>], generator: &mut Generator) {
    text(bytes, all, generator);
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return;
    };
    if generator.random_range(0..4) == 0 {
        return;
    }
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(bytes);
    let lines = head.split("\r\n").map(|line| {
        if line.to_ascii_lowercase().starts_with("content-length") {
            format!("Content-Length: {}", body.len())
        } else {
            line.to_owned()
        }
    });
    let mut repaired = lines.collect::<Vec<_>>().join("\r\n").into_bytes();
    repaired.extend(body);
    *bytes = repaired;
}

/// A format of pieces, one behind the other.
struct Pieces {
    /// Takes a file apart: everything before the first piece is a piece, and so is what cannot be understood.
    split: fn(&[u8]) -> Vec<Vec<u8>>,
    /// Makes a piece that a sound file may have, with a content that it should not.
    make: fn(&mut Generator) -> Vec<u8>,
    /// Makes a piece right again: its length and its checksum.
    repair: fn(&mut Vec<u8>),
    /// Makes the whole right again.
    finish: fn(&mut Vec<u8>),
    /// Where in a piece its content begins.
    content: usize,
}

/// Changes pieces, their order and their number.
fn chunks(bytes: &mut Vec<u8>, all: &[Vec<u8>], generator: &mut Generator, format: &Pieces) {
    let mut pieces = (format.split)(bytes);
    for _ in 0..1 << generator.random_range(0..3_u32) {
        let place = generator.random_range(0..pieces.len());
        match generator.random_range(0..10) {
            0 => drop(pieces.remove(place)),
            1 => {
                let copy = pieces[place].clone();
                pieces.insert(generator.random_range(0..=pieces.len()), copy);
            }
            2 => {
                let other = generator.random_range(0..pieces.len());
                pieces.swap(place, other);
            }
            3 => pieces.insert(place.max(1).min(pieces.len()), (format.make)(generator)),
            4 => {
                let others = (format.split)(&all[generator.random_range(0..all.len())]);
                pieces.insert(place, others[generator.random_range(0..others.len())].clone());
            }
            // Its length, which is not made right again.
            5 => {
                let piece = &mut pieces[place];
                let end = piece.len().min(8);
                interesting(&mut piece[..end], generator);
            }
            6 => {
                // Its first numbers.
                let piece = &mut pieces[place];
                if piece.len() > format.content {
                    let offset = generator.random_range(format.content..piece.len().min(format.content + 16));
                    interesting(&mut piece[offset..], generator);
                    (format.repair)(piece);
                }
            }
            _ => {
                let piece = &mut pieces[place];
                let start = format.content.min(piece.len());
                let mut content = piece.split_off(start);
                many(&mut content, all, generator);
                piece.extend(content);
                (format.repair)(piece);
            }
        }
        if pieces.is_empty() {
            break;
        }
    }
    *bytes = pieces.concat();
    (format.finish)(bytes);
}

const PNG: Pieces = Pieces {
    split: |bytes| {
        let (start, mut rest) = bytes.split_at(bytes.len().min(8));
        let mut pieces = vec![start.to_vec()];
        while let Some(length) = rest.first_chunk() {
            let length = u32::from_be_bytes(*length) as usize;
            let (piece, behind) = rest.split_at(rest.len().min(length.saturating_add(12)));
            pieces.push(piece.to_vec());
            rest = behind;
        }
        pieces
    },
    make: |generator| {
        const KINDS: [&[u8; 4]; 22] = [
            b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"zTXt", b"iTXt", b"tEXt", b"eXIf", b"acTL", b"fcTL", b"fdAT", b"IDAT",
            b"IEND", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"bKGD", b"hIST", b"sPLT", b"cICP",
        ];
        let kind = KINDS[generator.random_range(0..KINDS.len())];
        let mut content = match kind {
            b"iCCP" | b"zTXt" => b"name\0\0".to_vec(),
            b"iTXt" => b"name\0\x01\0\0\0".to_vec(),
            _ => Vec::new(),
        };
        match generator.random_range(0..3) {
            0 => content.extend(random(generator, 64)),
            1 => content.extend(zlib(&vec![0; 1 << generator.random_range(4..28_u32)])),
            _ => content.resize(content.len() + generator.random_range(0..30), 0),
        }
        let mut piece = [&[0; 4], &kind[..], &content, &[0; 4]].concat();
        (PNG.repair)(&mut piece);
        if generator.random_range(0..3) == 0 {
            piece[..4].copy_from_slice(&interesting_size(generator).to_be_bytes());
        }
        piece
    },
    repair: |piece| {
        if let Some(length) = piece.len().checked_sub(12) {
            piece[..4].copy_from_slice(&(length as u32).to_be_bytes());
            let mut checksum = flate2::Crc::new();
            checksum.update(&piece[4..8 + length]);
            piece[8 + length..].copy_from_slice(&checksum.sum().to_be_bytes());
        }
    },
    finish: |_| {},
    content: 8,
};

const JPEG: Pieces = Pieces {
    split: |bytes| {
        let (start, mut rest) = bytes.split_at(bytes.len().min(2));
        let mut pieces = vec![start.to_vec()];
        while let [0xff, marker, high, low, ..] = *rest {
            // A scan has no length: the rest is one piece.
            let length = match marker {
                0xda => rest.len(),
                _ => 2 + usize::from(u16::from_be_bytes([high, low])),
            };
            let (piece, behind) = rest.split_at(rest.len().min(length));
            pieces.push(piece.to_vec());
            rest = behind;
        }
        pieces.push(rest.to_vec());
        pieces
    },
    make: |generator| {
        const KINDS: [u8; 16] = [
            0xe0, 0xe1, 0xe2, 0xed, 0xee, 0xfe, 0xdb, 0xc4, 0xc0, 0xc1, 0xc2, 0xda, 0xdd, 0xdc, 0xd8, 0xd9,
        ];
        let kind = KINDS[generator.random_range(0..KINDS.len())];
        let mut content = match kind {
            0xe1 => b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0".to_vec(),
            0xe2 => [b"ICC_PROFILE\0", &random(generator, 2)[..]].concat(),
            0xed => b"Photoshop 3.0\x008BIM\x04\x04".to_vec(),
            0xee => b"Adobe\0d\0\0\0\0\x02".to_vec(),
            0xc0..=0xc2 => b"\x08\0\x10\0\x10\x03\x01\x22\0\x02\x11\x01\x03\x11\x01".to_vec(),
            _ => Vec::new(),
        };
        content.extend(random(generator, 80));
        let mut piece = [&[0xff, kind, 0, 0][..], &content].concat();
        (JPEG.repair)(&mut piece);
        piece
    },
    repair: |piece| {
        if let Some(length) = piece.len().checked_sub(2)
            && (2..=0xffff).contains(&length)
            && piece[1] != 0xda
        {
            piece[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        }
    },
    finish: |_| {},
    content: 4,
};

const WEBP: Pieces = Pieces {
    split: |bytes| {
        let (start, mut rest) = bytes.split_at(bytes.len().min(12));
        let mut pieces = vec![start.to_vec()];
        while rest.len() >= 8 {
            let length = u32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize;
            let length = length.saturating_add(length % 2).saturating_add(8);
            let (piece, behind) = rest.split_at(rest.len().min(length));
            pieces.push(piece.to_vec());
            rest = behind;
        }
        pieces.push(rest.to_vec());
        pieces
    },
    make: |generator| {
        const KINDS: [&[u8; 4]; 9] = [
            b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP", b"EXIF", b"XMP ",
        ];
        let kind = KINDS[generator.random_range(0..KINDS.len())];
        let content = match kind {
            // All flags, and a canvas of 16 x 16.
            b"VP8X" => [&[generator.random_range(0..=0x3e), 0, 0, 0, 15, 0, 0, 15, 0, 0][..]].concat(),
            b"ANIM" => vec![0; 6],
            b"ANMF" => {
                let mut frame = vec![0, 0, 0, 0, 0, 0, 15, 0, 0, 15, 0, 0, 9, 0, 0, 0];
                let inner = generator.random_range(0..3);
                frame.extend([&b"VP8 "[..], b"VP8L", b"ALPH"][inner]);
                frame.extend(interesting_size(generator).to_le_bytes());
                frame.extend(random(generator, 32));
                frame
            }
            _ => random(generator, 64),
        };
        let mut piece = [&kind[..], &[0; 4], &content].concat();
        (WEBP.repair)(&mut piece);
        if generator.random_range(0..2) == 0 {
            piece[4..8].copy_from_slice(&interesting_size(generator).to_le_bytes());
        }
        piece
    },
    repair: |piece| {
        if piece.starts_with(b"RIFF") {
            return;
        }
        if let Some(length) = piece.len().checked_sub(8) {
            piece[4..8].copy_from_slice(&(length as u32).to_le_bytes());
            if length % 2 == 1 {
                piece.push(0);
            }
        }
    },
    finish: |bytes| {
        if let Some(length) = bytes.len().checked_sub(8)
            && bytes.starts_with(b"RIFF")
        {
            bytes[4..8].copy_from_slice(&(length as u32).to_le_bytes());
        }
    },
    content: 8,
};
