//! Buffers that are there only while bytes are under way, so that an idle connection has none.

use std::cell::RefCell;

/// The size of a buffer.
pub(super) const SIZE: usize = 32 << 10;
/// Free buffers that a thread keeps.
const KEPT: usize = 16;

thread_local! {
    static FREE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer, used before or new.
pub(super) fn take() -> Box<[u8]> {
    let free = FREE.with_borrow_mut(Vec::pop);
    free.unwrap_or_else(|| vec![0; SIZE].into_boxed_slice())
}

/// Gives a buffer back.
pub(super) fn give_back(buffer: Box<[u8]>) {
    FREE.with_borrow_mut(|free| {
        if free.len() < KEPT {
            free.push(buffer);
        }
    });
}
