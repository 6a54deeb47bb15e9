//! Amounts of resources, as Kubernetes writes them in `resource.Quantity`: `500m`, `2Gi`, `1.5`, `1e3`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use mesh_core::k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// Nanos in one unit: nothing smaller than a nano can be written.
const NANO: i128 = 1_000_000_000;

/// The largest magnitude, in nanos: far above any resource, and low enough that sums cannot overflow.
const LIMIT: i128 = i128::MAX / 4;

/// The most that a binary quantity can be: 2^63 - 1 units; Kubernetes cuts larger ones down to it.
const BINARY_LIMIT: i128 = (i64::MAX as i128) * NANO;

/// How many digits after the point are told apart; later ones round up.
const FRACTION_DIGITS: usize = 18;

/// Suffixes of powers of 1024, with the power of two.
const BINARY: [(&str, u32); 6] = [
    ("Ki", 10),
    ("Mi", 20),
    ("Gi", 30),
    ("Ti", 40),
    ("Pi", 50),
    ("Ei", 60),
];

/// Suffixes of powers of ten.
const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

/// How an amount is written. Arithmetic keeps the format of the left side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Format {
    #[default]
    Decimal,
    Binary,
    Exponent,
}

/// An amount of a resource, exact to the nano (10⁻⁹ units). Equality and order ignore how it is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Amount {
    nano: i128,
    format: Format,
}

/// A text that is no quantity.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a quantity like `500m`, `2Gi` or `1e3`")]
pub struct NotAQuantity(pub String);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self {
        nano: 0,
        format: Format::Decimal,
    };

    /// So many whole units, written in powers of ten.
    pub fn units(units: i64) -> Self {
        Self {
            nano: i128::from(units) * NANO,
            format: Format::Decimal,
        }
    }

    /// So many thousandths, written in powers of ten.
    pub fn millis(millis: i64) -> Self {
        Self {
            nano: i128::from(millis) * (NANO / 1000),
            format: Format::Decimal,
        }
    }

    /// So many bytes, written in powers of 1024.
    pub fn bytes(bytes: i64) -> Self {
        Self {
            nano: i128::from(bytes) * NANO,
            format: Format::Binary,
        }
    }

    /// The whole units, rounded up, as Go's `Quantity.Value` does.
    pub fn ceil_units(self) -> i64 {
        self.ceil(NANO)
    }

    /// The thousandths, rounded up, as Go's `Quantity.MilliValue` does.
    pub fn ceil_millis(self) -> i64 {
        self.ceil(NANO / 1000)
    }

    fn ceil(self, unit: i128) -> i64 {
        let rounded = self.nano.div_euclid(unit) + i128::from(self.nano.rem_euclid(unit) != 0);
        i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.nano == 0
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let format = if self.nano == 0 { other.format } else { self.format };
        Self {
            nano: (self.nano + other.nano).clamp(-LIMIT, LIMIT),
            format,
        }
    }

    /// The difference, which may be negative.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            nano: (self.nano - other.nano).clamp(-LIMIT, LIMIT),
            format: self.format,
        }
    }

    /// So many times as much.
    #[must_use]
    pub fn times(self, count: i64) -> Self {
        let nano = self.nano.saturating_mul(i128::from(count)).clamp(-LIMIT, LIMIT);
        Self {
            nano,
            format: self.format,
        }
    }

    /// How many times `other` it is; exact enough to be compared with bounds that people write.
    #[expect(clippy::cast_precision_loss, reason = "16 digits are enough for a ratio")]
    pub fn ratio(self, other: Self) -> f64 {
        self.nano as f64 / other.nano as f64
    }

    /// The amount for people: exact where that is short, else with two decimals in the largest fitting unit,
    /// rounded down, so that what is free never looks like more than it is.
    pub fn short(self) -> String {
        let exact = self.to_string();
        if exact.len() <= 6 {
            return exact;
        }
        let units: Vec<(&str, i128)> = match self.format {
            Format::Binary => BINARY
                .iter()
                .rev()
                .map(|&(suffix, power)| (suffix, NANO << power))
                .collect(),
            Format::Decimal | Format::Exponent => DECIMAL
                .iter()
                .rev()
                .map(|&(suffix, power)| (suffix, 10_i128.pow((power + 9).unsigned_abs())))
                .collect(),
        };
        let magnitude = self.nano.abs();
        let Some((suffix, unit)) = units.into_iter().find(|&(_, unit)| magnitude >= unit) else {
            return exact;
        };
        let hundredths = (magnitude / (unit / 100).max(1)).min(magnitude * 100 / unit);
        let sign = if self.nano < 0 { "-" } else { "" };
        let decimals = match (hundredths / 10 % 10, hundredths % 10) {
            (0, 0) => String::new(),
            (tenths, 0) => format!(".{tenths}"),
            (tenths, rest) => format!(".{tenths}{rest}"),
        };
        format!("{sign}{}{decimals}{suffix}", hundredths / 100)
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.nano == other.nano
    }
}

impl Eq for Amount {}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nano.cmp(&other.nano)
    }
}

impl TryFrom<&Quantity> for Amount {
    type Error = NotAQuantity;

    fn try_from(quantity: &Quantity) -> Result<Self, NotAQuantity> {
        quantity.0.parse()
    }
}

impl From<Amount> for Quantity {
    fn from(amount: Amount) -> Self {
        Self(amount.to_string())
    }
}

impl FromStr for Amount {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        parse(text).ok_or_else(|| NotAQuantity(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Amount> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = unsigned.split_at(digits(unsigned));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (format, binary_power, decimal_power) = interpret(suffix)?;

    // mantissa × 2^binary_power × 10^scale nanos
    let kept = &fraction[..fraction.len().min(FRACTION_DIGITS)];
    let lost = fraction[kept.len()..].bytes().any(|digit| digit != b'0');
    let mantissa = [whole, kept].concat().bytes().try_fold(0_i128, |sum, digit| {
        sum.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
    });
    let scale = decimal_power - i32::try_from(kept.len()).ok()? + 9;
    let nano = mantissa
        .map(|mantissa| mantissa + i128::from(lost))
        .and_then(|mantissa| mantissa.checked_mul(1_i128 << binary_power))
        .and_then(|scaled| {
            if scale >= 0 {
                scale_up(scaled, scale)
            } else {
                Some(scale_down(scaled, scale))
            }
        })
        .unwrap_or(LIMIT)
        .min(if format == Format::Binary {
            BINARY_LIMIT
        } else {
            LIMIT
        });
    Some(Amount {
        nano: if negative { -nano } else { nano },
        format,
    })
}

/// What a suffix means: how it is written, a power of two, a power of ten.
fn interpret(suffix: &str) -> Option<(Format, u32, i32)> {
    if let Some(&(_, power)) = BINARY.iter().find(|&&(name, _)| name == suffix) {
        return Some((Format::Binary, power, 0));
    }
    if let Some(&(_, power)) = DECIMAL.iter().find(|&&(name, _)| name == suffix) {
        return Some((Format::Decimal, 0, power));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    if !exponent.ends_with(|last: char| last.is_ascii_digit()) {
        return None;
    }
    Some((Format::Exponent, 0, exponent.parse::<i16>().ok()?.into()))
}

fn scale_up(value: i128, power: i32) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10_i128.checked_pow(power.unsigned_abs())?)
}

/// Divides a non-negative value by a power of ten and rounds up: who asks for a little gets the least there is.
fn scale_down(value: i128, power: i32) -> i128 {
    match 10_i128.checked_pow(power.unsigned_abs()) {
        Some(divisor) => value / divisor + i128::from(value % divisor != 0),
        None => i128::from(value != 0),
    }
}

impl fmt::Display for Amount {
    /// The canonical form: no fraction, and the largest suffix that needs none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nano == 0 {
            return f.write_str("0");
        }
        let whole = self.nano % NANO == 0;
        if self.format == Format::Binary && whole && self.nano.abs() >= 1024 * NANO {
            let mut units = self.nano / NANO;
            let mut suffix = "";
            for (name, _) in BINARY {
                if units % 1024 != 0 {
                    break;
                }
                units /= 1024;
                suffix = name;
            }
            return write!(f, "{units}{suffix}");
        }
        let mut number = self.nano;
        let mut power = -9;
        while number % 1000 == 0 && (power < 18 || self.format == Format::Exponent) {
            number /= 1000;
            power += 3;
        }
        match (self.format, DECIMAL.iter().find(|&&(_, known)| known == power)) {
            (Format::Decimal | Format::Binary, Some((suffix, _))) => write!(f, "{number}{suffix}"),
            _ if power == 0 => write!(f, "{number}"),
            _ => write!(f, "{number}e{power}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn canonical_forms() {
        for (text, canonical) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.5", "500m"),
            (".5", "500m"),
            ("1.", "1"),
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("1536Mi", "1536Mi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Gi", "512Mi"),
            ("0.1Ki", "102400m"),
            ("512Ki", "512Ki"),
            ("1000Ki", "1000Ki"),
            ("1000k", "1M"),
            ("1e3", "1e3"),
            ("1E3", "1e3"),
            ("1.5e3", "1500"),
            ("100E", "100E"),
            ("12E+2", "1200"),
            ("1e-3", "1e-3"),
            ("-1.5", "-1500m"),
            ("0.0000000001", "1n"),
            ("0.1n", "1n"),
            ("9223372036854775807Ki", "9223372036854775807"),
            ("2000000", "2M"),
        ] {
            assert_eq!(amount(text).to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_quantity() {
        for text in [
            "", "-", ".", "1 Gi", "Gi", "1KB", "1e", "1e+", "1.2.3", "0x10", "1i", "1gi", "١", "1e1.5",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn rounds_up() {
        assert_eq!(amount("1.0001").ceil_millis(), 1001);
        assert_eq!(amount("1m").ceil_units(), 1);
        assert_eq!(amount("-1m").ceil_units(), 0);
        assert_eq!(amount("0.1Ki").ceil_units(), 103);
        assert_eq!(amount("1e40").ceil_units(), i64::MAX);
    }

    #[test]
    fn short_forms_round_down() {
        for (text, short) in [
            ("4Gi", "4Gi"),
            ("1288490189", "1.28G"),
            ("1258291Ki", "1.19Gi"),
            ("-1258291Ki", "-1.19Gi"),
            ("500m", "500m"),
            ("4026531839Ki", "3.74Ti"),
            ("2047Mi", "2047Mi"),
            ("1048575Ki", "1023.99Mi"),
            ("1234567n", "1.23m"),
        ] {
            assert_eq!(amount(text).short(), short, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,20}") {
            let _ = text.parse::<Amount>();
        }

        #[test]
        fn what_is_written_reads_back(
            digits in "[+-]?[0-9]{1,14}(\\.[0-9]{0,12})?",
            suffix in prop::sample::select(vec!["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi",
                "Ti", "Pi", "Ei", "e3", "E-3", "e+6", "e0"]),
        ) {
            let parsed = amount(&format!("{digits}{suffix}"));
            let written = parsed.to_string();
            prop_assert_eq!(amount(&written), parsed, "{}", written);
            prop_assert_eq!(amount(&written).to_string(), written);
        }

        #[test]
        fn order_and_sums_follow_the_numbers(left in 0_i64..i64::MAX / 4, right in 0_i64..i64::MAX / 4) {
            let (a, b) = (Amount::millis(left), Amount::bytes(right));
            prop_assert_eq!(a.plus(b).minus(b), a);
            prop_assert_eq!(a < b, i128::from(left) < i128::from(right) * 1000);
            prop_assert_eq!(Amount::millis(left).ceil_millis(), left);
            prop_assert!(amount(&b.short()) <= b);
        }
    }
}
