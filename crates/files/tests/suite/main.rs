//! The face of the crate: a folder served over a real connection.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test fails where something fails")]

mod access;
mod archives;
mod cached;
mod changes;
mod codings;
mod conditional;
mod dictionaries;
mod heads;
mod listing;
mod oracle;
mod pace;
mod paths;
mod properties;
mod ranges;
mod resumable;
mod settings;
mod sidecars;
mod site;
mod upload;
mod zipped;
