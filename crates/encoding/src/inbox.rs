/// Bytes on their way from one coding of a stack to the next.
///
/// *Bounds*: 16 KiB; when it is full, the coding that fills it waits.
pub(crate) struct Inbox {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; LEN].into(), start: 0, end: 0 }
    }

    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The room behind what is filled, after moving that to the front.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        &mut self.bytes[self.end..]
    }

    /// Takes bytes that were written to the space for filled.
    pub(crate) fn fill(&mut self, len: usize) {
        self.end += len;
        debug_assert!(self.end <= self.bytes.len(), "more was written than there was space");
    }

    /// Lets go of bytes in front of what is filled.
    pub(crate) fn consume(&mut self, len: usize) {
        self.start += len;
        debug_assert!(self.start <= self.end, "more was read than was filled");
    }

    pub(crate) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

const LEN: usize = 16 << 10;
