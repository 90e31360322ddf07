//! An S3 server in this process, on a folder and a port of its own.

use anyhow::{Context as _, Result};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use std::{net::SocketAddr, path::Path};
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

/// The one bucket.
pub const BUCKET: &str = "emergency-time";
/// The access key that the server takes.
pub const ACCESS_KEY: &str = "test-access-key";
/// Its secret.
pub const SECRET_KEY: &str = "test-secret-key-that-no-log-may-show";

/// A running server; gone when dropped.
pub struct ObjectServer {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl ObjectServer {
    /// Starts a server whose buckets are folders of `root`.
    pub async fn start(root: &Path) -> Result<Self> {
        std::fs::create_dir_all(root.join(BUCKET))?;
        let files = FileSystem::new(root).map_err(|error| anyhow::anyhow!("s3s-fs: {error:?}"))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the S3 server")?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            // Connections end with this task, and this task with its owner.
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    let server = Builder::new(TokioExecutor::new());
                    // A client that breaks off is no fault of the server.
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, accepting: accepting.abort_handle() })
    }

    /// Where clients find it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for ObjectServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
