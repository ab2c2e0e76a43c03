//! What an activation costs, in exact cents.

use serde::{Deserialize, Serialize};

/// An amount in euro cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// The amount with `percent` added, half a cent rounded up (away from zero for amounts ≥ 0).
    #[must_use]
    pub fn plus_percent(self, percent: u8) -> Self {
        Self((self.0 * (100 + i64::from(percent)) + 50).div_euclid(100))
    }

    /// The amount in German: `48,00`.
    #[must_use]
    pub fn german(self) -> String {
        format!("{},{:02}", self.0 / 100, (self.0 % 100).abs())
    }
}

/// What may be charged for a report, by the time the caller called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Tariff {
    /// Outside business hours: the activation fee.
    Activation {
        /// Net amount.
        net: Cents,
        /// With VAT.
        gross: Cents,
        /// VAT rate in percent.
        vat_percent: u8,
    },
    /// Inside business hours: a surcharge on service items, no activation fee.
    Surcharge {
        /// Surcharge in percent.
        percent: u8,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_with_vat_is_57_12() {
        assert_eq!(Cents(4800).plus_percent(19).german(), "57,12");
    }

    #[test]
    fn half_a_cent_is_rounded_up() {
        assert_eq!(Cents(50).plus_percent(19), Cents(60));
        assert_eq!(Cents(1).plus_percent(50), Cents(2));
    }
}
