//! The end: the first signal asks everything to finish, the second ends the process at once.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// What a shell reports for a program ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// Listens for SIGTERM and SIGINT as long as it lives.
pub struct Signals {
    token: CancellationToken,
    listener: JoinHandle<()>,
    came: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> std::io::Result<Self> {
        let token = CancellationToken::new();
        let came = Arc::new(AtomicBool::new(false));
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let listener = tokio::spawn(listen(terminate, interrupt, token.clone(), came.clone()));
        Ok(Self { token, listener, came })
    }

    /// Cancelled by the first signal.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Whether a signal came.
    pub fn came(&self) -> bool {
        self.came.load(Ordering::Relaxed)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn listen(mut terminate: Signal, mut interrupt: Signal, token: CancellationToken, came: Arc<AtomicBool>) {
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if came.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
        token.cancel();
    }
}
