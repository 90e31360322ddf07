//! The arrows between the crates, asserted from what cargo itself reads: a crate that may not know something cannot
//! come to know it by a line in a manifest that nobody noticed.

use crate::harness::binary;
use anyhow::{Context as _, Result, ensure};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

/// Every arrow there is between our crates. Tests may look anywhere; they are not part of the house.
const ALLOWED: &[(&str, &[&str])] = &[
    ("api", &["bus", "entity", "lifecycle", "live", "places", "storage"]),
    ("bus", &[]),
    (
        "emergency-time",
        &[
            "api",
            "bus",
            "entity",
            "ingest",
            "lifecycle",
            "live",
            "media",
            "migration",
            "places",
            "redact",
            "storage",
            "worker",
        ],
    ),
    ("entity", &[]),
    ("ingest", &["entity", "live", "media", "storage"]),
    ("lifecycle", &["bus", "entity", "live", "storage"]),
    ("live", &["entity", "storage"]),
    ("media", &[]),
    ("migration", &["entity"]),
    ("places", &["entity"]),
    ("redact", &["media"]),
    ("storage", &["entity"]),
    ("worker", &["bus", "entity", "lifecycle", "media", "redact", "storage"]),
];

/// Crates of ours that only tests use.
const TESTS_ONLY: &[&str] =
    &["bench", "bench-live", "end-to-end", "fuzz", "ground-truth", "test-broker", "test-studio"];

/// What a crate may know neither itself nor through another crate of ours.
const UNKNOWN_TO: &[(&str, &[&str])] = &[
    ("redact", &["sea-orm", "actix-web", "lapin", "entity", "object_store", "reqwest", "tokio"]),
    ("media", &["sea-orm", "actix-web", "lapin", "entity", "object_store", "reqwest", "tokio"]),
    ("bus", &["sea-orm", "entity", "actix-web"]),
    ("live", &["sea-orm-migration", "migration", "lifecycle", "actix-web", "lapin"]),
    ("ingest", &["sea-orm-migration", "migration", "lifecycle", "bus", "actix-web", "lapin", "redact", "opencv"]),
    ("lifecycle", &["actix-web", "async-graphql", "opencv", "ffmpeg-next", "redact", "media", "ingest"]),
    ("api", &["redact", "media", "ingest", "opencv", "ffmpeg-next", "worker", "sea-orm-migration", "migration"]),
    ("places", &["actix-web", "async-graphql", "lapin", "reqwest", "tokio"]),
    ("worker", &["api", "actix-web", "async-graphql"]),
];

/// What a crate may not name itself, though the rows it is handed are made of it.
const NOT_DIRECTLY: &[(&str, &[&str])] = &[
    ("live", &["sea-orm"]),
    ("ingest", &["sea-orm", "ffmpeg-next"]),
    ("storage", &["sea-orm"]),
    ("worker", &["sea-orm"]),
    ("bus", &["sea-orm"]),
];

fn metadata() -> Result<Metadata> {
    let manifest = binary::workspace().join("Cargo.toml");
    let options = ["--offline".to_owned()];
    MetadataCommand::new().manifest_path(manifest).no_deps().other_options(options).exec().context("cargo metadata")
}

/// What each crate of the workspace names as a dependency for its own code, tests aside.
fn dependencies() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let packages = metadata()?.packages.into_iter();
    Ok(packages
        .map(|package| {
            let used = package.dependencies.into_iter().filter(|used| used.kind != DependencyKind::Development);
            (package.name.to_string(), used.map(|used| used.name).collect())
        })
        .collect())
}

#[test]
fn the_crates_know_each_other_only_along_the_arrows() -> Result<()> {
    let all = dependencies()?;
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for (name, used) in all.iter().filter(|(name, _)| !TESTS_ONLY.contains(&name.as_str())) {
        let permitted = allowed.get(name.as_str()).with_context(|| format!("{name} has no line in ALLOWED"))?;
        let ours: BTreeSet<&str> = used.iter().filter(|used| all.contains_key(*used)).map(String::as_str).collect();
        let permitted: BTreeSet<&str> = permitted.iter().copied().collect();
        let forbidden: Vec<_> = ours.difference(&permitted).collect();
        ensure!(forbidden.is_empty(), "{name} must not know {forbidden:?}");
    }
    ensure!(allowed.keys().all(|name| all.contains_key(*name)), "ALLOWED names a crate that is gone");
    Ok(())
}

#[test]
fn what_a_crate_must_not_know_it_does_not_learn_through_another() -> Result<()> {
    let all = dependencies()?;
    for (name, unknown) in UNKNOWN_TO {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut next = vec![*name];
        while let Some(current) = next.pop() {
            for used in all.get(current).into_iter().flatten() {
                if reached.insert(used) {
                    next.push(used);
                }
            }
        }
        ensure!(all.contains_key(*name), "{name} is gone");
        let known: Vec<_> = unknown.iter().filter(|unknown| reached.contains(*unknown)).collect();
        ensure!(known.is_empty(), "{name} has come to know {known:?}");
    }
    for (name, unknown) in NOT_DIRECTLY {
        let used = all.get(*name).with_context(|| format!("{name} is gone"))?;
        let known: Vec<_> = unknown.iter().filter(|unknown| used.contains(**unknown)).collect();
        ensure!(known.is_empty(), "{name} names {known:?}");
    }
    Ok(())
}
