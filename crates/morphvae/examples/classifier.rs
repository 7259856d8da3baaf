//! Teaches a small classifier a data set, and says how many of the test images it knows:
//! `cargo run --release --example classifier -- mnist data 8 distorted`.

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use morphvae::classification::{ClassifierConfig, Distortion, TrainedClassifier};
use morphvae::data::catalogue;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "mnist".to_owned());
    let folder = arguments.next().unwrap_or_else(|| "data".to_owned());
    let epochs = arguments.next().map_or(Ok(8), |epochs| epochs.parse())?;
    let distortion = arguments.next().map_or(Distortion::NONE, |_| Distortion::default());
    let set = catalogue::find(&name)?.load(Path::new(&folder))?;
    let config = ClassifierConfig {
        epochs,
        distortion,
        ..ClassifierConfig::default()
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
    let accuracy = learned.ok_or("nobody stopped it")?.judge(&set.test)?;
    println!(
        "\r{} of {} test images: {:.2} %",
        accuracy.right,
        accuracy.of,
        100.0 * accuracy.share()
    );
    Ok(())
}
