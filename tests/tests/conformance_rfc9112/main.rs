//! RFC 9112, one module per section, one test per requirement on a server, over a real socket.
//!
//! Above each test stands what the section demands, in our words. Where the RFC leaves a choice, the
//! test says which one is ours. The server is `avocet echo`, or the one of `AVOCET_TARGET` if it
//! answers alike: `OK` to GET, the content to POST, the received fields under `/echo`.
//!
//! Every answer is read by [`avocet_tests::raw`], which fails where one breaks the grammar, so the
//! requirements on what a server sends (§4, §5, §6.1, §7.1) are checked by every test here.

mod _2_2_message_parsing;
mod _2_3_version;
mod _3_2_target;
mod _3_request_line;
mod _4_status_line;
mod _5_fields;
mod _6_1_transfer_encoding;
mod _6_2_content_length;
mod _6_3_body_length;
mod _7_1_chunked;
mod _8_incomplete;
mod _9_3_persistence;
mod _9_6_tear_down;
