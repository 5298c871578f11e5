//! Servers and proxies of others, each with the least configuration that it starts with.

use std::process::Command;

use super::lab::{Lab, PYTHON, Running, is_root};

/// nginx on the folder `www`: plain below `/`, compressed below `/gzip/`, with a password below
/// `/private/`. Its access log says status, range, and the proxies that the request came through.
pub(super) fn nginx(lab: &Lab) -> Result<Running, String> {
    lab.start("nginx", |port| {
        let folder = lab.folder("nginx")?;
        let folder = folder.display();
        let www = lab.folder("www")?;
        let www = www.display();
        lab.write("nginx/passwords", "me:{PLAIN}secret\n")?;
        let user = if is_root() { "user root;\n" } else { "" };
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("    {name}_temp_path {folder}/{name};\n"))
            .concat();
        let config = format!(
            "{user}daemon off;
worker_processes 1;
error_log stderr;
pid {folder}/pid;
events {{ worker_connections 512; }}
http {{
    log_format interop '$status $request_method $uri range=$http_range via=$http_via';
    access_log {folder}/access.log interop;
    default_type application/octet-stream;
    types {{ text/html html; text/plain txt; }}
{temporary}    server {{
        listen 127.0.0.1:{port};
        root {www};
        location /gzip/ {{
            alias {www}/;
            gzip on;
            gzip_types text/plain;
        }}
        location /private/ {{
            alias {www}/;
            auth_basic birds;
            auth_basic_user_file {folder}/passwords;
        }}
        location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
    }}
}}
"
        );
        let config = lab.write("nginx/config", config)?;
        let mut command = Command::new("/usr/sbin/nginx");
        command.arg("-e").arg("stderr").arg("-c").arg(config);
        Ok(command)
    })
}

/// apache on the folder `www`, with a Digest password below `/digest/`.
pub(super) fn apache(lab: &Lab) -> Result<Running, String> {
    lab.start("apache", |port| {
        let folder = lab.folder("apache")?;
        let folder = folder.display();
        let www = lab.folder("www")?;
        let www = www.display();
        // The MD5 of `me:birds:secret`, as htdigest writes it.
        lab.write("apache/digest", "me:birds:4c06f7c95569d3b64c10f304c2f1a927\n")?;
        let user = if is_root() { "User www-data\nGroup www-data\n" } else { "" };
        let modules = [
            "mpm_event",
            "authn_core",
            "authn_file",
            "authz_core",
            "authz_user",
            "auth_digest",
            "alias",
        ]
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .concat();
        let config = format!(
            "ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
{user}{modules}DocumentRoot {www}
LogFormat \"%>s %m %U range=%{{Range}}i user=%u\" interop
CustomLog {folder}/access.log interop
<Directory {www}>
    Require all granted
</Directory>
Alias /digest/ {www}/
<Location /digest/>
    AuthType Digest
    AuthName birds
    AuthDigestProvider file
    AuthUserFile {folder}/digest
    Require valid-user
</Location>
"
        );
        let config = lab.write("apache/config", config)?;
        let mut command = Command::new("/usr/sbin/apache2");
        command.args(["-D", "FOREGROUND", "-f"]).arg(config);
        Ok(command)
    })
}

/// Python's `http.server` on the folder `www`: HTTP/1.0, no ranges.
pub(super) fn http_server(lab: &Lab) -> Result<Running, String> {
    lab.start("python", |port| {
        let mut command = Command::new(PYTHON);
        command.args(["-I", "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory"]);
        command.arg(lab.folder("www")?).arg(port.to_string());
        Ok(command)
    })
}

/// A server of ours in Python that takes forms apart and plays with cookies.
pub(super) fn pages(lab: &Lab) -> Result<Running, String> {
    lab.start("pages", |port| {
        let mut command = Command::new(PYTHON);
        command.args(["-I", "-u", "-c", include_str!("pages.py"), &port.to_string()]);
        Ok(command)
    })
}

/// tinyproxy, which asks for a password.
pub(super) fn tinyproxy(lab: &Lab) -> Result<Running, String> {
    lab.start("tinyproxy", |port| {
        let config = format!(
            "Port {port}
Listen 127.0.0.1
Allow 127.0.0.1
Timeout 60
MaxClients 20
LogLevel Connect
ViaProxyName \"interop\"
BasicAuth me secret
"
        );
        let config = lab.write("tinyproxy.conf", config)?;
        let mut command = Command::new("/usr/bin/tinyproxy");
        command.arg("-d").arg("-c").arg(config);
        Ok(command)
    })
}

/// microsocks, SOCKS 5 with a password.
pub(super) fn microsocks(lab: &Lab) -> Result<Running, String> {
    lab.start("microsocks", |port| {
        let mut command = Command::new("/usr/bin/microsocks");
        command.args(["-i", "127.0.0.1", "-u", "me", "-P", "secret", "-p", &port.to_string()]);
        Ok(command)
    })
}

/// dante, SOCKS 4, 4a and 5 without a password.
pub(super) fn dante(lab: &Lab) -> Result<Running, String> {
    lab.start("dante", |port| {
        let user =
            if is_root() { "user.privileged: root\nuser.unprivileged: nobody\n" } else { "" };
        let config = format!(
            "logoutput: stderr
internal: 127.0.0.1 port = {port}
external: lo
clientmethod: none
socksmethod: none
{user}client pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
}}
socks pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
    command: connect
    log: connect
}}
"
        );
        let config = lab.write("dante.conf", config)?;
        let mut command = Command::new("/usr/sbin/danted");
        command.arg("-f").arg(config).arg("-p").arg(lab.path("dante.pid"));
        Ok(command)
    })
}
