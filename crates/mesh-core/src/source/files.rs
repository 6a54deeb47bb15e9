//! Files, folders and standard input.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rayon::prelude::*;

use super::{LoadOptions, Loaded, Problem, ProblemKind, Source, SourceId, load_text};
use crate::mesh::MeshBuilder;

/// The file name endings that are read in folders. A file that is named outright is read whatever its ending.
pub const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Files larger than this many bytes are refused: spans are 32 bits wide.
pub const LARGEST_FILE: u64 = u32::MAX as u64;

/// One input of a user: a path, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file or folder.
    Path(PathBuf),
    /// Text that was read from standard input.
    Stdin(Vec<u8>),
}

/// Files and folders to leave out, by patterns as in a `.gitignore` file.
#[derive(Clone, Debug)]
pub struct Exclude {
    folder: PathBuf,
    patterns: Gitignore,
}

impl Exclude {
    /// Patterns that hold below `folder`.
    ///
    /// # Errors
    ///
    /// The index of a pattern that cannot be understood, and why.
    pub fn new(folder: &Path, patterns: &[String]) -> Result<Self, (usize, String)> {
        let folder = fs_err::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let mut builder = GitignoreBuilder::new(&folder);
        for (index, pattern) in patterns.iter().enumerate() {
            builder
                .add_line(None, pattern)
                .map_err(|error| (index, error.to_string()))?;
        }
        let patterns = builder
            .build()
            .map_err(|error| (patterns.len().saturating_sub(1), error.to_string()))?;
        Ok(Self { folder, patterns })
    }

    /// Whether `path`, which is absolute and without links, is left out.
    fn covers(&self, path: &Path, is_folder: bool) -> bool {
        path.strip_prefix(&self.folder)
            .is_ok_and(|relative| self.patterns.matched(relative, is_folder).is_ignore())
    }
}

/// Reads all `inputs` into `builder`.
///
/// Folders are read to any depth, in the order of their names, without hidden files and without what
/// `.gitignore`, `.ignore` and `.meshctlignore` files leave out. What cannot be read becomes a problem of the mesh;
/// everything else is still read. `progress` is called once a file, from several threads.
pub fn load(
    builder: &mut MeshBuilder,
    inputs: Vec<Input>,
    options: &LoadOptions,
    progress: impl Fn() + Sync,
) {
    let mut items = Vec::new();
    for input in inputs {
        match input {
            Input::Path(path) => list(&path, options.exclude.as_ref(), &mut items),
            Input::Stdin(bytes) => items.push(Item::Text("-".to_owned(), bytes)),
        }
    }
    let first = builder.next_source();
    let results: Vec<_> = items
        .into_par_iter()
        .enumerate()
        .map(|(index, item)| {
            let id = SourceId(first.0.saturating_add(u32::try_from(index).unwrap_or(u32::MAX)));
            let result = read(id, item, options);
            progress();
            result
        })
        .collect();
    for (source, loaded) in results {
        builder.add(source, loaded);
    }
}

/// The files that [`load`] would read for a path, in its order.
///
/// # Errors
///
/// The first file or folder that cannot be read: its name, and why.
pub fn files_of(path: &Path) -> Result<Vec<PathBuf>, (String, String)> {
    let mut items = Vec::new();
    list(path, None, &mut items);
    items
        .into_iter()
        .filter_map(|item| match item {
            Item::File(path) => Some(Ok(path)),
            Item::Failed(name, message) => Some(Err((name, message))),
            // Only standard input is text already.
            Item::Text(..) => None,
        })
        .collect()
}

/// Reads one file as YAML without looking for resources in it.
///
/// # Errors
///
/// The file cannot be read, or is not text.
pub fn read_text(path: &Path) -> Result<Arc<str>, String> {
    let bytes = read_bytes(path)?;
    mesh_yaml::decode(bytes).map_err(|error| error.message)
}

enum Item {
    File(PathBuf),
    Text(String, Vec<u8>),
    Failed(String, String),
}

/// Adds the files at or under `path`. What is named outright is never left out.
fn list(path: &Path, exclude: Option<&Exclude>, items: &mut Vec<Item>) {
    match fs_err::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return items.push(Item::File(path.to_owned())),
        Err(error) => return items.push(Item::Failed(display_name(path), reason(&error))),
    }
    let mut walk = ignore::WalkBuilder::new(path);
    walk.require_git(false)
        .add_custom_ignore_filename(".meshctlignore")
        .sort_by_file_name(std::ffi::OsStr::cmp);
    if let (Some(exclude), Ok(real)) = (exclude.cloned(), fs_err::canonicalize(path)) {
        let given = path.to_owned();
        walk.filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let relative = entry.path().strip_prefix(&given).unwrap_or(Path::new(""));
            relative.as_os_str().is_empty() || !exclude.covers(&real.join(relative), is_folder)
        });
    }
    for entry in walk.build() {
        match entry {
            Ok(entry) => {
                let is_file = entry
                    .file_type()
                    .is_some_and(|kind| kind.is_file() || kind.is_symlink());
                let extension = entry.path().extension().and_then(std::ffi::OsStr::to_str);
                if is_file && extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) {
                    items.push(Item::File(entry.into_path()));
                }
            }
            Err(error) => items.push(Item::Failed(display_name(path), error.to_string())),
        }
    }
}

fn read(id: SourceId, item: Item, options: &LoadOptions) -> (Source, Loaded) {
    let (name, bytes) = match item {
        Item::File(path) => (display_name(&path), read_bytes(&path)),
        Item::Text(name, bytes) => (name, Ok(bytes)),
        Item::Failed(name, message) => (name, Err(message)),
    };
    let unreadable = |kind, message: String, help: Option<String>| {
        let problem = Problem {
            kind,
            file: name.clone(),
            source: None,
            span: None,
            message,
            help,
            related: None,
            document: None,
        };
        let loaded = Loaded {
            problems: vec![problem],
            ..Loaded::default()
        };
        (Source::new(name.clone(), Arc::from("")), loaded)
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(message) => return unreadable(ProblemKind::Unreadable, message, None),
    };
    match mesh_yaml::decode(bytes) {
        Ok(text) => {
            let loaded = load_text(id, &name, &text, options);
            (Source::new(name, text), loaded)
        }
        Err(error) => unreadable(ProblemKind::Syntax, error.message, error.help),
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let open = || -> std::io::Result<Vec<u8>> {
        let file = fs_err::File::open(path)?;
        let length = file.metadata()?.len();
        if length > LARGEST_FILE {
            return Err(std::io::Error::other("is larger than 4 GiB"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default().saturating_add(1));
        // A pipe or a growing file may hold more than its length said.
        file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    open().map_err(|error| reason(&error))
}

/// The cause of an I/O error without the path, which is shown beside it.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// The name under which a path is reported: as a user would type it.
pub fn display_name(path: &Path) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.display().to_string()
}
