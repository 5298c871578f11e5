use std::fmt::Debug;

use crate::{RequestHead, ResponseHead};

/// The side of a connection that a [`Connection`](crate::Connection) plays: [`Server`] or [`Client`].
pub trait Role: sealed::Sealed + Copy + Debug + 'static {
    /// The kind of head that this side reads.
    type Incoming<'b>: Debug + Clone;
}

/// Reads requests and sends responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {}

/// Sends requests and reads responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {}

impl Role for Server {
    type Incoming<'b> = RequestHead<'b>;
}

impl Role for Client {
    type Incoming<'b> = ResponseHead<'b>;
}

/// What only the roles of this crate do.
pub(crate) mod sealed {
    use super::Role;
    use crate::{Connection, FieldTable, ReadError, Step};

    pub trait Sealed: Sized {
        /// Reads a head, in the state in which one is due, and moves the states.
        fn read_head<'b>(
            connection: &mut Connection<Self>,
            input: &'b [u8],
            table: &'b mut FieldTable,
        ) -> Result<Step<'b, Self>, ReadError>
        where
            Self: Role;
    }
}
