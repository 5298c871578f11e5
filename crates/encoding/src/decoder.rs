use crate::inbox::Inbox;
use crate::progress::Step;
use crate::{Coding, ContentCodings, DecodeError, Limits, Next, Progress};
use stage::Stage;

#[cfg(feature = "brotli")]
pub(crate) use brotli::fault as brotli_fault;
#[cfg(feature = "zstd")]
pub(crate) use zstd::fault as zstd_fault;

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "gzip")]
mod deflate;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "gzip")]
mod gzip_header;
mod stage;
#[cfg(feature = "zstd")]
mod zstd;
#[cfg(feature = "zstd")]
mod zstd_header;

/// Undoes the codings of one message, piece by piece, from the caller's buffer into the caller's
/// buffer.
///
/// ```text
///   input -> [decode] -> Next::Input: bring more input, or call finish at its end
///                     -> Next::Room:  take the output and call decode again
/// ```
///
/// After an error every further call gives the same error. Content that was given out before may
/// be kept only where the error says that it was whole: [`DecodeError::TrailingData`].
///
/// *Bounds*: each step writes at most the buffer that it is given. The state is about 50 KiB for
/// gzip and deflate, at most a window of 16 MiB for br and of 8 MiB for zstd, and 16 KiB between
/// two codings. The [`Limits`] bound what one message can grow to.
///
/// *Spec*: RFC 9110 §8.4.
///
/// ```
/// use avocet_encoding::{Coding, Decoder, Limits, Next};
///
/// # #[cfg(feature = "gzip")] {
/// let coded = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xcbH\xcd\xc9\xc9\x07\0\x86\xa6\x106\x05\0\0\0";
/// let mut decoder = Decoder::new(&Coding::Gzip.into(), Limits::default())?;
/// let mut content = Vec::new();
/// let mut room = [0; 4];
/// for mut piece in coded.chunks(7) {
///     loop {
///         let progress = decoder.decode(piece, &mut room)?;
///         piece = &piece[progress.read..];
///         content.extend_from_slice(&room[..progress.written]);
///         if progress.next == Next::Input {
///             break;
///         }
///     }
/// }
/// decoder.finish()?;
/// assert_eq!(content, b"hello");
/// # }
/// # Ok::<(), avocet_encoding::DecodeError>(())
/// ```
pub struct Decoder {
    codings: ContentCodings,
    limits: Limits,
    /// One for each coding, the one to undo first in front.
    links: Vec<Link>,
    read: u64,
    written: u64,
    next: Next,
    error: Option<DecodeError>,
}

impl Decoder {
    /// A decoder for these codings; for none it passes its input on, still within the limits.
    ///
    /// *Errors*: [`DecodeError::TooManyCodings`] by the limits, [`DecodeError::NotBuiltIn`],
    /// [`DecodeError::OutOfMemory`].
    pub fn new(codings: &ContentCodings, limits: Limits) -> Result<Self, DecodeError> {
        if codings.as_slice().len() > limits.codings {
            return Err(DecodeError::TooManyCodings { limit: limits.codings });
        }
        let links = codings.as_slice().iter().rev().enumerate();
        let links = links.map(|(i, coding)| Link::new(*coding, (i > 0).then(Inbox::new)));
        let links = links.collect::<Result<_, _>>()?;
        Ok(Self {
            codings: *codings,
            limits,
            links,
            read: 0,
            written: 0,
            next: Next::Input,
            error: None,
        })
    }

    /// Decodes as much of `input` as there is room for in `out`.
    ///
    /// With [`Next::Input`] all of `input` was read and everything that it gives was written.
    /// With [`Next::Room`] there may be more: call again with the rest of the input, even when
    /// that is empty. An empty `out` gives `Next::Room`. The part of `out` that is not written to
    /// holds nothing of use afterwards, but need not be as it was.
    ///
    /// *Errors*: any that the input can cause; see [`DecodeError`]. What was decoded before the
    /// fault has been given out by an earlier call.
    pub fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress, DecodeError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let result = self.pump(input, out);
        match &result {
            Ok(progress) => self.next = progress.next,
            Err(error) => self.error = Some(error.clone()),
        }
        result
    }

    /// Says that the input has ended. To be called after [`Next::Input`].
    ///
    /// Input of no bytes at all is truncated too, as no coding here codes anything by nothing.
    /// Whoever wants to take an empty message for empty content asks [`Decoder::bytes_read`].
    ///
    /// *Errors*: [`DecodeError::Truncated`] when a coding lacks its end;
    /// [`DecodeError::OutputPending`] when it is called too early.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        let result = match (&self.error, self.next) {
            (Some(error), _) => Err(error.clone()),
            (None, Next::Room) => Err(DecodeError::OutputPending),
            (None, Next::Input) => match self.links.iter().find(|link| !link.stage.is_complete()) {
                Some(link) => Err(link.truncated()),
                None => Ok(()),
            },
        };
        if let Err(error) = &result {
            self.error = Some(error.clone());
        }
        result
    }

    /// Makes the decoder ready for another message with the same codings and limits.
    ///
    /// This keeps the memory of the state, which costs more than decoding a small message.
    ///
    /// *Errors*: [`DecodeError::OutOfMemory`].
    pub fn reset(&mut self) -> Result<(), DecodeError> {
        for link in &mut self.links {
            link.reset()?;
        }
        (self.read, self.written) = (0, 0);
        (self.next, self.error) = (Next::Input, None);
        Ok(())
    }

    /// The codings that are undone, in the order in which they were applied.
    pub fn codings(&self) -> &ContentCodings {
        &self.codings
    }

    /// The coded bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// The decoded bytes written so far.
    pub fn bytes_written(&self) -> u64 {
        self.written
    }

    /// Moves bytes through all links until nothing moves any more.
    fn pump(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress, DecodeError> {
        let mut done = Step::default();
        let mut stop = None;
        loop {
            let allowed = usize::try_from(self.limits.output - self.written).unwrap_or(usize::MAX);
            let room = allowed.min(out.len() - done.written);
            let is_cut = room < out.len() - done.written;
            // At the limit a spare byte tells whether there is more.
            let mut spare = [0];
            let target = match room {
                0 if is_cut => &mut spare[..],
                _ => &mut out[done.written..done.written + room],
            };
            let Pass { outer, moved } = match self.pass(&input[done.read..], target) {
                Ok(pass) => pass,
                Err(error) => {
                    stop = Some(error);
                    break;
                }
            };
            done.read += outer.read;
            if room == 0 && outer.written > 0 {
                stop = Some(DecodeError::OutputLimit { limit: self.limits.output });
                break;
            }
            done.written += outer.written;
            self.written += outer.written as u64;
            // A lone link does all it can in one step.
            if !moved || self.links.len() == 1 && !is_cut {
                break;
            }
        }
        let stop = stop.or_else(|| self.fault());
        match stop {
            Some(error) if done == Step::default() => return Err(error),
            // What was written before the fault is given out first.
            Some(error) => self.error = Some(error),
            None => {}
        }
        let is_full = done.written == out.len() || self.error.is_some();
        let next = if is_full { Next::Room } else { Next::Input };
        debug_assert!(is_full || done.read == input.len(), "input is left with room to spare");
        Ok(Progress { read: done.read, written: done.written, next })
    }

    /// Lets each link step once, the outermost coding first.
    fn pass(&mut self, input: &[u8], out: &mut [u8]) -> Result<Pass, DecodeError> {
        let mut pass = Pass::default();
        for i in 0..self.links.len() {
            let (links, later) = self.links.split_at_mut(i + 1);
            let link = &mut links[i];
            let inbox = later.first_mut().and_then(|next| next.inbox.as_mut());
            let step = match inbox {
                Some(inbox) => {
                    let step = link.step(input, inbox.space());
                    inbox.fill(step.written);
                    step
                }
                None => {
                    let step = link.step(input, out);
                    pass.outer.written = step.written;
                    step
                }
            };
            if i == 0 {
                pass.outer.read = step.read;
                self.read += step.read as u64;
            }
            pass.moved |= step != Step::default();
            if self.limits.is_bomb(self.read, link.written) {
                let (ratio, read, written) = (self.limits.ratio, self.read, link.written);
                return Err(DecodeError::RatioLimit { ratio, read, written });
            }
        }
        if self.links.is_empty() {
            let len = input.len().min(out.len());
            out[..len].copy_from_slice(&input[..len]);
            self.read += len as u64;
            pass = Pass { outer: Step { read: len, written: len }, moved: len > 0 };
        }
        Ok(pass)
    }

    /// The fault to tell once nothing moves: that of the innermost coding, which stands first in
    /// the content.
    fn fault(&self) -> Option<DecodeError> {
        let at = self.links.iter().rposition(|link| link.fault.is_some())?;
        let fault = self.links[at].fault.clone();
        let is_whole = !matches!(fault, Some(DecodeError::TrailingData { .. }));
        match self.links[at + 1..].iter().find(|link| !link.stage.is_complete()) {
            // Trailing data says that the content is whole, so that all of it must be.
            Some(link) if !is_whole => Some(link.truncated()),
            _ => fault,
        }
    }
}

/// The decoder of one coding with its input and what is known about it.
struct Link {
    coding: Coding,
    stage: Stage,
    /// What the link before has given; none in front, where the caller's input is read.
    inbox: Option<Inbox>,
    read: u64,
    written: u64,
    fault: Option<DecodeError>,
}

impl Link {
    fn new(coding: Coding, inbox: Option<Inbox>) -> Result<Self, DecodeError> {
        Ok(Self { coding, stage: Stage::new(coding)?, inbox, read: 0, written: 0, fault: None })
    }

    /// Steps with what is in the inbox, or with `input` in front.
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let mut step = Step::default();
        if self.fault.is_some() {
            return step;
        }
        let result = match &mut self.inbox {
            None => self.stage.step(input, out, &mut step),
            Some(inbox) => {
                let result = self.stage.step(inbox.filled(), out, &mut step);
                inbox.consume(step.read);
                result
            }
        };
        self.read += step.read as u64;
        self.written += step.written as u64;
        if let Err(fault) = result {
            self.fault = Some(fault.at(self.coding, self.read));
        }
        step
    }

    fn truncated(&self) -> DecodeError {
        DecodeError::Truncated { coding: self.coding, offset: self.read }
    }

    fn reset(&mut self) -> Result<(), DecodeError> {
        self.stage.reset()?;
        if let Some(inbox) = &mut self.inbox {
            inbox.clear();
        }
        (self.read, self.written) = (0, 0);
        self.fault = None;
        Ok(())
    }
}

/// What one round over the links did.
#[derive(Default)]
struct Pass {
    /// What was read by the link in front and written by the last one.
    outer: Step,
    /// Whether anything moved at all.
    moved: bool,
}
