//! Objects as files of one folder. No path leads out of it, by symbolic links neither, and an unfinished file is
//! never under a key: it is written aside, synced, then renamed into place.

use crate::{
    key::Key,
    location::Settings,
    store::{Error, Meta, too_large, too_many},
};
use bytes::Bytes;
use entity::time::{Timestamp, to_millis};
use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

/// Where unfinished files are. No key reaches it, for no part of a key begins with a dot.
const UNFINISHED: &str = ".unfinished";
/// An unfinished file this old belongs to a process that died over it.
const ABANDONED_AFTER: Duration = Duration::from_hours(1);
/// How often a put begins anew because the folder it wanted to put into was just removed as empty.
const PUT_TRIES: u32 = 5;

/// A folder that holds objects. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Folder {
    /// Canonical: no symbolic links in it.
    root: PathBuf,
    max_object_bytes: u64,
    max_listed: usize,
}

impl Folder {
    pub(crate) fn open(root: &Path, settings: &Settings) -> Result<Self, Error> {
        let open = || {
            fs::create_dir_all(root)?;
            let root = root.canonicalize()?;
            fs::create_dir_all(root.join(UNFINISHED))?;
            sweep(&root.join(UNFINISHED))?;
            Ok(root)
        };
        let root = open().map_err(|e: io::Error| Error::Unavailable(format!("the folder cannot be opened: {e}")))?;
        let (max_object_bytes, max_listed) = (settings.max_object_bytes, settings.max_listed);
        Ok(Self { root, max_object_bytes, max_listed })
    }

    pub(crate) async fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes, Error> {
        self.blocking(key, move |folder, key| folder.read(key, range)).await
    }

    pub(crate) async fn head(&self, key: &Key) -> Result<Meta, Error> {
        self.blocking(key, |folder, key| folder.open_object(key).map(|(_, metadata)| meta(key, &metadata))).await
    }

    pub(crate) async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.blocking(key, move |folder, key| folder.write(key, &bytes)).await
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.blocking(key, Self::remove).await
    }

    pub(crate) async fn list(&self, prefix: &Key) -> Result<Vec<(Key, Meta)>, Error> {
        self.blocking(prefix, |folder, prefix| match folder.find(prefix) {
            Ok(path) => {
                let mut found = Vec::new();
                folder.walk(&path, prefix, &mut found)?;
                Ok(found)
            }
            Err(Error::NotFound(_)) => Ok(Vec::new()),
            Err(e) => Err(e),
        })
        .await
    }

    pub(crate) async fn check(&self) -> Result<(), Error> {
        let folder = self.clone();
        let probe = move || {
            let (_, path) = folder.new_unfinished()?;
            fs::remove_file(path)
        };
        match tokio::task::spawn_blocking(probe).await {
            Ok(done) => done.map_err(|e| Error::Unavailable(format!("the folder takes no file: {e}"))),
            Err(e) => Err(Error::Unavailable(e.to_string())),
        }
    }

    /// Runs file work where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        key: &Key,
        work: impl FnOnce(&Self, &Key) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (folder, key) = (self.clone(), key.clone());
        match tokio::task::spawn_blocking(move || work(&folder, &key)).await {
            Ok(done) => done,
            Err(e) => Err(Error::Unavailable(e.to_string())),
        }
    }

    fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes, Error> {
        let (mut file, metadata) = self.open_object(key)?;
        let range = range.unwrap_or(0..metadata.len());
        if range.start >= metadata.len() && !range.is_empty() {
            return Err(Error::Refused("the range is outside the object".into()));
        }
        let bytes = range.end.min(metadata.len()) - range.start;
        if bytes > self.max_object_bytes {
            return Err(too_large(bytes, self.max_object_bytes));
        }
        let mut buffer = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
        file.seek(SeekFrom::Start(range.start)).map_err(|e| explain(&e, key))?;
        file.take(bytes).read_to_end(&mut buffer).map_err(|e| explain(&e, key))?;
        Ok(buffer.into())
    }

    fn open_object(&self, key: &Key) -> Result<(File, Metadata), Error> {
        let path = self.find(key)?;
        let metadata = fs::metadata(&path).map_err(|e| explain(&e, key))?;
        // Asked before opening: opening a pipe would wait for its other end.
        if !metadata.is_file() {
            return Err(Error::NotFound(key.clone()));
        }
        let file = File::open(path).map_err(|e| explain(&e, key))?;
        let metadata = file.metadata().map_err(|e| explain(&e, key))?;
        Ok((file, metadata))
    }

    /// The canonical path of something that exists.
    fn find(&self, key: &Key) -> Result<PathBuf, Error> {
        let path = self.root.join(key.as_str()).canonicalize().map_err(|e| explain(&e, key))?;
        self.within(path)
    }

    fn within(&self, canonical: PathBuf) -> Result<PathBuf, Error> {
        let aside = self.root.join(UNFINISHED);
        if canonical.starts_with(&self.root) && !canonical.starts_with(aside) {
            Ok(canonical)
        } else {
            Err(Error::Refused("a symbolic link leads out of the store".into()))
        }
    }

    fn write(&self, key: &Key, bytes: &[u8]) -> Result<(), Error> {
        let (mut file, unfinished) = self.new_unfinished().map_err(|e| explain_put(&e, key))?;
        let mut place = || {
            file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| explain_put(&e, key))?;
            self.move_into_place(&unfinished, key)
        };
        let placed = place();
        if placed.is_err()
            && let Err(e) = fs::remove_file(&unfinished)
        {
            tracing::warn!(error = %e, "an unfinished file stays behind until the store is opened again");
        }
        placed
    }

    fn move_into_place(&self, unfinished: &Path, key: &Key) -> Result<(), Error> {
        let (folders, name) = match key.as_str().rsplit_once('/') {
            Some((folders, name)) => (folders.split('/').collect(), name),
            None => (Vec::new(), key.as_str()),
        };
        for _ in 0..PUT_TRIES {
            let Some(folder) = self.make_folders(&folders, key)? else { continue };
            let target = folder.join(name);
            if fs::symlink_metadata(&target).is_ok_and(|found| found.is_symlink()) {
                // A link within the store is replaced, not followed; any other stays.
                self.within(target.canonicalize().map_err(|e| explain_put(&e, key))?)?;
            }
            match fs::rename(unfinished, &target) {
                Ok(()) => return sync_folder(&folder).or_else(gone).map_err(|e| explain_put(&e, key)),
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(explain_put(&e, key)),
            }
        }
        Err(Error::Unavailable("the key's folder was removed again and again".into()))
    }

    /// Makes the folders of a key, each one durable, and returns the innermost; `None` if a deletion beside us removed
    /// one of them as empty.
    fn make_folders(&self, parts: &[&str], key: &Key) -> Result<Option<PathBuf>, Error> {
        let mut folder = self.root.clone();
        for part in parts {
            let inner = folder.join(part);
            match fs::create_dir(&inner) {
                Ok(()) => sync_folder(&folder).or_else(gone).map_err(|e| explain_put(&e, key))?,
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
                Err(e) => return Err(explain_put(&e, key)),
            }
            folder = match inner.canonicalize() {
                Ok(canonical) => self.within(canonical)?,
                // Gone, or made again meanwhile by a put beside us; only a link stays as it is.
                Err(e) if e.kind() == ErrorKind::NotFound && !is_link(&inner) => return Ok(None),
                Err(e) => return Err(explain_put(&e, key)),
            };
        }
        Ok(Some(folder))
    }

    fn remove(&self, key: &Key) -> Result<(), Error> {
        let (folder, name) = match key.as_str().rsplit_once('/') {
            Some((folders, name)) => match self.root.join(folders).canonicalize() {
                Ok(folder) => (self.within(folder)?, name),
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
                Err(e) => return Err(explain(&e, key)),
            },
            None => (self.root.clone(), key.as_str()),
        };
        let target = folder.join(name);
        match fs::symlink_metadata(&target) {
            Ok(found) if !found.is_dir() => match fs::remove_file(&target) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(explain(&e, key)),
                _ => self.remove_empty(&folder),
            },
            // A folder is no object.
            Ok(_) => {}
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(e) => return Err(explain(&e, key)),
        }
        Ok(())
    }

    /// Removes a folder and those around it as long as they are empty: S3 has no empty folders either.
    fn remove_empty(&self, folder: &Path) {
        let mut folder = Some(folder);
        while let Some(path) = folder.filter(|path| *path != self.root && path.starts_with(&self.root)) {
            if fs::remove_dir(path).is_err() {
                return;
            }
            folder = path.parent();
        }
    }

    fn walk(&self, path: &Path, prefix: &Key, found: &mut Vec<(Key, Meta)>) -> Result<(), Error> {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            // A file is no folder; a folder may go while we look.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
            Err(e) => return Err(explain(&e, prefix)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| explain(&e, prefix))?;
            let name = entry.file_name();
            // What others have put there under a name that is no key is none of ours.
            let Some(key) = name.to_str().and_then(|name| prefix.join(name).ok()) else { continue };
            let kind = entry.file_type().map_err(|e| explain(&e, &key))?;
            if kind.is_dir() {
                self.walk(&entry.path(), &key, found)?;
            } else if let Some(meta) = self.listed(&key, kind.is_symlink())? {
                if found.len() == self.max_listed {
                    return Err(too_many(self.max_listed));
                }
                found.push((key, meta));
            }
        }
        Ok(())
    }

    /// What a listing says of an entry that is not a folder; links to folders are not walked, for they may form a ring.
    fn listed(&self, key: &Key, link: bool) -> Result<Option<Meta>, Error> {
        let path = if link { self.find(key) } else { Ok(self.root.join(key.as_str())) };
        match path.and_then(|path| fs::metadata(path).map_err(|e| explain(&e, key))) {
            Ok(metadata) if metadata.is_file() => Ok(Some(meta(key, &metadata))),
            Ok(_) | Err(Error::NotFound(_)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn new_unfinished(&self) -> io::Result<(File, PathBuf)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            // Processes in containers may share a folder and a process id; then the next number is free.
            let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = self.root.join(UNFINISHED).join(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, path)),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }
}

/// Removes what processes left unfinished when they died.
fn sweep(unfinished: &Path) -> io::Result<()> {
    for entry in fs::read_dir(unfinished)? {
        let entry = entry?;
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        let abandoned =
            written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > ABANDONED_AFTER));
        if abandoned {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes what was created in a folder, or renamed into it, durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink())
}

/// A folder that a deletion beside us has removed meanwhile needs no syncing.
fn gone(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn meta(key: &Key, metadata: &Metadata) -> Meta {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let nanos = modified.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Meta {
        size: metadata.len(),
        etag: format!("\"{:x}-{nanos:x}-{:x}\"", inode(metadata), metadata.len()),
        modified: to_millis(Timestamp::from(modified)),
        content_type: Some(key.content_type().to_owned()),
    }
}

/// Tells two files apart that were written within one tick of the file system's clock.
#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

/// A put makes what is missing, so that what cannot be found is a link to nowhere or a file in a folder's place.
fn explain_put(error: &io::Error, key: &Key) -> Error {
    match explain(error, key) {
        Error::NotFound(_) => Error::Refused("a link to nowhere or another object is in the key's way".into()),
        other => other,
    }
}

fn explain(error: &io::Error, key: &Key) -> Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Error::NotFound(key.clone()),
        ErrorKind::IsADirectory | ErrorKind::DirectoryNotEmpty => Error::Refused("the key is a folder's".into()),
        ErrorKind::InvalidFilename => Error::Refused("the file system does not take the key".into()),
        _ => Error::Unavailable(error.to_string()),
    }
}
