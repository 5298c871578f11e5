use crate::inbox::Inbox;
use crate::progress::Step;
use crate::{Coding, ContentCodings, EncodeError, Level, Next, Progress};
use stage::{Drain, Stage};

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "gzip")]
mod deflate;
mod stage;
#[cfg(feature = "zstd")]
mod zstd;

/// Encodes the content of one message, piece by piece, from the caller's buffer into the caller's
/// buffer.
///
/// ```text
///   content -> [encode] -> Next::Input: bring more content, or
///                          [flush] until it is done: what was sent can be decoded whole
///                          [finish] until it is done: the message is whole
///                       -> Next::Room:  take the output and call encode again
/// ```
///
/// *Bounds*: each step writes at most the buffer that it is given. The state is about 370 KiB for
/// gzip and deflate, for br and zstd between 1 and some tens of MiB by the level, less where the
/// content is small and its length declared. 16 KiB more lie between two codings.
///
/// *Spec*: RFC 9110 §8.4.
///
/// ```
/// use avocet_encoding::{Coding, Encoder, Level};
///
/// # #[cfg(feature = "gzip")] {
/// let mut encoder = Encoder::new(Coding::Gzip, Level::Default)?;
/// let mut coded = vec![0; 1024];
/// let progress = encoder.encode(b"hello", &mut coded)?;
/// assert_eq!(progress.read, 5);
/// let drained = encoder.finish(&mut coded[progress.written..])?;
/// assert!(drained.is_done);
/// coded.truncate(progress.written + drained.written);
/// assert!(coded.starts_with(&[0x1F, 0x8B]));
/// # }
/// # Ok::<(), avocet_encoding::EncodeError>(())
/// ```
pub struct Encoder {
    codings: ContentCodings,
    /// One for each coding, in the order in which they are applied.
    links: Vec<Link>,
    state: State,
    declared: Option<u64>,
    read: u64,
    written: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but a length was given yet.
    Fresh,
    Open,
    /// On the way to a flush or the end; the links before `at` are drained.
    Draining {
        to: Drain,
        at: usize,
    },
    Ended,
}

/// How far a flush or the end of an encoding came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "draining takes as many calls as the output has room for"]
pub struct Drained {
    /// The bytes written to the start of the output.
    pub written: usize,
    /// Whether everything is out. If not, take the output and call again.
    pub is_done: bool,
}

impl Encoder {
    /// An encoder for one coding.
    ///
    /// *Errors*: [`EncodeError::NotBuiltIn`], [`EncodeError::LevelOutOfRange`],
    /// [`EncodeError::OutOfMemory`].
    pub fn new(coding: Coding, level: Level) -> Result<Self, EncodeError> {
        Self::stacked(&coding.into(), level)
    }

    /// An encoder that applies several codings over each other; with none it passes content on.
    ///
    /// *Errors*: as [`Encoder::new`], for any of them.
    pub fn stacked(codings: &ContentCodings, level: Level) -> Result<Self, EncodeError> {
        let links = codings.as_slice().iter().enumerate().map(|(i, &coding)| {
            let stage = Stage::new(coding, level)?;
            Ok(Link { stage, inbox: (i > 0).then(Inbox::new) })
        });
        Ok(Self {
            codings: *codings,
            links: links.collect::<Result<_, _>>()?,
            state: State::Fresh,
            declared: None,
            read: 0,
            written: 0,
        })
    }

    /// Says how long the content will be, which lets br and zstd take less memory and time.
    ///
    /// From then on any other length is [`EncodeError::LengthMismatch`].
    ///
    /// *Errors*: [`EncodeError::DeclaredTooLate`] after the first call of another method.
    pub fn declare_length(&mut self, len: u64) -> Result<(), EncodeError> {
        if self.state != State::Fresh {
            return Err(EncodeError::DeclaredTooLate);
        }
        self.declared = Some(len);
        self.links.first_mut().map_or(Ok(()), |link| link.stage.declare_length(len))
    }

    /// Encodes as much of `input` as there is room for in `out`.
    ///
    /// With [`Next::Input`] all of `input` was read; the encoder may hold it back to compress it
    /// together with what follows. With [`Next::Room`] call again with the rest of the input, even
    /// when that is empty. An empty `out` gives `Next::Room`.
    ///
    /// *Errors*: [`EncodeError::AfterEnd`], [`EncodeError::LengthMismatch`] when there is more
    /// than was declared, [`EncodeError::Failed`].
    pub fn encode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress, EncodeError> {
        let mut done = Step::default();
        match self.state {
            State::Ended | State::Draining { to: Drain::Finish, .. } => {
                return Err(EncodeError::AfterEnd);
            }
            State::Draining { to: Drain::Flush, .. } => {
                // A flush that was left before its end comes first.
                let drained = self.go_on_draining(out)?;
                done.written = drained.written;
                if !drained.is_done {
                    return Ok(Progress { read: 0, written: done.written, next: Next::Room });
                }
            }
            State::Fresh | State::Open => self.state = State::Open,
        }
        let given = self.read + input.len() as u64;
        if let Some(declared) = self.declared.filter(|&declared| given > declared) {
            return Err(EncodeError::LengthMismatch { declared, given });
        }
        loop {
            let step = self.pass(0, &input[done.read..], &mut out[done.written..])?;
            done.read += step.outer.read;
            done.written += step.outer.written;
            if !step.moved || self.links.len() == 1 {
                break;
            }
        }
        let is_full = done.written == out.len();
        debug_assert!(is_full || done.read == input.len(), "input is left with room to spare");
        let next = if is_full { Next::Room } else { Next::Input };
        Ok(Progress { read: done.read, written: done.written, next })
    }

    /// Gives out all content so far in a form that a decoder can give out whole, for streams whose
    /// reader waits. Each flush costs some bytes and compression.
    ///
    /// To be called until it is done.
    ///
    /// *Errors*: [`EncodeError::AfterEnd`], [`EncodeError::Failed`].
    pub fn flush(&mut self, out: &mut [u8]) -> Result<Drained, EncodeError> {
        match self.state {
            State::Ended | State::Draining { to: Drain::Finish, .. } => Err(EncodeError::AfterEnd),
            _ => self.drain(Drain::Flush, out),
        }
    }

    /// Ends the content and gives out all that is left of the coded message.
    ///
    /// To be called until it is done; further calls give nothing.
    ///
    /// *Errors*: [`EncodeError::LengthMismatch`] when there was less than was declared,
    /// [`EncodeError::Failed`].
    pub fn finish(&mut self, out: &mut [u8]) -> Result<Drained, EncodeError> {
        let given = self.read;
        match self.declared.filter(|&declared| given < declared) {
            Some(declared) => Err(EncodeError::LengthMismatch { declared, given }),
            None if self.state == State::Ended => Ok(Drained { written: 0, is_done: true }),
            None => self.drain(Drain::Finish, out),
        }
    }

    /// Makes the encoder ready for another message with the same codings and level; a declared
    /// length is forgotten.
    ///
    /// This keeps the memory of gzip, deflate and zstd, which costs more than encoding a small
    /// message.
    ///
    /// *Errors*: [`EncodeError::Failed`].
    pub fn reset(&mut self) -> Result<(), EncodeError> {
        for link in &mut self.links {
            link.stage.reset()?;
            if let Some(inbox) = &mut link.inbox {
                inbox.clear();
            }
        }
        (self.state, self.declared) = (State::Fresh, None);
        (self.read, self.written) = (0, 0);
        Ok(())
    }

    /// The codings in the order in which they are applied; what `Content-Encoding` must say.
    pub fn codings(&self) -> &ContentCodings {
        &self.codings
    }

    /// The bytes of content read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// The coded bytes written so far.
    pub fn bytes_written(&self) -> u64 {
        self.written
    }

    fn drain(&mut self, to: Drain, out: &mut [u8]) -> Result<Drained, EncodeError> {
        let mut before = 0;
        match self.state {
            State::Draining { to: pending, .. } if pending != to => {
                let drained = self.go_on_draining(out)?;
                if !drained.is_done {
                    return Ok(drained);
                }
                before = drained.written;
                self.state = State::Draining { to, at: 0 };
            }
            State::Draining { .. } => {}
            _ => self.state = State::Draining { to, at: 0 },
        }
        let drained = self.go_on_draining(&mut out[before..])?;
        Ok(Drained { written: before + drained.written, is_done: drained.is_done })
    }

    /// Drains one link after the other: each gets all that the one before it held back.
    fn go_on_draining(&mut self, out: &mut [u8]) -> Result<Drained, EncodeError> {
        let mut written = 0;
        while let State::Draining { to, at } = self.state {
            if at == self.links.len() {
                self.state = if to == Drain::Finish { State::Ended } else { State::Open };
                break;
            }
            let has_input = self.links[at].inbox.as_ref().is_some_and(|inbox| !inbox.is_empty());
            // Once a link is being drained it takes no more steps.
            let first = if has_input { at } else { at + 1 };
            let pass = self.pass(first, &[], &mut out[written..])?;
            written += pass.outer.written;
            let mut moved = pass.moved;
            if !has_input {
                let (links, later) = self.links.split_at_mut(at + 1);
                let link = &mut links[at];
                let inbox = later.first_mut().and_then(|next| next.inbox.as_mut());
                let drained = match inbox {
                    Some(inbox) => {
                        let drained = link.stage.drain(to, inbox.space())?;
                        inbox.fill(drained.written);
                        drained
                    }
                    None => {
                        let drained = link.stage.drain(to, &mut out[written..])?;
                        written += drained.written;
                        self.written += drained.written as u64;
                        drained
                    }
                };
                moved |= drained.written > 0;
                if drained.is_done {
                    self.state = State::Draining { to, at: at + 1 };
                    continue;
                }
            }
            if !moved {
                return Ok(Drained { written, is_done: false });
            }
        }
        Ok(Drained { written, is_done: true })
    }

    /// Lets each link from `first` on step once. `input` is for the link in front.
    fn pass(&mut self, first: usize, input: &[u8], out: &mut [u8]) -> Result<Pass, EncodeError> {
        let mut pass = Pass::default();
        for i in first..self.links.len() {
            let (links, later) = self.links.split_at_mut(i + 1);
            let link = &mut links[i];
            let inbox = later.first_mut().and_then(|next| next.inbox.as_mut());
            let step = match inbox {
                Some(inbox) => {
                    let step = link.step(input, inbox.space())?;
                    inbox.fill(step.written);
                    step
                }
                None => {
                    let step = link.step(input, out)?;
                    pass.outer.written = step.written;
                    step
                }
            };
            if i == 0 {
                pass.outer.read = step.read;
            }
            pass.moved |= step != Step::default();
        }
        if self.links.is_empty() {
            let len = input.len().min(out.len());
            out[..len].copy_from_slice(&input[..len]);
            pass = Pass { outer: Step { read: len, written: len }, moved: len > 0 };
        }
        self.read += pass.outer.read as u64;
        self.written += pass.outer.written as u64;
        Ok(pass)
    }
}

/// The encoder of one coding with its input.
struct Link {
    stage: Stage,
    /// What the link before has given; none in front, where the caller's input is read.
    inbox: Option<Inbox>,
}

impl Link {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, EncodeError> {
        let Some(inbox) = &mut self.inbox else {
            return self.stage.step(input, out);
        };
        let step = self.stage.step(inbox.filled(), out)?;
        inbox.consume(step.read);
        Ok(step)
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
