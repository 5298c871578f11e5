//! Tests of the public face, one file per topic.

mod advisories;
mod allocations;
mod attack;
mod corpus;
mod corpus_client;
mod corpus_gunicorn;
mod corpus_llhttp;
mod corpus_picohttpparser;
mod differences;
mod drive;
mod errors;
mod exchange;
mod fields;
mod leniency;
mod limits;
mod naive;
mod oracle;
mod requests;
mod responses;
mod round_trip;
mod security_framing;
mod security_heads;
