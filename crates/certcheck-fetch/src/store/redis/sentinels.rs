//! The primary that sentinels name.

use std::sync::Arc;
use std::time::Duration;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};
use rustls::ClientConfig;
use tokio::time::timeout;

use super::reply::ReplyLimits;
use super::session::Session;
use crate::store::remote::{Failed, Trouble};

/// What is taken of an answer: a host and a port.
const LIMITS: ReplyLimits = ReplyLimits { text: 1 << 10, whole: 4 << 10, kept: 256 };
/// How long one sentinel may take to answer.
const ANSWER: Duration = Duration::from_millis(500);

/// Sentinels, and what they are asked about.
#[derive(Debug)]
pub(super) struct Sentinels {
    /// Where they are.
    pub(super) addresses: Vec<ConnectionAddr>,
    /// The name that they have for the primary.
    pub(super) name: String,
    /// User, password and database of the primary.
    pub(super) settings: RedisConnectionInfo,
}

impl Sentinels {
    /// The primary, over TLS if there is a configuration for it. The sentinels are asked one after the other, in any order,
    /// so that one that knows only an old primary is not always asked first. Whether it is the primary is found when it is
    /// written to.
    pub(super) async fn primary(&self, tls: Option<&Arc<ClientConfig>>) -> Result<ConnectionInfo, Failed> {
        let mut addresses: Vec<&ConnectionAddr> = self.addresses.iter().collect();
        fastrand::shuffle(&mut addresses);
        let mut last = Failed { trouble: Trouble::Unreachable, detail: "no sentinel is named".to_owned() };
        for address in addresses {
            let failed = match timeout(ANSWER, self.ask(address, tls)).await {
                Ok(Ok(primary)) => return Ok(primary),
                Ok(Err(failed)) => failed,
                Err(_) => Failed { trouble: Trouble::Slow, detail: format!("no answer within {ANSWER:?}") },
            };
            last = Failed { detail: format!("the sentinel {address}: {}", failed.detail), ..failed };
        }
        Err(last)
    }

    async fn ask(
        &self,
        address: &ConnectionAddr,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<ConnectionInfo, Failed> {
        let mut session = Session::connect(&address.clone().into_connection_info()?, tls, LIMITS).await?;
        let reply = session.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.name]).await?;
        let [host, port] = &reply.words[..] else {
            let detail = format!("it knows no primary with the name {}", self.name);
            return Err(Failed { trouble: Trouble::Unreachable, detail });
        };
        let host = std::str::from_utf8(host).ok().filter(|host| !host.is_empty()).map(str::to_owned);
        let port = std::str::from_utf8(port).ok().and_then(|port| port.parse().ok());
        let Some((host, port)) = host.zip(port) else {
            let detail = "it names no host and port".to_owned();
            return Err(Failed { trouble: Trouble::Other, detail });
        };
        let address = match tls {
            Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
            None => ConnectionAddr::Tcp(host, port),
        };
        Ok(address.into_connection_info()?.set_redis_settings(self.settings.clone()))
    }
}
