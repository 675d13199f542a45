//! The servers: `certcheck serve`, nginx and HAProxy, each on a free port before the same service, and nginx that serves a
//! file by itself, with and without asking `certcheck serve`.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::paced::pin;
use crate::scene::Scene;
use crate::service::Killed;

/// The longest time until a server listens: nginx reads a large CRL.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Case {
    Certcheck,
    CertcheckMillion,
    Nginx,
    NginxMillion,
    Haproxy,
    /// A validation listener alone.
    Validation,
    /// nginx that asks one.
    NginxAsking,
    /// nginx that checks a chain, and in one case a CRL too.
    NginxHttp,
    NginxHttpMillion,
}

/// What peers of the validation listener send.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

impl Case {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Certcheck => "certcheck serve, CRL of 10^3, all checked",
            Self::CertcheckMillion => "certcheck serve, CRL of 10^6, all checked",
            Self::Nginx => "nginx stream, verify, no CRL",
            Self::NginxMillion => "nginx stream, verify, CRL of 10^6",
            Self::Haproxy => "HAProxy, verify required, no CRL",
            Self::Validation => "certcheck serve, validation",
            Self::NginxAsking => "nginx http, asks certcheck, CRL of 10^6",
            Self::NginxHttp => "nginx http, verify, no CRL",
            Self::NginxHttpMillion => "nginx http, verify, CRL of 10^6 in a file",
        }
    }
}

/// A server that runs.
pub(crate) struct Server {
    child: Killed,
    pub(crate) address: SocketAddr,
    /// The address of its admin listener, if it has one.
    admin: SocketAddr,
    /// The server that it asks.
    asked: Option<Box<Self>>,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(case: Case, program: &Path, scene: &Scene, upstream: SocketAddr) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (port, admin) = (free().port(), free());
        let asked = (case == Case::NginxAsking)
            .then(|| Box::new(Self::start(Case::Validation, program, scene, upstream)));
        // By the last part of the address a client knows which of its certificates it is to send.
        let has_million = [Case::CertcheckMillion, Case::NginxAsking, Case::NginxHttpMillion].contains(&case);
        let last = if has_million { 2 } else { 1 };
        let address = SocketAddr::from(([127, 0, 0, last], port));
        let folder = scene.folder().join(format!("{case:?}-{port}"));
        fs::create_dir_all(&folder).unwrap();
        let (config, mut command) = match case {
            Case::Certcheck | Case::CertcheckMillion => {
                let mut command = Command::new(program);
                command.args(["serve", "--config", "config"]);
                (certcheck(address, upstream), command)
            }
            Case::Nginx | Case::NginxMillion => {
                let mut command = Command::new("/usr/sbin/nginx");
                command.arg("-p").arg(&folder).args(["-e", "stderr", "-c"]).arg(folder.join("config"));
                let crl = if case == Case::NginxMillion { "ssl_crl SCENE/crls.pem;" } else { "" };
                (nginx(address, upstream).replace("CRL", crl), command)
            }
            Case::Validation => {
                let mut command = Command::new(program);
                command.args(["serve", "--config", "config"]);
                fs::write(folder.join("secret"), SECRET).unwrap();
                (validation(address, admin), command)
            }
            Case::NginxAsking | Case::NginxHttp | Case::NginxHttpMillion => {
                let mut command = Command::new("/usr/sbin/nginx");
                command.arg("-p").arg(&folder).args(["-e", "stderr", "-c"]).arg(folder.join("config"));
                fs::create_dir_all(folder.join("www")).unwrap();
                fs::write(folder.join("www/index.html"), "ok\n").unwrap();
                (nginx_http(case, address, asked.as_ref().map(|asked| asked.address)), command)
            }
            Case::Haproxy => {
                let mut command = Command::new("/usr/sbin/haproxy");
                command.args(["-db", "-f", "config"]);
                (haproxy(address, upstream), command)
            }
        };
        let config = config.replace("SCENE", scene.folder().to_str().unwrap());
        fs::write(folder.join("config"), config).unwrap();
        let log = File::create(folder.join("log")).unwrap();
        command.current_dir(&folder).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = Killed(command.spawn().unwrap());
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = || fs::read_to_string(folder.join("log")).unwrap();
            assert!(child.0.try_wait().unwrap().is_none(), "{case:?} ended: {}", log());
            assert!(begun.elapsed() < PATIENCE, "{case:?} does not listen: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address, admin, asked }
    }

    /// Where it shows its metrics.
    pub(crate) const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Its process, and the processes that it has started.
    fn processes(&self) -> Vec<u32> {
        let id = self.child.0.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        let asked = self.asked.iter().flat_map(|asked| asked.processes());
        std::iter::once(id).chain(children).chain(asked).collect()
    }

    /// Leaves it one processor.
    pub(crate) fn pin(&self, processor: usize) {
        self.processes().into_iter().for_each(|process| pin(process, processor));
    }

    /// What its processors have worked so far, for the server and for the system.
    pub(crate) fn processor_time(&self) -> Duration {
        let ticks = |process: u32| -> u64 {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
            let (_, rest) = stat.rsplit_once(") ").unwrap();
            rest.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
        };
        // A tick is 10 ms on Linux, whatever the machine (USER_HZ).
        Duration::from_millis(self.processes().into_iter().map(ticks).sum::<u64>() * 10)
    }

    /// The memory that it has, in KiB. What processes share counts once.
    pub(crate) fn resident_kib(&self) -> i64 {
        let of = |process: u32| -> i64 {
            let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap();
            let line = rollup.lines().find(|line| line.starts_with("Pss:")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        self.processes().into_iter().map(of).sum()
    }
}

fn certcheck(address: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "log.quiet = ['connections', 'refusals', 'limits']\n[[listener]]\nname = 'bench'\nlisten = '{address}'\n\
         upstream = '{upstream}'\nring = 'SCENE/ring'\nallow_net = '127.0.0.0/8'\ntls_versions = ['1.3']\n\
         max_connections = 30000\nmax_connections_per_address = 30000\nmax_handshakes = 30000\n\
         certificates = {{ chain = 'SCENE/server.pem', key = 'SCENE/server.key' }}\n"
    )
}

fn nginx(address: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\ndaemon off;\npid nginx.pid;\nworker_processes auto;\n\
         worker_rlimit_nofile 20000;\nevents {{ worker_connections 40000; }}\n\
         stream {{ server {{ listen {address} ssl backlog=4096;\nssl_certificate SCENE/server.pem;\n\
         ssl_certificate_key SCENE/server.key;\nssl_protocols TLSv1.3;\nssl_client_certificate SCENE/root.pem;\n\
         ssl_verify_client on;\nssl_verify_depth 3;\nCRL\nproxy_pass {upstream}; }} }}\n"
    )
}

fn validation(address: SocketAddr, admin: SocketAddr) -> String {
    format!(
        "log.quiet = ['connections', 'refusals', 'limits']\nadmin.listen = '{admin}'\n[[validation]]\nname = 'bench'\n\
         listen = '{address}'\nsecret_file = 'secret'\nring = 'SCENE/ring'\nallow_net = '127.0.0.0/8'\n\
         max_connections = 4000\nmax_connections_per_address = 4000\n\
         [[validation.route]]\nsource = 'nginx'\n[[validation.route]]\nsource = 'caddy'\n"
    )
}

fn nginx_http(case: Case, address: SocketAddr, asked: Option<SocketAddr>) -> String {
    let (crl, verify) = match case {
        Case::NginxHttpMillion => ("ssl_crl SCENE/crls.pem;", "on"),
        Case::NginxAsking => ("", "optional_no_ca"),
        _ => ("", "on"),
    };
    let (upstream, ask) = match asked {
        None => (String::new(), String::new()),
        Some(asked) => (
            format!("upstream certcheck {{ server {asked}; keepalive 32; }}"),
            format!(
                "location = /certcheck {{ internal; proxy_pass http://certcheck/v1/auth/nginx; proxy_http_version 1.1;\n\
                 proxy_set_header Connection \"\"; proxy_pass_request_body off; proxy_set_header Content-Length \"\";\n\
                 proxy_set_header X-Client-Cert $ssl_client_escaped_cert; proxy_set_header X-Certcheck-Secret {SECRET}; }}"
            ),
        ),
    };
    let auth = if asked.is_some() { "auth_request /certcheck;" } else { "" };
    format!(
        "daemon off;\npid nginx.pid;\nuser root;\nworker_processes auto;\nworker_rlimit_nofile 20000;\n\
         events {{ worker_connections 10000; }}\nhttp {{ access_log off;\nclient_body_temp_path body;\n\
         proxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\nuwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n{upstream}\n\
         server {{ listen {address} ssl backlog=4096;\nssl_certificate SCENE/server.pem;\n\
         ssl_certificate_key SCENE/server.key;\nssl_protocols TLSv1.3;\nssl_client_certificate SCENE/root.pem;\n\
         ssl_verify_client {verify};\nssl_verify_depth 9;\n{crl}\nlocation / {{ {auth} root www; }}\n{ask} }} }}\n"
    )
}

fn haproxy(address: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "global\n  maxconn 9900\n  tune.ssl.default-dh-param 2048\ndefaults\n  mode tcp\n  timeout connect 5s\n  \
         timeout client 1h\n  timeout server 1h\nfrontend bench\n  \
         bind {address} backlog 4096 ssl crt SCENE/both.pem ca-file SCENE/root.pem verify required ssl-min-ver TLSv1.3\n  \
         default_backend service\nbackend service\n  server one {upstream}\n"
    )
}
