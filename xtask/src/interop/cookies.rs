//! Files of cookies, written by one program and read by another: ours, curl's and Python's.

use super::lab::{Lab, check};
use super::servers;
use crate::Outcome;

/// What goes out to a page at the top, and below /deep.
const TOP: &[u8] = b"hidden=three lasting=two%20words session=one\n";
const DEEP: &[u8] = b"deep=four hidden=three lasting=two%20words session=one\n";

pub(super) fn run(lab: &Lab) -> Outcome {
    let pages = servers::pages(lab)?;
    let (set, show, deep) = (pages.url("/set"), pages.url("/show"), pages.url("/deep/show"));
    let avocet = |jar: &str| {
        lab.avocet(&["fetch", "-b", jar, &show])?.ended(0)?.printed(TOP)?;
        lab.avocet(&["fetch", "-b", jar, &deep])?.ended(0)?.printed(DEEP)
    };
    let curl = |jar: &str| {
        lab.run("curl", &["-sS", "-b", jar, &show])?.ended(0)?.printed(TOP)?;
        lab.run("curl", &["-sS", "-b", jar, &deep])?.ended(0)?.printed(DEEP)
    };
    let python = |step: &str, format: &str, jar: &str, url: &str| {
        lab.python(include_str!("cookies.py"), &[step, format, jar, url])?.ended(0)
    };

    // A redirect on the way, over which the cookies go out already.
    let redirect = pages.url("/set?redirect");
    lab.avocet(&["fetch", "-L", "-c", "ours", &redirect])?.ended(0)?.printed(TOP)?;
    avocet("ours")?;
    curl("ours")?;
    python("show", "mozilla", "ours", &deep)?.printed(DEEP)?;
    lab.avocet(&["cookies", "export", "ours", "--to", "lwp", "-o", "ours.lwp"])?.ended(0)?;
    python("show", "lwp", "ours.lwp", &deep)?.printed(DEEP)?;
    println!("ours: read by curl, by Python's MozillaCookieJar and LWPCookieJar");

    lab.run("curl", &["-sS", "-c", "curls", &set])?.ended(0)?;
    avocet("curls")?;
    // What curl wrote and we wrote again, curl reads again.
    lab.avocet(&["fetch", "-b", "curls", "-c", "curls", &show])?.ended(0)?;
    curl("curls")?;
    println!("curl's: read by us, written by us, read by curl");

    for (format, jar) in [("mozilla", "pythons"), ("lwp", "pythons.lwp")] {
        python("set", format, jar, &set)?;
        avocet(jar)?;
        let listed = lab.avocet(&["cookies", "list", jar])?.ended(0)?.text();
        for name in ["session", "lasting", "hidden", "deep"] {
            check(listed.contains(name), || format!("{name} is not listed:\n{listed}"))?;
        }
    }
    println!("Python's: both formats read by us");
    attributes(lab)
}

/// HttpOnly, the end of life and the path come over to curl's file and back.
fn attributes(lab: &Lab) -> Outcome {
    let text = lab.text("curls")?;
    for line in ["#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t", "127.0.0.1\tFALSE\t/deep\tFALSE\t"] {
        check(text.contains(line), || format!("no line begins with {line:?}:\n{text}"))?;
    }
    let session = text.lines().find(|line| line.contains("\tsession\t")).unwrap_or_default();
    check(session.contains("\t0\tsession\tone"), || format!("a session cookie lasts: {session}"))
}
