//! Written clips, read back by standard decoders.

use super::*;
use crate::data::Images;
use gif::{ColorOutput, DecodeOptions, Repeat as GifRepeat};
use image::codecs::png::PngDecoder;
use image::{AnimationDecoder, RgbImage};
use std::fs::{self, File};
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

/// What a decoder sees: each frame as RGB with its seconds, and whether they repeat for ever.
struct Read {
    frames: Vec<RgbImage>,
    seconds: Vec<f64>,
    for_ever: bool,
}

type Reader = fn(&Path) -> Read;

fn read_gif(path: &Path) -> Read {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let mut decoder = options.read_info(File::open(path).unwrap()).unwrap();
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    let (mut frames, mut seconds) = (Vec::new(), Vec::new());
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let rgb = frame
            .buffer
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]);
        frames.push(RgbImage::from_raw(width, height, rgb.collect()).unwrap());
        seconds.push(f64::from(frame.delay) / 100.0);
    }
    Read {
        frames,
        seconds,
        for_ever: decoder.repeat() == GifRepeat::Infinite,
    }
}

fn read_apng(path: &Path) -> Read {
    let decoder = PngDecoder::new(BufReader::new(File::open(path).unwrap())).unwrap();
    let frames = decoder.apng().unwrap().into_frames().collect_frames().unwrap();
    let seconds = |frame: &image::Frame| {
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        f64::from(numerator) / f64::from(denominator) / 1000.0
    };
    let info = png::Decoder::new(BufReader::new(File::open(path).unwrap()))
        .read_info()
        .unwrap();
    Read {
        seconds: frames.iter().map(seconds).collect(),
        frames: frames
            .into_iter()
            .map(|frame| image::DynamicImage::from(frame.into_buffer()).to_rgb8())
            .collect(),
        for_ever: info.info().animation_control().unwrap().num_plays == 0,
    }
}

/// Images of 16 x 16 pixels, each of which has all 256 greys in an order of its own.
fn greys(count: usize) -> Images {
    let pixels = (0..count).flat_map(|image| (0..256).map(move |pixel| (pixel * (2 * image + 1) + image) as u8));
    Images::new(1, 16, 16, pixels.collect()).unwrap()
}

fn colours(count: usize) -> Images {
    let pixels = (0..3 * 256 * count).map(|byte| (byte * byte / 7) as u8);
    Images::new(3, 16, 16, pixels.collect()).unwrap()
}

fn unscaled() -> Look {
    Look {
        scale: Some(1),
        ..Look::default()
    }
}

fn is_image(frame: &RgbImage, images: &Images, index: usize) -> bool {
    let (bytes, plane) = (images.image(index), images.width() * images.height());
    let expected = |pixel: usize| [0, 1, 2].map(|channel| bytes[(channel * plane + pixel) % bytes.len()]);
    frame
        .pixels()
        .enumerate()
        .all(|(pixel, colour)| colour.0 == expected(pixel))
}

#[test]
fn grey_clips_are_exact_in_pixels_order_delays_and_repetition() {
    let folder = tempfile::tempdir().unwrap();
    let images = greys(5);
    let cases = [
        (Repeat::Once, vec![0, 1, 2, 3, 4], false),
        (Repeat::Bounce, vec![0, 1, 2, 3, 4, 3, 2, 1], true),
        (Repeat::Cycle, vec![0, 1, 2, 3, 4], true),
    ];
    let readers: [(&str, Reader); 2] = [("clip.gif", read_gif), ("clip.apng", read_apng)];
    for ((repeat, order, for_ever), (name, reader)) in
        cases.iter().flat_map(|case| readers.map(|reader| (case, reader)))
    {
        for frames_per_second in [25.0, 50.0] {
            let playback = Playback {
                frames_per_second,
                rests: [0, 4].map(|image| Rest { image, seconds: 0.3 }).to_vec(),
                repeat: *repeat,
            };
            let path = folder.path().join(name);
            let timing = write_clip(&path, &images, &playback, &unscaled()).unwrap();
            let read = reader(&path);
            assert_eq!(read.for_ever, *for_ever, "{name}");
            assert_eq!((read.frames.len(), timing.frames), (order.len(), order.len()));
            assert!(timing.is_exact(), "{timing:?}");
            for ((frame, &seconds), &index) in read.frames.iter().zip(&read.seconds).zip(order) {
                assert!(is_image(frame, &images, index), "{name}: image {index}");
                let hold = if matches!(index, 0 | 4) { 0.3 } else { 0.0 };
                assert!(
                    (seconds - 1.0 / frames_per_second - hold).abs() < 1e-9,
                    "{name}: {seconds}"
                );
            }
        }
    }
}

#[test]
fn colours_are_exact_in_apng_and_frames_and_close_in_gif() {
    let folder = tempfile::tempdir().unwrap();
    let images = colours(3);
    let playback = Playback::default();
    let path = folder.path().join("clip.apng");
    write_clip(&path, &images, &playback, &unscaled()).unwrap();
    let read = read_apng(&path);
    assert!((0..3).all(|index| is_image(&read.frames[index], &images, index)));

    write_clip(&folder.path().join("frames"), &images, &playback, &unscaled()).unwrap();
    for index in 0..3 {
        let path = folder.path().join(format!("frames/{:05}.png", index + 1));
        assert!(is_image(&image::open(path).unwrap().to_rgb8(), &images, index));
    }

    let path = folder.path().join("clip.gif");
    write_clip(&path, &images, &playback, &unscaled()).unwrap();
    let read = read_gif(&path);
    assert_eq!((read.frames.len(), read.frames[0].dimensions()), (4, (16, 16)));
}

#[test]
fn colormaps_and_scale_are_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let images = Images::new(1, 2, 3, [[0; 6], [255; 6]].concat()).unwrap();
    for (colormap, colours) in [
        (Colormap::Viridis, [[68, 1, 84], [253, 231, 37]]),
        (Colormap::Ink, [[255; 3], [0; 3]]),
    ] {
        let look = Look {
            scale: Some(7),
            colormap,
        };
        for (name, reader) in [("clip.gif", read_gif as Reader), ("clip.apng", read_apng as Reader)] {
            let path = folder.path().join(name);
            write_clip(&path, &images, &Playback::default(), &look).unwrap();
            let frames = reader(&path).frames;
            assert_eq!(frames[0].dimensions(), (21, 14));
            for (frame, colour) in frames.iter().zip(colours) {
                assert!(frame.pixels().all(|pixel| pixel.0 == colour), "{name}");
            }
        }
    }
}

#[test]
fn thirty_frames_per_second_are_exact_in_apng_and_keep_their_pace_in_gif() {
    let folder = tempfile::tempdir().unwrap();
    let playback = Playback {
        frames_per_second: 30.0,
        repeat: Repeat::Once,
        ..Playback::default()
    };
    let images = greys(30);
    let gif = folder.path().join("clip.gif");
    let timing = write_clip(&gif, &images, &playback, &unscaled()).unwrap();
    let seconds = read_gif(&gif).seconds;
    assert!((seconds.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(seconds.iter().all(|&seconds| seconds == 0.03 || seconds == 0.04));
    assert!(!timing.is_exact() && timing.delays == [0.03, 0.04], "{timing:?}");
    let apng = folder.path().join("clip.apng");
    let timing = write_clip(&apng, &images, &playback, &unscaled()).unwrap();
    assert!(timing.is_exact(), "{timing:?}");
    let seconds = read_apng(&apng).seconds;
    assert!(
        seconds.iter().all(|seconds| (seconds - 1.0 / 30.0).abs() < 1e-9),
        "{seconds:?}"
    );
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, images: &Images, look: &Look| {
        write_clip(&folder.path().join(name), images, &Playback::default(), look).unwrap_err()
    };
    let none = Images::new(1, 2, 2, Vec::new()).unwrap();
    assert_eq!(
        write("a.gif", &none, &Look::default()).to_string(),
        "there are no images to draw; give at least one"
    );
    let two = Images::new(2, 2, 2, vec![0; 8]).unwrap();
    assert!(
        write("a.apng", &two, &Look::default())
            .to_string()
            .contains("2 channels")
    );
    let wide = Look {
        scale: Some(65_536 / 16),
        ..Look::default()
    };
    assert!(matches!(write("a.gif", &greys(1), &wide), ClipError::TooLarge { .. }));
    let unknown = write("a.webp", &greys(1), &Look::default()).to_string();
    for word in ["a.webp", ".gif", ".apng", ".mp4", "folder", "WebP"] {
        assert!(unknown.contains(word), "{unknown}");
    }
    fs::write(folder.path().join("file"), "in the way").unwrap();
    let blocked = write("file/a.gif", &greys(1), &Look::default()).to_string();
    assert!(blocked.contains("file/a.gif"), "{blocked}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_film_has_even_sides_and_its_holds() {
    if ClipFormat::of(Path::new("a.mp4")).is_err() || Command::new("ffprobe").arg("-version").output().is_err() {
        println!("skipped: no ffmpeg with ffprobe on the PATH");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("-clip: 1.mp4");
    let images = Images::new(1, 5, 7, (0..35 * 4).map(|byte| byte as u8).collect()).unwrap();
    let look = Look {
        scale: Some(9),
        ..Look::default()
    };
    let playback = Playback {
        frames_per_second: 24.0,
        rests: vec![Rest { image: 0, seconds: 0.5 }],
        repeat: Repeat::Bounce,
    };
    let timing = write_clip(&path, &images, &playback, &look).unwrap();
    // Six images there and back, and the first one for twelve frames more.
    assert_eq!(timing.frames, 6);
    assert!(
        timing.is_exact() && (timing.written_seconds - 0.75).abs() < 1e-9,
        "{timing:?}"
    );
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-of", "csv=p=0", "-show_entries"])
        .arg("stream=codec_name,width,height,pix_fmt,avg_frame_rate,nb_read_frames")
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.trim(), "h264,64,46,yuv420p,24/1,18");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn who_watches_is_told_of_all_frames_and_can_stop_them() {
    let folder = tempfile::tempdir().unwrap();
    let (images, playback) = (greys(6), Playback::default());
    for name in ["clip.gif", "clip.apng", "frames"] {
        let path = folder.path().join(name);
        let most = Mutex::new((0, 0));
        let observe = |done: usize, of: usize| {
            let mut most = most.lock().unwrap();
            *most = (done.max(most.0), of);
            ControlFlow::Continue(())
        };
        let clip = Clip::draw(&path, &images, &playback, &unscaled(), &observe).unwrap();
        assert_eq!(
            *most.lock().unwrap(),
            if name == "clip.gif" { (12, 12) } else { (6, 6) }
        );
        let stop = |done: usize, _: usize| {
            if done > 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let drawn = Clip::draw(&path, &images, &playback, &unscaled(), &stop);
        assert!(matches!(drawn.err(), Some(ClipError::Stopped)), "{name}");
        if name != "clip.gif" {
            assert!(matches!(clip.write(&stop), Err(ClipError::Stopped)), "{name}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{name}");
        }
    }
}

#[test]
fn a_folder_of_frames_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames");
    let read = |index: usize| image::open(path.join(format!("{index:05}.png"))).unwrap().to_rgb8();
    write_clip(&path, &greys(4), &Playback::default(), &unscaled()).unwrap();
    fs::write(path.join("notes.txt"), "mine").unwrap();
    let stop = |_: usize, _: usize| ControlFlow::Break(());
    let (others, playback) = (colours(2), Playback::default());
    let clip = Clip::draw(
        &path,
        &others,
        &playback,
        &unscaled(),
        &|_, _| ControlFlow::Continue(()),
    )
    .unwrap();
    assert!(clip.write(&stop).is_err());
    assert!(is_image(&read(1), &greys(4), 0) && is_image(&read(4), &greys(4), 3));
    write_clip(&path, &others, &playback, &unscaled()).unwrap();
    assert!(is_image(&read(2), &others, 1));
    // The longer clip's frames are gone, and nothing else is.
    assert_eq!(fs::read_dir(&path).unwrap().count(), 3);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
