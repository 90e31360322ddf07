//! One broadcast from its start to its blurred replay, over the real binary and real services, in both shapes of the
//! system, in fair weather and while processes die.
//!
//! Needs `cargo build` to have run, `ffmpeg` and `ffprobe`, PostgreSQL (`TEST_DATABASE_URL`) and RabbitMQ
//! (`TEST_AMQP_URL`); everything else it starts itself.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod disorder;
#[cfg(test)]
mod fault;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod live;
#[cfg(test)]
mod main_job;
#[cfg(test)]
mod poison;
