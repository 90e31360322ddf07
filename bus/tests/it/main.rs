//! The buses, each over its real self: memory, and a RabbitMQ server.

mod bench;
mod contract;
mod in_process;
mod outages;
mod rabbit_limits;
