//! Memory for what is large and looked into at random: in pages so large that finding the page costs nothing.

use bytes::Bytes;
use memmap2::{Advice, MmapMut};

/// From here on pages of 2 MiB pay.
const LARGE: usize = 4 << 20;

/// Zeroed octets. Large ones are asked of the system in huge pages; without, they are as good and slower.
#[derive(Debug)]
pub(crate) enum Memory {
    Heap(Vec<u8>),
    Mapped(MmapMut),
}

/// Gives zeroed memory of so many octets in a file, for indexes that are not to take memory of one's own; `None` for what
/// is as well elsewhere.
pub type Rooms<'r> = &'r (dyn Fn(usize) -> Option<MmapMut> + Sync);

impl Memory {
    pub(crate) fn zeroed(length: usize, rooms: Option<Rooms<'_>>) -> Self {
        if let Some(room) = rooms.and_then(|rooms| rooms(length)).filter(|room| room.len() == length) {
            return Self::Mapped(room);
        }
        if length >= LARGE
            && let Ok(map) = MmapMut::map_anon(length)
        {
            // Advice that is not taken changes nothing but speed.
            #[cfg(target_os = "linux")]
            drop(map.advise(Advice::HugePage));
            return Self::Mapped(map);
        }
        Self::Heap(vec![0; length])
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Heap(octets) => Bytes::from(octets),
            Self::Mapped(map) => Bytes::from_owner(map),
        }
    }
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Heap(octets) => octets,
            Self::Mapped(map) => map,
        }
    }
}

impl AsMut<[u8]> for Memory {
    fn as_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Heap(octets) => octets,
            Self::Mapped(map) => map,
        }
    }
}
