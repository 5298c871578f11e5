//! `avocet completions` and `avocet man`: what shells and `man` want to know, out of the table of
//! arguments.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::{Arguments, output};

/// Print the completions of a shell, for its file of settings
#[derive(Args)]
#[command(after_help = "For bash: avocet completions bash > \
    ~/.local/share/bash-completion/completions/avocet")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

/// Print the manual page, or write all pages to a folder
#[derive(Args)]
pub(crate) struct Man {
    /// Folder for the pages of the program and of each verb
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Completions {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "avocet", &mut text);
        output::exact(&text)
    }
}

impl Man {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Some(folder) = self.folder else {
            let mut page = Vec::new();
            let man = clap_mangen::Man::new(Arguments::command().disable_help_subcommand(true));
            man.render(&mut page).map_err(Failure::failed)?;
            return output::exact(&page);
        };
        let cannot = |error: io::Error| {
            Failure::with_status(23, format_args!("cannot write to {}: {error}", folder.display()))
        };
        fs::create_dir_all(&folder).map_err(cannot)?;
        clap_mangen::generate_to(Arguments::command(), &folder).map_err(cannot)
    }
}
