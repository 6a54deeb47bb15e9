//! Shares of traffic.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Hundredths of a percent in a whole.
const WHOLE: u32 = 10_000;

/// A share of traffic from 0% to 100%, in steps of 0.01%.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

impl Percent {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Everything.
    pub const FULL: Self = Self(WHOLE);

    /// The share that is nearest to a ratio from 0 to 1; what lies outside is cut off.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value is between 0 and 10000; NaN becomes 0"
    )]
    pub fn of_ratio(ratio: f64) -> Self {
        Self((ratio.clamp(0.0, 1.0) * f64::from(WHOLE)).round() as u32)
    }

    /// The share that is nearest to `part` of `whole`; nothing if there is no whole.
    pub fn of_parts(part: i64, whole: i64) -> Self {
        let (part, whole) = (i128::from(part), i128::from(whole));
        if whole <= 0 {
            return Self::ZERO;
        }
        let rounded = (part.clamp(0, whole) * i128::from(WHOLE) + whole / 2) / whole;
        Self(u32::try_from(rounded).unwrap_or(WHOLE))
    }

    /// The share as a ratio from 0 to 1.
    pub fn ratio(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }

    /// The share in percent, from 0 to 100.
    pub fn number(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// The share as a fraction, in the smallest of 100, 1,000 and 10,000 parts in which it is a whole number.
    pub fn fraction(self) -> (u32, u32) {
        let step = [100, 10]
            .into_iter()
            .find(|step| self.0.is_multiple_of(*step))
            .unwrap_or(1);
        (self.0 / step, WHOLE / step)
    }

    /// This share of `total`, if that is a whole number.
    pub fn of(self, total: i64) -> Option<i64> {
        let parts = i128::from(total) * i128::from(self.0);
        let whole = i128::from(WHOLE);
        (parts % whole == 0)
            .then(|| i64::try_from(parts / whole).ok())
            .flatten()
    }

    /// The least factor by which `total` has to be multiplied for this share of it to be a whole number.
    pub fn factor(self, total: i64) -> i64 {
        let whole = i128::from(WHOLE);
        let (mut a, mut b) = (whole, (i128::from(total) * i128::from(self.0)).rem_euclid(whole));
        // The greatest common divisor (Euclid).
        while b != 0 {
            (a, b) = (b, a % b);
        }
        i64::try_from(whole / a).unwrap_or(1)
    }

    /// The shares next to this one that are whole numbers of `total` parts, below and above.
    pub fn around(self, total: i64) -> (Self, Self) {
        // Such shares are all multiples of the least of them.
        let least = u32::try_from(Self(1).factor(total)).unwrap_or(WHOLE);
        let below = self.0 / least * least;
        (Self(below), Self((below + least).min(WHOLE)))
    }

    /// The sum, at most everything.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self((self.0 + other.0).min(WHOLE))
    }
}

impl FromStr for Percent {
    type Err = String;

    /// Reads `10%`, `10` or `0.5%`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_suffix('%').unwrap_or(text);
        if number.starts_with('-') {
            return Err("a share of traffic is not below 0%".to_owned());
        }
        let wrong = || format!("`{text}` is not a share of traffic, such as `10%` or `0.5%`");
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) {
            return Err(wrong());
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 2 {
            return Err(format!("`{text}` is finer than 0.01%"));
        }
        // More digits than fit are more than 100%, too.
        let whole: u32 = whole.parse().unwrap_or(u32::MAX);
        let fraction: u32 = format!("{fraction:0<2}").parse().map_err(|_| wrong())?;
        whole
            .checked_mul(100)
            .and_then(|whole| whole.checked_add(fraction))
            .filter(|value| *value <= WHOLE)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is more than 100%"))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(formatter, "{whole}%"),
            rest if rest % 10 == 0 => write!(formatter, "{whole}.{}%", rest / 10),
            rest => write!(formatter, "{whole}.{rest:02}%"),
        }
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// Where a shift leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// To this share.
    To(Percent),
    /// To this much more than now.
    By(Percent),
}

impl Shift {
    /// The share that the canary gets if it has `now`.
    ///
    /// # Errors
    ///
    /// More than everything.
    pub fn from(self, now: Percent) -> Result<Percent, String> {
        match self {
            Self::To(percent) => Ok(percent),
            Self::By(more) if now.0 + more.0 > WHOLE => Err(format!("{now} and {more} are more than 100%")),
            Self::By(more) => Ok(now.plus(more)),
        }
    }
}

impl FromStr for Shift {
    type Err = String;

    /// Reads `10%`, or `+10%`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('+') {
            Some(more) => more.parse().map(Self::By),
            None => text.parse().map(Self::To),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_that_are_none_are_refused() {
        for text in [
            "",
            "%",
            "110%",
            "-5",
            "-5%",
            "1e2",
            "NaN",
            "10%%",
            "0.001",
            ".",
            "1.",
            "99999999999",
            "+-5",
        ] {
            assert!(text.parse::<Shift>().is_err(), "{text}");
        }
        assert_eq!(
            "110%".parse::<Percent>(),
            Err("`110%` is more than 100%".to_owned())
        );
        assert_eq!("0.5%".parse(), Ok(Percent(50)));
        assert_eq!("+10".parse(), Ok(Shift::By(Percent(1_000))));
        assert!(Shift::By(Percent(6_000)).from(Percent(5_000)).is_err());
    }

    #[test]
    fn neighbours_are_whole_parts() {
        let percent = |text: &str| text.parse::<Percent>().expect("a share");
        assert_eq!(percent("10%").of(3), None);
        for (share, total, below, above) in [
            ("10%", 3, "0%", "100%"),
            ("10.01%", 100, "10%", "11%"),
            ("0.5%", 30, "0%", "10%"),
            ("99.9%", 7, "0%", "100%"),
            ("0.01%", 1_009, "0%", "100%"),
        ] {
            let around = percent(share).around(total);
            assert_eq!(around, (percent(below), percent(above)), "{share} of {total}");
        }
        assert_eq!(percent("0.5%").of(1000), Some(5));
        let factors = [
            ("10%", 100),
            ("0.5%", 100),
            ("10%", 3),
            ("0.01%", 1),
            ("33.3%", 7),
            ("0%", 3),
        ];
        let factors = factors.map(|(text, total)| percent(text).factor(total));
        assert_eq!(factors, [1, 2, 10, 10_000, 1_000, 1]);
        assert_eq!(percent("25%").fraction(), (25, 100));
        assert_eq!(percent("0.5%").fraction(), (5, 1_000));
        assert_eq!(percent("0.05%").fraction(), (5, 10_000));
    }

    proptest! {
        #[test]
        fn shares_around_can_be_said_and_written(value in 0..WHOLE, total in 1_i64..1_000_000) {
            let share = Percent(value);
            let (below, above) = share.around(total);
            prop_assert!(below <= share && share < above);
            for one in [below, above] {
                prop_assert_eq!(one.to_string().parse(), Ok(one));
                prop_assert!(one.of(total).is_some(), "{one} of {total}");
            }
        }

        #[test]
        fn shares_read_back(value in 0..=WHOLE) {
            prop_assert_eq!(Percent(value).to_string().parse(), Ok(Percent(value)));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,12}") {
            let _ = text.parse::<Shift>();
        }
    }
}
