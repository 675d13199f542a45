//! Numbers of federal agencies' smart cards: what reads, what does not, and that no bit of one turns unseen.

mod people;

use certcheck_rustls::FascN;
use certcheck_testkit::der;
use certcheck_testkit::name::general_name;
use people::*;
use proptest::prelude::*;

/// Writes a FASC-N: `S`, `F`, `E`, digits, and `A` and `C` for what has no meaning; the redundancy character is added.
fn encode(text: &str) -> Vec<u8> {
    let values: Vec<u8> = text
        .chars()
        .map(|character| match character {
            'S' => 0xb,
            'F' => 0xd,
            'E' => 0xf,
            other => u8::try_from(other.to_digit(16).expect("a digit")).expect("small"),
        })
        .collect();
    let sum = values.iter().fold(0, |sum, value| sum ^ value);
    let character = |value: u8| {
        let bits: String = (0..4).map(|bit| if value >> bit & 1 == 1 { '1' } else { '0' }).collect();
        let parity = if value.count_ones().is_multiple_of(2) { '1' } else { '0' };
        format!("{bits}{parity}")
    };
    let bits: String = values.iter().copied().chain([sum]).map(character).collect();
    bits.as_bytes()
        .chunks(8)
        .map(|byte| u8::from_str_radix(core::str::from_utf8(byte).expect("ASCII"), 2).expect("bits"))
        .collect()
}

/// The character at this place with these of its five bits turned over.
fn flipped(mut bytes: Vec<u8>, at: usize, bits: u8) -> Vec<u8> {
    for bit in (0..5).filter(|bit| bits >> (4 - bit) & 1 == 1) {
        let place = at * 5 + bit;
        bytes[place / 8] ^= 0x80 >> (place % 8);
    }
    bytes
}

#[test]
fn federal_agency_smart_credential_numbers() {
    let number = |bytes: &[u8]| {
        let san = raw_san(&[general_name("dns:a"), other_name(PIV_FASC_N, &der::bytes(bytes))]);
        issued_by(&root(), &leaf("CN=leaf").with([san])).fasc_n()
    };
    let tig = number(&bytes(TIG)).expect("reads").expect("is there");
    assert_eq!(tig.bytes()[..], bytes(TIG));
    assert_eq!((tig.agency(), tig.system(), tig.credential()), ("0032", "0001", "092446"));
    assert_eq!((tig.credential_series(), tig.individual_credential_issue()), ("0", "1"));
    assert_eq!(tig.person(), "1112223333");
    assert_eq!((tig.organizational_category(), tig.organization(), tig.association()), ("1", "1223", "2"));
    assert_eq!(tig.digits(), "00320001092446011112223333112232");
    assert_eq!(tig.to_string(), "0032-0001-092446-0-1-1112223333-1-1223-2");
    assert_eq!(format!("{tig:?}"), format!("FascN({tig})"));
    let yubico = number(&bytes(YUBICO)).expect("reads").expect("is there");
    assert_eq!(yubico.to_string(), "9999-9999-999999-0-1-0000000000-3-0000-1");
    assert_eq!(encode("S0032F0001F092446F0F1F1112223333112232E"), bytes(TIG));

    for (bytes, flaw) in [
        (bytes(TIG)[..24].to_vec(), "does not have 25 bytes"),
        ([bytes(TIG), vec![0]].concat(), "does not have 25 bytes"),
        (vec![], "does not have 25 bytes"),
        (vec![0; 25], "has a character of even parity"),
        (vec![0xff; 25], "has another character in place of a sentinel or separator"),
        (flipped(bytes(TIG), 7, 0b00001), "has a character of even parity"),
        (flipped(bytes(TIG), 39, 0b00001), "has a character of even parity"),
        (flipped(bytes(TIG), 39, 0b00101), "has a wrong redundancy character"),
        // One digit for another, of good parity.
        (flipped(bytes(TIG), 7, 0b10001), "has a wrong redundancy character"),
        (
            encode("F0032F0001F092446F0F1F1112223333112232E"),
            "has another character in place of a sentinel or separator",
        ),
        (
            encode("S0032S0001F092446F0F1F1112223333112232E"),
            "has another character in place of a sentinel or separator",
        ),
        (
            encode("S003200001F092446F0F1F1112223333112232E"),
            "has another character in place of a sentinel or separator",
        ),
        (
            encode("S0032F0001F092446F0F1F1112223333112232F"),
            "has another character in place of a sentinel or separator",
        ),
        (encode("S0032F0001F09244FF0F1F1112223333112232E"), "has another character in place of a digit"),
        (encode("S00A2F0001F092446F0F1F1112223333112232E"), "has another character in place of a digit"),
        (encode("S0032F0001F092446F0F1F11122233331122E2E"), "has another character in place of a digit"),
    ] {
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        assert_eq!(outcome(number(&bytes)), format!("FASC-N of subjectAltName \"{hex}\" {flaw}"));
    }

    for (names, said) in [
        (
            vec![other_name(PIV_FASC_N, &der::bytes(&bytes(TIG))); 2],
            "FASC-N of subjectAltName occurs 2 times, so it identifies nobody".to_owned(),
        ),
        (
            vec![other_name(PIV_FASC_N, &der::tlv(0x0c, &bytes(TIG)))],
            format!("FASC-N of subjectAltName \"0c19{TIG}\" is not an OCTET STRING"),
        ),
        (vec![other_name("2.16.840.1.101.3.6.7", &der::bytes(&bytes(TIG)))], "None".to_owned()),
    ] {
        assert_eq!(outcome(issued_by(&root(), &leaf("CN=leaf").with([raw_san(&names)])).fasc_n()), said);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fasc_ns_read_back(digits in "[0-9]{32}") {
        let (a, b, c) = (&digits[..4], &digits[4..8], &digits[8..14]);
        let (d, e, f) = (&digits[14..15], &digits[15..16], &digits[16..]);
        let bytes = encode(&format!("S{a}F{b}F{c}F{d}F{e}F{f}E"));
        let number = FascN::parse(&bytes).expect("reads");
        prop_assert_eq!(number.digits(), digits);
        prop_assert_eq!(&number.bytes()[..], bytes);
    }

    #[test]
    fn no_bit_of_a_fasc_n_turns_unseen(digits in "[0-9]{32}", at in 0usize..40, bits in 1u8..32) {
        let bytes = encode(&format!("S{}F{}F{}F{}F{}F{}E",
            &digits[..4], &digits[4..8], &digits[8..14], &digits[14..15], &digits[15..16], &digits[16..]));
        prop_assert!(FascN::parse(&flipped(bytes, at, bits)).is_err());
    }

    #[test]
    fn other_bytes_are_no_fasc_n(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert!(FascN::parse(&bytes).is_err());
    }
}
