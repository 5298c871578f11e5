//! What a file server must answer, written down naively from the RFCs, and a server in memory to hold
//! against it. Property tests and fuzz targets share it.

pub(crate) mod conditional;
pub(crate) mod memory;
pub(crate) mod path;
pub(crate) mod range;
