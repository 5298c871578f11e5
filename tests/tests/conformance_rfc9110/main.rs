//! RFC 9110, the requirements on every server: one module per section, one test per requirement, over
//! a real socket against `avocet echo` or the server of `AVOCET_TARGET`.
//!
//! Ranges, conditions and dates are pure functions and tested where they are written; here is what
//! only shows on a connection.

mod _10_1_1_expect;
mod _15_status_codes;
mod _6_6_1_date;
mod _7_6_1_connection;
mod _9_methods;
