pub use decode::DecodeError;
pub use encode::EncodeError;

mod decode;
mod encode;
