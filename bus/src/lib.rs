//! Jobs and event notices between processes: one contract, over RabbitMQ or within the process.
//!
//! What is published is durable (or, in process, found again at start by whoever owns the rows) before `publish`
//! returns; what is consumed is gone only after it was settled. A job may come twice, never not at all.

mod contract;
mod in_process;
mod rabbit;

pub use contract::{Bus, Delivery, Error, Jobs, MAX_DEAD_LETTERS, Notices, Outcome, RedeliveryPolicy};
pub use in_process::InProcess;
pub use rabbit::{Rabbit, RabbitSettings};
