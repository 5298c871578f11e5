#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
mod echo;
mod echo_server;
mod faulty;
mod link;
mod network;
mod player;
mod random;
mod reply;
mod rounds;
mod script;
mod simulation;
mod tasks;

pub use client::{Client, Closed};
pub use echo::Echo;
pub use echo_server::{EchoServer, Report};
pub use faulty::{Faults, FaultyIncoming, FaultyTransport};
pub use network::Network;
pub use random::Random;
pub use reply::HttpReply;
pub use rounds::rounds;
pub use script::{Outcome, Script};
pub use simulation::{Port, Simulation};
pub use tasks::task;
