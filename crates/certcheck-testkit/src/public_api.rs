//! The types of other crates in the public API of a crate, found in its source, for tests of the API.
//!
//! A public item counts wherever it is: the lint `unreachable_pub` keeps other items from being public. Items from
//! macros are not seen, except derives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Fields, ImplItem, Item, ItemImpl, Signature, Token, TraitItem, Type, UseTree, Visibility,
};

use crate::imports::is_test;

/// The types and traits of other crates in the public items below `src`, by their paths, such as `bytes::Bytes`. Those of the
/// standard library do not count.
///
/// # Panics
/// If a file cannot be read or is not Rust.
#[must_use]
pub fn foreign_types(src: &Path) -> BTreeSet<String> {
    let files: Vec<syn::File> = sources(src).iter().map(|text| syn::parse_file(text).unwrap()).collect();
    let public = files.iter().flat_map(|file| &file.items).filter_map(public_type).collect();
    let mut found = BTreeSet::new();
    for file in &files {
        let mut reader = Reader { public: &public, names: BTreeMap::new(), found: &mut found };
        for module in file.items.iter().filter_map(module_name) {
            reader.names.insert(module.clone(), format!("self::{module}"));
        }
        for item in &file.items {
            if let Item::Use(used) = item {
                take_use(&used.tree, &[], &mut reader.names);
            }
        }
        file.items.iter().for_each(|item| reader.take(item));
    }
    found
}

fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(std::fs::read_to_string(&path).unwrap());
        }
    }
    found
}

const fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn public_type(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    is_public(visibility).then(|| name.to_string())
}

fn module_name(item: &Item) -> Option<String> {
    match item {
        Item::Mod(module) => Some(module.ident.to_string()),
        _ => None,
    }
}

/// Records the names that a `use` imports.
fn take_use(tree: &UseTree, before: &[String], names: &mut BTreeMap<String, String>) {
    let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
    let mut put = |name: &syn::Ident, path: Vec<String>| {
        // A path that begins with a module of this file belongs to this crate.
        let begin =
            path.first().and_then(|first| names.get(first)).filter(|known| known.starts_with("self::"));
        let path = begin.cloned().unwrap_or_else(|| path.join("::"));
        names.insert(name.to_string(), path);
    };
    match tree {
        UseTree::Path(path) => take_use(&path.tree, &with(&path.ident), names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| take_use(tree, before, names)),
        UseTree::Name(name) if name.ident == "self" => {
            if let Some(last) = before.last() {
                names.insert(last.clone(), before.join("::"));
            }
        }
        UseTree::Name(name) => put(&name.ident, with(&name.ident)),
        UseTree::Rename(name) => put(&name.rename, with(&name.ident)),
        UseTree::Glob(_) => {}
    }
}

/// Whether a path begins with the name of another crate.
fn is_foreign(path: &str) -> bool {
    let first = path.split("::").next().unwrap_or_default();
    !matches!(first, "crate" | "self" | "super" | "Self" | "std" | "core" | "alloc")
        && first.starts_with(|letter: char| letter.is_ascii_lowercase())
}

struct Reader<'r> {
    /// The public types of the crate itself.
    public: &'r BTreeSet<String>,
    /// The paths of the names in this file.
    names: BTreeMap<String, String>,
    found: &'r mut BTreeSet<String>,
}

impl Reader<'_> {
    fn take(&mut self, item: &Item) {
        match item {
            Item::Struct(item) if is_public(&item.vis) && !is_test(&item.attrs) => {
                self.take_derives(&item.attrs);
                self.visit_generics(&item.generics);
                self.take_fields(&item.fields, is_public);
            }
            Item::Enum(item) if is_public(&item.vis) && !is_test(&item.attrs) => {
                self.take_derives(&item.attrs);
                self.visit_generics(&item.generics);
                item.variants.iter().for_each(|variant| self.take_fields(&variant.fields, |_| true));
            }
            Item::Fn(item) if is_public(&item.vis) && !is_test(&item.attrs) => self.take_signature(&item.sig),
            Item::Type(item) if is_public(&item.vis) => self.visit_type(&item.ty),
            Item::Const(item) if is_public(&item.vis) => self.visit_type(&item.ty),
            Item::Trait(item) if is_public(&item.vis) => {
                item.supertraits.iter().for_each(|bound| self.visit_type_param_bound(bound));
                for part in &item.items {
                    if let TraitItem::Fn(function) = part {
                        self.take_signature(&function.sig);
                    }
                }
            }
            Item::Impl(item) if !is_test(&item.attrs) => self.take_impl(item),
            _ => {}
        }
    }

    fn take_impl(&mut self, item: &ItemImpl) {
        let Type::Path(of) = &*item.self_ty else { return };
        if !of.path.segments.last().is_some_and(|name| self.public.contains(&name.ident.to_string())) {
            return;
        }
        if let Some((of_trait, _)) = &item.trait_ {
            self.visit_path(of_trait);
        }
        for part in &item.items {
            match part {
                ImplItem::Fn(function) if is_public(&function.vis) => self.take_signature(&function.sig),
                ImplItem::Type(associated) => self.visit_type(&associated.ty),
                _ => {}
            }
        }
    }

    fn take_signature(&mut self, signature: &Signature) {
        self.visit_signature(signature);
    }

    fn take_fields(&mut self, fields: &Fields, counts: impl Fn(&Visibility) -> bool) {
        fields.iter().filter(|field| counts(&field.vis)).for_each(|field| self.visit_type(&field.ty));
    }

    fn take_derives(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let paths = Punctuated::<syn::Path, Token![,]>::parse_terminated;
            attribute.parse_args_with(paths).unwrap().iter().for_each(|path| self.visit_path(path));
        }
    }
}

impl<'s> Visit<'s> for Reader<'_> {
    fn visit_path(&mut self, path: &'s syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if let Some((first, rest)) = parts.split_first() {
            let begin = self.names.get(first).cloned();
            let begin = begin.or_else(|| (!rest.is_empty()).then(|| first.clone()));
            let path = begin.map(|begin| [&[begin][..], rest].concat().join("::"));
            self.found.extend(path.filter(|path| is_foreign(path)));
        }
        visit::visit_path(self, path);
    }
}
