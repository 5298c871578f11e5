//! The task that takes a script's steps.

use std::io;
use std::time::{Duration, Instant};

use avocet_net::{Established, Input, Next, Outbox, Task, Transport, Turn};

use crate::reply::HttpReply;
use crate::script::{Outcome, Step};

pub(crate) struct Player {
    steps: std::vec::IntoIter<Step>,
    current: Option<Current>,
    patience: Duration,
    transport: Box<dyn Transport>,
    stage: Stage,
    out: Outbox,
    /// Size of the pieces and the pause between them.
    pieces: (usize, Duration),
    /// What was received and no step has expected yet.
    input: Vec<u8>,
    /// The peer's end, or why reading failed.
    ended: Option<Result<(), io::ErrorKind>>,
    outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Establishing,
    Playing,
}

/// The step that is being taken.
struct Current {
    step: Step,
    since: Instant,
    /// For a sending step: the bytes that have been queued, and when the next piece may be.
    sent: usize,
    send_at: Instant,
}

/// How far a step has come.
enum Progress {
    Done,
    /// Bytes, room or this instant are missing.
    Wait(Option<Instant>),
}

impl Player {
    pub(crate) fn new(
        steps: Vec<Step>,
        patience: Duration,
        transport: Box<dyn Transport>,
        outcome: Outcome,
    ) -> Self {
        Self {
            steps: steps.into_iter(),
            current: None,
            patience,
            transport,
            stage: Stage::Fresh,
            out: Outbox::new(),
            pieces: (0, Duration::ZERO),
            input: Vec::new(),
            ended: None,
            outcome,
        }
    }

    fn play(&mut self, cx: &mut Turn<'_>) -> Result<Next, String> {
        if self.stage != Stage::Playing && !self.establish(cx)? {
            return Ok(Next::Wait(None));
        }
        self.read(cx);
        while let Some(mut current) = self.current.take().or_else(|| self.begin(cx.now())) {
            let progress = self.take(&mut current, cx);
            let limit = current.since + self.patience;
            let failed = |why: String| format!("{:?}: {why}", current.step);
            match progress.map_err(failed)? {
                Progress::Done => self.outcome.lock().step += 1,
                Progress::Wait(_) if cx.now() >= limit => {
                    return Err(failed(format!("not within {:?}", self.patience)));
                }
                Progress::Wait(until) => {
                    self.current = Some(current);
                    return Ok(Next::Wait(Some(until.map_or(limit, |until| until.min(limit)))));
                }
            }
        }
        self.outcome.lock().finished = true;
        Ok(Next::Done)
    }

    fn establish(&mut self, cx: &mut Turn<'_>) -> Result<bool, String> {
        let failed = |error: io::Error| format!("not connected: {error}");
        if self.stage == Stage::Fresh {
            cx.register(&mut *self.transport).map_err(failed)?;
            self.stage = Stage::Establishing;
        }
        if self.transport.establish().map_err(failed)? == Established::Pending {
            return Ok(false);
        }
        self.stage = Stage::Playing;
        Ok(true)
    }

    fn read(&mut self, cx: &mut Turn<'_>) {
        let mut scratch = cx.take_scratch();
        while cx.readable() && self.ended.is_none() {
            match cx.read(&mut *self.transport, &mut scratch) {
                Ok(Input::Bytes(count)) => {
                    self.input.extend_from_slice(&scratch[..count]);
                    self.outcome.lock().received.extend_from_slice(&scratch[..count]);
                }
                Ok(Input::Blocked) => {}
                Ok(Input::Closed) => self.ended = Some(Ok(())),
                Err(error) => self.ended = Some(Err(error.kind())),
            }
        }
        cx.put_scratch(scratch);
    }

    fn begin(&mut self, now: Instant) -> Option<Current> {
        let step = self.steps.next()?;
        Some(Current { step, since: now, sent: 0, send_at: now })
    }

    fn take(&mut self, current: &mut Current, cx: &mut Turn<'_>) -> Result<Progress, String> {
        let now = cx.now();
        match &current.step {
            Step::Pieces { size, gap } => {
                self.pieces = (*size, *gap);
                Ok(Progress::Done)
            }
            Step::Wait(duration) => Ok(until(current.since + *duration, now)),
            Step::ExpectSilence(duration) => {
                if !self.input.is_empty() || self.ended.is_some() {
                    return Err(format!("there is {}", self.rest()));
                }
                Ok(until(current.since + *duration, now))
            }
            Step::Send(_) => self.send(current, cx),
            Step::End => {
                self.transport.close_write().map_err(|error| error.to_string())?;
                Ok(Progress::Done)
            }
            Step::Expect(expected) => {
                let common = self.input.iter().zip(expected).take_while(|(a, b)| a == b).count();
                if common < expected.len().min(self.input.len()) {
                    return Err(format!("there is {}", self.rest()));
                }
                let length = expected.len();
                self.consume_if(common == length, length)
            }
            Step::ExpectUntil(end) => {
                let at = self.input.windows(end.len().max(1)).position(|window| window == &end[..]);
                let length = at.map_or(0, |at| at + end.len());
                self.consume_if(at.is_some(), length)
            }
            Step::ExpectReply { status, to_head } => self.expect_reply(*status, *to_head),
            Step::ExpectEnd if !self.input.is_empty() => Err(format!("there is {}", self.rest())),
            Step::ExpectEnd => match self.ended {
                None => Ok(Progress::Wait(None)),
                Some(Ok(())) => Ok(Progress::Done),
                Some(Err(_)) => Err(self.rest()),
            },
        }
    }

    fn send(&mut self, current: &mut Current, cx: &mut Turn<'_>) -> Result<Progress, String> {
        let Step::Send(bytes) = &current.step else { return Ok(Progress::Done) };
        let now = cx.now();
        let (size, gap) = self.pieces;
        let size = if size == 0 { bytes.len() } else { size };
        while current.sent < bytes.len() && now >= current.send_at && self.out.is_empty() {
            let piece = &bytes[current.sent..];
            let piece = &piece[..piece.len().min(size)];
            self.out.push_slice(piece);
            current.sent += piece.len();
            current.send_at = now + gap;
            self.write(cx)?;
        }
        self.write(cx)?;
        if !self.out.is_empty() {
            return Ok(Progress::Wait(None));
        }
        let done = current.sent == bytes.len();
        Ok(if done { Progress::Done } else { Progress::Wait(Some(current.send_at)) })
    }

    fn write(&mut self, cx: &mut Turn<'_>) -> Result<(), String> {
        if !self.out.is_empty() && cx.writable() {
            let written = cx.write(&mut *self.transport, &mut self.out);
            written.map_err(|error| format!("{error}, and there is {}", self.rest()))?;
        }
        Ok(())
    }

    fn expect_reply(&mut self, status: u16, to_head: bool) -> Result<Progress, String> {
        let ended = self.ended == Some(Ok(()));
        let Some((reply, length)) = HttpReply::read(&self.input, to_head, ended) else {
            return self.consume_if(false, 0);
        };
        if reply.status != status {
            return Err(format!("there is {}", self.rest()));
        }
        self.outcome.lock().replies.push(reply);
        self.consume_if(true, length)
    }

    fn consume_if(&mut self, complete: bool, length: usize) -> Result<Progress, String> {
        if complete {
            self.input.drain(..length);
            return Ok(Progress::Done);
        }
        if self.ended.is_some() { Err(self.rest()) } else { Ok(Progress::Wait(None)) }
    }

    /// What came that no step has expected.
    fn rest(&self) -> String {
        let end = match self.ended {
            None => String::new(),
            Some(Ok(())) => " and the end".to_owned(),
            Some(Err(kind)) => format!(" and the failure {kind}"),
        };
        format!("{:?}{end}", String::from_utf8_lossy(&self.input))
    }
}

impl Task for Player {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        match self.play(cx) {
            Ok(next) => next,
            Err(failure) => {
                let mut report = self.outcome.lock();
                report.failure = Some(format!("step {}, {failure}", report.step));
                Next::Done
            }
        }
    }
}

fn until(instant: Instant, now: Instant) -> Progress {
    if now >= instant { Progress::Done } else { Progress::Wait(Some(instant)) }
}
