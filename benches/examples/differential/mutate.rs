//! DER taken apart, changed in one or a few places, and put together again.

use certcheck_testkit::der;

/// A value: others, or octets.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    tag: u8,
    content: Content,
    /// The length is written in more octets than it takes.
    is_long: bool,
}

#[derive(Clone, Debug)]
enum Content {
    Parts(Vec<Node>),
    Octets(Vec<u8>),
}

/// Tags that something else may be taken for.
const TAGS: [u8; 14] = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0xa0];
const CONSTRUCTED: u8 = 0x20;
const OCTET_STRING: u8 = 0x04;
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

impl Node {
    /// The one value that these octets are; `None` if they are not one.
    pub(crate) fn read(octets: &[u8]) -> Option<Self> {
        let (node, rest) = Self::read_first(octets)?;
        rest.is_empty().then_some(node)
    }

    fn read_first(octets: &[u8]) -> Option<(Self, &[u8])> {
        let (&tag, rest) = octets.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            short @ ..0x80 => (usize::from(short), rest),
            long => {
                let (header, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                (header.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
            }
        };
        let (inside, rest) = rest.split_at_checked(length)?;
        // What an extension says is DER in an OCTET STRING.
        let is_outer = tag & CONSTRUCTED != 0 || (tag == OCTET_STRING && inside.len() > 2);
        let content = is_outer.then(|| Self::read_all(inside)).flatten();
        let content = content.map_or_else(|| Content::Octets(inside.to_vec()), Content::Parts);
        Some((Self { tag, content, is_long: false }, rest))
    }

    fn read_all(mut octets: &[u8]) -> Option<Vec<Self>> {
        let mut all = Vec::new();
        while !octets.is_empty() {
            let (node, rest) = Self::read_first(octets)?;
            all.push(node);
            octets = rest;
        }
        Some(all)
    }

    /// In octets.
    pub(crate) fn write(&self) -> Vec<u8> {
        let inside = match &self.content {
            Content::Octets(octets) => octets.clone(),
            Content::Parts(parts) => parts.iter().flat_map(Self::write).collect(),
        };
        if !self.is_long {
            return der::tlv(self.tag, &inside);
        }
        let length = u32::try_from(inside.len()).unwrap().to_be_bytes();
        [&[self.tag, 0x84], &length[..], &inside].concat()
    }

    fn count(&self) -> usize {
        match &self.content {
            Content::Octets(_) => 1,
            Content::Parts(parts) => 1 + parts.iter().map(Self::count).sum::<usize>(),
        }
    }

    /// The value at this place, counted from the outside in.
    fn at(&mut self, place: usize) -> Option<&mut Self> {
        if place == 0 {
            return Some(self);
        }
        let Content::Parts(parts) = &mut self.content else { return None };
        let mut before = 1;
        for part in parts {
            let count = part.count();
            if place < before + count {
                return part.at(place - before);
            }
            before += count;
        }
        None
    }

    /// Changes one value somewhere.
    pub(crate) fn mutate(&mut self, random: &mut fastrand::Rng) {
        let count = self.count();
        let other = self.at(random.usize(0..count)).cloned();
        let Some(node) = self.at(random.usize(0..count)) else { return };
        match random.u8(0..10) {
            0 => node.tag = TAGS[random.usize(0..TAGS.len())],
            1 => node.is_long = true,
            2 => {
                if let Some(other) = other {
                    *node = other;
                }
            }
            _ => match &mut node.content {
                Content::Parts(parts) => rearrange(parts, random),
                Content::Octets(octets) => change(node.tag, octets, random),
            },
        }
    }
}

fn rearrange(parts: &mut Vec<Node>, random: &mut fastrand::Rng) {
    if parts.is_empty() {
        return;
    }
    let (one, other) = (random.usize(0..parts.len()), random.usize(0..parts.len()));
    match random.u8(0..4) {
        0 => drop(parts.remove(one)),
        1 => parts.insert(other, parts[one].clone()),
        2 => parts.swap(one, other),
        _ => parts.truncate(one),
    }
}

fn change(tag: u8, octets: &mut Vec<u8>, random: &mut fastrand::Rng) {
    let at = random.usize(0..octets.len().max(1));
    match (tag, random.u8(0..8)) {
        (BOOLEAN, 0..4) => *octets = vec![[0x00, 0x01, 0xff][random.usize(0..3)]],
        (INTEGER, 0..2) => octets.insert(0, [0x00, 0xff][random.usize(0..2)]),
        (INTEGER, 2) => *octets = vec![random.u8(..)],
        (BIT_STRING, 0..2) if !octets.is_empty() => octets[0] = random.u8(0..9),
        (_, 0..4) if !octets.is_empty() => octets[at] ^= 1 << random.u8(0..8),
        (_, 4) => octets.truncate(at),
        (_, 5) => octets.push(random.u8(..)),
        (_, 6) if !octets.is_empty() => octets[at] = random.u8(..),
        _ => octets.clear(),
    }
}

/// One or two changes to what was signed.
pub(crate) fn signed(tbs: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut node = Node::read(tbs).expect("the forge writes DER");
    for _ in 0..random.u8(1..3) {
        node.mutate(random);
    }
    node.write()
}

/// One octet changed, wherever it is: the signature with it.
pub(crate) fn raw(der: &mut [u8], random: &mut fastrand::Rng) {
    let at = random.usize(0..der.len());
    der[at] ^= 1 << random.u8(0..8);
}
