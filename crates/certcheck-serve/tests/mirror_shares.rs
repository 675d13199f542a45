//! A mirror that one client, or its own name, would keep busy.

mod mirroring;
mod support;

use std::net::SocketAddr;

use certcheck_testkit::crl;
use certcheck_testkit::peers::free_port;
use certcheck_testkit::server::Page;

use mirroring::*;
use support::Pki;

/// What one client has asked for takes half of the mirror at most, and what others have asked for stays.
#[tokio::test(flavor = "multi_thread")]
async fn one_client_cannot_take_all_sources() {
    const OTHER: [u8; 4] = [127, 0, 0, 2];
    let pki = Pki::new();
    let page = |number: i64| {
        Page::new(builder(number, FROM, &[vec![1]]).with([crl::number(number)]).issue(&pki.world.ca))
    };
    pki.world.server.serve("/mine.crl", page(100));
    let mirror = Mirror::start(&pki, "max_sources = 8");
    let of_path = |path: &str| Mirror::path_of(&pki.world.server.url(path));
    assert_eq!(get_from(OTHER, mirror.address, &of_path("/mine.crl")).status, 200);
    for number in 0..20 {
        let path = format!("/many-{number}.crl");
        pki.world.server.serve(&path, page(number));
        assert_eq!(mirror.get(&of_path(&path), &[]).status, 200);
    }
    let served = |of: &str| {
        let answer = mirror.get("/v1/sources", &[]);
        let value: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        let all = value["sources"].as_array().expect("a list").iter();
        let is_served = all.filter(|source| source["sha256"].is_string());
        is_served.filter(|source| source["url"].as_str().is_some_and(|url| url.contains(of))).count()
    };
    until("the list is of now", || served("/many-19") == 1);
    assert_eq!((served("/many-"), served("/mine.crl")), (4, 1));
    // What the other client asks for takes its own half, and then the place of what was not asked for longest.
    assert_eq!(get_from(OTHER, mirror.address, &of_path("/mine.crl")).status, 200);
    for number in 0..3 {
        assert_eq!(get_from(OTHER, mirror.address, &of_path(&format!("/many-{number}.crl"))).status, 200);
    }
    until("the list is of now", || served("/many-2") == 1);
    assert_eq!((served("/many-"), served("/mine.crl")), (6, 1), "with that of the ring eight");
}

/// A host whose name leads to the mirror, also for the mirror: it does not wait for itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_does_not_ask_itself() {
    let pki = Pki::new();
    let own = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let more = format!("allow_port = [{}]\n", own.port());
    let text = format!(
        "watch_files = \"off\"\n[mirror]\nlisten = \"{own}\"\nring = \"ring\"\nhosts = [\"{own}\"]\n\
         allow_net = \"127.0.0.0/8\"\n{more}"
    );
    let loaded = certcheck_serve::config::read_text(&pki.path("mirror.toml"), &text).expect("can be read");
    let front = certcheck_serve::Front::start(loaded).expect("starts");
    let mirror = Mirror { front, address: own };
    let answer = mirror.get(&format!("/http/{own}/ca.crl"), &[]);
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 502, "{text}");
    assert!(text.contains("508"), "{text}");
}
