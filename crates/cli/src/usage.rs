//! What is wrong with arguments, in one line.

/// The message of an error without the usage that follows it.
pub(crate) fn line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let mut parts = Vec::new();
    for paragraph in text.split("\n\n") {
        let paragraph = paragraph.trim();
        if paragraph.is_empty() || OTHERS.iter().any(|start| paragraph.starts_with(start)) {
            continue;
        }
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        let words = words.join(" ");
        parts.push(words.strip_prefix("error: ").map(str::to_owned).unwrap_or(words));
    }
    parts.join("; ")
}

/// How the paragraphs begin that are not about the error itself.
const OTHERS: [&str; 3] = ["Usage:", "For more information", "tip: to pass"];
