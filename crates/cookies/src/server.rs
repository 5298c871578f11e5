//! The server's side: values for Set-Cookie, what a Cookie field says, and values that clients
//! cannot forge.

mod header;
mod quote;
#[cfg(feature = "signed")]
mod secret;
mod set;

#[cfg(feature = "signed")]
pub use self::secret::{SecretKey, ShortKey};
pub use self::{
    header::{CookiePair, parse_cookie_header},
    set::{BuildError, SetCookie, SetCookieBuilder, ValueEncoding},
};
