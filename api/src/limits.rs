//! Every bound of the API, once. A bound that is not here does not exist: nothing else in this crate counts, caps or
//! waits by a number of its own, so that an operator finds them all in one place.

use std::time::Duration;

/// The bounds of one api process.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request's body on `/graphql`. Default 256 KiB.
    pub body_bytes: usize,
    /// Bytes of one GraphQL document, over HTTP and WebSocket alike. Default 32 KiB.
    pub query_bytes: usize,
    /// How deep brackets may lie in each other in a GraphQL document, counted before it is parsed, because the parser
    /// recurses. Default 64.
    pub query_nesting: usize,
    /// Requests in one batch. Default 10.
    pub batch_requests: usize,
    /// Levels of fields in one operation; the introspection of common tools needs 15. Default 20.
    pub graphql_depth: usize,
    /// Complexity of one operation: fields, times the page size of the lists they are in. Default 20,000.
    pub graphql_complexity: usize,
    /// Levels of selection sets and fragments that the executor follows. Default 32.
    pub graphql_recursion: usize,
    /// Directives on one field. Default 5.
    pub graphql_directives: usize,
    /// Aliases in one document. Default 30.
    pub graphql_aliases: usize,
    /// Fields at the root of one operation. Default 20.
    pub graphql_root_fields: usize,
    /// Fields and fragments in one operation, every fragment counted wherever it is spread. Default 2,000.
    pub graphql_selections: usize,
    /// Errors in one answer; further ones are left out. Default 20.
    pub errors: usize,
    /// The largest `first` of a list. Default 500.
    pub page_items: usize,
    /// Queries and mutations that are executed at once in the process; one more is refused. Default 256.
    pub executions: usize,
    /// How long one query or mutation may take. Default 15 s.
    pub execution_timeout: Duration,

    /// HTTP connections of one worker thread, WebSockets included. Default 12,000.
    pub connections_per_worker: usize,
    /// HTTP worker threads; 0 means one for each processor. Default 0.
    pub http_workers: usize,
    /// How long a client may take to send a request's head. Default 5 s.
    pub head_timeout: Duration,
    /// How long a client may take to send a request's body. Default 15 s.
    pub body_timeout: Duration,
    /// How long a connection without a request stays open. Default 5 s.
    pub keep_alive: Duration,
    /// How long bytes may wait for a peer that does not take them until the system cuts the connection (on Linux:
    /// `TCP_USER_TIMEOUT`). Default 60 s.
    pub unsent_timeout: Duration,
    /// How long a shutdown waits for requests and sockets. Default 8 s.
    pub shutdown_timeout: Duration,
    /// How long it then waits for operations whose clients are gone. Default 1.5 s.
    pub drain_timeout: Duration,

    /// WebSockets of the process; one more is answered with 503. Default 10,000.
    pub sockets: usize,
    /// Operations open at once on one WebSocket; one more gets an error. Default 32.
    pub socket_operations: usize,
    /// Bytes of one message on a WebSocket, its fragments together. Default 64 KiB.
    pub message_bytes: usize,
    /// Bytes of the id a client gives an operation. Default 128.
    pub operation_id_bytes: usize,
    /// Messages of all operations of one WebSocket that wait for it. Default 16.
    pub socket_queue: usize,
    /// How long a client may take to send `connection_init`. Default 10 s.
    pub init_timeout: Duration,
    /// How often a WebSocket is pinged. Default 15 s.
    pub ping_interval: Duration,
    /// How long a WebSocket may be silent, pongs included. Default 45 s.
    pub idle_timeout: Duration,
    /// How long one message may wait for a reader that takes nothing. Default 10 s.
    pub send_timeout: Duration,
    /// How long a closed WebSocket is kept for its close frame to be read. Default 5 s.
    pub close_timeout: Duration,

    /// Events that wait for one subscriber; at one more it is ended. Default 256.
    pub hub_queue: usize,
    /// Events read from the log at once. Default 500.
    pub hub_batch: u64,
    /// How often the log is read when no notice came. Default 1 s.
    pub hub_poll: Duration,
    /// The furthest a subscription may go back, in event numbers. Default 100,000.
    pub hub_catch_up: i64,

    /// Bytes of a webhook's body. Default 256 KiB: ten times what Amazon EventBridge sends at most for one event of
    /// IVS.
    pub webhook_bytes: usize,
    /// How long a webhook's message may take to be stored before its sender is told to come again. Default 4 s: Amazon
    /// EventBridge waits 5.
    pub webhook_timeout: Duration,

    /// Bytes of a WHIP offer. Default 64 KiB; a browser's has about 6.
    pub sdp_bytes: usize,

    /// Bytes of a replay's object that are in memory at once for one request. Default 512 KiB.
    pub replay_chunk_bytes: u64,
    /// Replays whose state is remembered. Default 10,000.
    pub replay_states: usize,
    /// How long a replay's state is believed: a replay taken down plays on for this long at most. Default 3 s.
    pub replay_state_age: Duration,

    /// How long one part may take to answer whether it is well. Default 2 s.
    pub check_timeout: Duration,
    /// How long an answer of `/health/ready` is given again without looking. Default 1 s.
    pub check_age: Duration,
    /// How often histograms are folded when nobody reads `/metrics`. Default 5 s.
    pub metrics_upkeep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            query_bytes: 32 * 1024,
            query_nesting: 64,
            batch_requests: 10,
            graphql_depth: 20,
            graphql_complexity: 20_000,
            graphql_recursion: 32,
            graphql_directives: 5,
            graphql_aliases: 30,
            graphql_root_fields: 20,
            graphql_selections: 2_000,
            errors: 20,
            page_items: 500,
            executions: 256,
            execution_timeout: Duration::from_secs(15),
            connections_per_worker: 12_000,
            http_workers: 0,
            head_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(15),
            keep_alive: Duration::from_secs(5),
            unsent_timeout: Duration::from_mins(1),
            shutdown_timeout: Duration::from_secs(8),
            drain_timeout: Duration::from_millis(1_500),
            sockets: 10_000,
            socket_operations: 32,
            message_bytes: 64 * 1024,
            operation_id_bytes: 128,
            socket_queue: 16,
            init_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(45),
            send_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            hub_queue: 256,
            hub_batch: 500,
            hub_poll: Duration::from_secs(1),
            hub_catch_up: 100_000,
            webhook_bytes: 256 * 1024,
            webhook_timeout: Duration::from_secs(4),
            sdp_bytes: 64 * 1024,
            replay_chunk_bytes: 512 * 1024,
            replay_states: 10_000,
            replay_state_age: Duration::from_secs(3),
            check_timeout: Duration::from_secs(2),
            check_age: Duration::from_secs(1),
            metrics_upkeep: Duration::from_secs(5),
        }
    }
}
