//! How long a clip takes, what it weighs, and what is drawn beside it.

use std::fs;

use serde_json::Value;

use crate::desk::Desk;

/// A folder with a run in it.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    desk
}

fn report(desk: &Desk, line: &str) -> Value {
    serde_json::from_str(&desk.succeed(&format!("{line} --json --quiet --force"))).unwrap()
}

fn notes(desk: &Desk, line: &str) -> String {
    let output = desk.run(line);
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{line}\n{notes}");
    notes
}

#[test]
fn the_first_clip_takes_a_second_a_key_and_says_what_it_weighs() {
    let desk = Desk::new();
    let made = report(&desk, "morph 2 4 9 3 5 3 8 --path line");
    assert_eq!(
        (&made["loop"], &made["shown"], &made["seconds"]),
        (&"cycle".into(), &140.into(), &7.0.into())
    );
    let weight = fs::metadata(desk.path("morph-2-4-9-3-5-3-8.gif")).unwrap().len();
    assert_eq!(made["bytes"], weight);
    assert!(weight < 2_000_000, "{weight}");
    let keys = made["keys"].as_array().unwrap();
    assert_eq!(
        (keys.len(), &keys[0]["frame"], &keys[1]["name"]),
        (7, &0.into(), &"4".into())
    );
    let said = notes(&desk, "morph 2 4 --path line --frames 2 --out small.gif");
    assert!(said.contains("small.gif: 2 frames") && said.contains(" MB\n"), "{said}");
}

#[test]
fn a_clip_is_as_long_as_it_is_said_to_be() {
    let desk = desk();
    for repeat in ["once", "bounce", "cycle"] {
        let line = format!("morph run 2 4 9 --seconds 4 --hold 0.3 --loop {repeat} --path line --out {repeat}.gif");
        let seconds = report(&desk, &line)["seconds"].as_f64().unwrap();
        assert!((seconds - 4.0).abs() < 0.05, "{repeat}: {seconds}");
    }
    let frames = report(&desk, "morph run 2 4 --seconds 2 --fps 10 --path line --out frames");
    assert_eq!((&frames["frames"], &frames["loop"]), (&20.into(), &"once".into()));
    desk.fail(
        "morph run 2 4 9 --seconds 0.5 --out short.gif",
        2,
        &["0.5 s were asked for", "0.72 s or more", "0.60 s of rests"],
    );
    desk.fail("morph run 2 4 --seconds 3 --frames 20", 2, &["--seconds", "--frames"]);
    desk.fail("morph run 2 4 --seconds 0", 2, &["--seconds", "more than 0"]);
    desk.fail("morph run 2 4 --seconds long", 2, &["--seconds", "up to 3600"]);
}

#[test]
fn each_key_has_a_time_a_rest_and_an_ease_of_its_own() {
    let desk = desk();
    let frame = |made: &Value, key: usize| made["keys"][key]["frame"].as_u64().unwrap();
    let made = report(
        &desk,
        "morph run 2@time=2 4@hold=1.5,time=0.4s,ease=in 9@hold=0 --path line --fps 20 --out typed.gif",
    );
    assert_eq!(
        (frame(&made, 1), frame(&made, 2), &made["frames"]),
        (40, 48, &68.into())
    );
    let holds: Vec<f64> = (0..3).map(|key| made["keys"][key]["hold"].as_f64().unwrap()).collect();
    assert_eq!(holds, [0.2, 1.5, 0.0]);
    assert!(
        (made["seconds"].as_f64().unwrap() - 68.0 / 20.0 - 1.7).abs() < 0.03,
        "{made}"
    );
    // The same from a list, where a line may say nothing, and with the rest of a whole length.
    let list = "# three digits\n2 time=2\n\n4 hold=1.5  time=0.4 ease=in\n9 hold=0\n";
    fs::write(desk.path("keys.txt"), list).unwrap();
    report(&desk, "morph run --keys keys.txt --path line --fps 20");
    assert!(fs::read(desk.path("morph-keys.gif")).unwrap() == fs::read(desk.path("typed.gif")).unwrap());
    let made = report(&desk, "morph run --keys keys.txt --path line --fps 20 --seconds 6");
    assert!((made["seconds"].as_f64().unwrap() - 6.0).abs() < 0.03, "{made}");
    assert_eq!((frame(&made, 1), frame(&made, 2)), (40, 48));
    fs::write(desk.path("slow.txt"), "2 ease=in\n4\n").unwrap();
    report(
        &desk,
        "morph run --keys slow.txt --loop once --path line --frames 8 --out slow.gif",
    );
    report(&desk, "morph run 2 4 --loop once --path line --frames 8 --out even.gif");
    assert!(fs::read(desk.path("slow.gif")).unwrap() != fs::read(desk.path("even.gif")).unwrap());
}

#[test]
fn what_is_wrong_in_a_list_is_named_with_its_line() {
    let desk = desk();
    for (list, words) in [
        ("2\n4 time=-1\n", ["line 2", "time=-1"]),
        ("2\n\n4 hold=x\n", ["line 3", "hold=x"]),
        ("2\n4 slowly=1\n", ["line 2", "slowly=1"]),
        ("2\n4 ease=fast\n", ["line 2", "smoothstep"]),
        ("2\nseven\n", ["line 2", "seven"]),
        ("2\nabsent.png hold=1\n", ["line 2", "absent.png"]),
        ("2\n# 4\n", ["keys.txt", "two keys or more"]),
        ("2 hold=1 hold=2\n4\n", ["line 1", "said twice"]),
    ] {
        fs::write(desk.path("keys.txt"), list).unwrap();
        desk.fail("morph run --keys keys.txt", 2, &words);
    }
    fs::write(desk.path("keys.txt"), "2\n4 time=1\n").unwrap();
    desk.fail(
        "morph run --keys keys.txt --loop once",
        2,
        &["line 2", "time=", "the last"],
    );
    fs::write(desk.path("all.txt"), "2 time=1\n4 time=1\n").unwrap();
    desk.fail(
        "morph run --keys all.txt --frames 90",
        2,
        &["90 frames were asked for", "its own time"],
    );
    desk.fail("morph run --keys all.txt 9", 2, &["9", "--keys"]);
    desk.fail("morph run --keys absent.txt", 1, &["absent.txt"]);
    desk.fail("morph run 2@hold=-1 4", 2, &["2@hold=-1", "from 0 to 60"]);
    desk.fail("morph run 2@hodl=1 4", 2, &["hodl=1", "time=SECONDS"]);
    desk.fail("morph run 2@hold=1 4 --out folder", 2, &["folder", "hold="]);
    assert_eq!(fs::read_dir(desk.path(".")).unwrap().count(), 3);
}

#[test]
fn what_no_clip_can_be_is_refused_at_once() {
    let desk = desk();
    desk.fail("morph run 2 4 --frames 65537", 2, &["--frames", "from 1 to 65536"]);
    desk.fail("morph run 2 4 --frames 65536", 2, &["65536", "41943", "smaller scale"]);
    desk.fail(
        "morph run 2 4 --loop once --frames 9000 --scale 64",
        2,
        &["9000", "holds 256"],
    );
    fs::write(desk.path("long.txt"), "2 time=600\n4 time=600\n".repeat(3)).unwrap();
    desk.fail("morph run --keys long.txt", 2, &["90000 steps", "65536"]);
}

#[test]
fn many_keys_have_several_sheets_or_none() {
    let desk = desk();
    let line = |count: usize| (0..count).map(|key| format!("z:0,{key} ")).collect::<String>();
    fs::write(desk.path("many.txt"), line(95).replace(' ', "\n")).unwrap();
    let made = report(
        &desk,
        "morph run --keys many.txt --frames 95 --path line --uneven --scale 1 --out many.gif",
    );
    let sheets = made["sheets"].as_array().unwrap();
    assert_eq!((sheets.len(), &made["sheet"]), (3, &"many-sheet-1.png".into()));
    for sheet in sheets {
        assert!(image::open(desk.path(sheet.as_str().unwrap())).is_ok());
    }
    fs::remove_file(desk.path("many.gif")).unwrap();
    desk.fail(
        "morph run --keys many.txt --out many.gif",
        2,
        &["many-sheet-1.png", "--force"],
    );

    let made = report(&desk, "morph run 2 4 --path line --frames 2 --no-sheet --out bare.gif");
    assert_eq!(
        (&made["sheet"], &made["sheets"]),
        (&Value::Null, &Value::Array(Vec::new()))
    );
    assert!(!desk.path("bare-sheet.png").exists());

    fs::write(desk.path("crowd.txt"), line(500).replace(' ', "\n")).unwrap();
    let said = notes(
        &desk,
        "morph run --keys crowd.txt --frames 500 --path line --uneven --scale 1 --out crowd.gif",
    );
    assert!(said.contains("no contact sheet: 500 keys"), "{said}");
    assert!(desk.path("crowd.gif").exists() && !desk.path("crowd-sheet.png").exists());
}

#[test]
fn a_large_gif_is_said_to_be_one_before_the_work_begins() {
    let desk = desk();
    let told = notes(
        &desk,
        "morph 2 4 9 --path line --frames 120 --scale 20 --no-sheet --out large.gif",
    );
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("much for a GIF")).collect();
    assert_eq!(lines.len(), 1, "{told}");
    let about = lines[0].strip_prefix("large.gif will be about ").unwrap();
    let about: f64 = about[..about.find(" MB").unwrap()].parse().unwrap();
    let bytes = fs::metadata(desk.path("large.gif")).unwrap().len();
    assert!((about - bytes as f64 / 1e6).abs() < 0.2 * about, "{about} {bytes}");
    let told = notes(&desk, "morph run 2 4 --frames 4 --path line --out small.gif");
    assert!(
        told.contains("small.gif: ") && !told.contains("much for a GIF"),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing_of_a_clip() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let desk = Desk::new();
    for out in ["clip.gif", "clip.apng", "frames"] {
        let line = format!("morph 2 4 9 --frames 30000 --scale 1 --out {out}");
        let mut child = desk.command(&line).stderr(Stdio::piped()).spawn().unwrap();
        let (mut errors, mut said) = (BufReader::new(child.stderr.take().unwrap()), String::new());
        // It listens from before its first word on.
        errors.read_line(&mut said).unwrap();
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        errors.read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
        assert!(
            said.contains("nothing was written") && !said.contains("error"),
            "{said}"
        );
        assert_eq!(fs::read_dir(desk.path(".")).unwrap().count(), 0);
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_is_no_utf_8_is_a_file() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let desk = desk();
    let name = OsStr::from_bytes(b"fa\xe7ade.png");
    let path = desk.path(".").join(name);
    image::GrayImage::from_fn(32, 32, |x, y| image::Luma([(x * y) as u8]))
        .save(&path)
        .unwrap();
    let made = desk
        .command("morph run 7 --path line --frames 4 --json --quiet")
        .arg(name)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made["clip"], "morph-7-fa_ade.gif");
    let absent = desk
        .command("morph run 7")
        .arg(OsStr::from_bytes(b"\xff.png"))
        .output()
        .unwrap();
    let said = String::from_utf8(absent.stderr).unwrap();
    assert!(absent.status.code() == Some(2) && said.contains("not UTF-8"), "{said}");
}
