//! Syntax of a cron pattern: five fields, as the planner reads them in each site's time zone.
//!
//! Minute, hour, day of month, month, day of week; each `*` or a list of numbers and ranges, with a
//! step; months and days of the week also by their English three letters. Nothing else, so that every
//! pattern that passes means the same to every cron library.

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const LONGEST: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

struct Field {
    /// With its article.
    name: &'static str,
    smallest: u32,
    largest: u32,
    /// Names of the values from `smallest` on.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    field("a minute", 0, 59, &[]),
    field("an hour", 0, 23, &[]),
    field("a day of the month", 1, 31, &[]),
    field("a month", 1, 12, &MONTHS),
    field("a day of the week", 0, 7, &WEEKDAYS),
];

const fn field(
    name: &'static str,
    smallest: u32,
    largest: u32,
    names: &'static [&'static str],
) -> Field {
    Field {
        name,
        smallest,
        largest,
        names,
    }
}

/// Checks a pattern.
///
/// # Errors
/// What is wrong with it, as a clause that follows "the pattern".
pub(super) fn check(pattern: &str) -> Result<(), String> {
    let texts: Vec<&str> = pattern.split_whitespace().collect();
    if texts.len() != FIELDS.len() {
        return Err(format!("has {} fields where five are wanted", texts.len()));
    }
    let values = FIELDS
        .iter()
        .zip(&texts)
        .map(|(field, text)| {
            field
                .values(text)
                .ok_or_else(|| format!("has `{text}` where {} is wanted", field.name))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if texts[4] == "*" && never_comes(&values[2], &values[3]) {
        return Err("names days that no month of it has".to_owned());
    }
    Ok(())
}

fn never_comes(days: &[u32], months: &[u32]) -> bool {
    let longest = months.iter().map(|month| LONGEST[*month as usize - 1]);
    let last = longest.max().unwrap_or(0);
    days.iter().all(|day| *day > last)
}

impl Field {
    /// All values that a list stands for.
    fn values(&self, list: &str) -> Option<Vec<u32>> {
        let mut values = Vec::new();
        for item in list.split(',') {
            let (range, step) = match item.split_once('/') {
                Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0)?)),
                None => (item, None),
            };
            let (first, last) = self.range(range, step.is_some())?;
            values.extend((first..=last).step_by(step.unwrap_or(1) as usize));
        }
        Some(values)
    }

    /// First and last value. A step needs something to step through, so `5/10` is refused.
    fn range(&self, text: &str, stepped: bool) -> Option<(u32, u32)> {
        if text == "*" {
            return Some((self.smallest, self.largest));
        }
        match text.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (self.value(first)?, self.value(last)?);
                (first <= last).then_some((first, last))
            }
            None if stepped => None,
            None => self.value(text).map(|value| (value, value)),
        }
    }

    fn value(&self, text: &str) -> Option<u32> {
        let by_name = || {
            let at = self
                .names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(text))?;
            Some(u32::try_from(at).ok()? + self.smallest)
        };
        number(text)
            .or_else(by_name)
            .filter(|value| (self.smallest..=self.largest).contains(value))
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn patterns_of_five_fields_pass() {
        for good in [
            "30 1 * * *",
            "*/15 0-6 * * mon-fri",
            "0 3 1,15 * *",
            "0 3 29 feb *",
            "0 3 31 2 sun",
            "5 4 * JAN-MAR/2 7",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn other_patterns_say_which_field_is_wrong() {
        let wrong = [
            ("30 1 * *", "has 4 fields where five are wanted"),
            ("0 30 1 * * *", "has 6 fields where five are wanted"),
            ("60 1 * * *", "has `60` where a minute is wanted"),
            ("0 24 * * *", "has `24` where an hour is wanted"),
            ("0 5/10 * * *", "has `5/10` where an hour is wanted"),
            ("0 */0 * * *", "has `*/0` where an hour is wanted"),
            ("0 6-2 * * *", "has `6-2` where an hour is wanted"),
            ("0 1 0 * *", "has `0` where a day of the month is wanted"),
            ("0 1 * 13 *", "has `13` where a month is wanted"),
            (
                "0 1 * * monday",
                "has `monday` where a day of the week is wanted",
            ),
            ("0 1 * * 1,", "has `1,` where a day of the week is wanted"),
            ("0 1 31 apr,jun *", "names days that no month of it has"),
        ];
        for (pattern, reason) in wrong {
            assert_eq!(check(pattern), Err(reason.to_owned()), "{pattern}");
        }
    }
}
