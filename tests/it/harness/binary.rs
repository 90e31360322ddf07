//! Finds the server's binary beside this test's own executable: cargo builds it for the package that owns it only,
//! so `cargo build` must have run before.

use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;

/// The path of `emergency-time`.
pub fn path() -> Result<PathBuf> {
    let own = std::env::current_exe().context("this test has no path")?;
    // target/<profile>/deps/it-<hash> → target/<profile>/emergency-time
    let profile = own.ancestors().nth(2).context("this test does not lie in a target folder")?;
    let binary = profile.join("emergency-time");
    if !binary.is_file() {
        bail!("{} is missing: run `cargo build` first (`make test` does)", binary.display());
    }
    Ok(binary)
}

/// The workspace's root.
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}
