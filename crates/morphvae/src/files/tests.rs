use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::{Claim, ClaimError, Unfinished, sweep, unfinished_name, write_atomically};

fn write(path: &Path, text: &str) -> io::Result<()> {
    write_atomically(path, |writer| writer.write_all(text.as_bytes()))
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.txt");
    fs::write(&path, "old").unwrap();
    let failed = write_atomically(&path, |writer| {
        writer.write_all(b"new")?;
        Err(io::Error::other("the disk is on fire"))
    });
    assert!(failed.is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(entries(folder.path()), 1);
}

#[test]
fn a_finished_write_replaces_the_file_and_makes_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/new.txt");
    write(&path, "one").unwrap();
    write(&path, "two").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    assert_eq!(entries(path.parent().unwrap()), 1);
}

#[test]
fn a_file_where_a_folder_should_be_is_called_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for name in ["file/new.txt", "file/a/b/new.txt"] {
        let error = write(&folder.path().join(name), "").unwrap_err().to_string();
        assert!(error.ends_with("file is a file, and no folder"), "{error}");
    }
    let error = write(folder.path(), "").unwrap_err().to_string();
    assert_eq!(error, "a folder stands there");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_hands_on_its_mode_and_its_owner() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.txt");
    write(&path, "old").unwrap();
    for mode in [0o600, 0o664, 0o444] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        write_atomically(&path, |writer| {
            let unfinished = fs::metadata(unfinished_name(&path)).unwrap();
            assert_eq!(unfinished.mode() & 0o077, 0, "others may look over our shoulder");
            writer.write_all(b"new")
        })
        .unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
    }
    // Only the superuser may give a file away.
    if chown(&path, Some(1234), Some(1234)).is_ok() {
        write(&path, "newer").unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (1234, 1234));
    }
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_written_through() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("elsewhere")).unwrap();
    fs::write(path("elsewhere/target.txt"), "old").unwrap();
    symlink("elsewhere/target.txt", path("link.txt")).unwrap();
    symlink("link.txt", path("link to a link.txt")).unwrap();
    symlink("nowhere/yet.txt", path("dangling.txt")).unwrap();
    for (link, target) in [
        ("link.txt", "elsewhere/target.txt"),
        ("link to a link.txt", "elsewhere/target.txt"),
        ("dangling.txt", "nowhere/yet.txt"),
    ] {
        write(&path(link), link).unwrap();
        assert!(path(link).is_symlink());
        assert!(!path(target).is_symlink());
        assert_eq!(fs::read_to_string(path(target)).unwrap(), link);
    }
    assert_eq!(entries(&path("elsewhere")), 1);
    symlink("circle.txt", path("circle.txt")).unwrap();
    assert!(
        write(&path("circle.txt"), "")
            .unwrap_err()
            .to_string()
            .contains("circle")
    );
    // What is no file is not replaced by one.
    symlink("/dev/null", path("device.txt")).unwrap();
    assert!(
        write(&path("device.txt"), "")
            .unwrap_err()
            .to_string()
            .contains("device")
    );
}

#[test]
fn what_dead_processes_left_is_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in [
        ".clip.gif.part-4194999",
        ".part-7",
        "clip.gif.part-7",
        ".clip.gif.part-",
        ".clip.gif.part-x",
    ] {
        fs::write(path(name), "half").unwrap();
    }
    fs::create_dir(path(".folder.part-7")).unwrap();
    let other = path("other.txt");
    let alive = Unfinished::beside(&other).unwrap();
    sweep(folder.path());
    assert!(alive.path().exists());
    assert!(!path(".clip.gif.part-4194999").exists());
    assert_eq!(entries(folder.path()), 6);
    alive.finish().unwrap();
    assert_eq!(entries(folder.path()), 6);

    // The first file that is written into a folder sees to it.
    fs::create_dir(path("films")).unwrap();
    fs::write(path("films/.clip.gif.part-4194999"), "half").unwrap();
    write(&path("films/other.gif"), "whole").unwrap();
    assert_eq!(entries(&path("films")), 1);
}

#[test]
fn one_alone_may_claim_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("runs/first");
    let claim = Claim::take(&run).unwrap();
    let Err(ClaimError::Taken(process)) = Claim::take(&run) else {
        panic!("it is taken");
    };
    assert_eq!(process, Some(std::process::id()));
    drop(claim);
    assert_eq!(entries(folder.path()), 0, "an empty folder was left");

    // The lock that a dead process left is nobody's.
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join(".lock"), "4194999").unwrap();
    let claim = Claim::take(&run).unwrap();
    write(&run.join("result.txt"), "").unwrap();
    drop(claim);
    assert_eq!(entries(&run), 1);
}

#[test]
fn of_many_at_once_one_claims_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let inside = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let Ok(_claim) = Claim::take(&run) else { continue };
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
    });
    // It is empty now, and stays where one came before another had removed it.
    assert!(!run.join(".lock").exists());
}

#[test]
fn a_claimed_folder_that_vanished_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let claim = Claim::take(&run).unwrap();
    let figure = run.join("figures/map.png");
    write(&figure, "").unwrap();
    fs::remove_dir_all(&run).unwrap();
    let error = write(&figure, "").unwrap_err().to_string();
    assert!(error.ends_with("run was removed or replaced meanwhile"), "{error}");
    assert!(!run.exists());

    // Nor is anything written into what somebody else has put in its place, whose lock stays.
    let other = Claim::take(&run).unwrap();
    assert!(write(&figure, "").is_err());
    drop(claim);
    assert!(matches!(Claim::take(&run), Err(ClaimError::Taken(_))));
    write(&figure, "").unwrap();
    drop(other);
    assert_eq!(entries(&run), 1);
}
