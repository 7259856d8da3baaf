//! The palette of a PNG, whose length the decoder believes to be one that the format allows.

/// Bytes before the first chunk.
const SIGNATURE: usize = 8;

/// The type of colour that has a palette.
const INDEXED: u8 = 3;

/// Makes sure that the palette consists of colours, and no more of them are transparent than there are.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let (mut indexed, mut colours, mut transparent) = (false, None, None);
    for (kind, content) in chunks(bytes.get(SIGNATURE..).unwrap_or_default()) {
        match kind {
            b"IHDR" => indexed = content.get(9) == Some(&INDEXED),
            b"PLTE" => _ = colours.get_or_insert(content.len()),
            b"tRNS" => _ = transparent.get_or_insert(content.len()),
            _ => {}
        }
    }
    let bytes = colours.unwrap_or(3);
    if !bytes.is_multiple_of(3) || !(1..=256).contains(&(bytes / 3)) {
        return Err(format!("its palette has {bytes} bytes, which are not 1 to 256 colours"));
    }
    match transparent {
        Some(transparent) if indexed && transparent > bytes / 3 => Err(format!(
            "{transparent} colours of its palette are transparent, but it has {}",
            bytes / 3
        )),
        _ => Ok(()),
    }
}

/// The chunks, without their checksums; the last one may be cut short.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        let content = &rest[..length.min(rest.len())];
        bytes = rest.get(length.saturating_add(4)..).unwrap_or_default();
        Some((kind, content))
    })
}
