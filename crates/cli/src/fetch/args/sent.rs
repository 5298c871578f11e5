//! The options about what is sent.

use clap::Args;

use super::placed::{Placed, placed};

/// What is sent.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Content")]
pub(crate) struct Sent {
    /// Content of a form, `name=value`, or `@FILE`; makes it a POST
    #[arg(short, long, alias = "data-ascii", value_name = "DATA", allow_hyphen_values = true, value_parser = placed)]
    pub(crate) data: Vec<Placed>,
    /// The same without a meaning for `@`
    #[arg(long, value_name = "DATA", allow_hyphen_values = true, value_parser = placed)]
    pub(crate) data_raw: Vec<Placed>,
    /// The same with line ends of a file kept
    #[arg(long, value_name = "DATA", allow_hyphen_values = true, value_parser = placed)]
    pub(crate) data_binary: Vec<Placed>,
    /// The same, percent-encoded: `text`, `name=text`, `name@FILE`
    #[arg(long, value_name = "DATA", allow_hyphen_values = true, value_parser = placed)]
    pub(crate) data_urlencode: Vec<Placed>,
    /// JSON, or `@FILE`, with its types in Content-Type and Accept
    #[arg(long, value_name = "DATA", allow_hyphen_values = true)]
    pub(crate) json: Vec<String>,
    /// Part of a form: `name=value`, `name=@FILE[,FILE]...`, `name=<FILE`, with `;type=TYPE`,
    /// `;filename=NAME` and `;headers=LINE` or `;headers=@FILE` behind; what stands in quotes may have
    /// commas and semicolons in it
    #[arg(short = 'F', long, value_name = "PART", conflicts_with_all = ["data", "data_raw", "data_binary", "data_urlencode", "json", "get", "upload_file"], value_parser = placed)]
    pub(crate) form: Vec<Placed>,
    /// The same without a meaning for `@`, `<` and `;`
    #[arg(long, value_name = "PART", conflicts_with_all = ["data", "data_raw", "data_binary", "data_urlencode", "json", "get", "upload_file"], value_parser = placed)]
    pub(crate) form_string: Vec<Placed>,
    /// In names of parts write `\"` for a quote instead of `%22`
    #[arg(long)]
    pub(crate) form_escape: bool,
    /// Put the data of -d into the query of the URL
    #[arg(short = 'G', long)]
    pub(crate) get: bool,
    /// Add this to the query of the URL, percent-encoded as by --data-urlencode; behind a `+` as it is
    #[arg(long, value_name = "DATA", allow_hyphen_values = true)]
    pub(crate) url_query: Vec<String>,
    /// Send FILE, or `-` for standard input, by PUT; once per URL, and to each URL for every one of
    /// `{a,b}`
    #[arg(short = 'T', long, value_name = "FILE", value_parser = placed)]
    pub(crate) upload_file: Vec<Placed>,
}
