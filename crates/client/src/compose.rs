//! The fields of a request.

use avocet_wire::{FieldBuf, InvalidField};
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, EXPECT, HOST, HeaderName, PROXY_AUTHORIZATION};
use url::Position;

use crate::auth::Credentials;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Phase};
use crate::transfer::Transfer;

/// Puts the fields of a request together: Host first, then the caller's in their order, then what is
/// missing of the client's; then the hooks have their say.
///
/// *Errors*: a field that cannot be sent, or a hook's.
pub(crate) fn fields(
    transfer: &Transfer,
    config: &Config,
    fields: &mut FieldBuf,
) -> Result<(), Error> {
    fields.clear();
    if !transfer.fields.contains(&HOST) {
        let url = &transfer.report.url;
        fields.push(&HOST, &url[Position::BeforeHost..Position::AfterPort]).map_err(invalid)?;
    }
    fields.extend(&transfer.fields);
    for (name, value) in config.fields.iter() {
        if !has(&transfer.fields, name) {
            fields.push_raw(name, value).map_err(invalid)?;
        }
    }
    if let Some(decoding) = &config.decoding
        && transfer.options.decode
        && !fields.contains(&ACCEPT_ENCODING)
    {
        fields.push(&ACCEPT_ENCODING, decoding.accepts()).map_err(invalid)?;
    }
    push_proxy_authorization(transfer, fields)?;
    if transfer.expects() && !fields.contains(&EXPECT) {
        fields.push(&EXPECT, "100-continue").map_err(invalid)?;
    }
    for hook in &config.hooks {
        hook.on_request(&transfer.hop(), fields)?;
    }
    for (name, _) in transfer.extra.iter() {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            fields.remove(&name);
        }
    }
    fields.extend(&transfer.extra);
    // What stands in the URL comes last: a hook may know better how to log in there.
    if config.url_credentials
        && !fields.contains(&AUTHORIZATION)
        && let Some(credentials) = Credentials::of_url(&transfer.report.url)?
    {
        fields.push(&AUTHORIZATION, credentials.to_basic()?).map_err(invalid)?;
    }
    Ok(())
}

/// A proxy that is asked by absolute-form is told the password with every request.
fn push_proxy_authorization(transfer: &Transfer, fields: &mut FieldBuf) -> Result<(), Error> {
    if !transfer.route.wants_absolute_form() {
        // The host itself must not learn what is meant for a proxy.
        if fields.contains(&PROXY_AUTHORIZATION) {
            fields.remove(&PROXY_AUTHORIZATION);
        }
        return Ok(());
    }
    let Some(proxy) = transfer.route.via.last() else { return Ok(()) };
    let Some((name, password)) = &proxy.credentials else { return Ok(()) };
    if fields.contains(&PROXY_AUTHORIZATION) {
        return Ok(());
    }
    let value = Credentials::new(name, password).to_basic()?;
    fields.push(&PROXY_AUTHORIZATION, value).map_err(invalid)
}

fn has(fields: &FieldBuf, name: &str) -> bool {
    fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
}

fn invalid(error: InvalidField) -> Error {
    Error::new(ErrorKind::Request, Phase::Prepare, error).caused_by(error)
}
