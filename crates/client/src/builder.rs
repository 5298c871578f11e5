//! The blocking face.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use http::Method;

use crate::auth::Credentials;
use crate::config::Config;
use crate::error::Error;
use crate::forms;
use crate::multi::Multi;
use crate::multipart::Multipart;
use crate::request::{Content, Options, Request};
use crate::response::Response;
use crate::transfer::{Delivery, Inbox};

/// A blocking client. It is cheap to clone and may be used by many threads; each thread keeps its own
/// connections.
///
/// ```no_run
/// use avocet_client::Client;
///
/// let client = Client::new();
/// let mut response = client.get("http://localhost:8080/").send()?;
/// println!("{}\n{}", response.status(), response.text(1 << 20)?);
/// # Ok::<(), avocet_client::Error>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    id: u64,
    config: Config,
}

/// A request on its way to be sent; a mistake in it shows when it is sent.
pub struct RequestBuilder<'c> {
    client: &'c Client,
    request: Result<Request, Error>,
}

impl Client {
    /// A client with the default settings.
    pub fn new() -> Self {
        Self::with_config(Config::default())
    }

    /// A client with these settings.
    pub fn with_config(config: Config) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let id = LAST.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Shared { id, config }))
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// A request of any method.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder<'_> {
        RequestBuilder { client: self, request: Request::new(method, url) }
    }

    /// GET.
    pub fn get(&self, url: &str) -> RequestBuilder<'_> {
        self.request(Method::GET, url)
    }

    /// HEAD.
    pub fn head(&self, url: &str) -> RequestBuilder<'_> {
        self.request(Method::HEAD, url)
    }

    /// POST.
    pub fn post(&self, url: &str) -> RequestBuilder<'_> {
        self.request(Method::POST, url)
    }

    /// PUT.
    pub fn put(&self, url: &str) -> RequestBuilder<'_> {
        self.request(Method::PUT, url)
    }

    /// PATCH.
    pub fn patch(&self, url: &str) -> RequestBuilder<'_> {
        self.request(Method::PATCH, url)
    }

    /// OPTIONS.
    pub fn options(&self, url: &str) -> RequestBuilder<'_> {
        self.request(Method::OPTIONS, url)
    }

    /// DELETE.
    pub fn delete(&self, url: &str) -> RequestBuilder<'_> {
        self.request(Method::DELETE, url)
    }

    /// Sends a request and waits for the head of the response, redirects included.
    ///
    /// *Blocking*: within the time-outs. *Errors*: whatever kept the response from coming; a status
    /// is none.
    pub fn send(&self, request: Request) -> Result<Response, Error> {
        let engine = self.engine()?;
        let id = engine.borrow_mut().begin(request, Delivery::Inbox(Inbox::default()))?;
        Response::wait(engine, id)
    }

    /// An engine of this client on this thread. A hook that makes requests itself while the engine
    /// turns, finds it taken and gets another.
    fn engine(&self) -> Result<Engine, Error> {
        let mut gone = Vec::new();
        let found = ENGINES.try_with(|engines| {
            let mut engines = engines.borrow_mut();
            if let Some((_, engines)) = engines.get_mut(&self.0.id) {
                let free = engines.iter().find(|engine| engine.try_borrow_mut().is_ok());
                return match free {
                    Some(engine) => Ok(engine.clone()),
                    None => self.new_engine().inspect(|engine| engines.push(engine.clone())),
                };
            }
            // Engines of clients that are gone have no further use. They are dropped outside, since
            // that may run code of the user.
            gone.extend(engines.extract_if(|_, (client, _)| client.strong_count() == 0));
            let engine = self.new_engine()?;
            engines.insert(self.0.id, (Arc::downgrade(&self.0), vec![engine.clone()]));
            Ok(engine)
        });
        drop(gone);
        found.unwrap_or_else(|_| self.new_engine())
    }

    fn new_engine(&self) -> Result<Engine, Error> {
        Multi::new(self.0.config.clone()).map(|multi| Rc::new(RefCell::new(multi)))
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestBuilder<'_> {
    /// One more field line; its name keeps its case.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.and_then(|request| request.with_field(name, value));
        self
    }

    /// User and password by Basic, without waiting to be asked. They stay with this origin.
    #[must_use]
    pub fn basic(mut self, name: &str, password: &str) -> Self {
        let value = Credentials::new(name, password).to_basic();
        self.request = self.request.and_then(|request| request.with_field("Authorization", value?));
        self
    }

    /// A token by Bearer (RFC 6750). It stays with this origin.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.field("Authorization", format!("Bearer {token}"))
    }

    /// More names and values in the query.
    #[must_use]
    pub fn query<N: AsRef<str>, V: AsRef<str>>(
        mut self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        if let Ok(request) = &mut self.request {
            request.url.query_pairs_mut().extend_pairs(pairs);
        }
        self
    }

    /// A form as content.
    #[must_use]
    pub fn form<N: AsRef<str>, V: AsRef<str>>(
        self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.typed_content(forms::MEDIA_TYPE, forms::encode(pairs))
    }

    /// A form with files as content.
    #[must_use]
    pub fn multipart(self, form: Multipart) -> Self {
        self.typed_content(&form.media_type(), form.into_content())
    }

    /// Content that is JSON already.
    #[must_use]
    pub fn json_text(self, text: impl Into<String>) -> Self {
        self.typed_content("application/json", text.into())
    }

    /// Content of a media type, which a Content-Type that is there already overrules.
    #[must_use]
    pub fn typed_content(mut self, media_type: &str, content: impl Into<Content>) -> Self {
        let typed = |request: Request| request.with_typed_content(media_type, content);
        self.request = self.request.and_then(typed);
        self
    }

    /// What it wants otherwise than the client.
    #[must_use]
    pub fn options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        if let Ok(request) = &mut self.request {
            change(&mut request.options);
        }
        self
    }

    /// The content.
    #[must_use]
    pub fn content(mut self, content: impl Into<Content>) -> Self {
        self.request = self.request.map(|request| request.with_content(content));
        self
    }

    /// The request, without sending it.
    ///
    /// *Errors*: the first mistake in it.
    pub fn build(self) -> Result<Request, Error> {
        self.request
    }

    /// Sends it; see [`Client::send`].
    pub fn send(self) -> Result<Response, Error> {
        self.client.send(self.request?)
    }
}

type Engine = Rc<RefCell<Multi>>;

/// The engines of this thread by client.
type Engines = HashMap<u64, (Weak<Shared>, Vec<Engine>)>;

thread_local! {
    static ENGINES: RefCell<Engines> = RefCell::default();
}
