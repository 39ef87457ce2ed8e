//! What depends on the objects before gives the same however rows are divided into batches, and
//! when its state is saved and loaded, or moved to files, between any two of them.

mod support;

use support::{own_captures, run_query};
use wireq_engine::schedule::Options;

const QUERIES: &[&str] = &[
    "active -t 100ms srcip | print active",
    "active -t 1s --max 3 srcip dstport | print active",
    "changes -a -i srcip len ttl | print severity len.mean ttl.sigma",
    "changes -i srcip --max 2 --histdown 0.5 ts len | print severity",
    "clock -t 100ms ts | print clock len",
    "clock -t 100ms ts | print clock count() sum(len) group by clock",
    "delta ts | print delta",
    "delta -f step ipid | delta -f again step | print step again",
    "derivative len ts | print derivative",
    "derivative ts.double len | print derivative",
    "dfa -e 'START a srcip' -e 'a STOP srcip = previous.dstip' | print ts previous.ts previous.ipprotocol previous.payload",
    "dfa -e 'START a srcip' -e 'a b ipprotocol = previous.ipprotocol' -e 'b STOP previous.ipprotocol = tcp or len = previous.previous.len' | print previous.ipprotocol previous.previous.ipprotocol previous.previous.ts.double",
    "dfa -t 50ms --max 4 -e 'START a true' -e 'a STOP srcmac = previous.dstmac' | print srcmac previous.srcmac previous.len.double",
    "dfa -e 'START a srcip' -e 'a STOP len != previous.len' group by srcip | print srcip len previous.len count() group by srcip",
    "dfa -e 'START a true' -e 'a STOP true' | dfa -e 'START b previous.len' -e 'b STOP len = previous.len' | print len previous.len | head 5",
    "deskew -b 60 -e 500 -s caplen len | print len caplen len.double",
    "deskew -b 100.5 ttl | deskew -e 100 ttl | print ttl",
    "fifodelay -t 50ms -o ts | print ts len",
    "fifodelay -t 1m -i len -o ttl --max 9 | print len ttl",
    "last srcip dstport",
    "last -t 50ms srcip | print ts srcip ipprotocol",
    "last -t 1s ipprotocol | print count() group by ipprotocol",
    "clock -t 500ms ts | count() group by clock dstport | pdf | entropy | print clock entropy",
    "pdf -c len --max 50 | print len probability",
    "histogram -w 50 --max 5 srcip len",
    "cumdist --max 5 len",
    "sort ipprotocol dstip",
    "sort -r ts.double | print ts.double payload",
    "sort -b 10 -r len | print len srcip",
    "tail 20",
    "flow",
    "flow -i 200ms -a 500ms -l 10ms",
    "flow --max 3 srcip dstip vlan | print",
    "flow -i 1s | print srcip sum(packets) max(bytesback) count() group by srcip",
    "flowid -r srcip dstip srcport dstport | print flowid srcip packets packetsback finish ttl",
    "flowid -t 100ms srcip | print flowid srcip srcip.version packets bytes finish",
    "flowid -t 300ms --max 2 dstport | print dstport count() sum(packets) group by dstport",
    "rules ../testdata/rules/office.rules | print sid srcip len count() group by sid",
    "rules --packet-only --skip-unsupported ../testdata/rules/mixed.rules | print sid msg srcip",
    "inspect 'content:\"GET\"; nocase; pcre:\"/http/iR\";' | print srcip len",
    "inspect 'flags:A; dsize:>0;' | print srcip dstport count() group by srcip",
    "window --of 250ms --late 50ms 100ms | print window count() group by window",
    "uniq srcip dstport",
    "print srcip count() sum(len) distinct(dstport) list(dstip) group by srcip",
    "print distinct(srcip) distinct(dstport) as ports count()",
    "print first(ts.double) final(payload) max(len) group by dstip dstport",
    "(count() group by srcip) + (sort len) | print srcip len count",
    "sort len | sort -r srcip | count() group by srcip | sort count | print srcip count len",
    "deskew -e 100 len | sort len | delta len | tail 9 | print len delta",
    "print srcip ipprotocol list(ipprotocol) min(ipprotocol) median(ipprotocol) group by srcip",
    "(list(ipprotocol)) + (min(ip.proto) max(ipprotocol) median(ipprotocol)) | tail 3 | print",
    "(rename ipprotocol x) + (rename len x) + (rename srcip x) | tail 30 | print x",
    "(rename ipprotocol x) + (rename len x) | sort -r x | last x | print x",
    "(rename ipprotocol x) + (rename len x) | list(x) distinct(x) max(x) first(x) | print list distinct max first",
    "(rename ipprotocol x) + (rename len x) | delta x | deskew -b 50 x | list(x) group by srcip",
    "list(ipprotocol) group by srcip | sort list | tail 4 | dfa -e 'START a true' -e 'a STOP list != previous.list' | print srcip list previous.list",
    "(where srcip) a until (new.a), b until (new.b) where a.ipprotocol != b.ipprotocol | print a.ipprotocol b.ipprotocol a.srcip | list(a.ipprotocol)",
    "print -o table srcip payload len",
    "print -o table --width 60",
    "print -o json srcip payload | count() group by srcip | print -o table",
    "(where dstport | print -o table srcip dstport) + (print -o csv len srcip) | head 30 | print -o json len",
];

#[test]
fn batches_and_resumed_states_do_not_show() {
    for path in own_captures() {
        let path = path.to_string_lossy();
        for query in QUERIES {
            let (expected, _) =
                run_query(query, &path, &Options::default()).expect("the run ends well");
            let modes = [
                (1, 0, 0),
                (1, 1, 0),
                (3, 2, 0),
                (64, 1, 0),
                (2048, 1, 0),
                (5, 0, 3),
                (1, 0, 1),
                (64, 3, 2),
            ];
            for (rows_max, resume_every, spill_every) in modes {
                let options = Options {
                    rows_max,
                    resume_every,
                    spill_every,
                    ..Options::default()
                };
                let (text, report) = run_query(query, &path, &options).expect("the run ends well");
                assert!(
                    text == expected,
                    "{query} over {path}, batches of {rows_max}, resumed every {resume_every} \
                     steps, moved to files every {spill_every}"
                );
                for node in &report.accounts {
                    assert!(node.account.adds_up(), "{query} over {path}: {node:?}");
                }
            }
        }
    }
}
