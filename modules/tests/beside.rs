//! The account of comparisons with other programs finds what it is there for.

mod support;

use std::collections::BTreeSet;
use support::beside::Account;

/// An account of a capture of `packets`, each with a field that both programs have alike.
fn account(packets: u64) -> Account {
    let mut account = Account::default();
    let numbers: BTreeSet<u64> = (1..=packets).collect();
    account.pair("a.pcap", &numbers, &numbers, 0);
    for _ in 0..packets {
        assert!(!account.differs("ip.ttl", "64", "64"));
    }
    account
}

/// Excuses so many cells of a field.
fn excuse(account: &mut Account, field: &'static str, count: usize) {
    for _ in 0..count {
        assert!(account.differs(field, "", "1"));
        account.excuse(Some("rule"), field, || "a cell".to_owned());
    }
}

#[test]
fn what_agrees_is_right() {
    assert_eq!(account(100).faults(10, &[]), [""; 0]);
}

#[test]
fn what_no_rule_excuses_is_wrong() {
    let mut account = account(100);
    assert!(account.differs("ip.ttl", "64", "63"));
    account.excuse(None, "ip.ttl", || "64, and 63".to_owned());
    assert_eq!(account.faults(10, &[]), ["1 differ:\n64, and 63"]);
}

/// Cells that are empty in both programs say nothing for what is excused.
#[test]
fn empty_cells_are_no_agreement() {
    let mut account = account(89);
    for _ in 0..10_000 {
        assert!(!account.differs("ip.ttl", "", ""));
    }
    excuse(&mut account, "ip.ttl", 10);
    assert_eq!(
        account.faults(10, &[]),
        ["10 of 99 cells with a value are excused"]
    );
    assert!(!account.differs("ip.ttl", "64", "64"));
    assert_eq!(account.faults(10, &[]), [""; 0]);
}

#[test]
fn fields_that_are_mostly_excused_are_wrong() {
    let mut account = account(10_000);
    excuse(&mut account, "ip.id", 200);
    let fault = "mostly excused: ip.id, 200 excused, 0 agree";
    assert_eq!(account.faults(10, &[]), [fault]);
    assert_eq!(account.faults(10, &[("ip.id", "a reason")]), [""; 0]);
}

#[test]
fn packets_of_one_program_are_found() {
    let [three, two] = [3, 2].map(|count| (1..=count).collect::<BTreeSet<u64>>());
    for (ours, theirs) in [(&three, &two), (&two, &three)] {
        let mut account = account(2000);
        account.pair("b.pcap", ours, theirs, 0);
        let (ours_len, theirs_len) = (ours.len(), theirs.len());
        let counts = format!("{ours_len} packets here, {theirs_len} there");
        let fault = format!("not the same packets:\nb.pcap: {counts}, damage 0");
        assert_eq!(account.faults(10, &[]), [fault]);
    }
    // Behind damage few may be found by one alone.
    let mut account = account(200);
    account.pair("b.pcap", &three, &two, 7);
    assert_eq!(account.faults(10, &[]), [""; 0]);
    let lost = "1 packets are in one program only";
    assert!(account.faults_of_all(&[], &[]).contains(&lost.to_owned()));
    account.pair("c.pcap", &two, &three, 7);
    let faults = account.faults(10, &[]);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].starts_with("packets of one program only:\nb.pcap: 3"));
}

#[test]
fn captures_that_are_not_read_are_few() {
    for (is_ours, program) in [(true, "here"), (false, "by tshark")] {
        let mut account = account(100);
        for count in 1..=2 {
            match is_ours {
                true => account.unread.push("b.pcap".to_owned()),
                false => account.unread_by_tshark.push("b.pcap".to_owned()),
            }
            let faults = account.faults(10, &[]);
            assert_eq!(faults.is_empty(), count < 2, "{faults:?}");
        }
        let fault = format!("2 captures are not read {program}");
        assert_eq!(account.faults(10, &[]), [fault]);
    }
}

#[test]
fn rules_and_exceptions_without_use_are_found() {
    let mut account = account(1000);
    excuse(&mut account, "ip.ttl", 1);
    excuse(&mut account, "ip.id", 1);
    let rules = [("rule", ""), ("old rule", "")];
    let faults = account.faults_of_all(&rules, &[("ip.ttl", ""), ("ip.id", "")]);
    let expected = [
        "a rule that excuses nothing: old rule",
        "an exception that is none: ip.ttl",
        "of 1 fields only a value is the same",
    ];
    assert_eq!(faults, expected);
}
