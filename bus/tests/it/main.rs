//! The buses, each over its real self: memory, and a RabbitMQ server.

// `cfg(test)` always holds here; it tells clippy that the functions beside the tests are tests as well.
#[cfg(test)]
mod bench;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod in_process;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod rabbit_limits;
