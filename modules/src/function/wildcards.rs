//! The parts of patterns of `like`.

/// What a pattern of `like` consists of.
pub(super) enum Piece<'a> {
    Text(&'a [u8]),
    /// `%`
    Any,
    /// `_`
    One,
}

/// Cuts a pattern into pieces; none where the escape is its end.
pub(super) fn pieces<'a>(
    mut pattern: &'a [u8],
    escape: &[u8],
    utf8: bool,
) -> Option<Vec<Piece<'a>>> {
    let mut pieces = Vec::new();
    while let Some((first, rest)) = pattern.split_first() {
        if !escape.is_empty() && pattern.starts_with(escape) {
            pattern = &pattern[escape.len()..];
            let length = character_length(pattern, utf8);
            let (character, rest) = pattern.split_at_checked(length.max(1))?;
            pieces.push(Piece::Text(character));
            pattern = rest;
            continue;
        }
        let special = |byte: &u8| matches!(byte, b'%' | b'_') || escape.first() == Some(byte);
        match first {
            b'%' => pieces.push(Piece::Any),
            b'_' => pieces.push(Piece::One),
            _ => {
                let length = 1 + rest.iter().take_while(|byte| !special(byte)).count();
                let (text, rest) = pattern.split_at(length);
                pieces.push(Piece::Text(text));
                pattern = rest;
                continue;
            }
        }
        pattern = rest;
    }
    Some(pieces)
}

fn character_length(text: &[u8], utf8: bool) -> usize {
    let wide = std::str::from_utf8(text).ok().filter(|_| utf8);
    let first = wide.and_then(|wide| wide.chars().next());
    first.map_or(1, char::len_utf8)
}
