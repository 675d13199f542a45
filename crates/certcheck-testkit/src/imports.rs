//! The imports between the files of a crate, read from its source, for tests about cycles and order.
//!
//! An import counts for the file that defines the imported item: re-exports are followed. Modules under `#[cfg(test)]`
//! do not count, nor does a module that only declares and re-exports its children. Imports that need type information,
//! such as method calls, are not seen, nor are modules under `#[path]`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Meta, UseTree, Visibility};

/// For each file below `src`, by its path from there, the files of the same crate that it imports from.
///
/// # Panics
/// If there is no `lib.rs`, or a file cannot be read or is not Rust.
#[must_use]
pub fn graph(src: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut tree = Tree::default();
    tree.read(src, "lib.rs", "", Vec::new());
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, content) in &tree.modules {
        let imports = graph.entry(content.file.clone()).or_default();
        for path in content.imports() {
            imports.extend(tree.files_of(module, path));
        }
        imports.remove(&content.file);
    }
    graph
}

/// The files that import each other in a cycle: all files of each cycle, sorted by name.
#[must_use]
pub fn cycles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        graph.keys().map(|file| (file, reached_from(graph, file))).collect();
    let reaches = |from: &String, to: &String| reached.get(from).is_some_and(|files| files.contains(to));
    let mut found = BTreeSet::new();
    for file in graph.keys().filter(|file| reaches(file, file)) {
        let circle = graph.keys().filter(|other| reaches(file, other) && reaches(other, file));
        found.insert(circle.cloned().collect::<Vec<_>>());
    }
    found.into_iter().collect()
}

fn reached_from<'g>(graph: &'g BTreeMap<String, BTreeSet<String>>, file: &str) -> BTreeSet<&'g String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = graph.get(file).into_iter().flatten().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(graph.get(next).into_iter().flatten());
        }
    }
    reached
}

/// The parts of a path as written.
type Parts = Vec<String>;

/// A `use`, for one name.
#[derive(Debug)]
struct Use {
    /// The name here. `None` is all of a module.
    name: Option<String>,
    path: Parts,
    is_public: bool,
}

/// The content of a module.
#[derive(Debug, Default)]
struct Content {
    file: String,
    /// The names that it defines itself.
    items: BTreeSet<String>,
    uses: Vec<Use>,
    /// Paths of two parts or more.
    paths: BTreeSet<Parts>,
    /// All names in it except those in `use`.
    words: BTreeSet<String>,
}

impl Content {
    /// The paths that are imports: a re-export only if the module uses it itself.
    fn imports(&self) -> impl Iterator<Item = &Parts> {
        let is_used =
            |used: &&Use| !used.is_public || used.name.as_ref().is_none_or(|name| self.words.contains(name));
        self.uses.iter().filter(is_used).map(|used| &used.path).chain(&self.paths)
    }
}

/// The modules of a crate.
#[derive(Debug, Default)]
struct Tree {
    modules: BTreeMap<Parts, Content>,
}

impl Tree {
    /// Reads a file and the files of the modules that it declares. Those are in the folder of this name.
    fn read(&mut self, src: &Path, file: &str, folder: &str, module: Parts) {
        let text = std::fs::read_to_string(src.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.take(src, file, folder, module, &syntax.items);
    }

    fn take(&mut self, src: &Path, file: &str, folder: &str, module: Parts, items: &[Item]) {
        let mut reader = Reader { content: Content { file: file.to_owned(), ..Content::default() } };
        for item in items {
            let Item::Mod(declared) = item else {
                reader.visit_item(item);
                continue;
            };
            if is_test(&declared.attrs) {
                continue;
            }
            let name = declared.ident.to_string();
            let path = [&module[..], std::slice::from_ref(&name)].concat();
            let below = format!("{folder}{name}/");
            match &declared.content {
                Some((_, items)) => self.take(src, file, &below, path, items),
                None => {
                    let [flat, nested] = [format!("{folder}{name}.rs"), format!("{below}mod.rs")];
                    let file = if src.join(&flat).is_file() { flat } else { nested };
                    self.read(src, &file, &below, path);
                }
            }
        }
        self.modules.insert(module, reader.content);
    }

    /// The files that define the target of a path that a module contains. Empty if it is not of this crate.
    fn files_of(&self, module: &Parts, path: &Parts) -> BTreeSet<String> {
        let mut files = BTreeSet::new();
        self.follow(module, path, &mut BTreeSet::new(), &mut files);
        files
    }

    /// Whether the path leads to something in this crate. `seen` are the paths that are being followed.
    fn follow(
        &self,
        module: &Parts,
        path: &Parts,
        seen: &mut BTreeSet<(Parts, Parts)>,
        files: &mut BTreeSet<String>,
    ) -> bool {
        if !seen.insert((module.clone(), path.clone())) {
            return false;
        }
        let mut at = module.clone();
        let mut rest = &path[..];
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            rest = others;
        }
        loop {
            let Some(content) = self.modules.get(&at) else { return false };
            let Some((name, others)) = rest.split_first() else {
                files.insert(content.file.clone());
                return true;
            };
            let child = [&at[..], std::slice::from_ref(name)].concat();
            if self.modules.contains_key(&child) {
                (at, rest) = (child, others);
                continue;
            }
            if content.items.contains(name) {
                files.insert(content.file.clone());
                return true;
            }
            return self.follow_uses(&at, content, rest, seen, files);
        }
    }

    /// Like [`Tree::follow`], for a path that begins with a name that a `use` of this module imports.
    fn follow_uses(
        &self,
        at: &Parts,
        content: &Content,
        rest: &[String],
        seen: &mut BTreeSet<(Parts, Parts)>,
        files: &mut BTreeSet<String>,
    ) -> bool {
        let Some((name, others)) = rest.split_first() else { return false };
        content.uses.iter().any(|used| match &used.name {
            Some(known) if known == name => self.follow(at, &[&used.path[..], others].concat(), seen, files),
            Some(_) => false,
            None => self.follow(at, &[&used.path[..], rest].concat(), seen, files),
        })
    }
}

/// Whether something only exists for tests.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        list.path.is_ident("cfg") && {
            let mut tokens = list.tokens.clone().into_iter();
            let first = tokens.next().map(|first| first.to_string());
            match first.as_deref() {
                Some("test") => true,
                Some("all") => tokens.any(|tokens| {
                    let TokenTree::Group(group) = tokens else { return false };
                    group.stream().into_iter().any(|token| token.to_string() == "test")
                }),
                _ => false,
            }
        }
    })
}

struct Reader {
    content: Content,
}

impl Reader {
    fn take_use(&mut self, tree: &UseTree, before: &Parts, is_public: bool) {
        let with = |name: &syn::Ident| [&before[..], &[name.to_string()]].concat();
        let mut put = |name: Option<String>, path| self.content.uses.push(Use { name, path, is_public });
        match tree {
            UseTree::Path(path) => self.take_use(&path.tree, &with(&path.ident), is_public),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.take_use(tree, before, is_public));
            }
            UseTree::Glob(_) => put(None, before.clone()),
            UseTree::Name(name) if name.ident == "self" => put(before.last().cloned(), before.clone()),
            UseTree::Name(name) => put(Some(name.ident.to_string()), with(&name.ident)),
            UseTree::Rename(name) if name.ident == "self" => {
                put(Some(name.rename.to_string()), before.clone());
            }
            UseTree::Rename(name) => put(Some(name.rename.to_string()), with(&name.ident)),
        }
    }

    /// The paths in the tokens of a macro, which have no syntax of their own.
    fn take_tokens(&mut self, tokens: TokenStream) {
        let mut path = Parts::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    let name = name.to_string();
                    self.content.words.insert(name.clone());
                    if colons != 2 {
                        self.end_path(&mut path);
                    }
                    path.push(name);
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                other => {
                    self.end_path(&mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.take_tokens(group.stream());
                    }
                }
            }
        }
        self.end_path(&mut path);
    }

    fn end_path(&mut self, path: &mut Parts) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.content.paths.insert(path);
        }
    }

    fn take_item(&mut self, name: Option<&syn::Ident>) {
        self.content.items.extend(name.map(ToString::to_string));
    }
}

impl<'s> Visit<'s> for Reader {
    fn visit_item(&mut self, item: &'s Item) {
        let (attributes, name): (&[Attribute], _) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Impl(item) => (&item.attrs, None),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Union(item) => (&item.attrs, Some(&item.ident)),
            Item::Use(item) => (&item.attrs, None),
            _ => (&[], None),
        };
        if !is_test(attributes) {
            self.take_item(name);
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'s ItemUse) {
        let is_public = !matches!(item.vis, Visibility::Inherited);
        self.take_use(&item.tree, &Parts::new(), is_public);
    }

    /// Modules within a function are ignored.
    fn visit_item_mod(&mut self, _: &'s ItemMod) {}

    fn visit_path(&mut self, path: &'s syn::Path) {
        let mut parts: Parts = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.end_path(&mut parts);
        visit::visit_path(self, path);
    }

    fn visit_ident(&mut self, name: &'s syn::Ident) {
        self.content.words.insert(name.to_string());
    }

    fn visit_macro(&mut self, called: &'s syn::Macro) {
        visit::visit_macro(self, called);
        self.take_tokens(called.tokens.clone());
    }

    /// Documentation and attributes import nothing.
    fn visit_attribute(&mut self, _: &'s Attribute) {}

    /// `pub(crate)` is not a path.
    fn visit_visibility(&mut self, _: &'s Visibility) {}
}
