//! Writes the segments that fuzzing begins with into the directory named.
#![expect(clippy::expect_used, reason = "without seeds there is nothing to fuzz")]

use ground_truth::damage::Subject;
use std::{env, fs, path::PathBuf};

fn main() {
    let directory = PathBuf::from(env::args_os().nth(1).expect("usage: fuzz-seeds DIRECTORY"));
    fs::create_dir_all(&directory).expect("the directory can be made");
    for (name, subject) in [("full", Subject::full()), ("coming", Subject::coming())] {
        fs::write(directory.join(name), subject.segment).expect("a seed can be written");
    }
}
