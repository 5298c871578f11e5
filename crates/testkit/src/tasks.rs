//! Tasks from closures.

use avocet_net::{Next, Task, Turn};

struct Closure<F>(F);

impl<F: FnMut(&mut Turn<'_>) -> Next> Task for Closure<F> {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        (self.0)(cx)
    }
}

/// A task whose turn is a closure.
pub fn task(turn: impl FnMut(&mut Turn<'_>) -> Next + 'static) -> Box<dyn Task> {
    Box::new(Closure(turn))
}
