//! The folder of the embedded mode: made when something is to lie in it, and tried before anything relies on it.

use super::{Faults, Secret};
use entity::PublishToken;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Name of the generated webhook secret in the data folder.
const SECRET_FILE: &str = "webhook-secret";

/// Where a single machine keeps what it makes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Data")]
pub struct DataFlags {
    /// The folder for the SQLite file, recordings, replays and generated secrets, as far as no other place is set for
    /// them.
    #[arg(long, env = "DATA_DIR", value_name = "FOLDER", default_value = "./data")]
    pub data_dir: PathBuf,
}

impl DataFlags {
    /// The folder by its absolute path, made if it was missing, proved to take files.
    pub fn folder(&self, faults: &mut Faults) -> Option<PathBuf> {
        let folder = if self.data_dir.as_os_str().is_empty() { Path::new("./data") } else { &self.data_dir };
        let absolute = faults.check("DATA_DIR", std::path::absolute(folder))?;
        let proof = prove(&absolute).map_err(|error| format!("{}: {error}", absolute.display()));
        faults.check("DATA_DIR", proof)?;
        Some(absolute)
    }

    /// The secret kept in the folder: made once, by whichever process comes first, and readable by its owner only.
    pub fn secret(&self, faults: &mut Faults) -> Option<Secret<String>> {
        let path = self.folder(faults)?.join(SECRET_FILE);
        let secret = keep_secret(&path).map_err(|error| format!("{}: {error}", path.display()));
        faults.check("WEBHOOK_SECRET", secret).map(Secret::new)
    }
}

/// Makes the folder and a file in it, and takes the file away again.
pub fn prove(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    tempfile::Builder::new().prefix(".writable-").tempfile_in(folder)?.close()
}

fn keep_secret(path: &Path) -> io::Result<String> {
    match read_secret(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        known => return known,
    }
    // Written whole under another name and then linked: of two processes that start at once, one wins, and neither
    // reads half a secret.
    let fresh = path.with_extension(uuid::Uuid::new_v4().simple().to_string());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    let written = file.write_all(PublishToken::generate().reveal().as_bytes()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| match fs::hard_link(&fresh, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    fs::remove_file(&fresh)?;
    linked?;
    read_secret(path)
}

fn read_secret(path: &Path) -> io::Result<String> {
    let secret = fs::read_to_string(path)?.trim().to_owned();
    if secret.is_empty() { Err(io::Error::new(io::ErrorKind::InvalidData, "holds no secret")) } else { Ok(secret) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_generated_secret_is_kept_and_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let flags = DataFlags { data_dir: folder.path().join("made") };
        let mut faults = Faults::default();
        let first = flags.secret(&mut faults).unwrap();
        assert_eq!(flags.secret(&mut faults).unwrap(), first);
        assert!(first.reveal().len() >= 32);
        let file = folder.path().join("made").join(SECRET_FILE);
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path().join("made")).unwrap().count(), 1, "nothing else is left behind");
    }
}
