//! Proxies out of the environment. Each test runs itself again in a process with these variables.

use std::process::Command;
use std::time::Duration;

use certcheck_core::policy::RevocationScope;
use certcheck_fetch::{Engine, EngineBuilder};
use certcheck_testkit::crl::CrlBuilder;
use certcheck_testkit::server::{Page, Server};
use certcheck_testkit::world::{CA, World, loopback, now, outcome_of};

const WITHIN: Duration = Duration::from_secs(30);
/// Set in the process that has the variables.
const CHILD: &str = "CERTCHECK_TEST_PROXY";

/// Runs a test again with these variables.
fn run_again(test: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", test, "--nocapture"]).env(CHILD, "1").env_remove("REQUEST_METHOD");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let output = command.envs(variables.iter().copied()).output().expect("runs");
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success() && out.contains("1 passed"), "{variables:?}: {out}{err}");
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// An engine that asks about clients alone.
fn builder(world: &World) -> EngineBuilder {
    let mut policy = world.policy();
    policy.revocation_scope = RevocationScope::Leaf;
    Engine::builder(world.ring(), policy).guard(loopback()).refreshes(false)
}

/// How a check ends of a client whose CRL is at this URL: `accept`, or the code of the refusal.
fn checked(engine: &Engine, world: &World, url: &str) -> &'static str {
    let report =
        engine.check_blocking(&world.chain(&world.client(url, &[url.to_owned()], &[])), now(), WITHIN);
    match outcome_of(&report) {
        (verdict, "", _) => verdict,
        (_, code, _) => code,
    }
}

/// A proxy of this test that has the CRL of the CA.
fn proxy(world: &World) -> Server {
    let proxy = Server::start();
    proxy.serve("/ca.crl", Page::new(CrlBuilder::new(CA).issue(&world.ca)));
    proxy
}

/// No host here has a name, so that only a proxy can answer.
const NAMED: &str = "http://crl.invalid/ca.crl";

#[test]
fn the_environment_is_used_where_it_is_asked_for_and_no_proxy_is_given() {
    let world = World::new();
    if !is_child() {
        let proxy = proxy(&world);
        let url = proxy.url("/");
        run_again(
            "the_environment_is_used_where_it_is_asked_for_and_no_proxy_is_given",
            &[("HTTP_PROXY", &url)],
        );
        // Of three engines one used it.
        assert_eq!(proxy.requests().len(), 1);
        return;
    }
    let ignored = builder(&world).build().expect("builds");
    assert_eq!(checked(&ignored, &world, NAMED), "revocation-unknown");
    let explicit = proxy(&world);
    let address: url::Url = explicit.url("/").parse().expect("a URL");
    for builder in [
        builder(&world).proxy(address.clone()).proxy_from_env(),
        builder(&world).proxy_from_env().proxy(address),
    ] {
        assert_eq!(checked(&builder.build().expect("builds"), &world, NAMED), "accept");
    }
    assert_eq!(explicit.count("/ca.crl"), 2);
    let used = builder(&world).proxy_from_env().build().expect("builds");
    assert_eq!(checked(&used, &world, NAMED), "accept");
}

#[test]
fn hosts_of_no_proxy_are_asked_directly() {
    let world = World::new();
    if !is_child() {
        let proxy = proxy(&world);
        let variables =
            [("ALL_PROXY", proxy.url("/")), ("NO_PROXY", "127.0.0.0/8, direct.invalid".to_owned())];
        run_again(
            "hosts_of_no_proxy_are_asked_directly",
            &variables.each_ref().map(|(name, value)| (*name, value.as_str())),
        );
        assert_eq!(proxy.requests().len(), 1, "{:?}", proxy.requests());
        return;
    }
    let engine = builder(&world).proxy_from_env().build().expect("builds");
    assert_eq!(checked(&engine, &world, &world.server.url("/ca.crl")), "accept");
    assert_eq!(world.server.count("/ca.crl"), 1);
    assert_eq!(checked(&engine, &world, NAMED), "accept");
    assert_eq!(checked(&engine, &world, "http://direct.invalid/ca.crl"), "revocation-unknown");
}

#[test]
fn an_invalid_variable_is_an_error_that_names_it() {
    let world = World::new();
    if !is_child() {
        let variables = [("HTTP_PROXY", "socks5://user:secret@127.0.0.1:1080")];
        run_again("an_invalid_variable_is_an_error_that_names_it", &variables);
        return;
    }
    let error = builder(&world).proxy_from_env().build().expect_err("no proxy of ours");
    assert_eq!(
        error.to_string(),
        "no proxy from the environment: HTTP_PROXY: the scheme socks5 is not supported; use http or https"
    );
    assert!(builder(&world).build().is_ok(), "not asked for");
}
