//! The words after a task's name.

/// Arguments that are taken out one by one; whatever nobody took is an error.
pub(crate) struct Args {
    words: Vec<String>,
}

impl Args {
    pub(crate) fn new(words: Vec<String>) -> Self {
        Self { words }
    }

    /// Takes `name` out and says whether it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let Some(at) = self.words.iter().position(|word| word == name) else { return false };
        self.words.remove(at);
        true
    }

    /// Takes `name VALUE` or `name=VALUE` out.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>, String> {
        let with_sign = format!("{name}=");
        if let Some(at) = self.words.iter().position(|word| word.starts_with(&with_sign)) {
            return Ok(Some(self.words.remove(at)[with_sign.len()..].to_owned()));
        }
        let Some(at) = self.words.iter().position(|word| word == name) else { return Ok(None) };
        self.words.remove(at);
        if at == self.words.len() {
            return Err(format!("{name} needs a value"));
        }
        Ok(Some(self.words.remove(at)))
    }

    /// Takes `name N` out; the default is used when it is absent.
    pub(crate) fn number(&mut self, name: &str, default: u64) -> Result<u64, String> {
        match self.value(name)? {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| format!("{name} needs a number, not {text:?}")),
        }
    }

    /// Takes the first word that is not an option.
    pub(crate) fn positional(&mut self) -> Option<String> {
        let at = self.words.iter().position(|word| !word.starts_with('-'))?;
        Some(self.words.remove(at))
    }

    /// Takes everything that is left.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::mem::take(&mut self.words)
    }

    /// Fails if a word is left that the task does not know.
    pub(crate) fn finish(&self) -> Result<(), String> {
        match self.words.first() {
            None => Ok(()),
            Some(word) => Err(format!("unknown argument {word:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Args {
        Args::new(text.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn values_come_in_both_spellings() {
        let mut args = args("head --secs 5 --save=new");
        assert_eq!(args.value("--save"), Ok(Some("new".to_owned())));
        assert_eq!(args.number("--secs", 60), Ok(5));
        assert_eq!(args.positional(), Some("head".to_owned()));
        assert_eq!(args.finish(), Ok(()));
    }

    #[test]
    fn a_missing_value_and_an_unknown_word_are_errors() {
        assert!(args("--secs").value("--secs").is_err());
        assert!(args("--secs x").number("--secs", 1).is_err());
        assert!(args("--other").finish().is_err());
    }
}
