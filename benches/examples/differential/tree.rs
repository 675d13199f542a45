//! DER as a tree that may be written back wrongly.

/// How a length is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Length {
    /// In the fewest bytes.
    Minimal,
    /// In the long form with a leading zero, or in the long form where the short one would do.
    Long,
    /// Indefinite, with end-of-contents bytes.
    Indefinite,
    /// One more than there is.
    More,
    /// One less than there is.
    Less,
}

/// An element.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) tag: u8,
    pub(crate) length: Length,
    /// Bytes before the children, or all there are.
    pub(crate) bytes: Vec<u8>,
    pub(crate) children: Vec<Self>,
}

/// As deep as anything in X.509 goes, and more.
const DEEPEST: usize = 24;

impl Node {
    pub(crate) const fn leaf(tag: u8, bytes: Vec<u8>) -> Self {
        Self { tag, length: Length::Minimal, bytes, children: Vec::new() }
    }

    pub(crate) const fn of(tag: u8, children: Vec<Self>) -> Self {
        Self { tag, length: Length::Minimal, bytes: Vec::new(), children }
    }

    /// The element that these bytes are.
    pub(crate) fn parse(der: &[u8]) -> Option<Self> {
        let mut list = Self::list(der, 0)?;
        (list.len() == 1).then(|| list.remove(0))
    }

    /// Elements one after another; OCTET STRINGs that hold one are opened.
    fn list(mut der: &[u8], depth: usize) -> Option<Vec<Self>> {
        let mut found = Vec::new();
        while let [tag, rest @ ..] = der {
            let (length, rest) = read_length(rest)?;
            let (content, rest) = (rest.get(..length)?, rest.get(length..)?);
            found.push(Self::open(*tag, content, depth));
            der = rest;
        }
        Some(found)
    }

    fn open(tag: u8, content: &[u8], depth: usize) -> Self {
        let may_hold = |bytes: &[u8]| depth < DEEPEST && bytes.len() > 1 && tag & 0x1f != 0x1f;
        let (prefix, inside) = match tag {
            0x03 if content.first() == Some(&0) => content.split_at(1),
            _ => content.split_at(0),
        };
        let is_opened = tag & 0x20 != 0 || matches!(tag, 0x03 | 0x04);
        match Self::list(inside, depth + 1) {
            Some(children) if is_opened && may_hold(inside) && known_tags(&children) => {
                Self { tag, length: Length::Minimal, bytes: prefix.to_vec(), children }
            }
            _ => Self::leaf(tag, content.to_vec()),
        }
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let mut content = self.bytes.clone();
        for child in &self.children {
            content.extend(child.der());
        }
        let length = match self.length {
            Length::More => content.len() + 1,
            Length::Less => content.len().saturating_sub(1),
            _ => content.len(),
        };
        let bytes = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let mut out = vec![self.tag];
        match self.length {
            Length::Indefinite => out.push(0x80),
            Length::Long => {
                let long = &bytes[zeros.min(3)..];
                let padded = if length < 0x80 { long.to_vec() } else { [&[0], long].concat() };
                out.push(0x80 | u8::try_from(padded.len()).unwrap_or(0));
                out.extend(padded);
            }
            _ if length < 0x80 => out.push(bytes[3]),
            _ => {
                out.push(0x80 | u8::try_from(4 - zeros).unwrap_or(0));
                out.extend_from_slice(&bytes[zeros..]);
            }
        }
        out.extend(content);
        if self.length == Length::Indefinite {
            out.extend([0, 0]);
        }
        out
    }

    /// What stands behind the length, written again.
    pub(crate) fn content(&self) -> Vec<u8> {
        [self.bytes.clone(), self.children.iter().flat_map(Self::der).collect()].concat()
    }

    /// How many elements there are, this one included.
    pub(crate) fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }

    /// The element of this number, in the order of the bytes.
    pub(crate) fn at(&mut self, number: usize) -> Option<&mut Self> {
        if number == 0 {
            return Some(self);
        }
        let mut left = number - 1;
        for child in &mut self.children {
            let count = child.count();
            if left < count {
                return child.at(left);
            }
            left -= count;
        }
        None
    }

    /// Every element that is so, by number.
    pub(crate) fn find(&self, is_wanted: &dyn Fn(&Self) -> bool) -> Vec<usize> {
        fn walk(node: &Node, number: &mut usize, is_wanted: &dyn Fn(&Node) -> bool, found: &mut Vec<usize>) {
            if is_wanted(node) {
                found.push(*number);
            }
            *number += 1;
            for child in &node.children {
                walk(child, number, is_wanted, found);
            }
        }
        let mut found = Vec::new();
        walk(self, &mut 0, is_wanted, &mut found);
        found
    }

    /// Whether it has the shape of an extension.
    pub(crate) fn is_extension(&self) -> bool {
        self.tag == 0x30
            && matches!(self.children.first(), Some(first) if first.tag == 6)
            && matches!(self.children.last(), Some(last) if last.tag == 4)
            && self.children.len() <= 3
    }
}

/// Bytes that only happen to read as elements are left closed.
fn known_tags(list: &[Node]) -> bool {
    list.iter().all(|node| {
        matches!(node.tag, 0x01..=0x06 | 0x0a | 0x0c | 0x12..=0x1e | 0x30 | 0x31 | 0x80..=0x89 | 0xa0..=0xa9)
    })
}

fn read_length(rest: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = rest.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return None;
    }
    let length = rest.get(..count)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    Some((length, rest.get(count..)?))
}
