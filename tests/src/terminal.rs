//! The program on a terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The person's end of a terminal on which a program runs.
#[derive(Debug)]
pub struct Terminal {
    person: File,
}

impl Terminal {
    /// A terminal, and the command with it as its input and outputs.
    ///
    /// # Panics
    ///
    /// If the system gives none.
    pub fn around(command: &mut Command) -> Self {
        Self::open(command).expect("a terminal")
    }

    fn open(command: &mut Command) -> io::Result<Self> {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&person)?;
        unlockpt(&person)?;
        let name = ptsname(&person, Vec::new())?;
        let path = name.to_string_lossy().into_owned();
        let program = OpenOptions::new().read(true).write(true).open(path)?;
        command.stdin(Stdio::from(program.try_clone()?));
        command.stdout(Stdio::from(program.try_clone()?)).stderr(Stdio::from(program));
        Ok(Self { person: File::from(person) })
    }

    /// Types a text.
    ///
    /// # Panics
    ///
    /// If the terminal is gone.
    pub fn type_in(&mut self, text: &str) {
        self.person.write_all(text.as_bytes()).expect("somebody reads");
    }

    /// Everything that is shown until the last program lets go of the terminal, or until the text
    /// holds what is waited for. The command itself must be dropped: it holds the other end.
    pub fn read_until(&mut self, wanted: &str) -> String {
        let (mut shown, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            // At the end a terminal gives an error where a pipe gives nothing.
            let read = self.person.read(&mut piece).unwrap_or(0);
            shown.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&shown);
            if read == 0 || (!wanted.is_empty() && text.contains(wanted)) {
                return text.into_owned();
            }
        }
    }
}
