//! GSM 06.10 full rate, written from the standard (ETSI EN 300 961, sections 5.3 and 5.4, whose 16 bit saturating
//! arithmetic makes the result exact to the sample). Two packings: raw frames of 33 bytes (Asterisk `.gsm`) and
//! Microsoft's pairs of frames in 65 bytes (WAV codec 0x31, Asterisk `.WAV`). Any bits are a valid frame.

use super::{Limits, Mono, Raw, cap};

/// Samples of one frame (20 ms at 8 kHz).
pub(super) const FRAME: usize = 160;
/// Bytes of a raw frame.
pub(super) const RAW_BYTES: usize = 33;
/// Bytes of a Microsoft block: two frames.
pub(super) const BLOCK_BYTES: usize = 65;

const RATE: u32 = 8_000;
/// Bits of the eight log area ratios.
const LAR_BITS: [u32; 8] = [6, 6, 5, 5, 4, 4, 3, 3];

/// Whether a raw frame carries its mark.
pub(super) fn is_frame(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|byte| byte >> 4 == 0xd)
}

/// A headerless `.gsm` file. A frame without its mark is damaged and becomes 20 ms of silence.
pub(super) fn decode_raw(bytes: &[u8], limits: &Limits) -> Raw {
    let mut decoder = Decoder::new();
    let mut mono = Mono::up_to(cap(RATE, limits));
    let mut damaged = 0_u32;
    for frame in bytes.chunks_exact(RAW_BYTES) {
        if mono.full() {
            break;
        }
        if is_frame(frame) {
            let mut bits = Bits::most_significant_first(frame);
            bits.take(4);
            mono.add(&to_float(&decoder.frame(&Parameters::read(&mut bits))), 1);
        } else {
            damaged += 1;
            mono.add(&[0.0; FRAME], 1);
        }
    }
    let mut remarks = Vec::new();
    if damaged > 0 {
        remarks.push(format!("{damaged} damaged GSM frames were replaced by silence"));
    }
    Raw { mono: mono.samples, rate: RATE, channels: 1, codec: "GSM", promised: None, remarks }
}

/// The data of a WAV of codec 0x31, as far as there are whole blocks.
pub(super) fn decode_blocks(data: &[u8], limits: &Limits) -> Vec<f32> {
    let mut decoder = Decoder::new();
    let mut mono = Mono::up_to(cap(RATE, limits));
    for block in data.chunks_exact(BLOCK_BYTES) {
        if mono.full() {
            break;
        }
        let mut bits = Bits::least_significant_first(block);
        for _ in 0..2 {
            mono.add(&to_float(&decoder.frame(&Parameters::read(&mut bits))), 1);
        }
    }
    mono.samples
}

fn to_float(frame: &[i16; FRAME]) -> [f32; FRAME] {
    frame.map(|sample| f32::from(sample) / 32_768.0)
}

/// Reads fields of a few bits; past the end there are zeros.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    most_first: bool,
}

impl<'a> Bits<'a> {
    fn most_significant_first(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, most_first: true }
    }

    fn least_significant_first(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, most_first: false }
    }

    fn take(&mut self, count: u32) -> i16 {
        let mut value = 0;
        for place in 0..count {
            let byte = self.bytes.get(self.at / 8).copied().unwrap_or(0);
            let within = self.at % 8;
            let bit = i16::from(byte >> if self.most_first { 7 - within } else { within } & 1);
            value = if self.most_first { value << 1 | bit } else { value | bit << place };
            self.at += 1;
        }
        value
    }
}

/// One frame's fields, named as in the standard.
struct Parameters {
    larc: [i16; 8],
    sub: [SubFrame; 4],
}

struct SubFrame {
    /// Long-term lag.
    nc: i16,
    /// Long-term gain.
    bc: i16,
    /// Position of the pulse grid.
    mc: i16,
    /// Block maximum.
    xmaxc: i16,
    /// Pulses.
    xmc: [i16; 13],
}

impl Parameters {
    fn read(bits: &mut Bits<'_>) -> Self {
        Self { larc: LAR_BITS.map(|count| bits.take(count)), sub: std::array::from_fn(|_| SubFrame::read(bits)) }
    }
}

impl SubFrame {
    fn read(bits: &mut Bits<'_>) -> Self {
        Self {
            nc: bits.take(7),
            bc: bits.take(2),
            mc: bits.take(2),
            xmaxc: bits.take(6),
            xmc: std::array::from_fn(|_| bits.take(3)),
        }
    }
}

/// The decoder's memory between frames.
struct Decoder {
    /// Reconstructed short-term residual: 120 samples of the past, 40 of the present.
    drp: [i16; 160],
    /// Last valid lag.
    nrp: i16,
    /// Log area ratios of the last frame.
    larpp: [i16; 8],
    /// Lattice filter.
    v: [i16; 9],
    /// De-emphasis.
    msr: i16,
}

impl Decoder {
    fn new() -> Self {
        Self { drp: [0; 160], nrp: 40, larpp: [0; 8], v: [0; 9], msr: 0 }
    }

    fn frame(&mut self, parameters: &Parameters) -> [i16; FRAME] {
        let mut residual = [0; FRAME];
        for (sub, out) in parameters.sub.iter().zip(residual.chunks_exact_mut(40)) {
            self.long_term(sub, out);
        }
        let larpp = log_area_ratios(&parameters.larc);
        let mut sound = residual;
        for (section, range) in [0..13, 13..27, 27..40, 40..160].into_iter().enumerate() {
            let rrp = std::array::from_fn(|i| reflection(interpolated(section, self.larpp[i], larpp[i])));
            self.short_term(&rrp, &mut sound[range]);
        }
        self.larpp = larpp;
        for sample in &mut sound {
            // 5.3.5: de-emphasis, doubling, truncation to 13 bits
            self.msr = sample.saturating_add(mult_r(self.msr, 28_180));
            *sample = self.msr.saturating_add(self.msr) & !7;
        }
        sound
    }

    /// 5.3.1 and 5.3.2: pulses plus the long-term prediction.
    fn long_term(&mut self, sub: &SubFrame, out: &mut [i16]) {
        const QLB: [i16; 4] = [3_277, 11_469, 21_299, 32_767];
        let erp = pulses(sub);
        if (40..=120).contains(&sub.nc) {
            self.nrp = sub.nc;
        }
        let lag = usize::from(self.nrp.unsigned_abs());
        let gain = QLB[usize::from(sub.bc.unsigned_abs()) & 3];
        for (k, pulse) in erp.into_iter().enumerate() {
            self.drp[120 + k] = pulse.saturating_add(mult_r(gain, self.drp[120 + k - lag]));
        }
        out.copy_from_slice(&self.drp[120..]);
        self.drp.copy_within(40.., 0);
    }

    /// 5.3.4: the lattice filter.
    fn short_term(&mut self, rrp: &[i16; 8], samples: &mut [i16]) {
        for sample in samples {
            let mut sri = *sample;
            for i in (0..8).rev() {
                sri = sri.saturating_sub(mult_r(rrp[i], self.v[i]));
                self.v[i + 1] = self.v[i].saturating_add(mult_r(rrp[i], sri));
            }
            self.v[0] = sri;
            *sample = sri;
        }
    }
}

/// 5.2.15 to 5.2.17: the 40 values of the excitation.
fn pulses(sub: &SubFrame) -> [i16; 40] {
    const FAC: [i16; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];
    let (exponent, mantissa) = exponent_and_mantissa(sub.xmaxc);
    let shift = 6 - exponent;
    let round = if shift == 0 { 0 } else { 1 << (shift - 1) };
    let mut erp = [0; 40];
    for (i, pulse) in sub.xmc.iter().enumerate() {
        let scaled = mult_r(FAC[mantissa], (pulse * 2 - 7) << 12);
        erp[usize::from(sub.mc.unsigned_abs()) + 3 * i] = scaled.saturating_add(round) >> shift;
    }
    erp
}

fn exponent_and_mantissa(xmaxc: i16) -> (i16, usize) {
    let mut exponent = if xmaxc > 15 { (xmaxc >> 3) - 1 } else { 0 };
    let mut mantissa = xmaxc - (exponent << 3);
    if mantissa == 0 {
        return (-4, 7);
    }
    while mantissa <= 7 {
        mantissa = mantissa << 1 | 1;
        exponent -= 1;
    }
    (exponent, usize::from((mantissa - 8).unsigned_abs()) & 7)
}

/// 5.2.8: decoding of the coded log area ratios.
fn log_area_ratios(larc: &[i16; 8]) -> [i16; 8] {
    const B: [i16; 8] = [0, 0, 2_048, -2_560, 94, -1_792, -341, -1_144];
    const MIC: [i16; 8] = [-32, -32, -16, -16, -8, -8, -4, -4];
    const INVA: [i16; 8] = [13_107, 13_107, 13_107, 13_107, 19_223, 17_476, 31_454, 29_708];
    std::array::from_fn(|i| {
        let centred = ((larc[i] + MIC[i]) << 10).saturating_sub(B[i] << 1);
        let value = mult_r(INVA[i], centred);
        value.saturating_add(value)
    })
}

/// 5.2.9.1: between the last frame and this one.
fn interpolated(section: usize, last: i16, now: i16) -> i16 {
    match section {
        0 => (last >> 2).saturating_add(now >> 2).saturating_add(last >> 1),
        1 => (last >> 1).saturating_add(now >> 1),
        2 => (last >> 2).saturating_add(now >> 2).saturating_add(now >> 1),
        _ => now,
    }
}

/// 5.2.9.2: from log area ratio to reflection coefficient.
fn reflection(lar: i16) -> i16 {
    let size = lar.saturating_abs();
    let value = if size < 11_059 {
        size << 1
    } else if size < 20_070 {
        size + 11_059
    } else {
        (size >> 2).saturating_add(26_112)
    };
    if lar < 0 { -value } else { value }
}

/// Product of two fractions, rounded and saturated (4.2 of the standard).
fn mult_r(a: i16, b: i16) -> i16 {
    let product = (i32::from(a) * i32::from(b) + 16_384) >> 15;
    // only -1 times -1 leaves the range
    if product > i32::from(i16::MAX) { i16::MAX } else { product as i16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sound/gsm0610.gsm"));
    const BLOCKS: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sound/msgsm-0031.WAV"));

    #[test]
    fn every_sample_is_that_of_the_reference_decoder() {
        const LIBGSM: &[u8] =
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sound/gsm0610-by-libgsm.wav"));
        let reference: Vec<i16> = hound::WavReader::new(LIBGSM).unwrap().into_samples().map(Result::unwrap).collect();
        let ours: Vec<i16> = decode_raw(RAW, &Limits::default()).mono.iter().map(|s| (s * 32_768.0) as i16).collect();
        assert_eq!(ours, reference);
    }

    #[test]
    fn both_packings_of_one_message_give_the_same_samples() {
        let raw = decode_raw(RAW, &Limits::default());
        assert_eq!(raw.mono.len(), RAW.len() / RAW_BYTES * FRAME);
        assert!(raw.remarks.is_empty());
        assert_eq!(raw.mono, decode_blocks(&BLOCKS[60..], &Limits::default()));
    }

    #[test]
    fn a_frame_without_its_mark_is_silence_and_is_counted() {
        let mut bytes = RAW.to_vec();
        bytes[RAW_BYTES * 3] = 0;
        let raw = decode_raw(&bytes, &Limits::default());
        assert_eq!(raw.remarks, ["1 damaged GSM frames were replaced by silence"]);
        assert!(raw.mono[FRAME * 3..FRAME * 4].iter().all(|&sample| sample == 0.0));
    }

    #[test]
    fn every_block_maximum_has_an_exponent_that_can_be_shifted_by() {
        for xmaxc in 0..64 {
            let (exponent, mantissa) = exponent_and_mantissa(xmaxc);
            assert!((-4..=6).contains(&exponent) && mantissa < 8, "{xmaxc}");
        }
    }
}
