//! The smallest session of the right shape.

use avocet_net::{ConnectionPermit, Established, Input, Next, Outbox, Task, Transport, Turn};

/// Sends back what it receives, until the peer ends its side; then it ends its own.
///
/// It does what every session should: it reads within a budget, stops reading while the peer does not
/// take what waits for it, and writes once per turn.
pub struct Echo {
    transport: Box<dyn Transport>,
    permit: Option<ConnectionPermit>,
    stage: Stage,
    out: Outbox,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Establishing,
    Open,
}

impl Echo {
    /// Echoes on a transport.
    pub fn new(transport: impl Transport + 'static) -> Self {
        let (out, stage) = (Outbox::new(), Stage::Fresh);
        Self { transport: Box::new(transport), permit: None, stage, out, ended: false }
    }

    /// Keeps the permit of its connection.
    #[must_use]
    pub fn with_permit(mut self, permit: ConnectionPermit) -> Self {
        self.permit = Some(permit);
        self
    }

    fn work(&mut self, cx: &mut Turn<'_>) -> std::io::Result<Next> {
        if self.stage == Stage::Fresh {
            cx.register(&mut *self.transport)?;
            self.stage = Stage::Establishing;
        }
        if self.stage == Stage::Establishing {
            if self.transport.establish()? == Established::Pending {
                return Ok(Next::Wait(None));
            }
            self.stage = Stage::Open;
        }
        let mut scratch = cx.take_scratch();
        let read = self.read(cx, &mut scratch);
        cx.put_scratch(scratch);
        read?;
        if !self.out.is_empty() && cx.writable() {
            cx.write(&mut *self.transport, &mut self.out)?;
        }
        if self.ended && self.out.is_empty() {
            self.transport.close_write()?;
            return Ok(Next::Done);
        }
        // What was not read for want of room or budget has had its event already.
        let more = cx.readable() && !self.ended && self.out.len() < ROOM;
        Ok(if more { Next::Again } else { Next::Wait(None) })
    }

    fn read(&mut self, cx: &mut Turn<'_>, scratch: &mut [u8]) -> std::io::Result<()> {
        let mut budget = BUDGET;
        while cx.readable() && !self.ended && budget > 0 && self.out.len() < ROOM {
            match cx.read(&mut *self.transport, scratch)? {
                Input::Bytes(count) => {
                    budget = budget.saturating_sub(count);
                    self.out.push_slice(&scratch[..count]);
                }
                Input::Blocked => {}
                Input::Closed => self.ended = true,
            }
        }
        Ok(())
    }
}

impl Task for Echo {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        self.work(cx).unwrap_or(Next::Done)
    }
}

/// Bytes read in one turn.
const BUDGET: usize = 256 * 1024;
/// With so much waiting nothing more is read.
const ROOM: u64 = 128 * 1024;
