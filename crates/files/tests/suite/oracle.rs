//! What a file server must answer, written down naively from the RFCs, and a server in memory to hold
//! against it. Property tests and fuzz targets share it; for these the paths are spelled out.

#[path = "oracle/conditional.rs"]
pub(crate) mod conditional;
#[path = "oracle/memory.rs"]
pub(crate) mod memory;
#[path = "oracle/path.rs"]
pub(crate) mod path;
#[path = "oracle/range.rs"]
pub(crate) mod range;
