//! Flows of packets that a script spells: when they end, what becomes of their records, and that a
//! plain program with lists gives the same.

mod joins;
mod plain;
mod script;
#[path = "../support/mod.rs"]
mod support;

use plain::{Limits, Plain};
use script::{Packet, output};
use support::Random;

/// Records in short, each behind the times of the packets before its position.
fn told(script: &str, flow: &str) -> String {
    let record = "print srcip dstip packets packetsback state reason";
    let query = format!("({flow} | {record}) + (print ts.double)");
    output(script, &query)
        .replace('\t', " ")
        .replace('\n', ", ")
}

#[test]
fn an_idle_flow_ends_before_the_packet_that_shows_it() {
    let script = "0:ab:u 2:ba:u 3:cd:u 5:ab:u 8:cd:u";
    // At 5 no flow is more than 3 s behind; at 8 c to d is, by its own packet.
    assert_eq!(
        told(script, "flow -i 3s"),
        "0, 2, 3, 5, c d 1 0 S0 idle, 8, a b 2 1 SF end, c d 1 0 S0 end, "
    );
    // In the order of times: at 20 both are idle, c to d for longer.
    let script = "0:ab:u 1:cd:u 2:ab:u 20:ef:u";
    assert_eq!(
        told(script, "flow -i 3s"),
        "0, 1, 2, c d 1 0 S0 idle, a b 2 0 S0 idle, 20, e f 1 0 S0 end, "
    );
}

#[test]
fn packets_without_a_flow_move_time_too() {
    let script = "0:ab:u 9:ab:x 9:cd:u";
    assert_eq!(
        told(script, "flow -i 3s"),
        "0, a b 1 0 S0 idle, 9, 9, c d 1 0 S0 end, "
    );
}

#[test]
fn time_that_steps_back_ends_no_flow() {
    let script = "10:ab:u 9:ab:u 4:ba:u 10.5:ab:u 11:cd:u 5:cd:u";
    assert_eq!(
        told(script, "flow -i 8s"),
        "10, 9, 4, 10.5, 11, 5, a b 3 1 SF end, c d 2 0 S0 end, "
    );
    let times = output(
        "10:ab:u 9:ab:u 12:ab:u",
        "flow | print start.double end.double duration",
    );
    assert_eq!(times, "9\t12\t3\n");
}

#[test]
fn packets_without_a_time_count_to_the_latest() {
    // Until there is one, no time passes; then the flow was seen at the first.
    assert_eq!(
        told("NaN:ab:u 5:cd:u 8:cd:u 8.5:cd:u NaN:ab:u", "flow -i 3s"),
        "5, 8, a b 1 0 S0 idle, 8.5, c d 3 0 S0 end, a b 1 0 S0 end, "
    );
    assert_eq!(
        output(
            "NaN:ab:u 5:cd:u",
            "flow | print srcip start end duration packets"
        ),
        "a\t\t\t\t1\nc\t1970-01-01T00:00:05+00:00\t1970-01-01T00:00:05+00:00\t0\t1\n"
    );
    assert_eq!(
        output(
            "NaN:ab:u 5:cd:u NaN:ab:u",
            "flowid srcip | print flowid packets finish.double"
        ),
        "0\t1\n1\t1\n0\t2\n1\t1\t5\n"
    );
}

#[test]
fn a_file_of_earlier_times_behind_another_has_flows_of_its_own() {
    let script = "1000:ab:u 1001:ab:u 1:ab:u 2:ab:u 5:cd:u 100:ab:u";
    assert_eq!(
        told(script, "flow -i 60s"),
        "1000, 1001, a b 2 0 S0 idle, 1, 2, 5, a b 2 0 S0 idle, 100, c d 1 0 S0 end, a b 1 0 S0 end, "
    );
}

#[test]
fn a_time_far_ahead_ends_flows_once() {
    let script = "1:ab:u 2:cd:u 9999:ef:u 3:ab:u 4:ab:u 5:cd:u 6:cd:u";
    assert_eq!(
        told(script, "flow -i 60s"),
        "1, 2, a b 1 0 S0 idle, c d 1 0 S0 idle, 9999, 3, 4, 5, 6, e f 1 0 S0 end, a b 2 0 S0 end, c d 2 0 S0 end, "
    );
}

#[test]
fn a_long_flow_goes_on_in_further_records() {
    // The second record keeps the direction, though its first packet comes from the other side,
    // and the state.
    let script = "0:ab:S 1:ba:H 2:ab:A 11:ba:A 12:ab:F 13:ba:F";
    assert_eq!(
        told(script, "flow -a 10s"),
        "0, 1, 2, a b 2 1 S1 active, 11, 12, 13, a b 1 2 SF fin, "
    );
}

#[test]
fn who_sends_first_is_the_originator_but_for_an_answer() {
    assert_eq!(told("0:ba:A 1:ab:A", "flow"), "0, 1, b a 1 1 OTH end, ");
    assert_eq!(told("0:ba:H 1:ab:A", "flow"), "0, 1, a b 1 1 S1 end, ");
    assert_eq!(told("0:ba:H 1:ab:S", "flow"), "0, 1, a b 1 1 S1 end, ");
    assert_eq!(told("0:ba:u 1:ab:u", "flow"), "0, 1, b a 1 1 SF end, ");
}

#[test]
fn a_connection_that_ended_takes_its_last_packets() {
    let script = "0:ab:S 1:ba:H 2:ab:F 3:ba:F 4:ab:A 6:cd:u 9:ba:A 9.5:cd:u";
    assert_eq!(
        told(script, "flow -l 3s"),
        "0, 1, 2, 3, 4, 6, a b 3 2 SF fin, 9, 9.5, c d 2 0 S0 end, b a 1 0 OTH end, "
    );
    assert_eq!(
        told("0:ab:S 0:ba:R 1:ab:S 1:ba:R 9:cd:u", "flow"),
        "0, 0, 1, 1, a b 2 2 REJ rst, 9, c d 1 0 S0 end, "
    );
}

#[test]
fn a_new_syn_begins_another_connection() {
    let script = "0:ab:S:1:5 1:ba:H 2:ab:S:1:5 3:ab:S:1:6 4:ba:H 5:ab:F 6:ba:F 7:ab:S:1:7";
    assert_eq!(
        told(script, "flow"),
        "0, 1, 2, a b 2 1 S1 syn, 3, 4, 5, 6, a b 2 2 SF fin, 7, a b 1 0 S0 end, "
    );
}

#[test]
fn more_flows_than_there_may_be_push_the_idlest_out() {
    let script = "0:ab:u 1:cd:u 2:ab:u 3:ef:u 4:cd:u";
    assert_eq!(
        told(script, "flow --max 2"),
        "0, 1, 2, c d 1 0 S0 evicted, 3, a b 2 0 S0 evicted, 4, e f 1 0 S0 end, c d 1 0 S0 end, "
    );
    // What is over goes first, however lately it was seen.
    let script = "0:ab:u 1:cd:S 2:dc:R 3:ef:u";
    assert_eq!(
        told(script, "flow --max 2"),
        "0, 1, 2, c d 1 1 REJ rst, 3, a b 1 0 S0 end, e f 1 0 S0 end, "
    );
}

#[test]
fn controls_show_flows_and_end_them() {
    let script = "0:ab:u 1:cd:u flush 2:ab:u mark3 4:ef:u mark6";
    assert_eq!(
        told(script, "flow -i 3s"),
        "0, 1, a b 1 0 S0 flush, c d 1 0 S0 flush, 2, 4, a b 1 0 S0 idle, e f 1 0 S0 end, "
    );
}

#[test]
fn fields_may_be_others() {
    // By hosts alone there are no connections: no state, and FIN ends nothing.
    let script = "0:ab:S 1:ba:H 2:ba:F 3:ab:F:1 4:ab:u:7 5:ca:u";
    assert_eq!(
        output(script, "flow srcip dstip | print"),
        "a\tb\t1970-01-01T00:00:00+00:00\t1970-01-01T00:00:04+00:00\t4\t3\t2\t9\t2\t\t\t\tend\n\
         c\ta\t1970-01-01T00:00:05+00:00\t1970-01-01T00:00:05+00:00\t0\t1\t0\t1\t0\t\t\t\tend\n"
    );
    assert_eq!(
        output(
            script,
            "flow -b seq dstip | print dstip packets packetsback bytes"
        ),
        "b\t3\t0\t0\na\t3\t0\t0\n"
    );
}

#[test]
fn flowid_gives_firsts_and_sums() {
    let script = "0:ab:u:5 1:cd:u 2:ba:u:7 3:ab:u:9";
    let print =
        "print flowid srcip dstip start.double finish.double packets packetsback bytes bytesback";
    assert_eq!(
        output(script, &format!("flowid -r srcip dstip | {print}")),
        "0\ta\tb\t0\t\t1\t0\t5\t0\n1\tc\td\t1\t\t1\t0\t1\t0\n\
         0\ta\tb\t0\t3\t2\t1\t14\t7\n1\tc\td\t1\t1\t1\t0\t1\t0\n"
    );
    assert_eq!(
        output(
            script,
            "flowid srcip dstip | print flowid srcip finish.double packets"
        ),
        "0\ta\t\t1\n1\tc\t\t1\n2\tb\t\t1\n0\ta\t3\t2\n1\tc\t1\t1\n2\tb\t2\t1\n"
    );
}

#[test]
fn flowid_forgets_a_flow_that_timed_out() {
    let query = |time: &str| {
        format!(
            "(flowid -t {time} srcip | print flowid srcip finish.double packets) + (print ts.double)"
        )
    };
    let told = |script, time| {
        let text = output(script, &query(time));
        text.replace('\t', " ").replace('\n', ", ")
    };
    // At 7 c is more than 5 s behind, a is not.
    assert_eq!(
        told(
            "0:ab:u 1:cd:u 2:ab:u 7:ef:u 9:ab:u 10:cd:u mark20 21:gh:u",
            "5s"
        ),
        "0 a  1, 0, 1 c  1, 1, 2, 1 c 1 1, 2 e  1, 7, 0 a 2 2, 3 a  1, 9, 4 c  1, 10, \
         2 e 7 1, 3 a 9 1, 4 c 10 1, 5 g  1, 21, 5 g 21 1, "
    );
    // Time that steps back ends nothing, but for an object that is far from its flow.
    assert_eq!(
        told("10:ab:u 11:cd:u 7:ab:u 1:ab:u 12:cd:u", "5s"),
        "0 a  1, 10, 1 c  1, 11, 7, 0 a 10 2, 2 a  1, 1, 12, 1 c 12 2, 2 a 1 1, "
    );
}

#[test]
fn flowid_closes_flows_that_ended() {
    // Without the Close the group of a would be one, and come at the end.
    let script = "0:ab:u 1:cd:u 9:ef:u 10:ab:u";
    assert_eq!(
        output(
            script,
            "flowid -t 5s srcip | print srcip count() group by srcip"
        ),
        "a\t2\nc\t2\na\t2\ne\t2\n"
    );
    assert_eq!(
        output(
            script,
            "flowid --max 1 srcip | print srcip count() group by srcip"
        ),
        "a\t2\nc\t2\ne\t2\na\t2\n"
    );
}

#[test]
fn conversions_of_fields_stay_in_sums() {
    let script = "0:ab:u 1:ab:u";
    let query = "flowid srcip | print flowid srcip.length finish.double dstip len";
    assert_eq!(output(script, query), "0\t1\t\tb\t1\n0\t1\t1\n");
}

#[test]
fn a_plain_program_gives_the_same() {
    let mut random = Random(11);
    for round in 0..400 {
        let limits = Limits {
            idle: 1.0 + random.below(9) as f64,
            linger: 1.0 + random.below(3) as f64,
            active: 3.0 + random.below(20) as f64,
            flows: if round % 2 == 0 {
                1000
            } else {
                1 + random.below(4)
            },
        };
        let mut clock = 100.0;
        let packets: Vec<Packet> = (0..random.below(120))
            .map(|_| {
                clock += [0.0, 0.0, 0.5, 1.0, 4.0][random.below(5)];
                let back = [0.0, 0.0, 0.0, 0.5, 3.0, 20.0][random.below(6)];
                let pair = ["ab", "ac", "bd"][random.below(3)].as_bytes();
                let what = ['S', 'H', 'A', 'A', 'F', 'R', 'u', 'u', 'S'][random.below(9)];
                // Who is asked answers, and does not ask.
                let turn = match what {
                    'S' => 0,
                    'H' => 1,
                    _ => random.below(2),
                };
                Packet {
                    time: clock - back,
                    from: pair[turn].into(),
                    to: pair[1 - turn].into(),
                    what,
                    bytes: random.below(50) as u64,
                    seq: random.below(2) as u64,
                }
            })
            .collect();
        if packets.is_empty() {
            continue;
        }
        let mut plain = Plain::default();
        for (at, packet) in packets.iter().enumerate() {
            plain.take(packet, at, &limits);
        }
        let words: Vec<String> = packets.iter().map(Packet::word).collect();
        let Limits {
            idle,
            linger,
            active,
            flows,
        } = limits;
        let query = format!(
            "flow -i {idle}s -l {linger}s -a {active}s --max {flows} | print srcip dstip \
             start.double end.double packets packetsback bytes bytesback reason"
        );
        assert_eq!(
            output(&words.join(" "), &query),
            plain.finish(),
            "{query} of {words:?}"
        );
    }
}
