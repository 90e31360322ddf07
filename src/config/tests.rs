//! A wrong configuration names every fault at once and shows no secret.

use crate::cli::{Cli, Command};
use clap::Parser as _;

/// Faults of a command line, as they are printed. Flags that a test does not give may come from the environment, so
/// every one that matters is given.
fn faults(arguments: &[&str]) -> Vec<String> {
    let cli = Cli::try_parse_from([&["emergency-time"], arguments].concat()).unwrap();
    let checked = match &cli.command {
        Command::Serve(flags) => flags.check().map(drop),
        Command::Api(flags) => flags.check().map(drop),
        Command::Worker(flags) => flags.check().map(drop),
        Command::Simulate(command) => command.target.check().map(drop),
        _ => panic!("not a process"),
    };
    let both = super::Faults::both(cli.log.check().map(drop), checked);
    both.err().map(|faults| faults.to_string().lines().skip(1).map(str::to_owned).collect()).unwrap_or_default()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str) -> String {
        std::fs::write(self.path(name), b"a face model").unwrap();
        self.path(name)
    }
}

#[test]
fn every_fault_is_named_at_once() {
    let folder = Folder::new();
    let blocked = folder.file("blocked");
    let missing = folder.path("missing.onnx");
    let named = faults(&[
        "--log=,,=",
        "--log-format=xml",
        "serve",
        "--data-dir",
        &blocked,
        "--bind=nowhere",
        "--public-url=ftp://x",
        "--replays-public-url=https://x/?a=b",
        "--database-url=mysql://root:hunter2@db/x",
        "--database-connections=0",
        "--amqp-url=http://guest:hunter2@broker",
        "--recordings-url=https://x",
        "--replays-url=file://host/x",
        "--aws-allow-http=perhaps",
        "--live-provider=youtube",
        "--rtmp-bind=here",
        "--rtmp-public-url=http://x",
        "--whip-udp-bind=there",
        "--whip-advertise=127.0.0.1:1,me",
        "--live-grace-seconds=soon",
        "--live-publishers=0",
        "--live-kbits=-1",
        "--live-pixels=many",
        "--live-hours=0",
        "--model",
        &missing,
        "--threads=none",
        "--webhook-secret=",
    ]);
    for variable in [
        "LOG",
        "LOG_FORMAT",
        "DATA_DIR",
        "BIND",
        "PUBLIC_URL",
        "REPLAYS_PUBLIC_URL",
        "DATABASE_URL",
        "DATABASE_CONNECTIONS",
        "AMQP_URL",
        "RECORDINGS_URL",
        "REPLAYS_URL",
        "AWS_ALLOW_HTTP",
        "LIVE_PROVIDER",
        "RTMP_BIND",
        "RTMP_PUBLIC_URL",
        "WHIP_UDP_BIND",
        "WHIP_ADVERTISE",
        "LIVE_GRACE_SECONDS",
        "LIVE_PUBLISHERS",
        "LIVE_KBITS",
        "LIVE_PIXELS",
        "LIVE_HOURS",
        "FACE_MODEL",
        "REDACT_THREADS",
    ] {
        let of = named.iter().filter(|fault| fault.starts_with(&format!("  - {variable}: "))).count();
        assert_eq!(of, 1, "{variable} in {named:#?}");
    }
    assert!(named.iter().all(|fault| !fault.contains("hunter2")), "no fault shows a password: {named:#?}");
}

#[test]
fn nothing_needs_to_be_said_but_where_the_model_is() {
    let folder = Folder::new();
    let (data, model) = (folder.path("data"), folder.file("model.onnx"));
    assert_eq!(faults(&["serve", "--data-dir", &data, "--model", &model]), Vec::<String>::new());
    for made in ["data/recordings", "data/replays", "data/webhook-secret"] {
        assert!(std::fs::exists(folder.path(made)).unwrap(), "{made}");
    }
}

#[test]
fn api_and_worker_apart_need_a_broker_between_them() {
    let folder = Folder::new();
    let (data, model) = (folder.path("data"), folder.file("model.onnx"));
    for arguments in [
        vec!["api", "--data-dir", &data, "--amqp-url="],
        vec!["worker", "--data-dir", &data, "--model", &model, "--amqp-url="],
    ] {
        let named = faults(&arguments);
        assert!(named.len() == 1 && named[0].contains("AMQP_URL"), "{named:?}");
    }
}

#[test]
fn recordings_and_replays_never_lie_in_each_other() {
    let folder = Folder::new();
    let (data, model) = (folder.path("data"), folder.file("model.onnx"));
    let inside = format!("file://{}", folder.path("all/replays"));
    let outside = format!("file://{}", folder.path("all"));
    for (recordings, replays) in [
        (outside.as_str(), inside.as_str()),
        (&inside, &outside),
        (&inside, &inside),
        ("s3://bucket", "s3://bucket/replays"),
        ("s3://bucket/a/b", "s3://bucket/a"),
    ] {
        let arguments =
            ["serve", "--data-dir", &data, "--model", &model, "--recordings-url", recordings, "--replays-url", replays];
        assert_eq!(faults(&arguments).len(), 1, "{recordings} {replays}");
    }
    let apart = ["s3://bucket/a", "s3://bucket/ab"];
    let arguments =
        ["serve", "--data-dir", &data, "--model", &model, "--recordings-url", apart[0], "--replays-url", apart[1]];
    assert_eq!(faults(&arguments), Vec::<String>::new());
}

#[test]
fn a_configuration_printed_for_debugging_shows_no_secret() {
    let folder = Folder::new();
    let (data, model) = (folder.path("data"), folder.file("model.onnx"));
    let cli = Cli::try_parse_from([
        "emergency-time",
        "serve",
        "--data-dir",
        &data,
        "--model",
        &model,
        "--webhook-secret=hunter2",
        "--database-url=postgres://someone:hunter2@db/x",
        "--amqp-url=amqp://guest:hunter2@broker",
        "--aws-access-key-id=me",
        "--aws-secret-access-key=hunter2",
        "--aws-session-token=hunter2",
    ]);
    let Command::Serve(flags) = cli.unwrap().command else { panic!("not serve") };
    let shown = format!("{:?}", flags.check().unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn an_address_that_listens_everywhere_is_reached_on_this_machine() {
    let folder = Folder::new();
    let data = folder.path("data");
    for (bind, public) in [
        ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000/"),
        ("[::1]:8080", "http://[::1]:8080/"),
    ] {
        let arguments = ["emergency-time", "simulate", "clip.mp4", "--at=1,2", "--data-dir", &data, "--bind", bind];
        let Command::Simulate(command) = Cli::try_parse_from(arguments).unwrap().command else {
            panic!("not simulate")
        };
        assert_eq!(command.target.check().unwrap().server.as_str(), public);
    }
}
