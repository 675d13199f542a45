//! Rules and the statements that they name: which connections a policy is for.

use super::Handling::{Always, Applied, Impossible, Instead, Refused};
use super::StatementKind::{IpAddr, IpAddrGroup, IpAddrSet, IpTimeCondition, PortGroup, PortRange, Rule};
use super::Values::{Addresses, Line, Number, OneOf, Ports, Reference, Word};
use super::{KnownBy, Parameter, Permission, StatementKind, any, is};

const REMOTE: &str = "clients";
/// Why a rule for a local network cannot be served.
pub(in crate::at_tls) const EACH_ADDRESS: &str =
    "a listener needs addresses, and no prefix or range: name each address of this machine, or All";
const NO_REMOTE_PORTS: &str =
    "certcheck cannot select connections by the port of the client, so all ports would be accepted";
const NO_TIMES: &str = "certcheck has no times of day, so the rule would always hold";
const TIMES: &[super::Use] = &[any(Refused(NO_TIMES, Permission::TimeCondition))];

pub(super) static TABLE: &[Parameter] = &[
    Parameter::new("LocalAddr", &[Rule], Addresses).or("All", KnownBy::Ibm).uses(&[any(Applied("listen"))]),
    Parameter::new("LocalAddrRef", &[Rule], Reference(IpAddr))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied("listen"))]),
    Parameter::new("LocalAddrSetRef", &[Rule], Reference(IpAddrSet))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Impossible(EACH_ADDRESS))]),
    Parameter::new("LocalAddrGroupRef", &[Rule], Reference(IpAddrGroup))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied("listen"))]),
    Parameter::new("RemoteAddr", &[Rule], Addresses).or("All", KnownBy::Ibm).uses(&[any(Applied(REMOTE))]),
    Parameter::new("RemoteAddrRef", &[Rule], Reference(IpAddr))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied(REMOTE))]),
    Parameter::new("RemoteAddrSetRef", &[Rule], Reference(IpAddrSet))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied(REMOTE))]),
    Parameter::new("RemoteAddrGroupRef", &[Rule], Reference(IpAddrGroup))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied(REMOTE))]),
    Parameter::new("LocalPortRange", &[Rule], Ports).known_by(KnownBy::Ibm).uses(&[
        is("0", Impossible("0 is every port, and a listener needs ports: name them")),
        any(Applied("listen")),
    ]),
    Parameter::new("LocalPortRangeRef", &[Rule], Reference(PortRange))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied("listen"))]),
    Parameter::new("LocalPortGroupRef", &[Rule], Reference(PortGroup))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied("listen"))]),
    Parameter::new("RemotePortRange", &[Rule], Ports).known_by(KnownBy::Ibm).uses(&[
        is("0", Always("any port of the client")),
        any(Refused(NO_REMOTE_PORTS, Permission::RemotePorts)),
    ]),
    Parameter::new("RemotePortRangeRef", &[Rule], Reference(PortRange))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Refused(NO_REMOTE_PORTS, Permission::RemotePorts))]),
    Parameter::new("RemotePortGroupRef", &[Rule], Reference(PortGroup))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Refused(NO_REMOTE_PORTS, Permission::RemotePorts))]),
    Parameter::new("Jobname", &[Rule], Word).known_by(KnownBy::Ibm).uses(&[any(Refused(
        "on z/OS the rule holds for one job only; here it would hold for the port, whatever is behind it",
        Permission::Jobname,
    ))]),
    Parameter::new("Userid", &[Rule], Word).known_by(KnownBy::Ibm).uses(&[any(Refused(
        "on z/OS the rule holds for the jobs of one user only; here it would hold for the port",
        Permission::Jobname,
    ))]),
    Parameter::new("Direction", &[Rule], OneOf(&["Inbound", "Outbound", "Both"]))
        .known_by(KnownBy::Ibm)
        .uses(&[
            is(
                "Outbound",
                Instead("the rule is not served, because certcheck accepts connections and makes none"),
            ),
            is("Both", Instead("only inbound connections are served")),
            any(Applied("listen")),
        ]),
    Parameter::new("Priority", &[Rule], Number(1, 2_000_000_000))
        .or("1", KnownBy::Checker)
        .uses(&[any(Applied("the order of rules"))]),
    Parameter::new("IpTimeConditionRef", &[Rule], Reference(IpTimeCondition))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Refused(NO_TIMES, Permission::TimeCondition))]),
    Parameter::new("TTLSGroupActionRef", &[Rule], Reference(StatementKind::GroupAction))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied("the group action of the rule"))]),
    Parameter::new("TTLSEnvironmentActionRef", &[Rule], Reference(StatementKind::EnvironmentAction))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied("the environment action of the rule"))]),
    Parameter::new("TTLSConnectionActionRef", &[Rule], Reference(StatementKind::ConnectionAction))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied("the connection action of the rule"))]),
    Parameter::new("Addr", &[IpAddr], Addresses).uses(&[any(Applied("an address of a rule"))]),
    Parameter::new("Prefix", &[IpAddrSet], Addresses).uses(&[any(Applied("addresses of a rule"))]),
    Parameter::new("Range", &[IpAddrSet], Addresses).uses(&[any(Applied("addresses of a rule"))]),
    Parameter::new("IpAddrRef", &[IpAddrGroup], Reference(IpAddr))
        .repeated()
        .uses(&[any(Applied("addresses of a rule"))]),
    Parameter::new("IpAddrSetRef", &[IpAddrGroup], Reference(IpAddrSet))
        .repeated()
        .uses(&[any(Applied("addresses of a rule"))]),
    Parameter::new("Port", &[PortRange], Ports).uses(&[any(Applied("ports of a rule"))]),
    Parameter::new("PortRangeRef", &[PortGroup], Reference(PortRange))
        .repeated()
        .uses(&[any(Applied("ports of a rule"))]),
    time("ConditionTimeRange"),
    time("MonthOfYearMask"),
    time("DayOfMonthMask"),
    time("DayOfWeekMask"),
    time("TimeOfDayRange"),
    time("TimeZone"),
    time("FromTimeOfDay"),
    time("ToTimeOfDay"),
    time("FromDayOfWeek"),
    time("ToDayOfWeek"),
    time("FromDayOfMonth"),
    time("ToDayOfMonth"),
    time("FromMonthOfYear"),
    time("ToMonthOfYear"),
];

/// A part of a time condition. The condition as a whole asks for the permission.
const fn time(name: &'static str) -> Parameter {
    Parameter::new(name, &[IpTimeCondition], Line).uses(TIMES)
}
