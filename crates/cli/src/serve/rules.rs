//! Redirects and rewrites.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use avocet::server::{Handler, Reply, Request, Response};
use avocet::wire::{RequestHead, Target};
use clap::Args;
use http::StatusCode;

use crate::failure::Failure;

/// Options about paths.
#[derive(Args)]
#[command(
    next_help_heading = "Paths (a * in FROM stands for anything; {1} in TO for the first of them)"
)]
pub(super) struct Rules {
    /// Send clients from paths elsewhere, as /old/*=/new/{1}, by 302 or the status that stands
    /// behind a blank, any number of times; the first that matches counts
    #[arg(long, value_name = "FROM=TO[ STATUS]")]
    redirect: Vec<Redirect>,
    /// Serve paths as if others had been asked for, any number of times; the first that matches
    /// counts, after redirects
    #[arg(long, value_name = "FROM=TO")]
    rewrite: Vec<Rule>,
}

/// A path that leads to another.
#[derive(Clone, Debug)]
struct Rule {
    /// The parts between the stars.
    from: Vec<String>,
    to: Vec<Piece>,
}

#[derive(Clone, Debug)]
struct Redirect {
    rule: Rule,
    status: StatusCode,
}

/// A piece of where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// What the star of this number stands for, from 0.
    Star(usize),
}

impl Rules {
    /// The rules before a handler, if there are any.
    ///
    /// *Errors*: a rewrite that leads to no path.
    pub(super) fn around(self, inner: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, Failure> {
        let leads_away = |rule: &&Rule| !matches!(rule.to.first(), Some(Piece::Text(text)) if text.starts_with('/'));
        if self.rewrite.iter().find(leads_away).is_some() {
            return Err(Failure::usage("--rewrite leads to a path, which begins with a slash"));
        }
        if self.redirect.is_empty() && self.rewrite.is_empty() {
            return Ok(inner);
        }
        Ok(Arc::new(Ruled { rules: self, inner }))
    }
}

struct Ruled {
    rules: Rules,
    inner: Arc<dyn Handler>,
}

impl Handler for Ruled {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        let path = request.path();
        for Redirect { rule, status } in &self.rules.redirect {
            if let Some(to) = rule.apply(path) {
                return reply.send(redirect(*status, &with_query(to, request.query())));
            }
        }
        let Some(to) = self.rules.rewrite.iter().find_map(|rule| rule.apply(path)) else {
            return self.inner.handle(request, reply);
        };
        let to = with_query(to, request.query());
        match Target::of_path(&to) {
            Ok(target) => {
                let head = request.head();
                let method = head.method.clone();
                let head = RequestHead { method, target, ..*head };
                self.inner.handle(&request.with_head(&head), reply);
            }
            Err(error) => {
                log::error!("a rewrite of {path} leads to {to}: {error}");
                reply.send(Response::error(StatusCode::INTERNAL_SERVER_ERROR));
            }
        }
    }
}

fn redirect(status: StatusCode, to: &str) -> Response {
    Response::redirect(status, to).unwrap_or_else(|error| {
        log::error!("a redirect leads to {to}: {error}");
        Response::error(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

/// The query goes along, unless there is one already. A fragment comes behind it.
fn with_query(to: String, query: Option<&str>) -> String {
    let Some(query) = query else { return to };
    let (path, fragment) = to.split_at(to.find('#').unwrap_or(to.len()));
    if path.contains('?') { to } else { format!("{path}?{query}{fragment}") }
}

impl Rule {
    /// Where a path leads; `None` if it is another.
    fn apply(&self, path: &str) -> Option<String> {
        let stars = stars(&self.from, path)?;
        let mut to = String::new();
        for piece in &self.to {
            match piece {
                Piece::Text(text) => to.push_str(text),
                Piece::Star(index) => to.push_str(stars.get(*index)?),
            }
        }
        Some(inside(to))
    }
}

/// A path that begins with two slashes would name another host, to which a client could be led by
/// whoever writes the link.
fn inside(to: String) -> String {
    match to.strip_prefix('/') {
        Some(rest) if rest.starts_with(['/', '\\']) => {
            format!("/{}", rest.trim_start_matches(['/', '\\']))
        }
        _ => to,
    }
}

/// What the stars between the parts stand for; each takes as little as it can, the last one the rest.
fn stars<'p>(parts: &[String], path: &'p str) -> Option<Vec<&'p str>> {
    let [first, others @ ..] = parts else { return None };
    let mut rest = path.strip_prefix(first.as_str())?;
    let [middle @ .., last] = others else { return rest.is_empty().then(Vec::new) };
    let mut stars = Vec::new();
    for part in middle {
        let at = rest.find(part.as_str())?;
        stars.push(&rest[..at]);
        rest = &rest[at + part.len()..];
    }
    stars.push(rest.strip_suffix(last.as_str())?);
    Some(stars)
}

impl FromStr for Rule {
    type Err = Cow<'static, str>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text.split_once('=').ok_or("there is no = in it")?;
        if !from.starts_with('/') {
            return Err("FROM is a path, which begins with a slash".into());
        }
        if to.is_empty() {
            return Err("it leads nowhere".into());
        }
        let from: Vec<String> = from.split('*').map(str::to_owned).collect();
        let to = pieces(to)?;
        let beyond =
            |piece: &&Piece| matches!(piece, Piece::Star(index) if index + 1 >= from.len());
        match to.iter().find(beyond) {
            Some(Piece::Star(index)) => {
                Err(format!("there is no star {} in FROM", index + 1).into())
            }
            _ => Ok(Self { from, to }),
        }
    }
}

impl FromStr for Redirect {
    type Err = Cow<'static, str>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rule, status) = match text.rsplit_once(' ') {
            Some((rule, status)) => (rule.trim_end(), status),
            None => (text, "302"),
        };
        if !matches!(status, "301" | "302" | "303" | "307" | "308") {
            return Err(format!("{status} is no status of a redirect").into());
        }
        let status = status.parse().map_err(|_| "that is no status")?;
        Ok(Self { rule: rule.parse()?, status })
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, Cow<'static, str>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (number, behind) = after.split_once('}').ok_or("a { without }")?;
        let index: usize = number.parse().map_err(|_| "between { and } stands a number")?;
        let index = index.checked_sub(1).ok_or("the first star is {1}")?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Star(index));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(rule: &str, path: &str) -> Option<String> {
        rule.parse::<Rule>().unwrap().apply(path)
    }

    #[test]
    fn stars_carry_what_they_stand_for() {
        for (rule, path, expected) in [
            ("/old=/new", "/old", Some("/new")),
            ("/old=/new", "/older", None),
            ("/old/*=/new/{1}", "/old/a/b", Some("/new/a/b")),
            ("/old/*=/new/{1}", "/old/", Some("/new/")),
            ("/*/x/*.html=/{2}-{1}", "/a/x/b.html", Some("/b-a")),
            ("/*=https://h/{1}", "/p", Some("https://h/p")),
            ("/*=/app.html", "/any/thing", Some("/app.html")),
            ("/a*a=/x", "/a", None),
        ] {
            assert_eq!(led(rule, path).as_deref(), expected, "{rule} {path}");
        }
    }

    /// `/go//evil.example` must not lead to a host.
    #[test]
    fn no_path_leads_to_another_host() {
        for path in ["/go//evil.example", "/go///evil.example", "/go/\\evil.example"] {
            assert_eq!(led("/go/*=/{1}", path).as_deref(), Some("/evil.example"), "{path}");
        }
    }

    #[test]
    fn the_query_goes_along_before_a_fragment() {
        for (to, query, expected) in [
            ("/a", Some("q=1"), "/a?q=1"),
            ("/a", None, "/a"),
            ("/a?x", Some("q=1"), "/a?x"),
            ("/a#part", Some("q=1"), "/a?q=1#part"),
            ("/a?x#part", Some("q=1"), "/a?x#part"),
            ("/a#what?", Some("q=1"), "/a?q=1#what?"),
        ] {
            assert_eq!(with_query(to.to_owned(), query), expected, "{to} {query:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for wrong in ["/a", "a=/b", "/a=", "/a=/{1}", "/*=/{2}", "/*=/{0}", "/*=/{", "/*=/{x}"] {
            assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
        }
        assert!("/a=/b 200".parse::<Redirect>().is_err());
        let redirect: Redirect = "/a=/b 308".parse().unwrap();
        assert_eq!(redirect.status, StatusCode::PERMANENT_REDIRECT);
    }
}
