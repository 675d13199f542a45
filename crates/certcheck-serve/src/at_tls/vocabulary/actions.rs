//! Actions, and what belongs to them alone: whether TLS is on, the role, traces, the key ring.

use super::Handling::{Always, Applied, Instead, Refused};
use super::StatementKind::{
    ConnectionAction, ConnectionAdvancedParms, EnvironmentAction, EnvironmentAdvancedParms, GroupAction,
    GroupAdvancedParms, GskAdvancedParms, KeyringParms,
};
use super::Values::{Number, OneOf, Reference, Secret, Word, WordOrNothing};
use super::{KnownBy, Parameter, Permission, StatementKind, any, is};

const NAMED: &[super::Use] = &[any(Applied("the statement that it names"))];
const ON_OFF: super::Values = OneOf(&["On", "Off"]);
const NO_GENERATIONS: &str =
    "there is no counter: certcheck reads the key ring again when its files change or a reload is asked for";
const NO_ENVFILE: &str = "the file is not read; what it sets for System SSL has no effect";

pub(super) static TABLE: &[Parameter] = &[
    Parameter::new("TTLSEnabled", &[GroupAction], ON_OFF).known_by(KnownBy::Ibm).uses(&[
        is("Off", Instead("the rule is not served: certcheck opens no port without TLS")),
        any(Applied("listen")),
    ]),
    Parameter::new("Trace", &[GroupAction, EnvironmentAction, ConnectionAction], Number(0, 255))
        .or("2", KnownBy::Checker)
        .uses(&[
            is("0", Instead("refusals are logged all the same; `quiet` in [log] turns them off")),
            super::Use { when: super::When::Above(7), handling: Instead("flows and data are not traced: there is one line for each refusal and each connection") },
            any(Always("one line for each refusal and each connection")),
        ]),
    Parameter::new("CtraceClearText", &[GroupAction, EnvironmentAction, ConnectionAction], ON_OFF)
        .or("Off", KnownBy::Unverified)
        .uses(&[
            is("On", Instead("certcheck never writes the bytes of connections to a log")),
            any(Always("the bytes of connections are never logged")),
        ]),
    Parameter::new("FIPS140", &[GroupAction], OneOf(&["Off", "On", "Level1", "Level2", "Level3"]))
        .or("Off", KnownBy::Checker)
        .uses(&[
            is("Off", Always("no FIPS mode")),
            any(Refused("certcheck has no FIPS mode, and the policy demands one", Permission::NoFips)),
        ]),
    Parameter::new("GroupUserInstance", &[GroupAction], Number(0, 65_535))
        .or("0", KnownBy::Checker)
        .uses(&[is("0", Always("a counter that nobody increased")), any(Instead(NO_GENERATIONS))]),
    Parameter::new("EnvironmentUserInstance", &[EnvironmentAction], Number(0, 65_535))
        .or("0", KnownBy::Checker)
        .uses(&[is("0", Always("a counter that nobody increased")), any(Instead(NO_GENERATIONS))]),
    Parameter::new("ConnectionUserInstance", &[ConnectionAction], Number(0, 65_535))
        .or("0", KnownBy::Checker)
        .uses(&[is("0", Always("a counter that nobody increased")), any(Instead(NO_GENERATIONS))]),
    Parameter::new("TTLSGroupAdvancedParmsRef", &[GroupAction], Reference(GroupAdvancedParms))
        .known_by(KnownBy::Ibm)
        .uses(&[any(Applied("the statement that it names"))]),
    Parameter::new("SyslogFacility", &[GroupAdvancedParms], OneOf(&["Daemon", "Auth"]))
        .or("Daemon", KnownBy::Checker)
        .uses(&[any(Instead("certcheck writes its log to standard error, which a service manager passes on"))]),
    Parameter::new("Envfile", &[GroupAdvancedParms], Word).uses(&[any(Instead(NO_ENVFILE))]),
    Parameter::new(
        "SecondaryMap",
        &[GroupAdvancedParms, EnvironmentAdvancedParms, ConnectionAdvancedParms],
        ON_OFF,
    )
    .or("Off", KnownBy::Unverified)
    .uses(&[
        is("On", Instead("there are no secondary connections: each port needs a rule of its own")),
        any(Always("each connection is for itself")),
    ]),
    Parameter::new(
        "ApplicationControlled",
        &[EnvironmentAdvancedParms, ConnectionAdvancedParms],
        ON_OFF,
    )
    .or("Off", KnownBy::Unverified)
    .uses(&[
        is(
            "On",
            Refused(
                "on z/OS the application starts TLS itself and clients begin in clear text; here TLS begins with the first byte, \
                 so such clients cannot connect",
                Permission::ApplicationControlled,
            ),
        ),
        any(Always("TLS begins with the first byte")),
    ]),
    Parameter::new(
        "HandshakeRole",
        &[EnvironmentAction, ConnectionAction],
        OneOf(&["Client", "Server", "ServerWithClientAuth"]),
    )
    .known_by(KnownBy::Ibm)
    .uses(&[
        is("Client", Instead("the rule is not served, because certcheck makes no connections")),
        is(
            "Server",
            Instead(
                "the rule is not served, because clients need no certificate; --allow no-client-certificate serves it, without \
                 asking for one",
            ),
        ),
        any(Applied("client_auth")),
    ]),
    Parameter::new("SuiteBProfile", &[EnvironmentAction], OneOf(&["Off", "128", "128Min", "192", "192Min", "All"]))
        .or("Off", KnownBy::Ibm)
        .uses(&[is("Off", Always("no profile")), any(Instead("only the cipher suites of the profile are offered; the keys of certificates are not restricted to it"))]),
    reference("TTLSKeyringParmsRef", &[EnvironmentAction], KeyringParms),
    reference("TTLSCipherParmsRef", &[EnvironmentAction, ConnectionAction], StatementKind::CipherParms),
    reference("TTLSSignatureParmsRef", &[EnvironmentAction, ConnectionAction], StatementKind::SignatureParms),
    reference("TTLSEnvironmentAdvancedParmsRef", &[EnvironmentAction], EnvironmentAdvancedParms),
    reference("TTLSGskAdvancedParmsRef", &[EnvironmentAction], GskAdvancedParms),
    reference("TTLSConnectionAdvancedParmsRef", &[ConnectionAction], ConnectionAdvancedParms),
    Parameter::new("Keyring", &[KeyringParms], Word).uses(&[any(Applied("ring"))]),
    Parameter::new("KeyringPw", &[KeyringParms], Secret)
        .uses(&[any(Instead("key databases are not read; the password is not used: remove it from the policy"))]),
    Parameter::new("KeyringStashFile", &[KeyringParms], Word)
        .uses(&[any(Instead("key databases are not read; export the certificates into a folder"))]),
    Parameter::new(
        "CertificateLabel",
        &[EnvironmentAdvancedParms, ConnectionAdvancedParms],
        WordOrNothing,
    )
    .or("the default certificate of the ring", KnownBy::Ibm)
    .uses(&[any(Applied("certificates"))]),
    Parameter::new(
        "ServerCertificateLabel",
        &[EnvironmentAdvancedParms, ConnectionAdvancedParms],
        WordOrNothing,
    )
    .uses(&[any(Applied("certificates"))]),
];

const fn reference(name: &'static str, within: &'static [StatementKind], target: StatementKind) -> Parameter {
    Parameter::new(name, within, Reference(target)).known_by(KnownBy::Ibm).uses(NAMED)
}
