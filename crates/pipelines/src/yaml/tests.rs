use super::*;

fn read(text: &str) -> Node {
    parse(&Arc::from("f.yml"), text.as_bytes()).unwrap().remove(0)
}

fn written<'t>(text: &'t str, node: &Node) -> &'t str {
    text.get(node.place.span.start..node.place.span.end).unwrap()
}

fn refusal(text: &str) -> String {
    parse(&Arc::from("f.yml"), text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn every_value_knows_its_bytes() {
    let text = "\u{feff}ü: ö # c\n\
                a: 'it''s'   # c\n\
                b: \"q\\\"\"  # c\n\
                c: |  # header\n    one\n    two\n\n\
                d: >-\n  fold\n  ed\n\
                e: &x {k: v} # c\n\
                f: !reference [.a, script]\n\
                g:\n- 1\n-   two words   # c\n\
                h:\n  i: &y\n    - j: 1\n      k: 2\n\
                l: plain\n  over lines\n\
                m: &z 'anchored'\n";
    let node = read(text);
    let at = |name: &str| written(text, node.get(name).unwrap());
    assert_eq!(at("ü"), "ö");
    assert_eq!(at("a"), "'it''s'");
    assert_eq!(at("b"), "\"q\\\"\"");
    assert_eq!(at("c"), "|  # header\n    one\n    two");
    assert_eq!(at("d"), ">-\n  fold\n  ed");
    assert_eq!(at("e"), "{k: v}");
    assert_eq!(at("f"), "[.a, script]");
    assert_eq!(at("g"), "- 1\n-   two words");
    assert_eq!(at("l"), "plain\n  over lines");
    assert_eq!(at("m"), "'anchored'");
    let list = node.get("h").unwrap().get("i").unwrap();
    assert_eq!(written(text, list), "- j: 1\n      k: 2");
    assert_eq!(written(text, &list.items()[0]), "j: 1\n      k: 2");
    assert_eq!(node.get("f").unwrap().tag.as_deref(), Some("!reference"));
    let place = node.pair("h").unwrap().place();
    assert_eq!(text.get(place.span.start..place.span.end).unwrap(), "h:\n  i: &y\n    - j: 1\n      k: 2");
    for name in ["a", "c", "e", "m"] {
        let node = node.get(name).unwrap();
        let (before, _) = text.split_at(node.place.span.start);
        let line = before.rsplit('\n').next().unwrap().trim_start_matches('\u{feff}');
        assert_eq!(node.place.line, before.matches('\n').count() + 1, "{name}");
        assert_eq!(node.place.column, line.chars().count() + 1, "{name}");
    }
}

#[test]
fn the_lines_of_a_script_are_lines_of_the_file() {
    let node = read("a:\n  run: |\n    one\n    two\nb: one\n");
    let script = node.get("a").unwrap().get("run").unwrap().text().unwrap();
    assert_eq!(script.lines().collect::<Vec<_>>(), [(3, "one"), (4, "two")]);
    assert_eq!(script.place.line, 2);
    assert_eq!(script.line_of(script.as_str().find("two").unwrap()), 4);
    assert_eq!(node.get("b").unwrap().text().unwrap().line_of(0), 5);
}

#[test]
fn aliases_and_merge_keys_are_what_they_stand_for() {
    let text = "base: &base\n  a: 1\n  b: 1\nmore: &more {b: 2, c: 2}\n\
                x:\n  <<: [*base, *more]\n  a: own\ny: *base\nz: {<<: *base, <<: *more}\n";
    let node = read(text);
    let x = node.get("x").unwrap();
    assert_eq!(x.get("a").unwrap().as_str(), Some("own"));
    assert_eq!(x.get("b").unwrap().as_str(), Some("1"), "the first of several merges wins");
    assert_eq!(x.get("c").unwrap().as_str(), Some("2"));
    assert_eq!(x.entries().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let y = node.get("y").unwrap();
    assert_eq!((y.place.line, y.use_place().line), (2, 8));
    assert_eq!(node.get("z").unwrap().get("c").unwrap().as_str(), Some("2"));
    assert_eq!(x.get("nothing"), None);
}

#[test]
fn duplicate_keys_are_kept_and_the_last_one_counts() {
    let node = read("a: 1\na: 2\n");
    assert_eq!(node.pairs().len(), 2);
    assert_eq!(node.get("a").unwrap().as_str(), Some("2"));
    assert_eq!(node.entries().len(), 1);
}

#[test]
fn several_documents_and_none() {
    let file = Arc::from("f.yml");
    let documents = parse(&file, b"a: 1\n---\nb: 2\n...\n").unwrap();
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[1].get("b").unwrap().place.line, 3);
    assert_eq!(parse(&file, b"").unwrap(), []);
    assert_eq!(parse(&file, b"# nothing\n").unwrap().len(), 0);
}

#[test]
fn words_are_what_a_reader_makes_of_them() {
    let node = read("on: {a: on, b: 'no', c: ~, d: 'null', e: , f: [x], g: y}\n");
    let on = node.get("on").unwrap();
    let get = |name: &str| on.get(name).unwrap();
    assert_eq!(get("a").as_bool(), Some(true));
    assert_eq!(get("b").as_bool(), Some(false));
    assert!(get("c").is_null() && get("e").is_null());
    assert!(!get("d").is_null());
    assert_eq!(get("e").one_or_more().len(), 0);
    assert_eq!(get("f").one_or_more().len(), 1);
    assert_eq!(get("g").one_or_more().len(), 1);
}

#[test]
fn an_editor_finds_a_value_again() {
    let text = "a: &x {b: [1, two]}\nc: *x\n";
    let node = read(text);
    let two = node.get("a").unwrap().get("b").unwrap().items()[1].clone();
    assert_eq!(node.at(two.place.span), Some(&two));
    assert_eq!(node.at(Span::new(0, 3)), None);
}

#[test]
fn what_is_not_text_or_not_yaml_is_refused_with_its_place() {
    let file = Arc::from("f.yml");
    assert_eq!(
        parse(&file, b"a: 1\nb: \xff").unwrap_err().to_string(),
        "f.yml:2:4: these bytes are not UTF-8"
    );
    assert!(refusal("a: [1\nb: 2").starts_with("f.yml:2:"), "{}", refusal("a: [1\nb: 2"));
    assert!(refusal("a: *nobody").starts_with("f.yml:1:4: "));
}

#[test]
fn a_file_that_is_too_large_is_not_begun() {
    let limits = Limits { bytes: 3, ..Limits::default() };
    let error = parse_within(&Arc::from("f.yml"), b"a: 1", limits).unwrap_err();
    assert_eq!(error.to_string(), "f.yml: the file has 4 bytes, pipelines of up to 3 are read");
}

#[test]
fn bombs_of_depth_and_of_aliases_do_not_go_off() {
    let deep = format!("{}x{}", "[".repeat(200), "]".repeat(200));
    assert!(refusal(&deep).ends_with("nested more than 96 levels deep"), "{}", refusal(&deep));
    let block: String = (0..200).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    assert_eq!(refusal(&block), "f.yml:97:97: nested more than 96 levels deep");
    let mut laughs = "l0: &l0 [lol]\n".to_owned();
    for level in 1..60 {
        laughs.push_str(&format!("l{level}: &l{level} [*l{0}, *l{0}, *l{0}, *l{0}]\n", level - 1));
    }
    assert!(refusal(&laughs).ends_with("more than 1000000 values with aliases written out"));
    let mut ladder = "l0: &l0 [x]\n".to_owned();
    for level in 1..120 {
        ladder.push_str(&format!("l{level}: &l{level} [*l{}]\n", level - 1));
    }
    assert!(refusal(&ladder).ends_with("nested more than 96 levels deep"));
}

#[test]
fn an_alias_within_its_own_anchor_is_refused() {
    assert_eq!(refusal("a: &a [1, *a]\n"), "f.yml:1:11: an alias to the value that it is part of");
}
