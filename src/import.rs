//! `import`: public cameras from a GeoJSON file.

mod geojson;

use crate::{
    config::{Rows, RowsFlags},
    database, process,
};
use anyhow::{Context as _, Result, bail, ensure};
use std::{path::PathBuf, time::Duration};

/// The largest file read, in bytes: some hundred thousand cameras.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Adds public cameras from a GeoJSON file, or brings known ones up to date.
#[derive(Debug, clap::Args)]
pub struct Command {
    /// A FeatureCollection of points with the properties name, kind (HLS, MP4 or IMAGE), url and attribution. A camera
    /// is known again by its feature's id, or the property id, or else its url.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Who publishes the cameras. Absent: the file's name without its ending.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Imports the good features of a file that has faulty ones; otherwise nothing of it is imported.
    #[arg(long)]
    skip_invalid: bool,
    /// Where rows are.
    #[command(flatten)]
    pub rows: RowsFlags,
}

impl Command {
    fn source(&self) -> Result<String> {
        let stem = self.file.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
        let source = self.source.clone().or(stem).unwrap_or_default().trim().to_owned();
        ensure!(!source.is_empty(), "the source has no name: give one by --source");
        Ok(source)
    }
}

/// Runs it; prints what was imported, and every faulty feature.
pub async fn run(command: &Command, rows: Rows) -> Result<()> {
    let name = command.file.display();
    let size = std::fs::metadata(&command.file).with_context(|| format!("{name} cannot be read"))?.len();
    ensure!(size <= MAX_BYTES, "{name} has {size} bytes, more than {MAX_BYTES}");
    let text = std::fs::read_to_string(&command.file).with_context(|| format!("{name} cannot be read"))?;
    let found = geojson::cameras(&text, &command.source()?).with_context(|| format!("{name}"))?;
    for fault in &found.faults {
        eprintln!("{name}: {fault}");
    }
    if !found.faults.is_empty() && !command.skip_invalid {
        bail!("{name}: {} of {} features are faulty; nothing was imported", found.faults.len(), found.features);
    }
    let db = database::open_current(&rows.database, false, Duration::ZERO).await?;
    let lifecycle = process::lifecycle_over(&db, &rows.storage)?;
    let done = lifecycle.upsert_cctvs(found.cameras).await.context("the cameras cannot be written")?;
    let skipped = found.faults.len();
    println!("{} added, {} changed, {} unchanged, {skipped} skipped", done.added, done.changed, done.unchanged);
    db.close().await.context("the database cannot be closed")
}
