//! Opening a page in the person's browser.

use std::env;
use std::process::{Command, Stdio};
use std::thread;

/// Opens a URL by the program that BROWSER names, or by the system's. It runs beside this one, and
/// what goes wrong with it is told.
pub(crate) fn open(url: &str) {
    let named = env::var_os("BROWSER").filter(|name| !name.is_empty());
    let usual = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let program = named.unwrap_or_else(|| usual.into());
    let mut command = Command::new(&program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null());
    let shown = program.to_string_lossy().into_owned();
    let started =
        thread::Builder::new().name("browser".into()).spawn(move || match command.status() {
            Ok(status) if status.success() => {}
            Ok(status) => log::warn!("{shown} opened no page: {status}"),
            Err(error) => log::warn!("cannot start {shown}: {error}"),
        });
    if let Err(error) = started {
        log::warn!("cannot open the page: {error}");
    }
}
