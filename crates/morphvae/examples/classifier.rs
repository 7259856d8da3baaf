//! Teaches a small classifier a data set, and says how many of the test images it knows, and of the images that
//! `morphvae sample --format idx` wrote into each of some folders:
//! `cargo run --release --example classifier -- mnist data 3 digits more-digits`.

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use morphvae::classification::{ClassifierConfig, TrainedClassifier};
use morphvae::data::{FolderOptions, catalogue, read_idx_folder};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "mnist".to_owned());
    let folder = arguments.next().unwrap_or_else(|| "data".to_owned());
    let epochs: usize = arguments.next().map_or(Ok(8), |epochs| epochs.parse())?;
    let set = catalogue::find(&name)?.load(Path::new(&folder))?;
    let usual = ClassifierConfig::default();
    let config = ClassifierConfig {
        steps: epochs * set.train.images.count().div_ceil(usual.batch_size),
        ..usual
    };
    let mut percent = 0;
    let learned = TrainedClassifier::learn(&set.train, set.classes.len(), &config, &mut |done, of| {
        if 100 * done / of > percent {
            percent = 100 * done / of;
            eprint!("\r{percent} %");
            let _ = std::io::stderr().flush();
        }
        ControlFlow::Continue(())
    })?;
    let learned = learned.ok_or("nobody stopped it")?;
    let mut judged = vec![("test images".to_owned(), set.test)];
    let options = FolderOptions {
        classes: set.classes,
        test_fraction: 1.0,
        ..FolderOptions::new(config.image_size)
    };
    for folder in arguments {
        let samples = read_idx_folder(folder.as_ref(), &options)?;
        judged.push((folder, samples.ok_or("this folder has no IDX files")?.test));
    }
    for (what, split) in judged {
        let accuracy = learned.judge(&split)?;
        println!(
            "\r{what}: {} of {}, {:.2} %",
            accuracy.right,
            accuracy.of,
            100.0 * accuracy.share()
        );
    }
    Ok(())
}
