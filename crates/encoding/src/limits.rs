/// What a decoder puts up with before it calls its input an attack.
///
/// The limits count bytes; they do not make the decoder hold any: each step writes at most the
/// buffer that it is given.
///
/// ```
/// use avocet_encoding::Limits;
/// let limits = Limits::default().with_output(10 << 20).with_ratio(200);
/// assert_eq!((limits.output, limits.ratio, limits.codings), (10 << 20, 200, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most codings that may lie over each other. Default 2, as in `gzip, br`; never more than
    /// [`ContentCodings::MAX`](crate::ContentCodings::MAX). Past it
    /// [`DecodeError::TooManyCodings`](crate::DecodeError::TooManyCodings).
    pub codings: usize,
    /// The most decoded bytes. Default 1 GiB. That many are still given out; what comes beyond is
    /// [`DecodeError::OutputLimit`](crate::DecodeError::OutputLimit).
    pub output: u64,
    /// The most decoded bytes for each coded byte, counted over the message so far. Default 1,000;
    /// deflate cannot reach more than 1,032, so that only long runs of one byte come near it. Past
    /// it [`DecodeError::RatioLimit`](crate::DecodeError::RatioLimit).
    pub ratio: u64,
    /// The decoded bytes up to which no ratio is too high. Default 1 MiB.
    pub ratio_after: u64,
}

impl Limits {
    /// With another bound on stacked codings.
    pub const fn with_codings(mut self, codings: usize) -> Self {
        self.codings = codings;
        self
    }

    /// With another bound on the decoded bytes; `u64::MAX` for none.
    pub const fn with_output(mut self, output: u64) -> Self {
        self.output = output;
        self
    }

    /// With another bound on the ratio; `u64::MAX` for none.
    pub const fn with_ratio(mut self, ratio: u64) -> Self {
        self.ratio = ratio;
        self
    }

    /// With another number of decoded bytes from which the ratio counts.
    pub const fn with_ratio_after(mut self, ratio_after: u64) -> Self {
        self.ratio_after = ratio_after;
        self
    }

    /// Whether `written` bytes out of `read` are more than the ratio allows.
    pub(crate) const fn is_bomb(&self, read: u64, written: u64) -> bool {
        written > self.ratio_after && written > read.saturating_mul(self.ratio)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { codings: 2, output: 1 << 30, ratio: 1000, ratio_after: 1 << 20 }
    }
}
