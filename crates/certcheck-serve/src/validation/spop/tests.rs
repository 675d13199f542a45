//! Frames are read as HAProxy writes them, and nothing panics.

use proptest::prelude::*;

use super::codec::{Reader, put_bytes, put_number};
use super::message::{Message, Question, Status, ack, agent_hello, disconnect, read};

/// What HAProxy 2.6 sends first.
fn hello(versions: &str, max_frame: u64) -> Vec<u8> {
    let mut frame = vec![1, 0, 0, 0, 1, 0, 0];
    for (key, kind, text) in [("supported-versions", 8, versions), ("capabilities", 8, "pipelining,async")] {
        put_bytes(&mut frame, key.as_bytes());
        frame.push(kind);
        put_bytes(&mut frame, text.as_bytes());
    }
    put_bytes(&mut frame, b"max-frame-size");
    frame.push(3);
    put_number(&mut frame, max_frame);
    frame
}

/// A question with these arguments, of the type binary.
fn notify(arguments: &[(&str, &[u8])]) -> Vec<u8> {
    let mut frame = vec![3, 0, 0, 0, 1, 7, 1];
    put_bytes(&mut frame, b"client");
    frame.push(u8::try_from(arguments.len()).expect("few"));
    for (name, value) in arguments {
        put_bytes(&mut frame, name.as_bytes());
        frame.push(9);
        put_bytes(&mut frame, value);
    }
    frame
}

#[test]
fn a_hello_is_for_this_version_and_frames_of_some_size() {
    for (versions, max_frame, expected) in [
        ("2.0", 16_380, Ok(Message::Hello { max_frame: 16_380, is_healthcheck: false })),
        ("1.0, 2.0", 256, Ok(Message::Hello { max_frame: 256, is_healthcheck: false })),
        ("1.0", 16_380, Err(Status::BadVersion)),
        ("2.00", 16_380, Err(Status::BadVersion)),
        ("2.0", 255, Err(Status::BadFrameSize)),
        ("2.0", u64::MAX, Err(Status::BadFrameSize)),
    ] {
        assert_eq!(read(&hello(versions, max_frame)), expected, "{versions} {max_frame}");
    }
    let mut fragment = hello("2.0", 16_380);
    fragment[4] = 0;
    assert_eq!(read(&fragment), Err(Status::Fragmented));
}

#[test]
fn a_question_has_each_argument_once() {
    let question = |frame: &[u8]| match read(frame) {
        Ok(Message::Notify { stream: 7, frame: 1, question }) => Some((
            question.secret.map(<[u8]>::to_vec),
            question.leaf.map(<[u8]>::to_vec),
            question.chain.map(<[u8]>::to_vec),
        )),
        _ => None,
    };
    let some = |text: &[u8]| Some(text.to_vec());
    let whole = notify(&[("secret", b"s"), ("leaf", b"l"), ("chain", b"c"), ("sni", b"x")]);
    assert_eq!(question(&whole), Some((some(b"s"), some(b"l"), some(b"c"))));
    assert_eq!(question(&notify(&[("leaf", b"")])), Some((None, some(b""), None)));
    assert_eq!(question(&notify(&[("leaf", b"l"), ("leaf", b"m")])), None);
    // A policy without a value is not the usual one.
    let mut no_policy = notify(&[("policy", b"")]);
    let kind = no_policy.len() - 2;
    no_policy[kind] = 0;
    no_policy.pop();
    assert_eq!(question(&no_policy), None);
    let two = [whole.as_slice(), &notify(&[("leaf", b"m")])[7..]].concat();
    assert_eq!(question(&two), None);
    for end in 0..whole.len() {
        let cut = read(&whole[..end]);
        // A frame that ends between two messages is whole.
        let is_empty =
            matches!(&cut, Ok(Message::Notify { question, .. }) if *question == Question::default());
        assert!(cut.is_err() || (is_empty && end == 7), "{end}: {cut:?}");
    }
}

#[test]
fn what_is_sent_has_its_length() {
    for frame in [agent_hello(16_380), disconnect(Status::Invalid), ack((7, 1), true, &[("code", "accept")])]
    {
        let length = u32::from_be_bytes(frame[..4].try_into().expect("four"));
        assert_eq!(usize::try_from(length).expect("small"), frame.len() - 4);
    }
    let ok = ack((300, 1), true, &[]);
    assert_eq!(ok[4..], [103, 0, 0, 0, 1, 0xfc, 3, 1, 1, 3, 2, 2, b'o', b'k', 0x11]);
}

proptest! {
    #[test]
    fn numbers_are_read_as_they_are_written(number: u64) {
        let mut bytes = Vec::new();
        put_number(&mut bytes, number);
        let mut reader = Reader(&bytes);
        prop_assert_eq!(reader.number(), Ok(number));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn no_frame_panics(frame: Vec<u8>) {
        let _any = read(&frame);
    }

    #[test]
    fn no_changed_frame_panics(at: prop::sample::Index, byte: u8) {
        let mut frame = notify(&[("secret", b"s"), ("leaf", &[7; 300]), ("chain", b"")]);
        let at = at.index(frame.len());
        frame[at] = byte;
        let _any = read(&frame);
    }
}
