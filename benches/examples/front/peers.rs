//! The servers: `certcheck serve`, nginx and HAProxy, each on a free port before the same service.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

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
}

impl Case {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Certcheck => "certcheck serve, CRL of 10^3, all checked",
            Self::CertcheckMillion => "certcheck serve, CRL of 10^6, all checked",
            Self::Nginx => "nginx stream, verify, no CRL",
            Self::NginxMillion => "nginx stream, verify, CRL of 10^6",
            Self::Haproxy => "HAProxy, verify required, no CRL",
        }
    }
}

/// A server that runs.
pub(crate) struct Server {
    child: Killed,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(case: Case, program: &Path, scene: &Scene, upstream: SocketAddr) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // By the last part of the address a client knows which of its certificates it is to send.
        let last = if case == Case::CertcheckMillion { 2 } else { 1 };
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
        Self { child, address }
    }

    /// Its process, and the processes that it has started.
    fn processes(&self) -> Vec<u32> {
        let id = self.child.0.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        std::iter::once(id).chain(children).collect()
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

fn haproxy(address: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "global\n  maxconn 9900\n  tune.ssl.default-dh-param 2048\ndefaults\n  mode tcp\n  timeout connect 5s\n  \
         timeout client 1h\n  timeout server 1h\nfrontend bench\n  \
         bind {address} backlog 4096 ssl crt SCENE/both.pem ca-file SCENE/root.pem verify required ssl-min-ver TLSv1.3\n  \
         default_backend service\nbackend service\n  server one {upstream}\n"
    )
}
