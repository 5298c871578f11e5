//! What may be changed in the folder.

use std::num::NonZeroU64;

use avocet::files::Changes;
use clap::Args;

use crate::amount;

/// Options about changes.
#[derive(Args)]
#[command(next_help_heading = "Changes (none are allowed unless asked for)")]
pub(super) struct Changing {
    /// Take files, by PUT, also in parts that are resumed, and by a form in the listing
    #[arg(long)]
    upload: bool,
    /// Let an upload take the place of a file
    #[arg(long, requires = "upload")]
    overwrite: bool,
    /// Make folders, by MKCOL and by a form in the listing
    #[arg(long)]
    mkdir: bool,
    /// Delete files and empty folders, by DELETE and by a form in the listing
    #[arg(long)]
    delete: bool,
    /// Largest file that is taken, as 500k, 20M or 3G
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = amount::parse)]
    max_upload: NonZeroU64,
    /// Most that the folder may hold, all its files added up; unless given, the disk is the bound
    #[arg(long, value_name = "SIZE", value_parser = amount::parse)]
    quota: Option<NonZeroU64>,
    /// A name, or *.NAME for those below, under which a proxy on this machine makes this known, so
    /// that browsers may change something under it (repeatable); those of virtual hosts are known
    #[arg(long, value_name = "NAME")]
    known_as: Vec<String>,
}

impl Changing {
    /// Adds a name of the site's own.
    pub(super) fn know_as(&mut self, name: String) {
        self.known_as.push(name);
    }

    pub(super) fn changes(&self) -> Changes {
        let changes = Changes::new()
            .upload(self.upload)
            .overwrite(self.overwrite)
            .folders(self.mkdir)
            .delete(self.delete)
            .largest(self.max_upload.get());
        let changes = self.known_as.iter().fold(changes, Changes::name);
        match self.quota {
            Some(quota) => changes.quota(quota.get()),
            None => changes,
        }
    }
}
