//! `morph` and `attribute`: clips in files of every kind, and keys that are none.

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};

use crate::desk::Desk;

/// A run with three latent dimensions and ten classes.
fn trained(desk: &Desk) {
    desk.trained("run", "--epochs 1 --grid 3 --latent 3");
}

fn face(path: &Path, brightness: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_fn(20, 28, |x, y| Luma([brightness.wrapping_add((x * y) as u8)]))
        .save(path)
        .unwrap();
}

#[test]
fn the_bundled_model_makes_a_clip_of_classes_with_its_contact_sheet() {
    let desk = Desk::new();
    let json = desk.succeed("morph 2 4 --frames 15 --loop once --json --quiet");
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["frames"], 15);
    assert_eq!(report["frames_per_second"], 25.0);
    assert!(report["motion"]["ratio"].as_f64().unwrap() < 1.2, "{report}");
    assert!(report["straight_line"]["ratio"].as_f64().unwrap() > 1.0, "{report}");
    assert!(desk.path("morph-2-4.gif").exists() && desk.path("morph-2-4-sheet.png").exists());
    desk.fail("morph 2 4", 2, &["morph-2-4.gif", "--force"]);
    desk.succeed("morph 2 4 --frames 2 --path line --force --quiet");
}

#[test]
fn every_kind_of_key_and_of_path_can_be_mixed() {
    let desk = Desk::new();
    trained(&desk);
    face(&desk.path("anna.png"), 30);
    let keys = "anna.png test:3 train:5 z:0.3,-1,0.1 random 7";
    for (path, repeat) in [
        ("line", "bounce"),
        ("spherical", "once"),
        ("spline", "cycle"),
        ("geodesic", "once"),
    ] {
        desk.succeed(&format!(
            "morph run {keys} --path {path} --loop {repeat} --frames 12 --quiet --out {path}.gif"
        ));
    }
    desk.succeed(&format!(
        "morph run {keys} --path line --uneven --ease smoothstep --frames 12 --on-map --quiet --out mapped.gif"
    ));
    assert!(desk.path("mapped-map.png").exists());
}

#[test]
fn a_map_without_images_shows_the_path_alone_and_images_that_were_named_must_be_there() {
    let desk = Desk::new();
    desk.faces();
    desk.succeed("train --images faces --base-channels 2 --epochs 1 --grid 1 --quiet --out run");
    fs::remove_dir_all(desk.path("faces")).unwrap();
    let line = "morph run z:0,0 z:1,1 --path line --frames 5 --on-map --offline";
    let output = desk.run(&format!("{line} --out alone.gif"));
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && notes.contains("the path alone"), "{notes}");
    assert!(desk.path("alone-map.png").exists() && desk.path("alone.gif").exists());
    desk.fail(&format!("{line} --dataset mnist --out none.gif"), 1, &["mnist"]);
    assert!(!desk.path("none.gif").exists() && !desk.path("none-sheet.png").exists());
}

#[test]
fn a_folder_that_is_no_run_takes_no_key_away() {
    let desk = Desk::new();
    trained(&desk);
    for name in ["2", "4", "pictures"] {
        fs::create_dir(desk.path(name)).unwrap();
    }
    desk.succeed("morph 2 4 --path line --frames 2 --quiet");
    desk.succeed("morph run 2 4 --path line --frames 5 --quiet --out of-run.gif");
    desk.succeed("grid --through 2 4 9 --size 1 --quiet");
    desk.fail("morph pictures 2 4", 2, &["pictures", "config.toml", "0, 1, 2"]);
    // A run is a model whatever it is called, even one whose settings make no sense.
    fs::write(desk.path("2/config.toml"), "nonsense").unwrap();
    desk.fail("morph 2 4 9", 1, &["2/config.toml"]);
}

#[test]
fn colours_of_their_own_are_not_mapped() {
    let desk = Desk::new();
    for index in 0..8 {
        let red = RgbImage::from_pixel(32, 32, Rgb([200, 10 * index, 0]));
        fs::create_dir_all(desk.path("reds")).unwrap();
        red.save(desk.path(&format!("reds/{index}.png"))).unwrap();
    }
    desk.succeed("train --images reds --base-channels 2 --epochs 1 --grid 4 --out run --quiet");
    desk.fail(
        "morph run z:0,0 z:1,1 --colormap magma --frames 3 --quiet",
        2,
        &["colormap", "leave it out"],
    );
}

#[test]
fn random_keys_follow_the_seed() {
    let desk = Desk::new();
    trained(&desk);
    for (seed, name) in [(1, "a"), (1, "b"), (2, "c")] {
        desk.succeed(&format!(
            "morph run random random --path line --frames 5 --seed {seed} --quiet --out {name}.gif"
        ));
    }
    let read = |name: &str| fs::read(desk.path(name)).unwrap();
    assert!(read("a.gif") == read("b.gif") && read("a.gif") != read("c.gif"));
}

#[test]
fn an_attribute_is_found_saved_and_added() {
    let desk = Desk::new();
    trained(&desk);
    for index in 0..4 {
        face(&desk.path(&format!("plain/{index}.png")), 10 * index);
        face(&desk.path(&format!("smile/{index}.png")), 150 + 10 * index);
    }
    desk.succeed("attribute smile run --from plain --to smile --quiet");
    assert!(desk.path("smile.attribute.json").exists());
    desk.fail("attribute smile run --from plain --to smile", 2, &["--force"]);
    let clip = |keys: &str, out: &str| {
        desk.succeed(&format!("morph run {keys} --path line --frames 6 --quiet --out {out}"));
        fs::read(desk.path(out)).unwrap()
    };
    assert!(clip("test:1 test:1+smile:1.5", "a.gif") != clip("test:1 test:1", "b.gif"));
    assert!(clip("test:1 test:2 --add smile:-1", "c.gif") != clip("test:1 test:2", "d.gif"));
    desk.fail("morph 2 4+smile:1", 1, &["smile belongs to another model"]);
    desk.fail("morph run 2 4+frown:1", 1, &["frown.attribute.json"]);
    desk.fail("morph run 2 4 --add smile", 2, &["smile:1.5"]);
    desk.fail("attribute s/mile run --from plain --to smile", 2, &["s/mile"]);
    desk.fail("attribute grin run --from plain --to plain", 1, &["no direction"]);
    desk.fail("attribute grin run --from plain --to nowhere", 1, &["nowhere"]);
}

#[test]
fn keys_that_are_none_are_named() {
    let desk = Desk::new();
    trained(&desk);
    fs::write(desk.path("broken.png"), "not an image").unwrap();
    desk.fail("morph 2", 2, &["two keys or more"]);
    desk.fail("morph run 2", 2, &["two keys or more"]);
    desk.fail("morph", 2, &["KEY"]);
    desk.fail("morph run two 4", 2, &["two", "0, 1, 2", "test:N"]);
    desk.fail("morph run z:1,2 4", 2, &["z:1,2", "3 dimension(s)", "2 number(s)"]);
    desk.fail("morph run z:1,nan 4", 2, &["z:1,nan", "finite"]);
    desk.fail("morph run z:1,x 4", 2, &["z:1,x"]);
    desk.fail("morph run test:60000 4", 2, &["test:60000", "0 to 59"]);
    desk.fail("morph run test:x 4", 2, &["test:x", "\"x\" is no number"]);
    desk.fail("morph run broken.png 4", 1, &["broken.png"]);
    desk.fail("morph run absent.png 4", 2, &["absent.png"]);
    desk.fail("morph run 2 4 --frames 0", 2, &["--frames"]);
    desk.fail("morph run 2 4 9 --frames 1", 2, &["1 frame was asked for", "from 3 to"]);
    desk.fail(
        "morph run 2 4 9 --frames 2 --loop cycle",
        2,
        &["2 frames were asked for", "from 3 to"],
    );
    desk.fail("morph run 2 4 --even --uneven", 2, &["--even", "--uneven"]);
    desk.fail("morph run 2 4 --out folder --hold 1", 2, &["folder", "--hold"]);
    desk.fail(
        "morph run 2 4 --out folder --loop bounce",
        2,
        &["folder", "--loop bounce"],
    );
    desk.fail("morph run 2 4 --fps 0", 2, &["--fps"]);
    desk.fail("morph run 2 4 --hold -1", 2, &["--hold"]);
    desk.fail("morph run 2 4 --out clip.mov", 2, &[".gif", ".mp4"]);
}
