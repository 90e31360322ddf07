//! Amazon IVS: its EventBridge messages, read into [`LiveEvent`](crate::LiveEvent)s and, to play IVS, written.
//!
//! Messages are best effort: lost, hours late, repeated, out of order. Reading one says nothing about the others.
//! Source: "Using Amazon EventBridge with Amazon IVS", Amazon IVS Low-Latency Streaming User Guide.

pub mod message;
mod parse;

pub use parse::{Malformed, Parsed, parse};

/// EventBridge's name of IVS.
const SOURCE: &str = "aws.ivs";
const STREAM_STATE: &str = "IVS Stream State Change";
const STREAM_HEALTH: &str = "IVS Stream Health Change";
const LIMIT_BREACH: &str = "IVS Limit Breach";
const RECORDING_STATE: &str = "IVS Recording State Change";
