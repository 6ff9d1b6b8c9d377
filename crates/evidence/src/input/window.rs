//! A buffer that is filled at its end and emptied at its start.

use std::io;

/// Bytes that were read and not used up yet.
#[derive(Debug)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Window {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity.max(1)], start: 0, end: 0 }
    }

    /// What there is.
    pub(crate) fn filled(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Uses up the first `count` bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// Reads once more, behind what there is; makes room first, by moving and then by growing. Says how much was read.
    pub(crate) fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end.saturating_sub(self.start));
            } else {
                self.bytes.resize(self.bytes.len().saturating_mul(2), 0);
            }
        }
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        let count = read(room)?;
        self.end = self.end.saturating_add(count).min(self.bytes.len());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_makes_room_and_what_is_not_makes_it_grow() {
        let mut window = Window::new(4);
        let give = |window: &mut Window, byte: u8| {
            window
                .fill(|room| {
                    room.fill(byte);
                    Ok(room.len())
                })
                .unwrap()
        };
        assert_eq!(give(&mut window, b'a'), 4);
        window.consume(3);
        assert_eq!(give(&mut window, b'b'), 3);
        assert_eq!(window.filled(), b"abbb");
        assert_eq!(give(&mut window, b'c'), 4);
        assert_eq!(window.filled(), b"abbbcccc");
        window.consume(100);
        assert_eq!(window.filled(), b"");
        assert_eq!(give(&mut window, b'd'), 8);
    }
}
