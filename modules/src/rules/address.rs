//! Sets of addresses of both families.

use super::ranges::Ranges;
use std::net::IpAddr;
#[cfg(test)]
use wireq_typesys::Address;

/// A set of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Addresses {
    /// Those of IPv4.
    pub v4: Ranges<u32>,
    /// Those of IPv6.
    pub v6: Ranges<u128>,
}

impl Addresses {
    /// Whether an address is in it.
    #[cfg(test)]
    pub fn contain(&self, address: Address) -> bool {
        if address.v6 {
            self.v6.contains(address.bits)
        } else {
            self.v4.contains(address.bits as u32)
        }
    }

    /// Reads `10.0.0.1`, `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10.0.0.1-10.0.0.9` or `any`.
    pub fn read(text: &str) -> Result<Addresses, String> {
        if text.eq_ignore_ascii_case("any") {
            return Ok(Addresses {
                v4: Ranges::all(),
                v6: Ranges::all(),
            });
        }
        let wrong = || format!("`{text}` is no address");
        if let Some((low, high)) = text.split_once('-') {
            let ends = (low.trim().parse(), high.trim().parse());
            return match ends {
                (Ok(IpAddr::V4(low)), Ok(IpAddr::V4(high))) if low <= high => {
                    Ok(Addresses::of_v4(low.into(), high.into()))
                }
                (Ok(IpAddr::V6(low)), Ok(IpAddr::V6(high))) if low <= high => {
                    Ok(Addresses::of_v6(low.into(), high.into()))
                }
                (Ok(_), Ok(_)) => Err(format!("`{text}` is no range")),
                _ => Err(wrong()),
            };
        }
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (text, None),
        };
        match address.trim().parse().map_err(|_| wrong())? {
            IpAddr::V4(address) => {
                let bits = v4_bits(mask).ok_or_else(wrong)?;
                let host = u32::MAX.checked_shr(bits).unwrap_or(0);
                let low = u32::from(address) & !host;
                Ok(Addresses::of_v4(low, low | host))
            }
            IpAddr::V6(address) => {
                let bits = mask.map_or(Some(128), |mask| mask.trim().parse().ok());
                let bits: u32 = bits.filter(|bits| *bits <= 128).ok_or_else(wrong)?;
                let host = u128::MAX.checked_shr(bits).unwrap_or(0);
                let low = u128::from(address) & !host;
                Ok(Addresses::of_v6(low, low | host))
            }
        }
    }

    fn of_v4(low: u32, high: u32) -> Addresses {
        Addresses {
            v4: Ranges::new(vec![(low, high)]),
            v6: Ranges::none(),
        }
    }

    fn of_v6(low: u128, high: u128) -> Addresses {
        Addresses {
            v4: Ranges::none(),
            v6: Ranges::new(vec![(low, high)]),
        }
    }
}

/// The number of leading bits that `/8` or `/255.0.0.0` says are shared.
fn v4_bits(mask: Option<&str>) -> Option<u32> {
    let Some(mask) = mask else { return Some(32) };
    if let Ok(bits) = mask.trim().parse::<u32>() {
        return (bits <= 32).then_some(bits);
    }
    let mask = u32::from(mask.trim().parse::<std::net::Ipv4Addr>().ok()?);
    (mask.leading_ones() + mask.trailing_zeros() == 32).then(|| mask.leading_ones())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        let contains = |set: &str, address: &str| {
            let address: IpAddr = address.parse().expect("an address");
            Addresses::read(set).map(|set| set.contain(address.into()))
        };
        for (set, address, expected) in [
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("10.1.2.3/8", "10.255.0.0", true),
            ("10.0.0.0/255.255.0.0", "10.0.255.255", true),
            ("10.0.0.0/255.255.0.0", "10.1.0.0", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("10.0.0.5-10.0.0.9", "10.0.0.9", true),
            ("10.0.0.5-10.0.0.9", "10.0.0.10", false),
            ("fe80::/10", "febf::1", true),
            ("::1-::5", "::5", true),
            ("any", "::1", true),
            ("ANY", "1.1.1.1", true),
        ] {
            assert_eq!(contains(set, address), Ok(expected), "{set} {address}");
        }
        for wrong in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "10.0.0.0/255.0.255.0",
            "10.0.0.9-10.0.0.5",
            "10.0.0.1-::1",
            "fe80::/129",
            "example.test",
        ] {
            assert!(Addresses::read(wrong).is_err(), "{wrong}");
        }
    }
}
