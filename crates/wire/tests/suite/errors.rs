//! What errors say, and the status each answers with.

use avocet_wire::{
    CloseReason, Fault, Feature, HeadError, InvalidField, Leniency, Limit, NotSingle, Part,
    ReadError, SendError,
};
use http::Method;

use crate::attack::refused;
use crate::drive;

fn malformed(fault: Fault) -> ReadError {
    ReadError::Malformed { fault, position: 7 }
}

fn exceeded(limit: Limit) -> ReadError {
    ReadError::LimitExceeded { limit, most: 9, position: 7 }
}

fn unsupported(feature: Feature) -> ReadError {
    ReadError::Unsupported { feature, position: 7 }
}

#[test]
fn each_error_has_its_status_and_place() {
    for (error, status, position) in [
        (malformed(Fault::BareLf), 400, Some(7)),
        (malformed(Fault::MissingHost), 400, Some(7)),
        (exceeded(Limit::RequestLine), 414, Some(7)),
        (exceeded(Limit::Head), 431, Some(7)),
        (exceeded(Limit::Fields), 431, Some(7)),
        (exceeded(Limit::Trailers), 431, Some(7)),
        (exceeded(Limit::TrailerFields), 431, Some(7)),
        (exceeded(Limit::ChunkLine), 400, Some(7)),
        (exceeded(Limit::Extensions), 400, Some(7)),
        (unsupported(Feature::Version), 505, Some(7)),
        (unsupported(Feature::TransferCoding), 501, Some(7)),
        (unsupported(Feature::Expectation), 417, Some(7)),
        (ReadError::CutShort { during: Part::Content }, 400, None),
        (ReadError::Unsolicited, 400, None),
        (ReadError::Failed, 400, None),
    ] {
        assert_eq!(
            (error.status_hint().as_u16(), error.position()),
            (status, position),
            "{error:?}"
        );
    }
}

#[test]
fn messages_are_lower_case_name_the_thing_and_have_no_full_stop() {
    let faults = [
        Fault::BareCr,
        Fault::BareLf,
        Fault::EmptyLines,
        Fault::Method,
        Fault::RequestLine,
        Fault::Target,
        Fault::TargetForm,
        Fault::Version,
        Fault::StatusLine,
        Fault::Status,
        Fault::Reason,
        Fault::LeadingBlank,
        Fault::FieldName,
        Fault::BlankBeforeColon,
        Fault::Fold,
        Fault::FieldValue,
        Fault::MissingHost,
        Fault::SeveralHosts,
        Fault::Host,
        Fault::ContentLength,
        Fault::SeveralContentLengths,
        Fault::LengthWithTransferEncoding,
        Fault::TransferEncodingInHttp10,
        Fault::TransferEncoding,
        Fault::ContentOfConnect,
        Fault::ChunkSize,
        Fault::ChunkExtension,
        Fault::ChunkEnd,
        Fault::UnexpectedSwitch,
    ];
    let limits = [
        Limit::RequestLine,
        Limit::Head,
        Limit::Fields,
        Limit::ChunkLine,
        Limit::Extensions,
        Limit::Trailers,
        Limit::TrailerFields,
        Limit::Interim,
    ];
    let parts = [Part::Head, Part::Content, Part::Chunks];
    let features = [Feature::Version, Feature::TransferCoding, Feature::Expectation];
    let send_errors = [
        SendError::HeadNotDue,
        SendError::ContentNotDue,
        SendError::TooLong { left: 3 },
        SendError::TooShort { missing: 3 },
        SendError::TrailersNotChunked,
        SendError::ForbiddenTrailer,
        SendError::NotInterim,
        SendError::NotFinal,
        SendError::InterimToHttp10,
        SendError::SwitchNotAsked,
        SendError::ContinueFirst,
        SendError::ContentForbidden,
        SendError::Target,
        SendError::Host,
        SendError::LengthRequired,
        SendError::ExpectWithoutContent,
        SendError::Method,
        SendError::Reason,
        SendError::NoMoreRequests,
    ];
    let reasons = [
        CloseReason::ReadingUnfinished,
        CloseReason::SendingUnfinished,
        CloseReason::Wanted,
        CloseReason::PeerAsked,
        CloseReason::Http10,
        CloseReason::ContentUntilClose,
        CloseReason::FramingInDoubt,
        CloseReason::Switched,
        CloseReason::PeerClosed,
        CloseReason::Fault,
    ];
    let fields =
        [InvalidField::Name, InvalidField::Value, InvalidField::Reserved, InvalidField::TooMany];
    let messages: Vec<String> = faults
        .iter()
        .map(|fault| malformed(*fault).to_string())
        .chain(limits.iter().map(|limit| exceeded(*limit).to_string()))
        .chain(features.iter().map(|feature| unsupported(*feature).to_string()))
        .chain(parts.iter().map(|during| ReadError::CutShort { during: *during }.to_string()))
        .chain([ReadError::Unsolicited.to_string(), ReadError::Failed.to_string()])
        .chain(send_errors.iter().map(ToString::to_string))
        .chain(reasons.iter().map(ToString::to_string))
        .chain(fields.iter().map(ToString::to_string))
        .chain([NotSingle.to_string(), HeadError::Target.to_string()])
        .collect();
    for (at, message) in messages.iter().enumerate() {
        let letters: String = message.chars().filter(char::is_ascii_alphabetic).collect();
        assert!(letters.len() > 10 && letters == letters.to_lowercase(), "{message:?}");
        assert!(!message.ends_with('.'), "{message:?}");
        assert!(!messages[..at].contains(message), "{message:?} says two things");
    }
    assert_eq!(exceeded(Limit::Head).to_string(), "too many bytes in the head, 9 at most");
    assert_eq!(malformed(Fault::BareLf).to_string(), "line feed without carriage return at byte 7");
}

#[test]
fn positions_count_from_the_input_of_the_call() {
    let read = |input: &str| drive::server(input.as_bytes(), &[]).error().expect("refused");
    for (input, position) in [
        ("GE(T / HTTP/1.1\r\n\r\n", 2),
        ("\r\nGE(T / HTTP/1.1\r\n\r\n", 4),
        ("GET /a#b HTTP/1.1\r\n\r\n", 6),
        ("GET / HTTP/3.1\r\n\r\n", 6),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n", 26),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: y\0\r\n\r\n", 29),
        ("GET / HTTP/1.1\r\nX: y\r\nHost: a b\r\n\r\n", 22),
    ] {
        assert_eq!(read(input).position(), Some(position), "{input:?}");
    }
}

#[test]
fn faults_are_told_apart_where_a_blank_stands() {
    let fault = |input: &str| {
        let every: Vec<usize> = (1..input.len()).collect();
        let whole = drive::server(input.as_bytes(), &[]).error();
        assert_eq!(drive::server(input.as_bytes(), &every).error(), whole);
        match whole {
            Some(ReadError::Malformed { fault, .. }) => fault,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(fault("GET / HTTP/1.1\r\n X: y\r\n\r\n"), Fault::LeadingBlank);
    assert_eq!(fault("GET / HTTP/1.1\r\nX: y\r\n z\r\n\r\n"), Fault::Fold);
    assert_eq!(fault("GET / HTTP/1.1\r\nX : y\r\n\r\n"), Fault::BlankBeforeColon);
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    assert_eq!(fault(&format!("{chunked} X: y\r\n\r\n")), Fault::LeadingBlank);
    assert_eq!(fault(&format!("{chunked}X: y\r\n z\r\n\r\n")), Fault::Fold);
}

#[test]
fn status_codes_of_responses() {
    let read = |line: &str| {
        let input = format!("{line}\r\nContent-Length: 0\r\n\r\n");
        drive::client(Leniency::client(), &Method::GET, input.as_bytes(), &[]).error()
    };
    for line in ["HTTP/1.1 200 OK", "HTTP/1.1 999 ", "HTTP/1.0 600 x", "HTTP/1.9 200 "] {
        assert_eq!(read(line), None, "{line}");
    }
    for line in [
        "HTTP/1.1 000 ",
        "HTTP/1.1 099 ",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 -20 OK",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1200 OK",
        "HTTP/2 200 OK",
        "HTTP/2.0 200 OK",
        "http/1.1 200 OK",
        "ICY 200 OK",
        " HTTP/1.1 200 OK",
        "HTTP/1.1 200 a\u{1}",
        "HTTP/1.1",
        "HTTP/1.1 ",
    ] {
        assert!(read(line).is_some(), "{line:?}");
    }
    assert_eq!(refused("GET / HTTP/3.0\r\nHost: a\r\n\r\n"), 505);
}
