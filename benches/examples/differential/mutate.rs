//! Changes to what is signed, made before it is signed.

use certcheck_testkit::crl::{Idp, certificate_issuer, delta, invalidity_date, number, reason};
use certcheck_testkit::ext::{self, Ext, Point};
use certcheck_testkit::{Key, der};
use fastrand::Rng;

use crate::tree::{Length, Node};

/// One change, and how often it is chosen.
type Change = (&'static str, usize, fn(&mut Node, &mut Rng) -> Option<()>);

const CHANGES: &[Change] = &[
    ("flip", 8, flip),
    ("tag", 5, tag),
    ("length", 5, length),
    ("drop", 6, drop_child),
    ("duplicate", 4, duplicate),
    ("swap", 4, swap),
    ("insert", 3, insert),
    ("nest", 2, nest),
    ("resize", 4, resize),
    ("integer", 6, integer),
    ("boolean", 4, boolean),
    ("bits", 6, bits),
    ("time", 8, time),
    ("identifier", 5, identifier),
    ("text", 6, text),
    ("critical", 6, critical),
    ("extension", 12, extension),
    ("extension gone", 4, extension_gone),
    ("extension order", 2, extension_order),
];

/// Makes one to three changes; says which.
pub(crate) fn mutate(node: &mut Node, rng: &mut Rng) -> String {
    let total = CHANGES.iter().map(|(_, weight, _)| weight).sum::<usize>();
    let wanted = [1, 1, 1, 1, 1, 1, 1, 2, 2, 3][rng.usize(..10)];
    let mut made = Vec::new();
    for _ in 0..40 {
        let mut left = rng.usize(..total);
        for (name, weight, change) in CHANGES {
            if left < *weight {
                made.extend(change(node, rng).map(|()| *name));
                break;
            }
            left -= weight;
        }
        if made.len() >= wanted {
            break;
        }
    }
    made.join(", ")
}

fn any<'n>(root: &'n mut Node, rng: &mut Rng, is_wanted: &dyn Fn(&Node) -> bool) -> Option<&'n mut Node> {
    let found = root.find(is_wanted);
    let number = *found.get(rng.usize(..found.len().max(1)))?;
    root.at(number)
}

fn flip(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let node = any(root, rng, &|node| !node.bytes.is_empty())?;
    let at = rng.usize(..node.bytes.len());
    node.bytes[at] ^= 1 << rng.u8(..8);
    Some(())
}

fn tag(root: &mut Node, rng: &mut Rng) -> Option<()> {
    const TAGS: [u8; 24] = [
        1, 2, 3, 4, 5, 6, 10, 12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1e, 0x30, 0x31, 0x80, 0x81, 0x82, 0xa0,
        0xa1, 0xa3, 0x1f, 0x24,
    ];
    let node = any(root, rng, &|_| true)?;
    node.tag = match rng.u8(..3) {
        0 => node.tag ^ 0x20,
        1 => node.tag ^ 1 << rng.u8(..8),
        _ => TAGS[rng.usize(..TAGS.len())],
    };
    Some(())
}

fn length(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let form = [Length::Long, Length::Long, Length::Indefinite, Length::More, Length::Less][rng.usize(..5)];
    any(root, rng, &|_| true)?.length = form;
    Some(())
}

fn drop_child(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let node = any(root, rng, &|node| !node.children.is_empty())?;
    node.children.remove(rng.usize(..node.children.len()));
    Some(())
}

fn duplicate(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let node = any(root, rng, &|node| !node.children.is_empty())?;
    let at = rng.usize(..node.children.len());
    node.children.insert(at, node.children[at].clone());
    Some(())
}

fn swap(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let node = any(root, rng, &|node| node.children.len() > 1)?;
    let (one, other) = (rng.usize(..node.children.len()), rng.usize(..node.children.len()));
    node.children.swap(one, other);
    (one != other).then_some(())
}

fn insert(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let new = match rng.u8(..5) {
        0 => Node::leaf(5, Vec::new()),
        1 => Node::leaf(2, vec![rng.u8(..)]),
        2 => Node::leaf(0x80 | rng.u8(..4), vec![rng.u8(..)]),
        3 => Node::leaf(1, vec![[0, 0xff][rng.usize(..2)]]),
        _ => Node::of(0x30, Vec::new()),
    };
    let node = any(root, rng, &|node| !node.children.is_empty())?;
    node.children.insert(rng.usize(..=node.children.len()), new);
    Some(())
}

fn nest(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let node = any(root, rng, &|_| true)?;
    let tag = [0x30, 0x31, 0xa0, 0x04][rng.usize(..4)];
    *node = if rng.bool() && node.children.len() == 1 {
        node.children.remove(0)
    } else {
        Node::of(tag, vec![node.clone()])
    };
    Some(())
}

fn resize(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let node = any(root, rng, &|node| !node.bytes.is_empty())?;
    match rng.u8(..4) {
        0 => node.bytes.clear(),
        1 => node.bytes.truncate(node.bytes.len() - 1),
        2 => node.bytes.push(rng.u8(..)),
        _ => node.bytes.extend(vec![b'a'; [3, 130, 300][rng.usize(..3)]]),
    }
    Some(())
}

fn integer(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let node = any(root, rng, &|node| matches!(node.tag, 2 | 10 | 0x80..=0x82) && !node.bytes.is_empty())?;
    let old = node.bytes.clone();
    node.bytes = match rng.u8(..9) {
        0 => [vec![0], old].concat(),
        1 => [vec![0xff], old].concat(),
        2 => vec![0],
        3 => old.iter().map(|byte| !byte).collect(),
        4 => vec![0x7f; 20],
        5 => vec![0x7f; 21],
        6 => vec![0x80],
        7 => vec![rng.u8(..12)],
        _ => vec![0, 0x80 | rng.u8(..)],
    };
    Some(())
}

fn boolean(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let node = any(root, rng, &|node| node.tag == 1)?;
    node.bytes = match rng.u8(..5) {
        0 => Vec::new(),
        1 => vec![1],
        2 | 3 => vec![0],
        _ => vec![0xff, 0xff],
    };
    Some(())
}

fn bits(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let node = any(root, rng, &|node| {
        matches!(node.tag, 3 | 0x81 | 0x83) && !node.bytes.is_empty() && node.bytes.len() < 5
    })?;
    match rng.u8(..5) {
        0 => node.bytes[0] = rng.u8(..10),
        1 => node.bytes.push(0),
        2 => node.bytes = vec![0],
        3 => node.bytes = vec![rng.u8(..8), rng.u8(..)],
        _ => {
            let last = node.bytes.len() - 1;
            node.bytes[last] ^= 1 << rng.u8(..8);
        }
    }
    Some(())
}

fn time(root: &mut Node, rng: &mut Rng) -> Option<()> {
    const TIMES: [(u8, &[u8]); 26] = [
        (0x17, b"270102000000Z"),
        (0x17, b"270101235959Z"),
        (0x17, b"270102000001Z"),
        (0x17, b"500101000000Z"),
        (0x17, b"491231235959Z"),
        (0x17, b"2701020000Z"),
        (0x17, b"270102000000+0000"),
        (0x17, b"270102000000"),
        (0x17, b"270229000000Z"),
        (0x17, b"270101240000Z"),
        (0x17, b"270101235960Z"),
        (0x17, b"27010 000000Z"),
        (0x18, b"20270102000000Z"),
        (0x18, b"20270101235959Z"),
        (0x18, b"20270102000001Z"),
        (0x18, b"20261231000000Z"),
        (0x18, b"20260101000000Z"),
        (0x18, b"20300101000000Z"),
        (0x18, b"20270109000000Z"),
        (0x18, b"99991231235959Z"),
        (0x18, b"00000101000000Z"),
        (0x18, b"19691231235959Z"),
        (0x18, b"20270102000000.0Z"),
        (0x18, b"20270102000000.5Z"),
        (0x18, b"2027010200Z"),
        (0x18, b"20270102000000+0100"),
    ];
    let node = any(root, rng, &|node| matches!(node.tag, 0x17 | 0x18))?;
    let (tag, bytes) = TIMES[rng.usize(..TIMES.len())];
    // Half of the time as it has to be: what is asked is what the time says.
    if rng.bool() {
        node.tag = tag;
        node.bytes = bytes.to_vec();
    } else {
        let year = ["2024", "2025", "2026", "2027", "2027", "2028", "2049"][rng.usize(..7)];
        let rest = format!("{:02}{:02}000000Z", rng.u8(1..=12), rng.u8(1..=28));
        node.bytes =
            if node.tag == 0x17 { format!("{}{rest}", &year[2..]) } else { format!("{year}{rest}") }.into();
    }
    Some(())
}

fn identifier(root: &mut Node, rng: &mut Rng) -> Option<()> {
    const KNOWN: [&str; 18] = [
        "2.5.29.15",
        "2.5.29.17",
        "2.5.29.19",
        "2.5.29.30",
        "2.5.29.32",
        "2.5.29.37",
        "2.5.29.37.0",
        "2.5.29.32.0",
        "2.5.29.20",
        "2.5.29.28",
        "2.5.29.21",
        "2.5.29.27",
        "1.3.6.1.5.5.7.3.2",
        "1.3.6.1.5.5.7.3.9",
        "2.5.4.3",
        "1.2.840.10045.4.3.2",
        "1.2.840.10045.4.3.3",
        "1.3.6.1.4.1.99999.7",
    ];
    let node = any(root, rng, &|node| node.tag == 6 && !node.bytes.is_empty())?;
    match rng.u8(..5) {
        0 => node.bytes.push(0x81),
        1 => node.bytes.insert(1, 0x80),
        2 => node.bytes.push(rng.u8(..0x80)),
        _ => node.bytes = der::oid_content(KNOWN[rng.usize(..KNOWN.len())]),
    }
    Some(())
}

fn text(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let node = any(root, rng, &|node| {
        matches!(node.tag, 0x0c | 0x13 | 0x14 | 0x16 | 0x1e | 0x81 | 0x82 | 0x86) && !node.bytes.is_empty()
    })?;
    let at = rng.usize(..node.bytes.len());
    match rng.u8(..8) {
        0 => node.bytes[at] = 0,
        1 => node.bytes[at] = 0xff,
        2 => node.bytes[at] = b'*',
        3 => node.bytes = node.bytes.to_ascii_uppercase(),
        4 => node.bytes.splice(at..at, *b"  ").for_each(drop),
        5 => node.tag = [0x0c, 0x13, 0x14, 0x16][rng.usize(..4)],
        6 => node.bytes.insert(0, b'.'),
        _ => node.bytes.extend(*b"@x.example"),
    }
    Some(())
}

fn critical(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let extension = any(root, rng, &Node::is_extension)?;
    match extension.children.len() {
        2 => extension.children.insert(1, Node::leaf(1, vec![[0, 0xff, 0xff][rng.usize(..3)]])),
        _ => drop(extension.children.remove(1)),
    }
    Some(())
}

fn extension(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let list =
        any(root, rng, &|node| !node.children.is_empty() && node.children.iter().all(Node::is_extension))?;
    let mut new = some_extension(rng);
    if rng.u8(..4) == 0 {
        new.critical = !new.critical;
    }
    let node = Node::parse(&new.der())?;
    let name = |node: &Node| node.children[0].bytes.clone();
    match list.children.iter_mut().find(|known| name(known) == name(&node)) {
        Some(known) if rng.u8(..6) > 0 => *known = node,
        _ => list.children.insert(rng.usize(..=list.children.len()), node),
    }
    Some(())
}

fn extension_gone(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let list =
        any(root, rng, &|node| node.children.len() > 1 && node.children.iter().all(Node::is_extension))?;
    list.children.remove(rng.usize(..list.children.len()));
    Some(())
}

fn extension_order(root: &mut Node, rng: &mut Rng) -> Option<()> {
    let list =
        any(root, rng, &|node| node.children.len() > 1 && node.children.iter().all(Node::is_extension))?;
    rng.shuffle(&mut list.children);
    Some(())
}

/// One that somebody might have put in.
pub(crate) fn some_extension(rng: &mut Rng) -> Ext {
    let key = Key::p256(["ca", "leaf", "else"][rng.usize(..3)]);
    let url = |n: u8| format!("http://crl.test/{n}.crl");
    match rng.u8(..34) {
        0 => ext::basic_constraints(true, None),
        1 => ext::basic_constraints(true, Some(0)),
        2 => ext::basic_constraints(false, None),
        3 => ext::basic_constraints(false, Some(1)),
        4 => ext::key_usage(&["keyEncipherment"]),
        5 => ext::key_usage(&["digitalSignature", "keyCertSign"]),
        6 => ext::key_usage(&["cRLSign"]),
        7 => ext::eku(&["any"]),
        8 => ext::eku(&["server"]),
        9 => ext::eku(&["client", "server", "1.2.3"]),
        10 => ext::eku(&["ocsp"]),
        11 => ext::san(&["dns:leaf.example", "email:a@b.example", "uri:https://x.example/"]),
        12 => ext::san(&["ip:10.0.0.1", "dir:CN=other", "rid:1.2.3"]),
        13 => ext::san(&["dns:*.example", "upn:a@b"]),
        14 => ext::name_constraints(&["dns:example"], &[]),
        15 => ext::name_constraints(&["dns:elsewhere.test", "email:test"], &["ip:10.0.0.0/8"]),
        16 => ext::name_constraints(&[], &["dir:O=Acme", "uri:.example"]),
        17 => ext::policies(&["1.2.3", "2.5.29.32.0"]),
        18 => ext::policies(&["1.2.4"]),
        19 => ext::policy_mappings(&[("1.2.3", "1.2.4")]),
        20 => ext::policy_constraints(Some(0), None),
        21 => ext::policy_constraints(Some(1), Some(0)),
        22 => ext::inhibit_any_policy(0),
        23 => ext::aki(&key),
        24 => ext::ski(&key),
        25 => ext::cdp(&[Point::urls(&[url(rng.u8(..2))])]),
        26 => ext::aia(&["http://ocsp.test/"], &["http://ca.test/ca.der"]),
        27 => ext::unknown(rng.bool()),
        28 => ext::ocsp_nocheck(),
        29 => [number(2), delta(1), ext::freshest_crl(&[Point::urls(&[url(9)])])][rng.usize(..3)].clone(),
        30 => some_idp(rng).ext(),
        31 => reason(["keyCompromise", "removeFromCRL", "certificateHold"][rng.usize(..3)]),
        32 => [invalidity_date("2026-02-01T00:00:00Z"), ext::no_rev_avail()][rng.usize(..2)].clone(),
        _ => certificate_issuer(&[["dir:CN=Other", "dir:O=Acme,CN=CA"][rng.usize(..2)]]),
    }
}

pub(crate) fn some_idp(rng: &mut Rng) -> Idp {
    let mut idp = Idp::default();
    match rng.u8(..8) {
        0 | 1 => idp.point = Point::urls(&["http://crl.test/0.crl"]),
        2 => idp.point = Point::urls(&["http://crl.test/1.crl"]),
        3 => idp.user = true,
        4 => idp.ca = true,
        5 => idp.reasons = vec![1, 2],
        6 => idp.indirect = true,
        _ => idp.attribute = true,
    }
    if rng.u8(..4) == 0 {
        idp.user = true;
    }
    idp
}
