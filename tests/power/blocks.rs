//! What a disk holds: blocks, of which most were never written. A copy costs nothing until one of the two is written.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};

const BLOCK: usize = 4_096;
type Block = [u8; BLOCK];

const ZEROES: Block = [0; BLOCK];

/// See the module.
#[derive(Debug, Default, Clone)]
pub(crate) struct Blocks {
    written: HashMap<u64, Arc<Block>>,
}

impl Blocks {
    /// What is in the file at `path`, whose length is a number of blocks.
    pub(crate) fn read_from(path: &Path) -> Result<Self> {
        let mut file =
            File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut blocks = Self::default();
        let mut block = ZEROES;
        for number in 0..file.metadata()?.len() / BLOCK as u64 {
            file.read_exact(&mut block)?;
            if block != ZEROES {
                blocks.written.insert(number, Arc::new(block));
            }
        }
        Ok(blocks)
    }

    /// Fills `into` with what is at `offset`.
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) {
        let mut done = 0;
        while done < into.len() {
            let Place { block, at, length } = Place::of(offset + done as u64, into.len() - done);
            let from = self.written.get(&block).map_or(&ZEROES, |block| &**block);
            into[done..done + length].copy_from_slice(&from[at..at + length]);
            done += length;
        }
    }

    /// Puts `data` at `offset`.
    pub(crate) fn write(&mut self, offset: u64, data: &[u8]) {
        let mut done = 0;
        while done < data.len() {
            let Place { block, at, length } = Place::of(offset + done as u64, data.len() - done);
            let into = self.written.entry(block).or_insert_with(|| Arc::new(ZEROES));
            Arc::make_mut(into)[at..at + length].copy_from_slice(&data[done..done + length]);
            done += length;
        }
    }
}

/// The part of a range that lies in its first block.
struct Place {
    block: u64,
    at: usize,
    length: usize,
}

impl Place {
    fn of(offset: u64, left: usize) -> Self {
        let at = usize::try_from(offset % BLOCK as u64).expect("less than a block");
        Self { block: offset / BLOCK as u64, at, length: left.min(BLOCK - at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_across_blocks_and_copies_are_apart() {
        let mut blocks = Blocks::default();
        let before = blocks.clone();
        blocks.write(4_090, b"over the edge");
        let mut seen = [1; 17];
        blocks.read(4_088, &mut seen);
        assert_eq!(&seen, b"\0\0over the edge\0\0");
        before.read(4_088, &mut seen);
        assert_eq!(seen, [0; 17]);
    }
}
