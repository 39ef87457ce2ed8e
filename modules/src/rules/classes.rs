//! The classes that rules name, with how urgent each is: those of Snort and Suricata.

/// How urgent a rule is whose class says nothing.
pub const UNKNOWN: u32 = 3;

/// Classes by their names.
const CLASSES: &[(&str, u32)] = &[
    ("attempted-admin", 1),
    ("attempted-dos", 2),
    ("attempted-recon", 2),
    ("attempted-user", 1),
    ("bad-unknown", 2),
    ("coin-mining", 2),
    ("command-and-control", 1),
    ("credential-theft", 1),
    ("default-login-attempt", 2),
    ("denial-of-service", 2),
    ("domain-c2", 1),
    ("exploit-kit", 1),
    ("external-ip-check", 2),
    ("icmp-event", 3),
    ("inappropriate-content", 1),
    ("kickass-porn", 1),
    ("misc-activity", 3),
    ("misc-attack", 2),
    ("network-scan", 3),
    ("non-standard-protocol", 2),
    ("not-suspicious", 3),
    ("policy-violation", 1),
    ("protocol-command-decode", 3),
    ("pup-activity", 2),
    ("rpc-portmap-decode", 2),
    ("shellcode-detect", 1),
    ("social-engineering", 2),
    ("string-detect", 3),
    ("successful-admin", 1),
    ("successful-dos", 2),
    ("successful-recon-largescale", 2),
    ("successful-recon-limited", 2),
    ("successful-user", 1),
    ("suspicious-filename-detect", 2),
    ("suspicious-login", 2),
    ("system-call-detect", 2),
    ("targeted-activity", 1),
    ("tcp-connection", 4),
    ("trojan-activity", 1),
    ("unknown", 3),
    ("unsuccessful-user", 1),
    ("unusual-client-port-connection", 2),
    ("web-application-activity", 2),
    ("web-application-attack", 1),
];

/// How urgent what a class finds is: 1 is most urgent.
pub fn priority(class: &str) -> Option<u32> {
    let at = CLASSES
        .binary_search_by_key(&class, |(name, _)| name)
        .ok()?;
    Some(CLASSES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ascend() {
        assert!(CLASSES.is_sorted_by(|left, right| left.0 < right.0));
        assert_eq!(priority("tcp-connection"), Some(4));
        assert_eq!(priority("no-such-class"), None);
    }

    #[test]
    fn priorities_are_those_of_the_configuration() {
        let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared").into();
        let shared = std::env::var_os("WIREQ_SHARED").unwrap_or_else(beside);
        let path = std::path::Path::new(&shared).join("data/rules/classification.config");
        let Ok(text) = std::fs::read_to_string(&path) else {
            let path = path.display();
            return eprintln!("OUTSIDE TESTS SKIPPED: no {path}; set WIREQ_SHARED");
        };
        let mut seen = 0;
        for line in text.lines() {
            let Some(fields) = line.strip_prefix("config classification:") else {
                continue;
            };
            let mut fields = fields.split(',').map(str::trim);
            let (name, number) = (fields.next(), fields.nth(1));
            let number = number.and_then(|number| number.parse().ok());
            assert_eq!(name.and_then(priority), number, "{line}");
            seen += 1;
        }
        assert!(seen > 30);
    }
}
