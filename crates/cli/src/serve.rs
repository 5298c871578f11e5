//! `avocet serve`.

mod changing;
mod dev;
mod files;
mod guarding;
mod hosts;
mod rules;
mod site;

use std::io::{self, IsTerminal};

use clap::Args;

use self::dev::{Dev, Watching};
use self::hosts::Hosts;
use self::site::{Site, SiteOptions};
use crate::failure::Failure;
use crate::output;
use crate::running::{Again, Reached, Service, Serving};
use crate::settings::Settings;

/// Options of `serve`.
#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    site: SiteOptions,
    #[command(flatten)]
    dev: Dev,
    #[command(flatten)]
    serving: Serving,
}

impl Serve {
    pub(crate) fn run(self, settings: &Settings, quiet: bool) -> Result<(), Failure> {
        if self.site.guarding.act()? {
            return Ok(());
        }
        let Self { site, dev, serving } = self;
        let site = site.open(&dev)?;
        let what = site.what.clone();
        let Hosts { handler, folders } = Hosts::around(site, settings)?;
        let watching = dev.dev.then(|| Watching::start(folders)).transpose()?;
        let handler = match &watching {
            Some(pages) => pages.around(handler),
            None => handler,
        };
        let mut service = Service::new(what, handler);
        if settings.has_file() {
            service.again = Some(again(settings.clone(), watching.clone()));
        }
        if let Some(watching) = watching {
            service.on_stop = Box::new(move || watching.stop());
        }
        service.ready = Box::new(move |reached| ready(&reached, &dev, quiet));
        serving.run(service, quiet)
    }

    fn site(self) -> Result<Site, Failure> {
        self.site.open(&self.dev)
    }
}

/// Reads the settings anew. Where the server listens and what it logs stay as they were, and so does
/// what is watched.
fn again(settings: Settings, watching: Option<Watching>) -> Again {
    Box::new(move || {
        let settings = settings.again()?;
        let serve: Serve = settings.parse(None)?;
        let handler = Hosts::around(serve.site()?, &settings)?.handler;
        Ok(match &watching {
            Some(pages) => pages.around(handler),
            None => handler,
        })
    })
}

/// The server listens.
fn ready(reached: &Reached, dev: &Dev, quiet: bool) {
    if let Some(url) = reached.network_url.as_deref().filter(|_| dev.dev && !quiet)
        && io::stdout().is_terminal()
        && let Some(code) = dev::draw(url)
    {
        output::line(code.trim_end());
    }
    if dev.open {
        dev::open(&reached.url);
    }
}
