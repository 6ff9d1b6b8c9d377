use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;

const ENVELOPE: Envelope = Envelope { lists: &["Records"], before: &["NextToken"] };

struct Numbered;

#[derive(serde::Deserialize)]
struct Record {
    n: u32,
}

impl Shape for Numbered {
    type Record<'a> = Record;
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The numbers that are read, with what was skipped between them; however little is read at a time.
fn read(file: &[u8]) -> String {
    let at = |chunk| {
        let mut records = Records::new(file, ENVELOPE, Limits { chunk, record: 200 });
        let mut found = Vec::new();
        records
            .each::<Numbered>(&mut |_, item| {
                found.push(match item {
                    Ok(record) => record.n.to_string(),
                    Err(skip) => format!("{skip:?}"),
                });
            })
            .unwrap();
        found.join(" ")
    };
    let whole = at(1_000_000);
    for chunk in [1, 7, 64] {
        assert_eq!(at(chunk), whole, "{chunk} bytes at a time");
    }
    whole
}

#[test]
fn records_are_read_from_envelopes_lists_and_lines() {
    assert_eq!(read(br#"{"Records":[{"n":1},{"n":2}]}"#), "1 2");
    assert_eq!(read(b" { \"Records\" : [\n {\"n\" : 1} ,\n {\"n\":2}\n] }\n"), "1 2");
    assert_eq!(read(b"[{\"n\":1},{\"n\":2}]"), "1 2");
    assert_eq!(read(b"{\"n\":1}\n{\"n\":2}\r\n\n{\"n\":3}"), "1 2 3");
    assert_eq!(read(br#"{"NextToken":"x","more":[{}],"Records":[{"n":1}],"z":{"Records":[1]}}"#), "1");
    assert_eq!(read(br#"{"Records":[{"n":1}]}{"Records":[{"n":2}]}"#), "1 2");
    assert_eq!(read(b""), "");
    assert_eq!(read(br#"{"Records":[]}"#), "");
}

#[test]
fn members_of_one_file_are_read_as_one_text() {
    assert_eq!(read(&[gzip(br#"{"Records":[{"n":1},{"#), gzip(br#""n":2}]}"#)].concat()), "1 2");
    assert_eq!(read(&[gzip(br#"{"Records":[{"n":1}]}"#), gzip(br#"{"Records":[{"n":2}]}"#)].concat()), "1 2");
}

#[test]
fn a_record_of_another_form_is_unknown() {
    assert_eq!(read(br#"{"Records":[{"n":1},{"m":0},7,"x",{"n":2}]}"#), "1 Unknown Unknown Unknown 2");
    assert_eq!(read(b"{\"n\":1}\n{\"n\":\"x\"}\n{\"n\":2}"), "1 Unknown 2");
}

#[test]
fn behind_malformed_text_reading_goes_on_at_the_next_record() {
    assert_eq!(read(b"{\"n\":1}\n{\"n\":oops}\n{\"n\":2}"), "1 Malformed 2");
    assert_eq!(read(b"{\"n\":1}\nnonsense\n{\"n\":2}"), "1 Malformed 2");
    assert_eq!(read(br#"{"Records":[{"n":1},{"n":oops},{"n":2}]}"#), "1 Malformed 2");
    assert_eq!(read(br#"{"Records":[{"n":1},oops]}"#), "1 Malformed");
}

#[test]
fn a_list_that_is_none_is_unknown() {
    for other in ["{}", "7", "\"x\"", "true"] {
        assert_eq!(read(format!("{{\"Records\":{other}}}\n{{\"n\":1}}").as_bytes()), "Unknown 1", "{other}");
    }
    assert_eq!(read(b"{\"Records\":null}\n{\"n\":1}"), "1");
}

#[test]
fn a_text_that_ends_too_early_is_unfinished() {
    assert_eq!(read(br#"{"Records":[{"n":1},{"n":2"#), "1 Unfinished");
    assert_eq!(read(br#"{"Records":[{"n":1}"#), "1 Unfinished");
    assert_eq!(read(br#"{"n":1"#), "Unfinished");
}

#[test]
fn a_record_beyond_the_limit_is_passed_over_whole() {
    let large = format!(r#"{{"n":7,"x":"{}\"}}]","y":[{{}}]}}"#, "{".repeat(5_000));
    assert_eq!(read(format!(r#"{{"Records":[{{"n":1}},{large},{{"n":2}}]}}"#).as_bytes()), "1 Oversize 2");
    assert_eq!(read(format!("{{\"n\":1}}\n{large}\n{{\"n\":2}}").as_bytes()), "1 Oversize 2");
}

#[test]
fn behind_damage_another_member_begins_afresh() {
    let mut broken = gzip(br#"{"Records":[{"n":3},{"n":4}]}"#);
    let length = broken.len();
    broken[length - 8] ^= 1;
    let file =
        [gzip(br#"{"Records":[{"n":1}]}"#), broken, gzip(br#",{"n":5}]}{"Records":[{"n":6}]}"#)].concat();
    assert_eq!(read(&file), "1 3 4 Corrupt 5 6");
    let half = gzip(br#"{"Records":[{"n":1},{"n":2},{"n":3}]}"#);
    let read = read(&half[..half.len() - 12]);
    assert!(read.ends_with("Truncated"), "{read}");
}

/// Records that begin with the same member, as those of one caller do.
struct Called;

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Call<'a> {
    #[serde(borrow)]
    who: Option<&'a RawValue>,
    n: u32,
}

impl Shape for Called {
    type Record<'a> = Call<'a>;

    fn common<'a>(record: &Self::Record<'a>) -> Option<&'a str> {
        record.who.map(RawValue::get)
    }

    fn is_bare(record: &Call<'_>) -> bool {
        record.n == 0
    }

    fn repeat<'a>(record: &mut Call<'a>, who: &'a RawValue) {
        record.who = Some(who);
    }
}

/// Who called, and the number; the same whether or not a record is met behind one that begins alike.
fn calls(text: &str) -> String {
    let at = |chunk| {
        let mut records = Records::new(text.as_bytes(), ENVELOPE, Limits { chunk, record: 200 });
        let mut found = Vec::new();
        let mut take = |offset: u64, item: Item<&Call<'_>>| {
            found.push(match item {
                Ok(call) => format!("{}:{} at {offset}", call.who.map_or("nobody", RawValue::get), call.n),
                Err(skip) => format!("{skip:?} at {offset}"),
            });
        };
        records.each::<Called>(&mut take).unwrap();
        found.join(" ")
    };
    let whole = at(1_000_000);
    assert_eq!(at(1), whole);
    whole
}

#[test]
fn a_record_that_begins_like_another_is_read_as_any_other() {
    let same = r#"{"v":1,"who":{"id":"a, \"b\""},"n":1}"#;
    assert_eq!(calls(&format!("{same}\n{same}")), r#"{"id":"a, \"b\""}:1 at 0 {"id":"a, \"b\""}:1 at 38"#);
    // Another who of its own, further on; nothing behind the comma; another end of the same beginning; a member that matters before.
    assert_eq!(
        calls(r#"{"who":{},"n":1}{"who":{},"n":2}{"who":{},"who":7}"#),
        "{}:1 at 0 {}:2 at 16 Unknown at 32"
    );
    assert_eq!(
        calls("{\"who\":7,\"n\":1}\n{\"who\":7,}\n{\"who\":77,\"n\":2}"),
        "7:1 at 0 Malformed at 16 77:2 at 27"
    );
    assert_eq!(calls(r#"{"n":5,"who":{}}{"n":5,"who":{},"x":1}"#), "{}:5 at 0 {}:5 at 16");
}

proptest! {
    #[test]
    fn whatever_records_have_in_common_they_are_read_alike(
        records in prop::collection::vec((0_usize..6, 0_usize..6, 0_u32..3), 0..12),
    ) {
        let begins = ["", "\"who\":{},", "\"who\":{\"a\":\"\u{fc}\"},", "\"v\":[1],\"who\":7,", "\"n\":9,\"who\":{},", "\"who\": {} ,"];
        let ends = ["", ",", ",\"who\":1", ",\"x\":\"\\u00fc}\"", ",\"x\":{\"who\":{}}", " oops"];
        let record = |(begin, end, n): &(usize, usize, u32)| format!("{{{}\"n\":{n}{}}}", begins[*begin], ends[*end]);
        calls(&records.iter().map(record).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn no_text_makes_it_panic_or_loop(text in r#"[\[\]{}",:n1 \\R]{0,80}"#) {
        read(text.as_bytes());
    }

    #[test]
    fn what_was_written_is_read(numbers in prop::collection::vec(any::<u32>(), 0..40), lines: bool) {
        let records: Vec<String> = numbers.iter().map(|n| format!(r#"{{"n":{n}}}"#)).collect();
        let text = if lines { records.join("\n") } else { format!(r#"{{"Records":[{}]}}"#, records.join(",")) };
        let expected: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        prop_assert_eq!(read(text.as_bytes()), expected.join(" "));
    }
}
