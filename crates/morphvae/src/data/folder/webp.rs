//! The sizes that a WebP file states, held against the file.
//!
//! The decoder takes as much memory as a chunk's header says before it reads the chunk, and as a frame's header says
//! before it holds that against the canvas; its own limit does not reach there. The container is RFC 9649's.

/// Bytes before the first chunk: `RIFF`, the size of what follows, `WEBP`.
const HEADER: usize = 12;

/// Bytes of a frame of an animation before its chunks.
const FRAME_HEADER: usize = 16;

/// Makes sure that every chunk lies within what holds it and every lossy image has the size of its canvas; gives the file
/// without what follows it.
pub(super) fn check(bytes: &[u8]) -> Result<&[u8], String> {
    let stated = number(bytes, 4, 4).map_or(usize::MAX, |size| size.saturating_add(8));
    let whole = bytes
        .get(..stated)
        .filter(|whole| whole.len() > HEADER)
        .ok_or_else(|| format!("it should hold {stated} bytes, but holds {}", bytes.len()))?;
    let mut canvas = None;
    for chunk in chunks(&whole[HEADER..]) {
        let Chunk { kind, content } = chunk?;
        match kind {
            b"VP8X" => canvas = sides(content, 4),
            b"VP8 " => check_lossy(content, canvas)?,
            b"ANMF" => {
                let frame = sides(content, 6);
                for chunk in chunks(content.get(FRAME_HEADER..).unwrap_or_default()) {
                    let Chunk { kind, content } = chunk?;
                    if kind == b"VP8 " {
                        check_lossy(content, frame)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(whole)
}

struct Chunk<'a> {
    kind: &'a [u8; 4],
    content: &'a [u8],
}

/// The chunks that `bytes` consist of, up to the first that is not whole.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = Result<Chunk<'_>, String>> {
    std::iter::from_fn(move || {
        let (kind, rest) = bytes.split_first_chunk()?;
        let size = number(rest, 0, 4)?;
        let Some((content, rest)) = rest[4..].split_at_checked(size) else {
            bytes = &[];
            let kind = kind.escape_ascii();
            return Some(Err(format!(
                "its part {kind} should hold {size} bytes, but {} follow",
                rest.len() - 4
            )));
        };
        bytes = rest.get(size % 2..).unwrap_or_default();
        Some(Ok(Chunk { kind, content }))
    })
}

/// Two sides less one, of three bytes each.
fn sides(content: &[u8], place: usize) -> Option<(usize, usize)> {
    Some((number(content, place, 3)? + 1, number(content, place + 3, 3)? + 1))
}

/// A lossy image says its sides itself, in 14 bits each.
fn check_lossy(content: &[u8], expected: Option<(usize, usize)>) -> Result<(), String> {
    let side = |place| Some(number(content, place, 2)? & 0x3fff);
    let found = side(6).zip(side(8));
    match (found, expected) {
        (Some(found), Some(expected)) if found != expected => {
            let ((width, height), (canvas_width, canvas_height)) = (found, expected);
            Err(format!(
                "it is said to be {canvas_width} x {canvas_height}, but holds an image of {width} x {height}"
            ))
        }
        _ => Ok(()),
    }
}

/// A little-endian number of `length` bytes.
fn number(bytes: &[u8], place: usize, length: usize) -> Option<usize> {
    let bytes = bytes.get(place..place + length)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | usize::from(byte)),
    )
}
