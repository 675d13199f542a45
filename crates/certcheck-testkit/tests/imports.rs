//! Imports are read in every form that they are written in.

use std::collections::BTreeSet;

use certcheck_testkit::imports::{cycles, graph};
use certcheck_testkit::public_api::foreign_types;

fn crate_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

/// What `a.rs` imports, where it says this.
fn imports_of(text: &str) -> BTreeSet<String> {
    let folder = crate_of(&[
        ("lib.rs", "mod a; mod b; mod deep; mod words; pub use b::B;"),
        ("a.rs", text),
        ("b.rs", "pub struct B; pub fn b() {} pub enum Kind { One }"),
        ("deep/mod.rs", "mod one; pub mod two; pub use one::One; pub use two::*;"),
        ("deep/one.rs", "pub struct One;"),
        ("deep/two.rs", "pub struct Two; pub const TWO: u8 = 2;"),
        ("words.rs", "pub const WORD: &str = \"\";"),
    ]);
    graph(folder.path()).remove("a.rs").expect("it is there")
}

#[test]
fn each_form_of_an_import_leads_to_the_file_that_defines_it() {
    for (text, files) in [
        ("use crate::b::B;", &["b.rs"][..]),
        ("use crate::B;", &["b.rs"]),
        ("use super::b::{self, B as Other};", &["b.rs"]),
        ("use crate::{\n    b::B,\n    deep::{One, two::Two},\n};", &["b.rs", "deep/one.rs", "deep/two.rs"]),
        ("use crate::deep::TWO;", &["deep/two.rs"]),
        ("use crate::deep::*;", &["deep/mod.rs"]),
        ("use crate::words as names; fn f() { names::WORD; }", &["words.rs"]),
        ("use crate::deep; fn f() { let _ = deep::One; }", &["deep/mod.rs", "deep/one.rs"]),
        ("fn f(_: crate::b::Kind) {}", &["b.rs"]),
        ("fn f() { crate::b::Kind::One; }", &["b.rs"]),
        ("fn f() { println!(\"{}\", crate::words::WORD); }", &["words.rs"]),
        ("fn f() { vec![(1, super::deep::two::TWO)]; }", &["deep/two.rs"]),
        ("fn f() { use crate::b::b; b(); }", &["b.rs"]),
        ("pub mod inner { pub fn f() { super::super::b::b() } }", &["b.rs"]),
        ("#[cfg(feature = \"x\")] use crate::b::B;", &["b.rs"]),
        ("#[cfg(not(test))] use crate::b::B;", &["b.rs"]),
        ("#[cfg(test)] use crate::b::B;", &[]),
        ("#[cfg(test)] mod tests { use crate::b::B; }", &[]),
        ("#[cfg(all(test, unix))] mod tests { use crate::b::B; }", &[]),
        ("use std::path::Path; use a::B; use words::WORD;", &[]),
        ("/// See [`crate::b::B`].\npub(crate) struct A;", &[]),
        ("pub use crate::b::B;", &[]),
        ("pub use crate::b::B; fn f(_: B) {}", &["b.rs"]),
    ] {
        let files: BTreeSet<String> = files.iter().map(|file| (*file).to_owned()).collect();
        assert_eq!(imports_of(text), files, "{text}");
    }
}

#[test]
fn a_circle_is_found_with_all_that_are_in_it() {
    let folder = crate_of(&[
        ("lib.rs", "mod a; mod b; mod c; mod d; mod e;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c::C; pub struct B;"),
        ("c.rs", "use crate::a::A; use crate::d::D; pub struct C;"),
        ("d.rs", "pub struct D;"),
        ("e.rs", "use crate::a::A;"),
    ]);
    assert_eq!(cycles(&graph(folder.path())), [["a.rs", "b.rs", "c.rs"]]);
}

#[test]
fn types_of_other_crates_are_found_where_they_are_public() {
    let folder = crate_of(&[
        (
            "lib.rs",
            "mod a;
        use a::A;
        use one::{Field, Hidden, Serialize, Shown as Other};
        #[derive(Clone, Serialize)]
        pub struct S { pub shown: Vec<Field>, hidden: Hidden }
        struct Private;
        pub enum E { Variant(two::Carried), Own(A) }
        impl S { pub fn f(&self, _: &Other) -> std::io::Result<()> {} fn g(_: Hidden) {} }
        impl From<three::Source> for S { fn from(_: three::Source) -> Self {} }
        impl From<Hidden> for Private { fn from(_: Hidden) -> Self {} }
        pub trait T: four::Bound { fn h(&self) -> five::Future; }
        pub(crate) fn local(_: Hidden) {}",
        ),
        ("a.rs", "pub(crate) struct A(pub one::Hidden);"),
    ]);
    let found = foreign_types(folder.path());
    let expected = [
        "five::Future",
        "four::Bound",
        "one::Field",
        "one::Serialize",
        "one::Shown",
        "three::Source",
        "two::Carried",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
}
