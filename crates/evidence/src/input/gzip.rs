//! Files as they lie: plain, or gzip of any number of members (RFC 1952 section 2.2).

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::window::Window;
use crate::skip::Skip;

/// How much compressed data is read at a time.
const CHUNK: usize = 128 * 1024;
/// How a gzip member begins: its two magic bytes, and deflate, the only method there is.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// The uncompressed bytes of a file, with the damage on the way.
#[derive(Debug)]
pub(crate) struct Members<R> {
    state: State<R>,
}

#[derive(Debug)]
enum State<R> {
    /// Nothing was read yet.
    Start(Raw<R>),
    Plain(Raw<R>),
    /// Before a member, or behind the last.
    Between(Raw<R>),
    Within(Box<GzDecoder<Raw<R>>>),
    End,
}

/// What [`Members::read`] came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// So many bytes.
    Bytes(usize),
    /// Something is missing here; what follows belongs to another member.
    Damage(Skip),
    End,
}

impl<R: Read> Members<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { state: State::Start(Raw { inner, window: Window::new(CHUNK), ended: false }) }
    }

    /// Reads into `room`, which must not be empty. An error is one of the file itself, and the last thing there is.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> io::Result<Chunk> {
        loop {
            match std::mem::replace(&mut self.state, State::End) {
                State::Start(mut raw) => {
                    let gzip = raw.ensure(MAGIC.len())?.starts_with(&MAGIC);
                    self.state = if gzip { State::Between(raw) } else { State::Plain(raw) };
                }
                State::Plain(mut raw) => {
                    let count = raw.read(room)?;
                    if count > 0 {
                        self.state = State::Plain(raw);
                        return Ok(Chunk::Bytes(count));
                    }
                }
                State::Between(mut raw) => {
                    let ahead = raw.ensure(MAGIC.len())?;
                    if ahead.starts_with(&MAGIC) {
                        self.state = State::Within(Box::new(GzDecoder::new(raw)));
                    } else if !ahead.is_empty() {
                        // Zeroes behind the last member are padding, which tape and some stores leave.
                        let padding = raw.skip_zeroes()?;
                        raw.seek_member()?;
                        self.state = State::Between(raw);
                        if !padding {
                            return Ok(Chunk::Damage(Skip::Corrupt));
                        }
                    }
                }
                State::Within(mut member) => match member.read(room) {
                    Ok(0) => self.state = State::Between(member.into_inner()),
                    Ok(count) => {
                        self.state = State::Within(member);
                        return Ok(Chunk::Bytes(count));
                    }
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        return Ok(Chunk::Damage(Skip::Truncated));
                    }
                    Err(error)
                        if matches!(
                            error.kind(),
                            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
                        ) =>
                    {
                        let mut raw = member.into_inner();
                        raw.seek_member()?;
                        self.state = State::Between(raw);
                        return Ok(Chunk::Damage(Skip::Corrupt));
                    }
                    Err(error) => return Err(error),
                },
                State::End => return Ok(Chunk::End),
            }
        }
    }
}

/// The bytes of the file itself, of which some can be seen before they are used up.
#[derive(Debug)]
struct Raw<R> {
    inner: R,
    window: Window,
    ended: bool,
}

impl<R: Read> Raw<R> {
    fn more(&mut self) -> io::Result<()> {
        let inner = &mut self.inner;
        loop {
            match self.window.fill(|room| inner.read(room)) {
                Ok(count) => {
                    self.ended = count == 0;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// At least `count` bytes, or all that are left.
    fn ensure(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.window.filled().len() < count && !self.ended {
            self.more()?;
        }
        Ok(self.window.filled())
    }

    /// Whether nothing but zeroes were left, or came before the next member.
    fn skip_zeroes(&mut self) -> io::Result<bool> {
        loop {
            let filled = self.ensure(1)?;
            if filled.is_empty() {
                return Ok(true);
            }
            let zeroes = filled.iter().take_while(|byte| **byte == 0).count();
            let all = zeroes == filled.len();
            self.window.consume(zeroes);
            if !all {
                return Ok(self.ensure(MAGIC.len())?.starts_with(&MAGIC));
            }
        }
    }

    /// Goes on to what looks like the beginning of a member, or to the end.
    fn seek_member(&mut self) -> io::Result<()> {
        loop {
            let ahead = self.ensure(MAGIC.len())?;
            if let Some(at) = ahead.windows(MAGIC.len()).position(|bytes| bytes == MAGIC) {
                self.window.consume(at);
                return Ok(());
            }
            // The last bytes may be the beginning of one that goes on.
            let (length, ended) = (ahead.len(), self.ended);
            self.window.consume(if ended { length } else { length.saturating_sub(MAGIC.len() - 1) });
            if ended {
                return Ok(());
            }
            self.more()?;
        }
    }
}

impl<R: Read> Read for Raw<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut filled = self.fill_buf()?;
        let count = filled.read(room)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Raw<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.ensure(1)
    }

    fn consume(&mut self, count: usize) {
        self.window.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// The bytes with `|` where something is missing, and what.
    fn read(file: &[u8]) -> (Vec<u8>, Vec<Skip>) {
        let (mut members, mut bytes, mut damage) = (Members::new(file), Vec::new(), Vec::new());
        let mut room = [0; 1_000];
        loop {
            match members.read(&mut room).unwrap() {
                Chunk::Bytes(count) => bytes.extend_from_slice(&room[..count]),
                Chunk::Damage(skip) => {
                    bytes.push(b'|');
                    damage.push(skip);
                }
                Chunk::End => return (bytes, damage),
            }
        }
    }

    /// Text that does not compress to nothing.
    fn noise(seed: u32, length: usize) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"0123456789abcdef"[(state >> 28) as usize]
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn plain_and_empty_files_are_read_as_they_are() {
        assert_eq!(read(b"plain"), (b"plain".to_vec(), vec![]));
        assert_eq!(read(b""), (vec![], vec![]));
        assert_eq!(read(b"\x1f"), (b"\x1f".to_vec(), vec![]));
    }

    #[test]
    fn all_members_are_read_with_or_without_padding() {
        let file = [gzip(b"one "), gzip(b"two "), gzip(b""), gzip(b"three"), vec![0; 700_000]].concat();
        assert_eq!(read(&file), (b"one two three".to_vec(), vec![]));
    }

    #[test]
    fn a_truncated_member_gives_what_it_has() {
        let text = noise(1, 100_000);
        let whole = gzip(&text);
        let (bytes, damage) = read(&whole[..whole.len() / 2]);
        assert_eq!(damage, [Skip::Truncated]);
        assert!(bytes.len() > 10_000 && text.starts_with(&bytes[..bytes.len() - 1]));
    }

    #[test]
    fn behind_a_corrupt_member_reading_goes_on() {
        let mut broken = gzip(&noise(2, 50_000));
        let middle = broken.len() / 2;
        broken[middle..middle + 64].fill(0xff);
        let (bytes, damage) = read(&[gzip(b"before"), broken, gzip(b"after"), gzip(b"wards")].concat());
        assert!(damage.iter().all(|skip| *skip == Skip::Corrupt) && !damage.is_empty());
        assert!(bytes.starts_with(b"before") && bytes.ends_with(b"|afterwards"));
    }

    #[test]
    fn a_checksum_that_does_not_match_is_damage() {
        let mut broken = gzip(b"text");
        let crc = broken.len() - 8;
        broken[crc] ^= 1;
        let (bytes, damage) = read(&[broken, gzip(b"next")].concat());
        assert_eq!((bytes.as_slice(), damage), (b"text|next".as_slice(), vec![Skip::Corrupt]));
    }

    #[test]
    fn garbage_between_members_is_damage() {
        let (bytes, damage) = read(&[gzip(b"a"), b"garbage".to_vec(), gzip(b"b"), b"?".to_vec()].concat());
        assert_eq!((bytes.as_slice(), damage), (b"a|b|".as_slice(), vec![Skip::Corrupt, Skip::Corrupt]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_loop(bytes in prop::collection::vec(any::<u8>(), 0..400), at in 0_usize..40) {
            read(&bytes);
            let mut file = gzip(b"some text, and some more text");
            file.truncate(file.len().saturating_sub(at));
            file.extend(bytes);
            read(&file);
        }
    }
}
