//! What kind of file some bytes begin, whatever its name says.

/// Bytes of a file's beginning that are enough to recognize it.
pub(super) const HEAD: usize = 512;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Safetensors,
    PyTorch,
    /// Something else, in words.
    Other(&'static str),
}

/// Beginnings of files that people hand over in place of weights.
const OTHERS: &[(&[u8], &str)] = &[
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"GGUF", "a GGUF model"),
    (b"\x7fELF", "a program"),
    (b"%PDF", "a PDF document"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer to a file that was not fetched",
    ),
    (b"<", "a web page"),
    (b"\x80", "a Python pickle that torch.save did not write"),
];

/// The number that `torch.save` put first before PyTorch 1.6, as a pickle holds it.
const LEGACY_MAGIC: &[u8] = b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// The longest header that the safetensors format allows, in bytes.
const MOST_SAFETENSORS_HEADER: u64 = 100_000_000;

impl Signature {
    /// Recognizes a file by its first [`HEAD`] bytes, or all of them if there are fewer.
    pub(super) fn of(head: &[u8]) -> Self {
        if head.is_empty() {
            return Self::Other("an empty file");
        }
        let header = head.first_chunk().map(|&bytes| u64::from_le_bytes(bytes));
        let brace = head.get(8) == Some(&b'{');
        // The length comes before everything else, because its first bytes may look like anything.
        if brace && header.is_some_and(|length| length <= MOST_SAFETENSORS_HEADER) {
            return Self::Safetensors;
        }
        if head.starts_with(b"PK") || contains(&head[..head.len().min(64)], LEGACY_MAGIC) {
            return Self::PyTorch;
        }
        if head.get(257..262) == Some(b"ustar") {
            return Self::Other("a tar archive");
        }
        let text = head.trim_ascii_start();
        for (start, what) in OTHERS {
            if head.starts_with(start) || (*start == b"<" && text.starts_with(start)) {
                return Self::Other(what);
            }
        }
        if brace {
            return Self::Safetensors;
        }
        if is_table(text) {
            return Self::Other("TOML (if it is a run's config.toml, name the run's folder)");
        }
        if text.starts_with(b"{") || text.starts_with(b"[") {
            return Self::Other("JSON");
        }
        let printable = |&byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 32..127);
        Self::Other(if head.iter().all(printable) {
            "plain text"
        } else {
            "data of an unknown kind"
        })
    }
}

/// Whether a text begins with the name of a TOML table in brackets, alone on its line.
fn is_table(text: &[u8]) -> bool {
    let line = text
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or(text)
        .trim_ascii_end();
    let name = line.strip_prefix(b"[").and_then(|line| line.strip_suffix(b"]"));
    let is_plain = |&byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.is_some_and(|name| name.iter().all(is_plain) && name.iter().any(u8::is_ascii_alphabetic))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safetensors_header_may_be_as_long_as_a_pickle_begins() {
        assert_eq!(Signature::of(b"\x80\x02\0\0\0\0\0\0{"), Signature::Safetensors);
        assert_eq!(
            Signature::of(b"\x80\x02}q\0."),
            Signature::Other("a Python pickle that torch.save did not write")
        );
    }

    #[test]
    fn a_lying_length_is_still_a_safetensors_file() {
        assert_eq!(
            Signature::of(b"\xff\xff\xff\xff\xff\xff\xff\x7f{}"),
            Signature::Safetensors
        );
    }

    #[test]
    fn other_files_are_named() {
        let what = |head: &[u8]| match Signature::of(head) {
            Signature::Other(what) => what,
            kind => panic!("{kind:?}"),
        };
        assert_eq!(what(b""), "an empty file");
        assert_eq!(what(b"\n <!DOCTYPE html>"), "a web page");
        assert_eq!(what(b"{\"a\": 1}"), "JSON");
        assert_eq!(what(b"[1, 2]"), "JSON");
        assert_eq!(what(b"[\"a\"]"), "JSON");
        assert!(what(b"\n[data]\r\ndataset = \"mnist\"\n").starts_with("TOML"));
        assert_eq!(what(b"hello"), "plain text");
        assert_eq!(what(b"\x01\x02"), "data of an unknown kind");
        assert_eq!(what(b"\x89PNG\r\n\x1a\n"), "a PNG image");
    }
}
