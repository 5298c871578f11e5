//! What the kernel, or a peer in memory, has said about a transport.

use std::ops::{BitOr, BitOrAssign};

/// Readiness bits of one task's transport.
///
/// Bits are set by events and cleared only when an operation says `WouldBlock`, or when a read
/// came back short with no sign that the peer closed: with edge-triggered events a bit that was
/// cleared too early would never come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness(u8);

impl Readiness {
    /// Nothing is known to be possible.
    pub const NONE: Self = Self(0);
    /// A read may give bytes, the end, or an error.
    pub const READABLE: Self = Self(1);
    /// A write may take bytes.
    pub const WRITABLE: Self = Self(2);
    /// The peer has closed its sending side, or the transport failed: a read will say which.
    pub const READ_CLOSED: Self = Self(4);
    /// Readable and writable: what a fresh transport is assumed to be.
    pub const FRESH: Self = Self(3);

    /// Whether all bits of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These bits without those of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn of_bits(bits: u8) -> Self {
        Self(bits)
    }

    pub(crate) fn of_event(event: &mio::event::Event) -> Self {
        let mut bits = Self::NONE;
        if event.is_readable() {
            bits |= Self::READABLE;
        }
        if event.is_writable() {
            bits |= Self::WRITABLE;
        }
        if event.is_read_closed() || event.is_error() {
            bits |= Self::READABLE | Self::READ_CLOSED;
        }
        if event.is_error() || event.is_write_closed() {
            bits |= Self::WRITABLE;
        }
        bits
    }
}

impl BitOr for Readiness {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Readiness {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
