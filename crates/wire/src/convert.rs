//! Conversions from and to the types of the `http` crate. They allocate, and are made on demand only.

use std::fmt;

use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};

use crate::{FieldBuf, Fields, InvalidField, RequestHead, ResponseHead, TargetForm};

impl Fields<'_> {
    /// The fields as a map: order among different names and the case of names are lost.
    ///
    /// *Errors*: [`InvalidField::Name`] for a name longer than the `http` crate takes, and
    /// [`InvalidField::TooMany`] for more fields than it takes.
    pub fn to_map(self) -> Result<HeaderMap, InvalidField> {
        let mut map =
            HeaderMap::try_with_capacity(self.len()).map_err(|_| InvalidField::TooMany)?;
        for (name, value) in self.iter() {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidField::Name)?;
            let value = HeaderValue::from_bytes(value).map_err(|_| InvalidField::Value)?;
            map.try_append(name, value).map_err(|_| InvalidField::TooMany)?;
        }
        Ok(map)
    }
}

impl RequestHead<'_> {
    /// The head as a request of the `http` crate, without content.
    ///
    /// *Errors*: [`HeadError::Field`], or [`HeadError::Target`] if the target is not a URI by the rules of
    /// the `http` crate.
    pub fn to_http(&self) -> Result<Request<()>, HeadError> {
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri().ok_or(HeadError::Target)?;
        *request.version_mut() = self.version;
        *request.headers_mut() = self.fields.to_map().map_err(HeadError::Field)?;
        Ok(request)
    }

    fn uri(&self) -> Option<Uri> {
        match self.target.form() {
            // A path such as `//a` would be taken for an authority if the whole text were parsed.
            TargetForm::Origin => {
                let path = PathAndQuery::try_from(self.target.as_str()).ok()?;
                Some(Uri::from(path))
            }
            TargetForm::Authority => {
                Some(Uri::from(self.target.as_str().parse::<Authority>().ok()?))
            }
            TargetForm::Absolute => {
                let scheme: Scheme = self.target.scheme()?.parse().ok()?;
                let authority: Authority = self.target.authority()?.parse().ok()?;
                let path = match self.target.query() {
                    Some(query) => format!("{}?{query}", self.target.path()).parse(),
                    None => self.target.path().parse::<PathAndQuery>(),
                };
                Uri::builder()
                    .scheme(scheme)
                    .authority(authority)
                    .path_and_query(path.ok()?)
                    .build()
                    .ok()
            }
            TargetForm::Asterisk => Some(Uri::from(PathAndQuery::from_static("*"))),
        }
    }
}

impl ResponseHead<'_> {
    /// The head as a response of the `http` crate, without content. The reason phrase is lost.
    ///
    /// *Errors*: [`InvalidField`] as for [`Fields::to_map`].
    pub fn to_http(&self) -> Result<Response<()>, InvalidField> {
        let mut response = Response::new(());
        *response.status_mut() = self.status;
        *response.version_mut() = self.version;
        *response.headers_mut() = self.fields.to_map()?;
        Ok(response)
    }
}

impl TryFrom<&HeaderMap> for FieldBuf {
    type Error = InvalidField;

    /// *Errors*: [`InvalidField::Reserved`] if the map holds one of the fields that the connection writes
    /// itself. [`FieldBuf::from_map`] leaves them out instead.
    fn try_from(map: &HeaderMap) -> Result<Self, InvalidField> {
        let mut fields = Self::new();
        for (name, value) in map {
            fields.push(name, value)?;
        }
        Ok(fields)
    }
}

impl FieldBuf {
    /// The lines of a map without those that the connection writes itself: `Content-Length`,
    /// `Transfer-Encoding` and `Connection`.
    ///
    /// *Errors*: [`InvalidField::Value`] never for values that the `http` crate checked.
    pub fn from_map(map: &HeaderMap) -> Result<Self, InvalidField> {
        let mut fields = Self::new();
        for (name, value) in map {
            match fields.push(name, value) {
                Ok(()) | Err(InvalidField::Reserved) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(fields)
    }

    /// The lines as a map.
    ///
    /// *Errors*: as for [`Fields::to_map`].
    pub fn to_map(&self) -> Result<HeaderMap, InvalidField> {
        let mut map = HeaderMap::new();
        for (name, value) in self.iter() {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidField::Name)?;
            let value = HeaderValue::from_bytes(value).map_err(|_| InvalidField::Value)?;
            map.try_append(name, value).map_err(|_| InvalidField::TooMany)?;
        }
        Ok(map)
    }
}

/// Why a request head cannot become a request of the `http` crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadError {
    /// The target is not a URI by the rules of the `http` crate.
    Target,
    /// A field is beyond what the `http` crate takes.
    Field(InvalidField),
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target => f.write_str("the request target is not a uri"),
            Self::Field(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HeadError {}
