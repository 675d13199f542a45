//! nginx: files over HTTP.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;

use super::process::{Folder, Process, accepts, find};

/// The configuration: one process, and nothing outside its folder, for which `@` is replaced.
const CONFIG: &str = r#"
daemon off;
master_process off;
pid "@/nginx.pid";
events { worker_connections 256; }
http {
    client_body_temp_path "@/body";
    proxy_temp_path "@/proxy";
    fastcgi_temp_path "@/fastcgi";
    uwsgi_temp_path "@/uwsgi";
    scgi_temp_path "@/scgi";
    log_format request "$request_method $request_uri $status";
    access_log "@/access.log" request;
    types {
        application/pkix-crl crl;
        application/pkix-cert cer crt;
        application/pkcs7-mime p7c p7b;
        application/ocsp-response ors;
    }
    default_type application/byte-stream;
    CACHE
    etag on;
    gzip on;
    gzip_min_length 20;
    gzip_types application/pkix-crl;
    server {
        listen 127.0.0.1:PORT;
        root "ROOT";
        location /moved/ { rewrite ^/moved/(.*)$ /$1 redirect; }
        location = /.sync { access_log off; return 204; }
        EXTRA
    }
}
"#;

/// A cache of another server, as `proxy_cache` is usually set up. Bodies without Cache-Control are kept for a second.
const CACHE: &str = r#"proxy_cache_path "@/cache" keys_zone=sources:1m;"#;
const CACHED: &str = "location / {
    proxy_pass ORIGIN;
    proxy_cache sources;
    proxy_cache_valid 200 1s;
    proxy_cache_lock on;
    proxy_cache_revalidate on;
    proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
}";

/// nginx, which serves the files of a folder: CRLs with gzip on request, an ETag with each, and a redirect (302) from
/// `/moved/x` to `/x`.
pub struct Nginx(Process);

impl Nginx {
    /// Starts nginx. `extra` is added to the server's configuration, such as a `location`.
    ///
    /// # Panics
    /// If nginx does not start.
    #[must_use]
    pub fn start(root: &Path, extra: &str) -> Option<Self> {
        Self::start_with(root, extra, "")
    }

    /// Starts nginx as a cache of the server with this URL.
    ///
    /// # Panics
    /// If nginx does not start.
    #[must_use]
    pub fn start_cache(root: &Path, origin: &str) -> Option<Self> {
        Self::start_with(root, &CACHED.replace("ORIGIN", origin), CACHE)
    }

    fn start_with(root: &Path, extra: &str, cache: &str) -> Option<Self> {
        let program = find("nginx")?;
        let root = root.canonicalize().expect("a folder");
        let command = |folder: &Folder, port: u16| {
            let config = CONFIG
                .replace("CACHE", cache)
                .replace('@', folder.path().to_str().expect("UTF-8"))
                .replace("PORT", &port.to_string())
                .replace("ROOT", root.to_str().expect("UTF-8"))
                .replace("EXTRA", extra);
            let config = folder.write("nginx.conf", &config);
            let mut command = Command::new(&program);
            command.arg("-p").arg(folder.path()).arg("-e").arg("stderr").arg("-c").arg(config);
            command
        };
        Some(Self(Process::start(Folder::new("nginx"), command, accepts)))
    }

    /// The URL of a path, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.0.port)
    }

    /// A line for each answered request: method, path and status, such as `GET /a.crl 200`.
    ///
    /// # Panics
    /// If nginx no longer runs.
    #[must_use]
    pub fn access_log(&self) -> Vec<String> {
        // A request is logged after its answer is sent. There is one process, so once it has answered another one, the
        // earlier ones are logged.
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.0.port)).expect("nginx accepts");
        stream.write_all(b"GET /.sync HTTP/1.0\r\n\r\n").expect("sent");
        stream.read_to_end(&mut Vec::new()).expect("answered");
        self.0.folder.read("access.log").lines().map(str::to_owned).collect()
    }
}
