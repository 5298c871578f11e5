//! A handler that can be exchanged while it is in use.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use avocet::server::{Handler, Reply, Request};

/// Passes requests on to the handler of the moment. Each loop keeps a copy of the pointer, so that a
/// request costs one comparison and no lock.
pub(super) struct Swap {
    number: AtomicU64,
    current: Mutex<Arc<dyn Handler>>,
}

impl Swap {
    pub(super) fn new(handler: Arc<dyn Handler>) -> Self {
        Self { number: AtomicU64::new(next()), current: Mutex::new(handler) }
    }

    /// Requests that come from now on go to this one.
    pub(super) fn exchange(&self, handler: Arc<dyn Handler>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = handler;
        self.number.store(next(), Ordering::Release);
    }

    fn current(&self) -> Rc<Arc<dyn Handler>> {
        let number = self.number.load(Ordering::Acquire);
        SEEN.with_borrow_mut(|seen| match seen {
            Some((known, handler)) if *known == number => handler.clone(),
            _ => {
                let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
                let handler = Rc::new(current.clone());
                *seen = Some((number, handler.clone()));
                handler
            }
        })
    }
}

impl Handler for Swap {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        self.current().handle(request, reply);
    }
}

/// Numbers of handlers, never used twice in the process.
fn next() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

thread_local! {
    /// The handler that this thread has seen last, with its number.
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

type Seen = (u64, Rc<Arc<dyn Handler>>);
