//! What the tests of this workspace share.
#![forbid(unsafe_code)]
