//! The file servers that are measured: ours, those of Debian and those from crates.io, each with one
//! core and the settings under which it is cheapest.

use std::path::{Path, PathBuf};

use super::process::{Launch, Priority, Server, free_port};
use super::{compare, debian};
use crate::{Outcome, shell, tools};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The program `avocet`, as `serve`.
    Ours,
    /// Programs of Debian, and the packages that bring what they need.
    Debian(&'static str, &'static [&'static str]),
    /// A program from crates.io at the version that the task was tried with.
    Crate(&'static str),
}

pub(super) struct FileServer {
    name: &'static str,
    origin: Origin,
}

/// All, in the order in which they take turns.
const KNOWN: &[FileServer] = &[
    FileServer { name: "avocet", origin: Origin::Ours },
    FileServer { name: "nginx", origin: NGINX },
    FileServer { name: "nginx-cached", origin: NGINX },
    FileServer {
        name: "lighttpd",
        origin: Origin::Debian("lighttpd", &["lighttpd", "lighttpd-mod-deflate"]),
    },
    FileServer { name: "h2o", origin: Origin::Debian("h2o", &["h2o"]) },
    FileServer { name: "static-web-server", origin: Origin::Crate("2.44.1") },
    FileServer { name: "miniserve", origin: Origin::Crate("0.35.0") },
    FileServer { name: "dufs", origin: Origin::Crate("0.47.0") },
];

const NGINX: Origin = Origin::Debian("nginx", &["nginx", "libnginx-mod-http-brotli-filter"]);

/// The servers of these names; all if there are none.
pub(super) fn chosen(names: Option<&str>) -> Result<Vec<&'static FileServer>, String> {
    compare::named(names, KNOWN, |known| known.name, "file server")
}

impl FileServer {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Builds or installs it.
    pub(super) fn prepare(&self) -> Outcome {
        match self.origin {
            Origin::Ours => {
                shell::run(shell::cargo().args(["build", "--release", "--package", "avocet-cli"]))
            }
            Origin::Debian(program, packages) => {
                if tools::debian(program, packages[0]).is_err() || !has_modules(self.name) {
                    tools::install(packages)?;
                }
                Ok(())
            }
            Origin::Crate(version) => {
                if self.installed().is_file() {
                    return Ok(());
                }
                shell::run(
                    shell::cargo()
                        .args(["install", "--locked", "--version", version, "--root"])
                        .arg(shell::target_dir().join("peers/installed"))
                        .arg("--target-dir")
                        .arg(shell::target_dir().join("peers/install-build"))
                        .arg(self.name),
                )
            }
        }
    }

    /// Starts it on a free port, to serve `www`.
    pub(super) fn start(&self, folder: &Path, www: &Path) -> Result<Server, String> {
        let folder = folder.join(self.name);
        let port = free_port()?;
        let (program, args) = self.command(&folder, www, port)?;
        let launch = Launch { program, args, descriptors: 16_000, priority: Priority::Normal };
        Server::start(&launch, port, &folder.join("log"))
    }

    fn command(
        &self,
        folder: &Path,
        www: &Path,
        port: u16,
    ) -> Result<(String, Vec<String>), String> {
        // lighttpd keeps what it has compressed in a folder of its own.
        std::fs::create_dir_all(folder.join("cache"))
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let config = folder.join("config");
        let config_word = config.to_string_lossy().into_owned();
        let (root, number) = (www.to_string_lossy().into_owned(), port.to_string());
        let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let installed = self.installed().to_string_lossy().into_owned();
        Ok(match self.name {
            "avocet" => {
                let program = shell::target_dir().join("release/avocet");
                let args =
                    ["serve", &root, "--port", &number, "--workers", "1", "--log-format", "off"];
                (program.to_string_lossy().into_owned(), of(&args))
            }
            "nginx" | "nginx-cached" => {
                let cached = self.name == "nginx-cached";
                debian::write(&config, &debian::nginx_for_files(folder, www, port, cached))?;
                ("/usr/sbin/nginx".to_owned(), of(&["-c", &config_word]))
            }
            "lighttpd" => {
                debian::write(&config, &debian::lighttpd_for_files(folder, www, port))?;
                ("/usr/sbin/lighttpd".to_owned(), of(&["-D", "-f", &config_word]))
            }
            "h2o" => {
                debian::write(&config, &debian::h2o(www, port))?;
                ("/usr/bin/h2o".to_owned(), of(&["-c", &config_word]))
            }
            "static-web-server" => {
                let args = [
                    "--host",
                    "127.0.0.1",
                    "--port",
                    &number,
                    "--root",
                    &root,
                    "--log-level",
                    "error",
                    "--threads-multiplier",
                    "1",
                    "--compression-static",
                ];
                (installed, of(&args))
            }
            "miniserve" => {
                let args = ["-i", "127.0.0.1", "-p", &number, "--compress-response", &root];
                (installed, of(&args))
            }
            _ => (installed, of(&["-b", "127.0.0.1", "-p", &number, "--log-format=", &root])),
        })
    }

    fn installed(&self) -> PathBuf {
        shell::target_dir().join("peers/installed/bin").join(self.name)
    }
}

/// Whether what a server loads beside itself is there too.
fn has_modules(name: &str) -> bool {
    let module = match name {
        "nginx" | "nginx-cached" => "/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so",
        "lighttpd" => "/usr/lib/lighttpd/mod_deflate.so",
        _ => return true,
    };
    Path::new(module).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_chosen_by_name() {
        assert_eq!(chosen(None).unwrap().len(), KNOWN.len());
        let names: Vec<_> =
            chosen(Some("h2o,avocet")).unwrap().iter().map(|one| one.name()).collect();
        assert_eq!(names, ["h2o", "avocet"]);
        assert!(chosen(Some("other")).is_err());
    }
}
