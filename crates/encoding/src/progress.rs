/// How far one step of a decoder or encoder came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a step need not take all input, nor give all output"]
pub struct Progress {
    /// The bytes taken from the start of the input.
    pub read: usize,
    /// The bytes written to the start of the output.
    pub written: usize,
    /// What the next step needs.
    pub next: Next,
}

/// What a decoder or encoder needs to come further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// All input was read and all that it gives for now was written: more input, or its end.
    Input,
    /// The output is full and there may be more: room, and what is left of the input.
    Room,
}

/// Progress inside the crate, where the caller sees by itself what is next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) read: usize,
    pub(crate) written: usize,
}
