//! Sets of ports.

use super::ranges::Ranges;

/// A set of ports.
pub type Ports = Ranges<u16>;

/// Reads `80`, `1000:2000`, `:1023`, `1024:` or `any`.
pub fn read(text: &str) -> Result<Ports, String> {
    if text.eq_ignore_ascii_case("any") {
        return Ok(Ranges::all());
    }
    let wrong = || format!("`{text}` is no port");
    let port = |text: &str, unless: u16| match text.trim() {
        "" => Ok(unless),
        digits => digits.parse::<u16>().map_err(|_| wrong()),
    };
    match text.split_once(':') {
        Some(("", "")) => Err(wrong()),
        Some((low, high)) => match (port(low, 0)?, port(high, u16::MAX)?) {
            (low, high) if low <= high => Ok(Ranges::new(vec![(low, high)])),
            _ => Err(format!("`{text}` is no range")),
        },
        None if text.is_empty() => Err(wrong()),
        None => port(text, 0).map(|port| Ranges::new(vec![(port, port)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        assert_eq!(
            read("80").map(|set| set.ranges().to_vec()),
            Ok(vec![(80, 80)])
        );
        assert_eq!(
            read(":7").map(|set| set.ranges().to_vec()),
            Ok(vec![(0, 7)])
        );
        assert_eq!(
            read("1024:").map(|set| set.ranges().to_vec()),
            Ok(vec![(1024, 65535)])
        );
        assert_eq!(
            read("3:3").map(|set| set.ranges().to_vec()),
            Ok(vec![(3, 3)])
        );
        assert!(read("any").is_ok_and(|set| set.is_all()));
        for wrong in ["", ":", "9:3", "65536", "-1", "http", "1:2:3"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
