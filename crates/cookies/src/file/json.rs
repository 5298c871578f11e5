//! JSON: the array of objects that browser extensions export and import.

use std::time::SystemTime;

use super::format::Reading;
use crate::{cookie::Cookie, error::Error};

#[cfg(not(feature = "json"))]
pub(super) fn read(_: &[u8], _: &mut Reading, _: SystemTime) -> Result<(), Error> {
    Err(unsupported())
}

#[cfg(not(feature = "json"))]
pub(super) fn write(
    _: &mut dyn Iterator<Item = &Cookie>,
    _: &[Vec<u8>],
    _: &mut Vec<u8>,
) -> Result<(), Error> {
    Err(unsupported())
}

#[cfg(not(feature = "json"))]
fn unsupported() -> Error {
    Error::new(crate::ErrorKind::Unsupported, "JSON cookie files need the feature `json`")
}

#[cfg(feature = "json")]
pub(super) use self::with_serde::{read, write};

#[cfg(feature = "json")]
mod with_serde {
    use serde_json::{Map, Value, json};

    use super::{Cookie, Error, Reading, SystemTime};
    use crate::{
        cookie::{CookieBuilder, SameSite},
        error::ErrorKind,
        file::format::{Fault, host_in_file},
        time,
    };

    pub(in crate::file) fn read(
        text: &[u8],
        reading: &mut Reading,
        now: SystemTime,
    ) -> Result<(), Error> {
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        let foreign = || Error::new(ErrorKind::Foreign, "no JSON array of cookies");
        let whole: Value = serde_json::from_slice(text).map_err(|_| foreign())?;
        let entries = match &whole {
            Value::Array(entries) => entries,
            Value::Object(fields) => {
                reading.more_than_cookies = true;
                fields.get("cookies").and_then(Value::as_array).ok_or_else(foreign)?
            }
            _ => return Err(foreign()),
        };
        let mut strangers = 0;
        for (index, entry) in entries.iter().enumerate() {
            let found = parse(entry);
            strangers += usize::from(matches!(found, Err(Fault::Syntax)));
            reading.take(index + 1, entry.to_string().as_bytes(), found, now)?;
        }
        // An array of other things is somebody else's file.
        if strangers > 0 && strangers == entries.len() {
            return Err(foreign());
        }
        Ok(())
    }

    pub(in crate::file) fn write(
        cookies: &mut dyn Iterator<Item = &Cookie>,
        kept: &[Vec<u8>],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut between: &[u8] = b"[\n";
        for entry in kept {
            out.extend_from_slice(std::mem::replace(&mut between, b",\n"));
            out.extend_from_slice(entry);
        }
        for cookie in cookies {
            out.extend_from_slice(std::mem::replace(&mut between, b",\n"));
            out.extend_from_slice(object(cookie).to_string().as_bytes());
        }
        out.extend_from_slice(if between == b"[\n" { b"[]\n" } else { b"\n]\n" });
        Ok(())
    }

    fn object(cookie: &Cookie) -> Value {
        let dot = if cookie.is_host_only() { "" } else { "." };
        let mut fields = Map::new();
        put(&mut fields, "name", cookie.name());
        put(&mut fields, "value", cookie.value());
        fields.insert("domain".into(), format!("{dot}{}", cookie.domain()).into());
        fields.insert("hostOnly".into(), cookie.is_host_only().into());
        put(&mut fields, "path", cookie.path());
        fields.insert("secure".into(), cookie.is_secure().into());
        fields.insert("httpOnly".into(), cookie.is_http_only().into());
        let same_site = match cookie.same_site() {
            SameSite::Strict => "strict",
            SameSite::Lax => "lax",
            SameSite::None => "no_restriction",
            SameSite::Default => "unspecified",
        };
        fields.insert("sameSite".into(), same_site.into());
        fields.insert("session".into(), (!cookie.is_persistent()).into());
        if let Some(at) = cookie.expires_seconds() {
            fields.insert("expirationDate".into(), at.into());
        }
        if let Some(site) = cookie.partition() {
            fields.insert("partitionKey".into(), json!({ "topLevelSite": site }));
        }
        let extensions: Vec<Value> = cookie
            .extensions()
            .map(|(name, value)| {
                let mut fields = Map::new();
                put(&mut fields, "name", name);
                put(&mut fields, "value", value);
                fields.into()
            })
            .collect();
        if !extensions.is_empty() {
            fields.insert("attributes".into(), extensions.into());
        }
        fields.insert("createdMicros".into(), cookie.created.into());
        fields.insert("accessedMicros".into(), cookie.accessed.into());
        fields.into()
    }

    /// Text where it is UTF-8, otherwise hexadecimal digits in a field of its own.
    fn put(fields: &mut Map<String, Value>, key: &str, octets: &[u8]) {
        match std::str::from_utf8(octets) {
            Ok(text) => fields.insert(key.into(), text.into()),
            Err(_) => {
                let digits = octets.iter().map(|octet| format!("{octet:02x}"));
                fields.insert(format!("{key}Hex"), digits.collect::<String>().into())
            }
        };
    }

    fn octets(fields: &Map<String, Value>, key: &str) -> Option<Vec<u8>> {
        if let Some(text) = fields.get(key) {
            return Some(text.as_str()?.as_bytes().to_vec());
        }
        let digits = fields.get(&format!("{key}Hex"))?.as_str()?.as_bytes();
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        digits.chunks(2).map(pair).collect()
    }

    fn parse(entry: &Value) -> Result<CookieBuilder, Fault> {
        let fields = entry.as_object().ok_or(Fault::Syntax)?;
        let of = |key| octets(fields, key).ok_or(Fault::Syntax);
        let truth = |key: &str| match fields.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_bool().map(Some).ok_or(Fault::Syntax),
        };
        let domain = fields.get("domain").and_then(Value::as_str).ok_or(Fault::Syntax)?;
        let host = host_in_file(domain).ok_or(Fault::Syntax)?;
        let host_only = truth("hostOnly")?.unwrap_or_else(|| !domain.starts_with('.'));
        let mut builder = Cookie::builder(of("name")?, of("value")?, host)
            .for_subdomains(!host_only)
            .path(of("path")?)
            .secure(truth("secure")?.unwrap_or(false))
            .http_only(truth("httpOnly")?.unwrap_or(false))
            .same_site(same_site(fields.get("sameSite"))?)
            .partition(partition(fields.get("partitionKey"))?);
        if truth("session")? != Some(true) {
            let expires = fields.get("expirationDate").or_else(|| fields.get("expires"));
            builder = builder.expires_seconds(expiry(expires)?);
        }
        if let Some(at) = fields.get("createdMicros").and_then(Value::as_i64) {
            builder = builder.created(time::from_micros(at));
        }
        if let Some(at) = fields.get("accessedMicros").and_then(Value::as_i64) {
            builder = builder.last_accessed(time::from_micros(at));
        }
        for attribute in fields.get("attributes").and_then(Value::as_array).into_iter().flatten() {
            let fields = attribute.as_object().ok_or(Fault::Syntax)?;
            let of = |key| octets(fields, key).ok_or(Fault::Syntax);
            builder = builder.extension(of("name")?, of("value")?);
        }
        Ok(builder)
    }

    fn same_site(value: Option<&Value>) -> Result<SameSite, Fault> {
        match value {
            None | Some(Value::Null) => Ok(SameSite::Default),
            Some(Value::String(name)) if name == "no_restriction" => Ok(SameSite::None),
            Some(Value::String(name)) => Ok(SameSite::parse(name.as_bytes())),
            Some(_) => Err(Fault::Syntax),
        }
    }

    /// The site itself, or Chrome's object around it.
    fn partition(value: Option<&Value>) -> Result<Option<&str>, Fault> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(site)) => Ok(Some(site)),
            Some(Value::Object(key)) => {
                key.get("topLevelSite").and_then(Value::as_str).map(Some).ok_or(Fault::Syntax)
            }
            Some(_) => Err(Fault::Syntax),
        }
    }

    /// Seconds since 1970, with or without a fraction; Playwright writes -1 for a session cookie.
    fn expiry(value: Option<&Value>) -> Result<Option<i64>, Fault> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
        if let Some(whole) = value.as_i64() {
            return Ok((whole != -1).then_some(whole));
        }
        let seconds = value.as_f64().ok_or(Fault::Syntax)?;
        if seconds == -1.0 {
            return Ok(None);
        }
        // `from_secs_f64` knows the bounds that a cast would pass over in silence.
        let at =
            std::time::Duration::try_from_secs_f64(seconds.abs()).map_err(|_| Fault::Syntax)?;
        let whole = i64::try_from(at.as_secs()).map_err(|_| Fault::Syntax)?;
        Ok(Some(if seconds < 0.0 { -whole } else { whole }))
    }
}
