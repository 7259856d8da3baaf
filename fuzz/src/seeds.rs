//! Sound inputs, from which the others are made: what this program's own writers and encoders write, and files of kinds
//! that they do not (`seeds/`, and PyTorch's among the library's test fixtures).

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageFormat, Luma};

/// Files with one of these endings in `folder` of this repository, in the order of their names.
pub fn files(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).expect("the repository is where it was built");
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a file of the repository can be read"))
        .collect()
}

/// An image in each of the pixel formats that the encoder takes.
pub fn encoded(format: ImageFormat) -> Vec<Vec<u8>> {
    let grey = GrayImage::from_fn(17, 12, |x, y| Luma([(x * 15 + y * y) as u8]));
    let small = DynamicImage::from(GrayImage::from_pixel(1, 1, Luma([9])));
    let image = DynamicImage::from(grey);
    let colour = image.huerotate(40);
    [
        small,
        image.clone(),
        image.to_luma_alpha8().into(),
        colour.to_rgb8().into(),
        colour.to_rgba8().into(),
        image.to_luma16().into(),
        colour.to_rgb16().into(),
        colour.to_rgba16().into(),
    ]
    .iter()
    .filter_map(|image| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).ok()?;
        Some(bytes.into_inner())
    })
    .collect()
}

/// Netpbm in all its kinds, plain and raw.
pub fn netpbm() -> Vec<Vec<u8>> {
    let kinds: [&[u8]; 9] = [
        b"P1\n# plain\n4 2\n1 0 1 0\n0 1 0 1\n",
        b"P2 4 2 255\n0 10 20 30\n40 50 60 70\n",
        b"P3 2 2 255\n1 2 3 4 5 6 7 8 9 10 11 12\n",
        b"P4 9 2\n\xaa\x80\x55\x00",
        b"P5 3 3 255\n123456789",
        b"P5 2 2 65535\n12345678",
        b"P6 2 2 255\n123456789012",
        b"P7\nWIDTH 2\nHEIGHT 2\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n1234567890123456",
        b"P7\nWIDTH 2\nHEIGHT 2\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n\0\x01\x01\0",
    ];
    kinds.iter().map(|bytes| bytes.to_vec()).collect()
}

/// IDX files of images.
pub fn idx() -> Vec<Vec<u8>> {
    let file = |sizes: &[u32], magic: u32| {
        let mut bytes = magic.to_be_bytes().to_vec();
        bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        let length = sizes.iter().product::<u32>() as usize;
        bytes.extend((0..length).map(|index| (index * 7) as u8));
        bytes
    };
    let images = file(&[3, 5, 4], 0x803);
    let compressed = crate::formats::gzip(&images);
    vec![images, file(&[60], 0x801), file(&[1, 28, 28], 0x803), compressed]
}
