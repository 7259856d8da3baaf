//! How much memory this machine has left.

use std::fs;
use std::path::Path;

/// Bytes that this process can still take: what the system has free, and what the limits of its control groups leave.
/// Unknown where the system does not say as Linux does.
#[must_use]
pub fn available() -> Option<u64> {
    available_below(Path::new("/"))
}

/// The same for the system whose files lie below `root`.
fn available_below(root: &Path) -> Option<u64> {
    let system = number(&root.join("proc/meminfo"), "MemAvailable:")?.saturating_mul(1024);
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = groups
        .lines()
        .filter_map(Group::of)
        .filter_map(|group| group.available(root));
    Some(limits.fold(system, u64::min))
}

/// A control group, and the names that its version gives its files.
struct Group<'a> {
    path: &'a str,
    mount: &'static str,
    limit: &'static str,
    used: &'static str,
    cache: &'static str,
}

impl<'a> Group<'a> {
    /// A line of `/proc/self/cgroup`, if it tells of memory.
    fn of(line: &'a str) -> Option<Self> {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        if controllers.is_empty() {
            return Some(Self {
                path,
                mount: "sys/fs/cgroup",
                limit: "memory.max",
                used: "memory.current",
                cache: "inactive_file",
            });
        }
        controllers.split(',').any(|name| name == "memory").then_some(Self {
            path,
            mount: "sys/fs/cgroup/memory",
            limit: "memory.limit_in_bytes",
            used: "memory.usage_in_bytes",
            cache: "total_inactive_file",
        })
    }

    /// What the limits of the group, and of those around it, leave. In a container the path may be one that only the
    /// machine around it knows; the container's own limit then stands at the mount.
    fn available(&self, root: &Path) -> Option<u64> {
        let mount = root.join(self.mount);
        let own = mount.join(self.path);
        let folders = own.ancestors().take_while(|folder| folder.starts_with(&mount));
        folders.filter_map(|folder| self.left(folder)).min()
    }

    fn left(&self, folder: &Path) -> Option<u64> {
        let whole = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
        let (limit, used) = (whole(self.limit)?, whole(self.used)?);
        // What is kept of files is given back before anything is refused.
        let cache = number(&folder.join("memory.stat"), self.cache).unwrap_or(0);
        Some(limit.saturating_sub(used.saturating_sub(cache)))
    }
}

/// The number behind a word that begins a line.
fn number(path: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system of files, written below a folder.
    fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const MEMINFO: (&str, &str) = (
        "proc/meminfo",
        "MemTotal:        8000 kB\nMemFree:          100 kB\nMemAvailable:    4000 kB\n",
    );

    #[test]
    fn without_limits_it_is_what_the_system_has_free() {
        let free = |files: &[(&str, &str)]| available_below(system(files).path());
        assert_eq!(free(&[MEMINFO]), Some(4000 * 1024));
        assert_eq!(free(&[]), None);
        let unlimited = [
            MEMINFO,
            ("proc/self/cgroup", "0::/user/me\n"),
            ("sys/fs/cgroup/user/me/memory.max", "max\n"),
            ("sys/fs/cgroup/user/me/memory.current", "77\n"),
        ];
        assert_eq!(free(&unlimited), Some(4000 * 1024));
    }

    #[test]
    fn a_limit_of_any_group_around_counts_and_cached_files_do_not() {
        let root = system(&[
            MEMINFO,
            ("proc/self/cgroup", "0::/user/me\n"),
            ("sys/fs/cgroup/user/memory.max", "2000000\n"),
            ("sys/fs/cgroup/user/memory.current", "1500000\n"),
            (
                "sys/fs/cgroup/user/memory.stat",
                "anon 9\nfile 800\ninactive_file 300000\n",
            ),
            ("sys/fs/cgroup/user/me/memory.max", "max\n"),
        ]);
        assert_eq!(available_below(root.path()), Some(800_000));
    }

    #[test]
    fn older_groups_and_containers_are_understood() {
        let root = system(&[
            MEMINFO,
            (
                "proc/self/cgroup",
                "4:cpu:/docker/1f\n3:hugetlb,memory:/docker/1f\n0::/\n",
            ),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "2000\n"),
            ("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 1400\n"),
        ]);
        assert_eq!(available_below(root.path()), Some(400));
    }

    #[test]
    fn this_machine_has_some() {
        if cfg!(target_os = "linux") {
            assert!(available().unwrap() > 0);
        }
    }
}
