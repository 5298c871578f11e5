//! What the two ends of a benchmark of TLS have to agree on.

/// The path of the large content; every other path has [`CONTENT`](crate::CONTENT).
pub const LARGE_PATH: &str = "/large";

/// Bytes of the large content.
pub const LARGE: usize = 100 << 20;

/// A block of the large content, which is this one again and again: noise, so that bytes in the wrong
/// place show, of a length that no size of records or of buffers divides.
pub fn block() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let bytes = (0..BLOCK).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    });
    bytes.collect()
}

/// A prime.
const BLOCK: usize = 65_521;

/// Compares what comes with the large content.
pub struct Expected {
    block: Vec<u8>,
    at: usize,
}

impl Expected {
    /// From its start.
    pub fn new() -> Self {
        Self { block: block(), at: 0 }
    }

    /// Bytes that were right so far.
    pub fn seen(&self) -> usize {
        self.at
    }

    /// Whether these bytes come next.
    pub fn next(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let left = &self.block[self.at % BLOCK..];
            let count = left.len().min(bytes.len());
            let (now, later) = bytes.split_at(count);
            if now != &left[..count] {
                return false;
            }
            self.at += count;
            bytes = later;
        }
        self.at <= LARGE
    }
}

impl Default for Expected {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_in_the_wrong_place_is_noticed() {
        let content = block().repeat(3);
        let mut expected = Expected::new();
        assert!(content.chunks(10_007).all(|part| expected.next(part)));
        assert_eq!(expected.seen(), content.len());
        let mut expected = Expected::new();
        assert!(expected.next(&content[..100_000]));
        assert!(!expected.next(&content[100_001..100_100]));
    }
}
