//! Passwords that a person types.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::failure::Failure;
use crate::output::printable;

/// `USER:PASSWORD`, where the password was asked for if it was not there.
///
/// *Errors*: there is no terminal to ask on.
pub(crate) fn complete(login: &str) -> Result<String, Failure> {
    if login.contains(':') {
        return Ok(login.to_owned());
    }
    let password = ask(&format!("Password of {}: ", printable(login))).map_err(|error| {
        Failure::usage(format_args!(
            "no password for {login}, and no terminal to ask for it on ({error}); use USER:PASSWORD"
        ))
    })?;
    Ok(format!("{login}:{password}"))
}

/// Asks on the terminal, whatever standard input and output are; what is typed is not shown.
fn ask(question: &str) -> io::Result<String> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let mut answer = String::new();
    {
        // Before the question: what is typed at once would be shown, or thrown away.
        let _hidden = Hidden::on(&terminal)?;
        (&terminal).write_all(question.as_bytes())?;
        BufReader::new(&terminal).read_line(&mut answer)?;
    }
    terminal.write_all(b"\n")?;
    Ok(answer.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that shows nothing of what is typed until this is dropped.
struct Hidden<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Hidden<'a> {
    fn on(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(self.terminal, OptionalActions::Now, &self.before) {
            log::warn!("the terminal does not show what is typed: {error}");
        }
    }
}
