//! What reading a text needs to know of the names in it.

/// What names mean where they stand. Most names need not be known to read a text.
pub(crate) trait Names {
    /// Whether a name is that of a scalar function: what stands in the brackets behind it are
    /// expressions. Behind all others are words.
    fn is_function(&self, name: &str) -> bool;

    /// Whether, in a SELECT, words stand in the brackets behind a name. Behind all others are
    /// expressions.
    fn takes_words(&self, name: &str) -> bool;

    /// Whether a name stands for a stream of objects and takes no words, so that a word behind it
    /// is a name for the stream.
    fn is_stream(&self, name: &str) -> bool;
}
