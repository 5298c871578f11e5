use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A root inside a folder with something to find outside.
fn tree() -> (TempDir, PathBuf) {
    let around = TempDir::new().unwrap();
    let root = around.path().join("www");
    fs::create_dir_all(root.join("dir/sub")).unwrap();
    fs::create_dir(around.path().join("www-evil")).unwrap();
    fs::write(around.path().join("www-evil/secret"), "leak").unwrap();
    fs::write(around.path().join("secret"), "leak").unwrap();
    fs::write(root.join("file"), "file").unwrap();
    fs::write(root.join("dir/inner"), "inner").unwrap();
    (around, root)
}

fn inode(result: Result<OwnedFd, Errno>) -> Result<u64, Errno> {
    result.map(|file| File::from(file).metadata().unwrap().ino())
}

fn ways(root: &Path) -> [Root; 2] {
    let open = |way| Root::open(root, Links::Inside).unwrap().with_way(way);
    [open(Way::Kernel), open(Way::Walk)]
}

#[test]
fn the_kernel_is_asked_where_it_can() {
    let (_around, root) = tree();
    let root = Root::open(&root, Links::Inside).unwrap();
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let kernel = kernel::open(root.folder(), b".", flags);
    assert_eq!(root.way, if kernel.is_ok() { Way::Kernel } else { Way::Walk });
}

#[test]
fn links_that_leave_the_root_are_refused() {
    let (_around, root) = tree();
    let links = [
        ("up", "../secret"),
        ("far", "../../../../../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("sibling", "../www-evil/secret"),
        ("deep", "dir/sub/../../../secret"),
        ("out_and_in", "../www/file"),
        ("chain", "up"),
        ("folder", ".."),
        ("dir/up", "../../secret"),
    ];
    for (name, target) in links {
        symlink(target, root.join(name)).unwrap();
    }
    symlink(root.join("file"), root.join("absolute_inside")).unwrap();
    for root in ways(&root) {
        let names = links.iter().map(|(name, _)| *name);
        for name in names.chain(["absolute_inside", "folder/secret", "folder/www/file"]) {
            let opened = inode(root.open_below(name.as_bytes()));
            assert_eq!(opened, Err(Errno::XDEV), "{name} by {:?}", root.way);
        }
    }
}

#[test]
fn links_that_stay_inside_are_followed() {
    let (_around, root) = tree();
    symlink("../file", root.join("dir/up")).unwrap();
    symlink("dir/", root.join("folder")).unwrap();
    symlink("sub/../inner", root.join("dir/zigzag")).unwrap();
    symlink("file/", root.join("not_a_folder")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    let ino = |path: &str| Ok(fs::metadata(root.join(path)).unwrap().ino());
    for way in ways(&root) {
        let open = |path: &str| inode(way.open_below(path.as_bytes()));
        assert_eq!(open("dir/up"), ino("file"));
        assert_eq!(open("folder"), ino("dir"));
        assert_eq!(open("folder/zigzag"), ino("dir/inner"));
        assert_eq!(open(""), ino(""));
        assert_eq!(open("not_a_folder"), Err(Errno::NOTDIR));
        assert_eq!(open("file/x"), Err(Errno::NOTDIR));
        assert_eq!(open("loop"), Err(Errno::LOOP));
        assert_eq!(open("nothing"), Err(Errno::NOENT));
        assert_eq!(open(&"n".repeat(256)), Err(Errno::NAMETOOLONG));
        assert_eq!(open(&"n/".repeat(2500)), Err(Errno::NAMETOOLONG));
    }
}

#[test]
fn all_links_are_followed_where_that_is_asked_for() {
    let (_around, root) = tree();
    symlink("../secret", root.join("up")).unwrap();
    let trusting = Root::open(&root, Links::Anywhere).unwrap();
    assert!(trusting.open_below(b"up").is_ok());
}

/// What a component of a random path or link is made of.
fn component() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a"),
        Just("b"),
        Just("c"),
        Just("f"),
        Just("l"),
        Just("m"),
        Just("n"),
        Just("."),
        Just(".."),
        Just("www"),
        Just("secret"),
    ]
    .prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    let parts = proptest::collection::vec(component(), 1..6);
    (parts, any::<bool>()).prop_map(|(parts, slash)| parts.join("/") + if slash { "/" } else { "" })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn both_ways_agree_and_stay_inside(
        links in proptest::collection::vec((component(), path(), any::<bool>()), 0..8),
        paths in proptest::collection::vec(path(), 1..20),
    ) {
        let (around, root) = tree();
        for folder in ["a/b/c", "b/a", "c"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for file in ["f", "a/f", "a/b/f", "b/a/f"] {
            fs::write(root.join(file), file).unwrap();
        }
        for (place, (name, target, absolute)) in links.into_iter().enumerate() {
            let folder = ["", "a", "a/b", "b", "c"][place % 5];
            let target = if absolute { format!("/{target}") } else { target };
            // Where something has the name already there is no link.
            let _ = symlink(target, root.join(folder).join(name));
        }
        let outside = [around.path().to_owned(), around.path().join("secret")]
            .map(|path| fs::metadata(path).unwrap().ino());
        let [kernel, walk] = ways(&root);
        for path in paths {
            let by_kernel = inode(kernel.open_below(path.as_bytes()));
            let by_walk = inode(walk.open_below(path.as_bytes()));
            prop_assert_eq!(by_kernel.ok(), by_walk.ok(), "{}: {:?} {:?}", path, by_kernel, by_walk);
            if let Ok(inode) = by_walk {
                prop_assert!(!outside.contains(&inode), "{} leads outside", path);
            }
        }
    }
}
