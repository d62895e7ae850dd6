//! Which files of a folder are rules.

use super::{SALE, Shop};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

/// What `audience check` finds: how many files, and what it says.
fn checked(shop: &Shop) -> (i32, String) {
    let (code, told, said) = shop.run(&["audience", "check", "my"]);
    (code, told + &said)
}

fn is_fine(shop: &Shop, files: &str) {
    let (code, said) = checked(shop);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(files), "{said}");
}

#[test]
fn a_mounted_config_map_is_read_once() {
    let shop = Shop::new(&[]);
    let held = shop.path("my/..2026_11_27_10_00_00.1");
    fs::create_dir_all(held.join("sub")).unwrap();
    fs::rename(shop.path("my/paint.yaml"), held.join("paint.yaml")).unwrap();
    fs::write(held.join("sub/sale.yaml"), SALE).unwrap();
    symlink("..2026_11_27_10_00_00.1", shop.path("my/..data")).unwrap();
    for name in ["paint.yaml", "sub"] {
        symlink(format!("..data/{name}"), shop.path("my").join(name)).unwrap();
    }
    is_fine(&shop, "my: 2 files");
}

#[test]
fn hidden_files_are_no_rules() {
    let shop = Shop::new(&[("sale.yaml", SALE)]);
    for hidden in ["._sale.yaml", ".sale.yaml.swp.yaml", ".git/x.yaml"] {
        fs::create_dir_all(shop.path("my/.git")).unwrap();
        fs::write(shop.path("my").join(hidden), b"\0\x05\x16\x07").unwrap();
    }
    symlink("user@host.1234:1", shop.path("my/.#sale.yaml")).unwrap();
    is_fine(&shop, "my: 2 files");
}

#[test]
fn links_that_go_round_end() {
    let shop = Shop::new(&[]);
    fs::create_dir(shop.path("my/z")).unwrap();
    fs::write(shop.path("my/z/sale.yaml"), SALE.replace("audience:", "audeince:")).unwrap();
    symlink(".", shop.path("my/round")).unwrap();
    symlink("../my", shop.path("my/z/back")).unwrap();
    symlink("z", shop.path("my/a")).unwrap();
    let (code, said) = checked(&shop);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("my/z/sale.yaml:1:1") && !said.contains("my/a/"), "{said}");
    fs::write(shop.path("my/z/sale.yaml"), SALE).unwrap();
    is_fine(&shop, "my: 2 files");
}

#[test]
fn what_is_no_file_is_refused_and_not_opened() {
    let shop = Shop::new(&[("sale.yaml", SALE)]);
    assert!(Command::new("mkfifo").arg(shop.path("my/pipe.yaml")).status().unwrap().success());
    let (code, said) = checked(&shop);
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("my/pipe.yaml") && said.contains("neither a file nor"), "{said}");
    fs::rename(shop.path("my/pipe.yaml"), shop.path("my/pipe")).unwrap();
    is_fine(&shop, "my: 2 files");
}
