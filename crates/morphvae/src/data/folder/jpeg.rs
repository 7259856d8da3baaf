//! What a JPEG says of its colours, before its decoder believes it.

/// Refuses an Adobe part behind the frame header, where no program writes it: the decoder would take from it a number of
/// components that the frame does not have.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let frame = frame_header(bytes);
    let end = position(&bytes[frame..], |pair| pair == [0xff, 0xd9]);
    let is_adobe = |part: &[u8]| part.starts_with(&[0xff, 0xee]) && part.ends_with(b"Adobe");
    if bytes[frame..frame + end].windows(9).any(is_adobe) {
        return Err("its Adobe part stands behind its frame header".to_owned());
    }
    Ok(())
}

/// Where the frame header is, or the end: a file without one is left to the decoder.
fn frame_header(bytes: &[u8]) -> usize {
    let mut place = 0;
    loop {
        let rest = &bytes[place..];
        // Decoders skip what is between parts.
        let marker = position(rest, |pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff));
        match rest[marker..] {
            [_, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf, ..] => return place + marker,
            [_, 0x01 | 0xd0..=0xd9, ..] => place += marker + 2,
            [_, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                place = (place + marker + 2 + length).min(bytes.len());
            }
            _ => return bytes.len(),
        }
    }
}

/// Where the first such pair of bytes is, or the end.
fn position(bytes: &[u8], is: impl Fn(&[u8]) -> bool) -> usize {
    bytes.windows(2).position(is).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn an_adobe_part_stands_before_the_frame_header() {
        let adobe = b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\x02";
        let frame = b"\xff\xc2\0\x0b\x08\0\x11\0\x14\x01\x01\x11\0";
        let scan = b"\xff\xda\0\x08\x01\x01\0\0\0\x01\x31\xff\0";
        let file = |parts: &[&[u8]]| [&[b"\xff\xd8".as_slice()], parts, &[b"\xff\xd9"]].concat().concat();
        assert_eq!(check(&file(&[adobe, frame, scan])), Ok(()));
        // A preview of its own, as cameras write it: behind the end.
        let preview = file(&[adobe, frame, scan]);
        assert_eq!(check(&[file(&[frame, scan]), preview].concat()), Ok(()));
        for parts in [[frame, &adobe[..], scan], [frame, scan, adobe]] {
            let reason = check(&file(&parts)).unwrap_err();
            assert!(reason.contains("Adobe"), "{reason}");
        }
        for damaged in [
            &b""[..],
            b"\xff",
            b"\xff\xd8\xff",
            b"\xff\xd8\xff\xe0\xff\xff",
            b"\xff\xd8\xff\xc0",
        ] {
            assert_eq!(check(damaged), Ok(()));
        }
    }
}
