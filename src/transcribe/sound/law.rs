//! G.711: A-law and µ-law, one byte a sample. Cannot fail: every byte is a sample.

use super::{Limits, Raw, cap};

/// Which of the two laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Law {
    /// Europe.
    A,
    /// North America and Japan.
    Mu,
}

const A_TABLE: [i16; 256] = table(Law::A);
const MU_TABLE: [i16; 256] = table(Law::Mu);

impl Law {
    /// One sample on the 16 bit scale.
    pub(super) fn expand(self, byte: u8) -> i16 {
        match self {
            Self::A => A_TABLE[usize::from(byte)],
            Self::Mu => MU_TABLE[usize::from(byte)],
        }
    }

    /// How the format is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::A => "A-law",
            Self::Mu => "\u{b5}-law",
        }
    }
}

const fn table(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match law {
            Law::A => a_law(byte as u8),
            Law::Mu => mu_law(byte as u8),
        };
        byte += 1;
    }
    table
}

const fn a_law(byte: u8) -> i16 {
    let bits = byte ^ 0x55;
    let segment = (bits & 0x70) >> 4;
    let step = ((bits & 0x0f) as i16) << 4;
    let size = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    if bits & 0x80 == 0 { -size } else { size }
}

const fn mu_law(byte: u8) -> i16 {
    let bits = !byte;
    let size = ((((bits & 0x0f) as i16) << 3) + 0x84) << ((bits & 0x70) >> 4);
    if bits & 0x80 == 0 { size - 0x84 } else { 0x84 - size }
}

/// A headerless file: 8 kHz, mono.
pub(super) fn decode_raw(bytes: &[u8], law: Law, limits: &Limits) -> Raw {
    let samples = bytes.iter().take(cap(8_000, limits));
    Raw {
        mono: samples.map(|&byte| f32::from(law.expand(byte)) / 32_768.0).collect(),
        rate: 8_000,
        channels: 1,
        codec: law.name(),
        promised: None,
        remarks: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corner_values_are_those_of_the_standard() {
        assert_eq!([0xd5, 0x55, 0xaa, 0x2a].map(|byte| Law::A.expand(byte)), [8, -8, 32_256, -32_256]);
        assert_eq!([0xff, 0x7f, 0x80, 0x00].map(|byte| Law::Mu.expand(byte)), [0, 0, 32_124, -32_124]);
    }
}
