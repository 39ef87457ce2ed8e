use super::*;

/// Packets as Zeek writes histories: S is a SYN, H a SYN-ACK, A an ACK, D data, F a FIN, R a
/// RST; capital letters are the originator's.
fn connection(history: &str) -> Connection {
    let mut connection = Connection::default();
    for letter in history.chars() {
        let from = if letter.is_uppercase() {
            ORIGINATOR
        } else {
            RESPONDER
        };
        connection.take(from, flags(letter), 7);
    }
    connection
}

fn flags(letter: char) -> u16 {
    match letter.to_ascii_uppercase() {
        'S' => SYN,
        'H' => SYN | ACK,
        'A' => ACK,
        'D' => PSH | ACK,
        'F' => FIN | ACK,
        'R' => RST | ACK,
        letter => panic!("{letter}"),
    }
}

#[test]
fn states_are_as_zeek_documents_them() {
    for (history, state) in [
        // Attempted; sent again; acknowledged without an answer.
        ("S", "S0"),
        ("SS", "S0"),
        ("Sa", "S0"),
        // Established: with and without the last part of the handshake.
        ("Sh", "S1"),
        ("ShA", "S1"),
        ("ShADadA", "S1"),
        // Ended by both, by one.
        ("ShADadFAfA", "SF"),
        ("ShADadfAFa", "SF"),
        ("ShADdF", "S2"),
        ("ShADdf", "S3"),
        // The RST of a browser that closes what is closed.
        ("ShADdFfR", "SF"),
        ("ShADdFRf", "SF"),
        // Rejected: at once, and when the attempt is made again.
        ("Sr", "REJ"),
        ("SrSr", "REJ"),
        ("SrR", "REJ"),
        // Aborted.
        ("ShADR", "RSTO"),
        ("ShR", "RSTO"),
        ("ShADFR", "RSTO"),
        ("ShADr", "RSTR"),
        ("ShADfr", "RSTR"),
        ("ShADFr", "RSTR"),
        ("SR", "RSTOS0"),
        ("SSR", "RSTOS0"),
        ("SAR", "OTH"),
        // One side is missing.
        ("SF", "SH"),
        ("hr", "RSTRH"),
        ("hf", "SHR"),
        ("h", "OTH"),
        // The SYN was missed, or came late.
        ("hA", "S1"),
        ("hSA", "S1"),
        ("hADdFf", "SF"),
        // Both sides open at once.
        ("Ss", "S1"),
        // Midway.
        ("A", "OTH"),
        ("DadA", "OTH"),
        ("R", "OTH"),
        ("DdFf", "SF"),
        ("DdR", "OTH"),
        ("DdF", "SH"),
    ] {
        let got = STATES.get(connection(history).state());
        assert_eq!(got, Some(state), "{history}");
    }
}

#[test]
fn a_connection_ends_by_fin_of_both_or_rst_of_one() {
    use Ending::{Aborted, Finished};
    for (history, ending) in [
        ("ShADd", None),
        ("ShAF", None),
        ("ShAFf", Some(Finished)),
        ("ShAFfR", Some(Finished)),
        ("ShAFR", Some(Aborted)),
        ("ShAFRf", Some(Finished)),
        ("Sr", Some(Aborted)),
        ("F", None),
    ] {
        assert_eq!(connection(history).ending(), ending, "{history}");
    }
}

#[test]
fn another_connection_begins_with_a_syn_that_is_new() {
    for (history, letter, seq, another) in [
        ("S", 'S', 7, false),
        ("S", 'S', 8, true),
        ("ShA", 'S', 7, false),
        ("ShA", 'S', 8, true),
        ("Sr", 'S', 7, false),
        ("ShAFf", 'S', 8, true),
        ("ShAFf", 's', 8, true),
        ("ShA", 'H', 8, false),
        ("ShA", 'F', 8, false),
        // Late, and at once with the other side's.
        ("hA", 'S', 8, false),
        ("S", 's', 8, false),
        // What was midway is another one.
        ("DA", 'S', 8, true),
        ("DA", 's', 8, true),
    ] {
        let from = if letter.is_uppercase() {
            ORIGINATOR
        } else {
            RESPONDER
        };
        let got = connection(history).is_another(from, flags(letter), seq);
        assert_eq!(got, another, "{history} {letter}");
    }
}

#[test]
fn comes_back_from_its_numbers() {
    for history in ["", "S", "ShA", "ShAFR", "SR", "SAr", "hf", "DdF"] {
        let connection = connection(history);
        let numbers = connection.numbers();
        let back = Connection::from_numbers(numbers).expect("they are its own");
        assert_eq!(back.numbers(), numbers);
        assert_eq!(back.sides, connection.sides);
    }
    assert!(Connection::from_numbers([0, 9]).is_none());
    assert!(Connection::from_numbers([1 << 32, 0]).is_none());
}
