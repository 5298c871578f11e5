//! `--name value` pairs, read once at the start of a program.

use std::fmt::Display;
use std::str::FromStr;

/// The options that were given; asking for one takes it out.
pub struct Options {
    pairs: Vec<(String, String)>,
}

impl Options {
    /// Reads the command line of this process.
    ///
    /// # Errors
    ///
    /// A word that is not an option, or an option without a value.
    pub fn from_args() -> Result<Self, String> {
        Self::from_words(std::env::args().skip(1))
    }

    fn from_words(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut pairs = Vec::new();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else {
                return Err(format!("{word:?} is not an option"));
            };
            let value = words.next().ok_or_else(|| format!("--{name} needs a value"))?;
            pairs.push((name.to_owned(), value));
        }
        Ok(Self { pairs })
    }

    /// Takes the value of `--name` out, if it was given.
    ///
    /// # Errors
    ///
    /// A value of the wrong form.
    pub fn optional<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(at) = self.pairs.iter().position(|(known, _)| known == name) else {
            return Ok(None);
        };
        let (_, value) = self.pairs.remove(at);
        match value.parse() {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(format!("--{name} {value:?}: {error}")),
        }
    }

    /// Takes the value of `--name` out.
    ///
    /// # Errors
    ///
    /// It was not given, or has the wrong form.
    pub fn required<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<T, String> {
        self.optional(name)?.ok_or_else(|| format!("--{name} is missing"))
    }

    /// Fails if an option was given that nobody took.
    ///
    /// # Errors
    ///
    /// The name of the first such option.
    pub fn finish(self) -> Result<(), String> {
        match self.pairs.first() {
            None => Ok(()),
            Some((name, _)) => Err(format!("there is no option --{name}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<Options, String> {
        Options::from_words(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_taken_by_name() {
        let mut options = options("--port 80 --mode fresh").unwrap();
        assert_eq!(options.required::<u16>("port"), Ok(80));
        assert_eq!(options.optional::<u64>("secs"), Ok(None));
        assert_eq!(options.optional::<String>("mode"), Ok(Some("fresh".to_owned())));
        assert_eq!(options.finish(), Ok(()));
    }

    #[test]
    fn faults_are_named() {
        assert!(options("port 80").is_err());
        assert!(options("--port").is_err());
        assert!(options("--port x").unwrap().required::<u16>("port").is_err());
        assert!(options("").unwrap().required::<u16>("port").is_err());
        assert!(options("--other 1").unwrap().finish().is_err());
    }
}
