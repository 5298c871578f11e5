//! The servers that Debian packs, each with the settings under which it is cheapest.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::Outcome;

/// nginx answers from its configuration, which spares it every file.
pub(super) fn nginx(folder: &Path, port: u16, workers: u32) -> String {
    let folder = folder.display();
    let affinity = if workers > 1 { "worker_cpu_affinity auto;" } else { "" };
    let temporary =
        TEMPORARY.map(|name| format!("    {name}_temp_path {folder}/{name};\n")).concat();
    format!(
        "daemon off;
worker_processes {workers};
{affinity}
worker_rlimit_nofile 16000;
error_log stderr crit;
pid {folder}/nginx.pid;
events {{
    worker_connections 15000;
    multi_accept on;
}}
http {{
    access_log off;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    server_tokens off;
{temporary}    server {{
        listen 127.0.0.1:{port} reuseport backlog=4096;
        location = /plaintext {{
            default_type text/plain;
            return 200 \"Hello, World!\";
        }}
    }}
}}
"
    )
}

/// nginx with large content for clients: in gzip, at `/text`.
pub(super) fn nginx_for_clients(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    let temporary =
        TEMPORARY.map(|name| format!("    {name}_temp_path {folder}/{name};\n")).concat();
    format!(
        "daemon off;
worker_processes 1;
error_log stderr crit;
pid {folder}/nginx.pid;
{}events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    sendfile_max_chunk 1m;
    tcp_nodelay on;
    default_type text/plain;
    keepalive_requests 1000000000;
    open_file_cache max=16;
{temporary}    server {{
        listen 127.0.0.1:{port};
        location = /text {{
            alias {folder}/www/plain.gz;
            add_header Content-Encoding gzip;
        }}
    }}
}}
",
        user()
    )
}

/// nginx over TLS: a line from its configuration, and a file at `/large`.
pub(super) fn nginx_with_tls(
    folder: &Path,
    port: u16,
    www: &Path,
    certificate: &str,
    key: &str,
) -> String {
    let (folder, www) = (folder.display(), www.display());
    let temporary =
        TEMPORARY.map(|name| format!("    {name}_temp_path {folder}/{name};\n")).concat();
    format!(
        "daemon off;
worker_processes 1;
error_log stderr crit;
pid {folder}/nginx.pid;
{}events {{ worker_connections 512; }}
http {{
    access_log off;
    sendfile on;
    tcp_nodelay on;
    default_type text/plain;
    keepalive_requests 1000000000;
    open_file_cache max=16;
    server_tokens off;
{temporary}    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        location = /plaintext {{ return 200 \"Hello, World!\"; }}
        location = /large {{ alias {www}/large; }}
    }}
}}
",
        user()
    )
}

/// nginx on a folder: sendfile, codings at level 1, the cheapest, and compressed files beside others.
/// With `cached` it keeps files open.
pub(super) fn nginx_for_files(folder: &Path, www: &Path, port: u16, cached: bool) -> String {
    let (folder, www) = (folder.display(), www.display());
    let temporary =
        TEMPORARY.map(|name| format!("    {name}_temp_path {folder}/{name};\n")).concat();
    let open = if cached {
        "open_file_cache max=1000 inactive=60s;\n    open_file_cache_valid 60s;"
    } else {
        ""
    };
    format!(
        "daemon off;
worker_processes 1;
worker_rlimit_nofile 16000;
error_log stderr crit;
pid {folder}/nginx.pid;
load_module /usr/lib/nginx/modules/ngx_http_brotli_filter_module.so;
{}events {{
    worker_connections 15000;
    multi_accept on;
}}
http {{
    types {{ text/html html; }}
    default_type application/octet-stream;
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    server_tokens off;
    gzip on;
    gzip_comp_level 1;
    gzip_static on;
    brotli on;
    brotli_comp_level 1;
    {open}
{temporary}    server {{
        listen 127.0.0.1:{port} reuseport backlog=4096;
        root {www};
    }}
}}
",
        user()
    )
}

/// lighttpd on a folder; what it has compressed it keeps, as ours does.
pub(super) fn lighttpd_for_files(folder: &Path, www: &Path, port: u16) -> String {
    let (folder, www) = (folder.display(), www.display());
    format!(
        "server.modules = ( \"mod_deflate\" )
server.document-root = \"{www}\"
server.errorlog = \"{folder}/error.log\"
server.bind = \"127.0.0.1\"
server.port = {port}
server.max-fds = 16000
server.max-connections = 12000
server.listen-backlog = 4096
server.max-keep-alive-requests = 65000
server.max-keep-alive-idle = 300
mimetype.assign = ( \".html\" => \"text/html\", \"\" => \"application/octet-stream\" )
deflate.mimetypes = ( \"text/\" )
deflate.cache-dir = \"{folder}/cache\"
deflate.allowed-encodings = ( \"br\", \"gzip\", \"zstd\" )
"
    )
}

/// h2o on a folder, with compressed files beside others.
pub(super) fn h2o(www: &Path, port: u16) -> String {
    let www = www.display();
    let user = if user().is_empty() { "" } else { "user: root\n" };
    format!(
        "{user}num-threads: 1
max-connections: 12000
http1-request-timeout: 300
compress: ON
file.send-compressed: ON
hosts:
  default:
    listen:
      host: 127.0.0.1
      port: {port}
    paths:
      \"/\":
        file.dir: {www}
"
    )
}

/// Workers of a server that root starts are nobody, and nobody may not look below every folder.
fn user() -> &'static str {
    let is_root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if is_root { "user root;\n" } else { "" }
}

/// Folders that Debian's nginx makes where only root may write, unless each is named.
const TEMPORARY: [&str; 5] = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/// lighttpd serves a file of 13 bytes, which it keeps in its cache.
pub(super) fn lighttpd(folder: &Path, port: u16, workers: u32) -> String {
    let folder = folder.display();
    let workers =
        if workers > 1 { format!("server.max-worker = {workers}\n") } else { String::new() };
    format!(
        "server.modules = ()
server.document-root = \"{folder}/www\"
server.bind = \"127.0.0.1\"
server.port = {port}
server.max-fds = 16000
server.max-connections = 12000
server.listen-backlog = 4096
server.max-keep-alive-requests = 65000
server.max-keep-alive-idle = 300
mimetype.assign = ( \"\" => \"text/plain\" )
{workers}"
    )
}

/// haproxy answers from its configuration; it has no Date of its own. Its strict limits count two
/// descriptors for each connection, of which the one to a server behind it is never opened here.
pub(super) fn haproxy(port: u16, workers: u32) -> String {
    format!(
        "global
  nbthread {workers}
  no strict-limits
  ulimit-n 16000
  maxconn 12000
  tune.maxaccept 64
defaults
  mode http
  timeout client 300s
  timeout connect 5s
  timeout server 300s
  timeout http-keep-alive 300s
frontend hello
  bind 127.0.0.1:{port}
  http-request return status 200 content-type text/plain lf-string \"Hello, World!\" \
         hdr Server haproxy hdr Date \"%[date,http_date]\"
"
    )
}

/// Writes a file, making the folder it is in.
pub(super) fn write(path: &Path, text: &str) -> Outcome {
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
