//! The origin: an issuer's web server, which has bad days.

use super::evidence::{Answer, BEGIN, Evidence};
use super::network::{Fault, Link, Network, SMALL};
use super::queue::Event;
use super::world::World;

/// Bytes that the origin and a mirror send in a millisecond: 10 Gbit/s.
pub(super) const FAST: u64 = 1_250_000;

impl World {
    /// The first version of each CRL, and the times of the others.
    pub(super) fn begin_origin(&mut self) {
        let period = u64::from(self.setup.period_hours) * 3_600_000;
        for crl in 0..self.setup.crls {
            let age = self.random.u64(..period);
            self.origin.push(Vec::new());
            self.add_version(crl, BEGIN - (age / 1_000) as i64);
            self.queue.after(period - age, Event::Publish(crl, true));
        }
        for _ in 0..u64::from(self.setup.extra_changes) * u64::from(self.setup.days) {
            let at = self.random.u64(..self.setup.end());
            let crl = self.random.u16(..self.setup.crls);
            self.queue.at(at, Event::Publish(crl, false));
        }
    }

    fn add_version(&mut self, crl: u16, this_update: i64) -> u32 {
        let versions = &mut self.origin[usize::from(crl)];
        let version = versions.len() as u32 + 1;
        let next_update = this_update + i64::from(self.setup.validity_hours) * 3_600;
        versions.push(Evidence { version, this_update, next_update });
        version
    }

    pub(super) fn publish(&mut self, crl: u16, is_regular: bool) {
        let version = self.add_version(crl, self.time());
        self.counts.published(crl, self.queue.now);
        self.queue.after(self.bound(), Event::Bound(crl, version));
        if is_regular {
            let period = u64::from(self.setup.period_hours) * 3_600_000;
            self.queue.after(period, Event::Publish(crl, true));
        }
    }

    /// The newest version that the issuer has signed.
    pub(super) fn newest(&self, crl: u16) -> Evidence {
        let versions = &self.origin[usize::from(crl)];
        versions[versions.len() - 1]
    }

    /// Whether the origin answers as it should.
    pub(super) fn is_honest(network: &Network) -> bool {
        !network.is(Fault::OriginOlder) && !network.is(Fault::OriginJunk)
    }

    /// What the origin answers to someone who has this version, and the milliseconds for its body. Without `known` it
    /// sends the whole body.
    pub(super) fn ask_origin(&mut self, crl: u16, known: Option<u32>) -> (Answer, u64) {
        let (now, at) = (self.queue.now, self.time());
        let until = self.setup.max_age.map(|age| at + i64::from(age));
        if self.network.is(Fault::OriginJunk) {
            self.counts.origin_sent(SMALL, now);
            return (Answer::Junk, 0);
        }
        let versions = &self.origin[usize::from(crl)];
        let back = usize::from(self.network.is(Fault::OriginOlder) && versions.len() > 1);
        let evidence = versions[versions.len() - 1 - back];
        if known == Some(evidence.version) {
            self.counts.origin_sent(SMALL, now);
            return (Answer::Same { until, at }, 0);
        }
        let size = self.setup.size();
        self.counts.origin_sent(size, now);
        let takes = self.network.transfer(Link::Origin, size, FAST, now);
        (Answer::Body { evidence, until, at }, takes)
    }
}
