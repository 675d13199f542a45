//! Memory for large data with random access: in huge pages, so that address translation costs little.

use core::fmt;

use bytes::Bytes;
#[cfg(feature = "fs")]
use memmap2::MmapMut;

/// The size from which pages of 2 MiB are worth it.
#[cfg(feature = "fs")]
const LARGE: usize = 4 << 20;

/// Zeroed bytes. Large ones are requested in huge pages. Without them they work too, but more slowly.
#[derive(Debug)]
pub(crate) enum Memory {
    Heap(Vec<u8>),
    #[cfg(feature = "fs")]
    Mapped(MmapMut),
    Given(GivenMemory),
}

/// Memory that a caller provides for an index, such as a mapped file.
pub struct GivenMemory(Box<dyn OwnedMemory>);

/// Bytes that can be written now, and read as long as they are in use.
trait OwnedMemory: AsMut<[u8]> + AsRef<[u8]> + Send + Sync {}

impl<T: AsMut<[u8]> + AsRef<[u8]> + Send + Sync> OwnedMemory for T {}

impl GivenMemory {
    /// Memory over these bytes, which must be zero.
    #[must_use]
    pub fn new(bytes: impl AsMut<[u8]> + AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self(Box::new(bytes))
    }
}

impl AsRef<[u8]> for GivenMemory {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl AsMut<[u8]> for GivenMemory {
    fn as_mut(&mut self) -> &mut [u8] {
        (*self.0).as_mut()
    }
}

impl fmt::Debug for GivenMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GivenMemory({})", self.as_ref().len())
    }
}

/// A function that returns zeroed memory of this size, for indexes that should not use memory of the process. `None` if
/// ordinary memory will do.
pub type IndexAllocator<'a> = &'a (dyn Fn(usize) -> Option<GivenMemory> + Sync);

impl Memory {
    pub(crate) fn zeroed(length: usize, allocator: Option<IndexAllocator<'_>>) -> Self {
        let given = allocator.and_then(|allocator| allocator(length));
        if let Some(given) = given.filter(|given| given.as_ref().len() == length) {
            return Self::Given(given);
        }
        #[cfg(feature = "fs")]
        if length >= LARGE
            && let Ok(map) = MmapMut::map_anon(length)
        {
            // Advice that is not followed only affects speed.
            #[cfg(target_os = "linux")]
            drop(map.advise(memmap2::Advice::HugePage));
            return Self::Mapped(map);
        }
        Self::Heap(vec![0; length])
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Heap(bytes) => Bytes::from(bytes),
            #[cfg(feature = "fs")]
            Self::Mapped(map) => Bytes::from_owner(map),
            Self::Given(given) => Bytes::from_owner(given),
        }
    }
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Heap(bytes) => bytes,
            #[cfg(feature = "fs")]
            Self::Mapped(map) => map,
            Self::Given(given) => given.as_ref(),
        }
    }
}

impl AsMut<[u8]> for Memory {
    fn as_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Heap(bytes) => bytes,
            #[cfg(feature = "fs")]
            Self::Mapped(map) => map,
            Self::Given(given) => given.as_mut(),
        }
    }
}
