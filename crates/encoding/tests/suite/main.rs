//! The public face of the crate: the corpus, the limits, faults, round trips and any cut of the
//! input.

mod corpus;
mod pieces;
