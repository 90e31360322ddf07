//! Has the pages embedded anew when they were built anew, also when there were none before: the embedding itself only
//! watches the files it found.

use std::path::Path;

fn main() {
    let built = Path::new("../web/dist");
    let watched = if built.exists() { built } else { Path::new("../web") };
    println!("cargo:rerun-if-changed={}", watched.display());
}
