use crate::{Coding, EncodeError};

/// How much work an encoder puts into small output.
///
/// | level | gzip, deflate | br | zstd |
/// |---|---|---|---|
/// | `Fast` | 1 | 2 | 1 |
/// | `Default` | 6 | 5 | 3 |
/// | `Best` | 9 | 11 | 19 |
/// | `Exact` | 0 to 9 | 2 to 11 | 1 to 19 |
///
/// `Exact` outside of its range is [`EncodeError::LevelOutOfRange`]. Not on offer are br 0 and 1,
/// which begin a new block with every call and would make small writes larger than their input,
/// and zstd above 19, whose windows are larger than RFC 9659 allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Little work, for content that is coded anew for every response.
    Fast,
    /// The usual balance.
    #[default]
    Default,
    /// The smallest output, for content that is coded once and kept.
    Best,
    /// The coding's own number.
    Exact(u8),
}

impl Level {
    /// The coding's own number for this level.
    pub(crate) fn number(self, coding: Coding) -> Result<u8, EncodeError> {
        let (range, fast, default) = match coding {
            Coding::Gzip | Coding::Deflate => (0..=9, 1, 6),
            Coding::Br => (2..=11, 2, 5),
            Coding::Zstd => (1..=19, 1, 3),
        };
        match self {
            Self::Fast => Ok(fast),
            Self::Default => Ok(default),
            Self::Best => Ok(*range.end()),
            Self::Exact(level) if range.contains(&level) => Ok(level),
            Self::Exact(level) => {
                let (least, most) = range.into_inner();
                Err(EncodeError::LevelOutOfRange { coding, level, least, most })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_of_the_codings_range_are_refused() {
        for (coding, least, most) in [
            (Coding::Gzip, 0, 9),
            (Coding::Deflate, 0, 9),
            (Coding::Br, 2, 11),
            (Coding::Zstd, 1, 19),
        ] {
            for level in 0..=u8::MAX {
                let number = Level::Exact(level).number(coding);
                if (least..=most).contains(&level) {
                    assert_eq!(number, Ok(level));
                } else {
                    let refused = EncodeError::LevelOutOfRange { coding, level, least, most };
                    assert_eq!(number, Err(refused));
                }
            }
            let named = [Level::Fast, Level::Default, Level::Best].map(|l| l.number(coding));
            assert!(named.is_sorted_by_key(|number| *number.as_ref().unwrap()), "{named:?}");
        }
    }
}
