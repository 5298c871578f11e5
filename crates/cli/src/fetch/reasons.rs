//! Why each cookie was taken, refused, sent or kept back: said on every hop, for `--explain`.

use std::time::SystemTime;

use avocet::client::{Error, Hook, Hop, Verdict};
use avocet::cookies::{Context, Jar, SharedJar, escape};
use avocet::wire::{FieldBuf, ResponseHead};
use http::header::SET_COOKIE;

use super::trace::note;

/// Goes before the hook that stores cookies, so that it sees the jar as the rules saw it.
pub(super) struct Reasons {
    jar: Option<SharedJar>,
}

impl Reasons {
    /// With the jar of the run, if it keeps cookies.
    pub(super) fn new(jar: Option<SharedJar>) -> Self {
        Self { jar }
    }

    fn judged(&self, hop: &Hop<'_>, line: &[u8]) -> String {
        let (context, now) = (context(hop), SystemTime::now());
        let jar = self.jar.as_ref().map_or_else(Jar::new, SharedJar::snapshot);
        let explanation = jar.explain_set(hop.url, line, &context, now);
        let mut text = match &explanation.verdict {
            Ok(_) if self.jar.is_none() => "allowed, but not kept: that takes -b or -c".to_owned(),
            Ok(accepted) => accepted.to_string(),
            Err(refusal) => format!("refused: {refusal}"),
        };
        for note in &explanation.notes {
            text.push_str(&format!("; {note}"));
        }
        text
    }
}

impl Hook for Reasons {
    fn on_request(&self, hop: &Hop<'_>, _fields: &mut FieldBuf) -> Result<(), Error> {
        if hop.replayed {
            return Ok(());
        }
        let Some(jar) = self.jar.as_ref().map(SharedJar::snapshot) else { return Ok(()) };
        for (cookie, verdict) in jar.explain_send(hop.url, &context(hop), SystemTime::now()) {
            let (name, domain) = (escape(cookie.name()), cookie.domain());
            match verdict {
                Ok(()) => note('*', format_args!("cookie {name} of {domain}: sent")),
                Err(why) => note('*', format_args!("cookie {name} of {domain}: kept back: {why}")),
            }
        }
        Ok(())
    }

    fn on_response(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) -> Verdict {
        for line in head.fields.get_all(&SET_COOKIE) {
            let pair = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let verdict = self.judged(hop, line);
            note('*', format_args!("cookie set, {}: {verdict}", escape(pair)));
        }
        Verdict::Proceed
    }
}

fn context(hop: &Hop<'_>) -> Context {
    Context::of_request(hop.url, None, true, hop.method.is_safe())
}
