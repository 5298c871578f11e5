//! Tests of the public face, one file per topic.

mod advisories;
mod attack;
mod corpus;
mod corpus_client;
mod corpus_gunicorn;
mod corpus_llhttp;
mod corpus_picohttpparser;
mod differences;
mod drive;
mod exchange;
mod leniency;
mod limits;
mod naive;
mod responses;
mod security_framing;
mod security_heads;
