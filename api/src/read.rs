//! Every question the API asks of the database, in SQL that SQLite and PostgreSQL answer alike.
//!
//! What was taken down is never answered: each question leaves removed rows out itself, so that no caller can forget
//! it. Nothing here writes.

pub(crate) mod area;
pub(crate) mod cctvs;
pub(crate) mod grid;
pub(crate) mod items;
pub(crate) mod map;
pub(crate) mod page;
pub(crate) mod streams;
pub(crate) mod vods;

#[cfg(test)]
pub(crate) mod fixture;
