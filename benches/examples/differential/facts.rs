//! What is so of a case, read apart from any judge: what explanations may ask.

use certcheck_testkit::name::name;
use certcheck_testkit::{Key, der};

use crate::case::Direction;
use crate::explain::Difference;
use crate::tree::Node;

const ATTRIBUTE_OF_NAME: [u8; 5] = [0x13, 0x0c, 0x16, 0x14, 0x1e];

/// The fields of what is signed. Empty if it does not read at all.
fn signed(der: &[u8]) -> Vec<Node> {
    let outer = Node::parse(der).unwrap_or_else(|| Node::leaf(5, Vec::new()));
    outer.children.into_iter().next().map(|tbs| tbs.children).unwrap_or_default()
}

/// The elements that are so, anywhere in it.
fn all(der: &[u8], is_wanted: &dyn Fn(&Node) -> bool) -> Vec<Node> {
    let Some(mut tree) = Node::parse(der) else { return Vec::new() };
    tree.find(is_wanted).into_iter().filter_map(|number| tree.at(number).cloned()).collect()
}

fn has(der: &[u8], is_wanted: &dyn Fn(&Node) -> bool) -> bool {
    Node::parse(der).is_some_and(|tree| !tree.find(is_wanted).is_empty())
}

/// Extensions with this identifier.
fn extensions(der: &[u8], dotted: &str) -> Vec<Node> {
    let oid = der::oid_content(dotted);
    all(der, &|node| node.is_extension() && node.children[0].bytes == oid)
}

fn has_extension(der: &[u8], dotted: &[&str]) -> bool {
    dotted.iter().any(|oid| !extensions(der, oid).is_empty())
}

fn value_of(extension: &Node) -> Vec<u8> {
    extension.children.last().map(Node::content).unwrap_or_default()
}

fn has_critical(difference: &Difference<'_>, dotted: &[&str]) -> bool {
    let is_critical =
        |node: &Node| node.children.get(1).is_some_and(|flag| flag.tag == 1 && flag.bytes != [0]);
    difference.some(|der| dotted.iter().any(|oid| extensions(der, oid).iter().any(is_critical)))
}

impl Difference<'_> {
    /// Whether something is so of what may have been changed: leaf and CA, or the evidence.
    fn some(&self, is_so: impl Fn(&[u8]) -> bool) -> bool {
        match self.case.evidence.as_slice() {
            [] => is_so(&self.case.leaf) || is_so(&self.case.ca),
            evidence => is_so(evidence),
        }
    }
}

/// We read it, and say revoked.
pub(crate) fn read_as_revoked(difference: &Difference<'_>) -> bool {
    difference.direction == Direction::OnlyWeRead
}

/// The leaf's own key is not the one that the forge made.
pub(crate) fn odd_leaf_key(difference: &Difference<'_>) -> bool {
    !signed(&difference.case.leaf).iter().any(|field| field.der() == Key::p256("leaf").spki())
}

/// authorityKeyIdentifier names another key than the issuer's, or its serial number; or the CA says its key is another.
pub(crate) fn other_authority_key(difference: &Difference<'_>) -> bool {
    let differs = |der: &[u8], issuer: &str| {
        let wanted = der::seq(&[der::ctx(0, &Key::p256(issuer).id())]);
        extensions(der, "2.5.29.35").iter().any(|found| value_of(found) != wanted)
    };
    let case = difference.case;
    if !case.evidence.is_empty() {
        return differs(&case.evidence, "ca");
    }
    let own = der::bytes(&Key::p256("ca").id());
    let other_own = extensions(&case.ca, "2.5.29.14").iter().any(|found| value_of(found) != own);
    differs(&case.leaf, "ca") || differs(&case.ca, "root") || other_own
}

fn has_time(difference: &Difference<'_>, texts: &[&[u8]]) -> bool {
    let is_wanted =
        |node: &Node| matches!(node.tag, 0x17 | 0x18) && texts.iter().any(|text| node.bytes.ends_with(text));
    difference.some(|der| has(der, &is_wanted))
}

/// A time is the very second that is asked about.
pub(crate) fn has_time_now(difference: &Difference<'_>) -> bool {
    has_time(difference, &[b"270102000000Z"])
}

/// A time is within what clocks may differ by.
pub(crate) fn has_time_within_skew(difference: &Difference<'_>) -> bool {
    has_time(difference, &[b"270102000000Z", b"270101235959Z", b"270102000001Z"])
}

pub(crate) fn has_time_before_1970(difference: &Difference<'_>) -> bool {
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok().and_then(|text| text.parse::<u32>().ok());
    let is_early = |node: &Node| match (node.tag, node.bytes.get(..2), node.bytes.get(..4)) {
        (0x17, Some(year), _) => number(year).is_some_and(|year| (50..70).contains(&year)),
        (0x18, _, Some(year)) => number(year).is_some_and(|year| year < 1970),
        _ => false,
    };
    difference.some(|der| has(der, &is_early))
}

/// invalidityDate is a UTCTime.
pub(crate) fn odd_invalidity_date(difference: &Difference<'_>) -> bool {
    extensions(&difference.case.evidence, "2.5.29.24")
        .iter()
        .any(|found| value_of(found).first() == Some(&0x17))
}

/// A name of an issuer is written in other bytes than the subject above it.
pub(crate) fn other_bytes_of_issuer(difference: &Difference<'_>) -> bool {
    let names = |der: &[u8], text: &str| signed(der).iter().any(|field| field.der() == name(text));
    let (ca, root) = ("O=Acme,CN=CA", "O=Acme,CN=Root");
    let case = difference.case;
    if case.evidence.is_empty() {
        !names(&case.leaf, ca) || !names(&case.ca, ca) || !names(&case.ca, root)
    } else {
        !names(&case.evidence, ca)
    }
}

const POLICIES: [&str; 4] = ["2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"];

pub(crate) fn critical_policies(difference: &Difference<'_>) -> bool {
    has_critical(difference, &POLICIES)
}

pub(crate) fn critical_information(difference: &Difference<'_>) -> bool {
    has_critical(difference, &["2.5.29.18", "1.3.6.1.5.5.7.48.1.5"])
}

pub(crate) fn critical_in_crl(difference: &Difference<'_>) -> bool {
    has_critical(difference, &["2.5.29.21", "2.5.29.24", "2.5.29.29", "2.5.29.27", "2.5.29.28", "2.5.29.46"])
}

pub(crate) fn critical_in_response(difference: &Difference<'_>) -> bool {
    has_critical(difference, &["1.3.6.1.5.5.7.48.1.5", "2.5.29.18"])
}

/// Mappings and the like in a certificate without policies.
pub(crate) fn mappings_without_policies(difference: &Difference<'_>) -> bool {
    difference.some(|der| !has_extension(der, &POLICIES[..1]) && has_extension(der, &POLICIES[1..]))
}

pub(crate) fn has_policies(difference: &Difference<'_>) -> bool {
    difference.some(|der| has_extension(der, &POLICIES))
}

pub(crate) fn has_leaf_policies(difference: &Difference<'_>) -> bool {
    has_extension(&difference.case.leaf, &POLICIES)
}

pub(crate) fn any_purpose(difference: &Difference<'_>) -> bool {
    difference.some(|der| has(der, &|node| node.tag == 6 && node.bytes == [0x55, 0x1d, 0x25, 0]))
}

pub(crate) fn leaf_is_ca(difference: &Difference<'_>) -> bool {
    let asserts = |found: &Node| {
        has(&found.der(), &|node| {
            node.tag == 0x30
                && node.children.first().is_some_and(|first| first.tag == 1 && first.bytes == [0xff])
        })
    };
    extensions(&difference.case.leaf, "2.5.29.19").iter().any(asserts)
}

pub(crate) fn large_path_length(difference: &Difference<'_>) -> bool {
    let is_large = |found: &Node| has(&found.der(), &|node| node.tag == 2 && node.bytes.len() > 1);
    difference.some(|der| extensions(der, "2.5.29.19").iter().any(is_large))
}

pub(crate) fn has_constraints(difference: &Difference<'_>) -> bool {
    has_extension(&difference.case.ca, &["2.5.29.30"])
}

fn has_base(difference: &Difference<'_>, tags: &[u8]) -> bool {
    let is_base =
        |node: &Node| node.tag == 0x30 && node.children.first().is_some_and(|base| tags.contains(&base.tag));
    extensions(&difference.case.ca, "2.5.29.30").iter().any(|found| has(&found.der(), &is_base))
}

/// A constraint on directory names, URIs, mailboxes, or names of other forms.
pub(crate) fn uncompared_constraint(difference: &Difference<'_>) -> bool {
    has_base(difference, &[0xa4, 0x86, 0x81, 0xa0, 0x88])
}

pub(crate) fn constrains_mailboxes(difference: &Difference<'_>) -> bool {
    has_base(difference, &[0x81])
}

/// A name of ediPartyName in the leaf.
pub(crate) fn has_edi_party(difference: &Difference<'_>) -> bool {
    has(&difference.case.leaf, &|node| matches!(node.tag, 0x85 | 0xa5))
}

pub(crate) fn has_netscape_type(difference: &Difference<'_>) -> bool {
    difference.some(|der| has_extension(der, &["2.16.840.1.113730.1.1"]))
}

pub(crate) fn has_proxy_info(difference: &Difference<'_>) -> bool {
    difference.some(|der| has_extension(der, &["1.3.6.1.5.5.7.1.14"]))
}

/// An encoding that DER forbids and that no reader takes two ways: a BOOLEAN other than 00 and FF, named bits that end in zero
/// bits, an empty list of extensions or names. And a reason code that X.509 got later.
pub(crate) fn lenient_encoding(difference: &Difference<'_>) -> bool {
    let is_odd_boolean = |bytes: &[u8]| matches!(bytes, [value] if !matches!(value, 0 | 0xff));
    let is_long = |bytes: &[u8]| match bytes {
        [unused @ 0..=7, .., last] if bytes.len() <= 3 => last.trailing_zeros() > u32::from(*unused),
        _ => false,
    };
    difference.some(|der| {
        has(der, &|node| match node.tag {
            1 => is_odd_boolean(&node.bytes),
            3 => is_long(&node.bytes),
            // IMPLICIT, as issuingDistributionPoint has them.
            0x81..=0x85 => is_odd_boolean(&node.bytes),
            // A reason code that is not known revokes; webpki refuses the CRL.
            10 => !matches!(node.bytes.as_slice(), [0..=10]),
            0xa0 | 0xa3 => {
                matches!(node.children.as_slice(), [list] if list.tag == 0x30 && list.children.is_empty())
            }
            4 => node.bytes == [0x30, 0],
            _ => false,
        })
    })
}

/// The leaf does not say that it is of version 2 or 3.
pub(crate) fn leaf_of_version_1(difference: &Difference<'_>) -> bool {
    signed(&difference.case.leaf).first().is_none_or(|first| first.tag != 0xa0)
}

/// A BMPString, wherever it stands, that ends within a character.
pub(crate) fn half_character(difference: &Difference<'_>) -> bool {
    difference.some(|der| has(der, &|node| node.tag == 0x1e && !node.bytes.len().is_multiple_of(2)))
}

pub(crate) fn has_huge_identifier(difference: &Difference<'_>) -> bool {
    difference.some(|der| has(der, &|node| node.tag == 6 && node.bytes.len() > 128))
}

/// certificateIssuer or reasonCode in an entry.
pub(crate) fn has_entry_extension(difference: &Difference<'_>) -> bool {
    has_extension(&difference.case.evidence, &["2.5.29.29", "2.5.29.21"])
}

/// A common name with dots.
pub(crate) fn common_name_of_host(difference: &Difference<'_>) -> bool {
    let is_host = |node: &Node| matches!(node.children.as_slice(), [kind, value] if kind.bytes == [0x55, 4, 3] && value.bytes.contains(&b'.'));
    has_base(difference, &[0x82]) && has(&difference.case.leaf, &is_host)
}

pub(crate) fn has_unique_ids(difference: &Difference<'_>) -> bool {
    difference.some(|der| signed(der).iter().any(|field| matches!(field.tag, 0x81 | 0x82)))
}

/// A value in a name that is not of a string type with characters of that type.
pub(crate) fn odd_name_value(difference: &Difference<'_>) -> bool {
    let is_text = |value: &Node| match value.tag {
        0x0c => std::str::from_utf8(&value.bytes).is_ok(),
        0x1e => value.bytes.len().is_multiple_of(2),
        tag => ATTRIBUTE_OF_NAME.contains(&tag),
    };
    let is_odd = |node: &Node| {
        let is_odd = |value: &Node| !value.children.is_empty() || !is_text(value);
        // A set that has such a tag in it stays closed.
        node.tag == 0x31
            && (node.children.is_empty()
                || node.children.iter().any(|attribute| attribute.children.get(1).is_none_or(is_odd)))
    };
    difference.some(|der| has(der, &is_odd))
}

/// What stands behind the identifier of the leaf's own key.
pub(crate) fn odd_parameters(difference: &Difference<'_>) -> bool {
    odd_leaf_key(difference)
}

/// How many answers a response has.
fn answers(difference: &Difference<'_>) -> Vec<Node> {
    all(&difference.case.evidence, &|node| {
        matches!(node.children.get(..3), Some([id, status, time])
            if id.tag == 0x30 && matches!(status.tag, 0x80 | 0xa1 | 0x82) && time.tag == 0x18)
    })
}

pub(crate) fn several_answers(difference: &Difference<'_>) -> bool {
    answers(difference).len() > 1
}

pub(crate) fn several_answers_or_no_next(difference: &Difference<'_>) -> bool {
    let answers = answers(difference);
    let has_next = |answer: &Node| answer.children.iter().any(|field| field.tag == 0xa0);
    answers.len() > 1 || !answers.iter().all(has_next)
}

/// The parameters of a hash in a CertID are not the usual NULL.
pub(crate) fn odd_hash_parameters(difference: &Difference<'_>) -> bool {
    // One that stays closed has a tag in it that is none of ours.
    let is_usual = |hash: &Node| match hash.children.as_slice() {
        [_] => true,
        [_, parameters] => parameters.der() == [5, 0],
        _ => false,
    };
    answers(difference)
        .iter()
        .any(|answer| !answer.children.first().and_then(|id| id.children.first()).is_some_and(is_usual))
}

/// The certificates that are sent along with a response.
fn sent_along(difference: &Difference<'_>) -> Vec<Node> {
    let is_basic = |node: &Node| {
        matches!(node.children.as_slice(), [tbs, algorithm, signature, certificates]
            if tbs.tag == 0x30 && algorithm.tag == 0x30 && signature.tag == 3 && certificates.tag == 0xa0)
    };
    all(&difference.case.evidence, &is_basic)
}

pub(crate) fn has_delegate(difference: &Difference<'_>) -> bool {
    difference.case.evidence.windows(3).any(|bytes| bytes == [0x55, 0x1d, 0x25])
}

/// The responder's certificate names another key of the issuer, or none.
pub(crate) fn other_delegate_authority(difference: &Difference<'_>) -> bool {
    let wanted = der::seq(&[der::ctx(0, &Key::p256("ca").id())]);
    extensions(&difference.case.evidence, "2.5.29.35").iter().any(|found| value_of(found) != wanted)
}

/// Some certificate that is sent along constrains policies, or is below no policy.
pub(crate) fn policies_in_response(difference: &Difference<'_>) -> bool {
    has_critical(difference, &POLICIES)
}

/// What is sent along is not certificates alone.
pub(crate) fn odd_certificates_behind(difference: &Difference<'_>) -> bool {
    let is_whole = |certificate: &Node| certificate.tag == 0x30 && certificate.children.len() == 3;
    let whole = sent_along(difference);
    let list = |basic: &Node| basic.children.get(3).and_then(|explicit| explicit.children.first().cloned());
    // A list that does not read as elements leaves all around it closed.
    whole.is_empty()
        || whole.iter().any(|basic| {
            list(basic).is_none_or(|list| !list.children.iter().all(is_whole) || list.children.is_empty())
        })
}

pub(crate) fn removed_entry(difference: &Difference<'_>) -> bool {
    has(&difference.case.evidence, &|node| node.tag == 10 && node.bytes == [8])
}

pub(crate) fn version_1(difference: &Difference<'_>) -> bool {
    signed(&difference.case.evidence).first().is_none_or(|first| first.tag != 2)
}

pub(crate) fn without_crl_extensions(difference: &Difference<'_>) -> bool {
    !signed(&difference.case.evidence).iter().any(|field| field.tag == 0xa0)
}

pub(crate) fn without_next_update(difference: &Difference<'_>) -> bool {
    signed(&difference.case.evidence).iter().filter(|field| matches!(field.tag, 0x17 | 0x18)).count() < 2
}

pub(crate) fn has_partition(difference: &Difference<'_>) -> bool {
    has_extension(&difference.case.evidence, &["2.5.29.28"])
}

pub(crate) fn has_reason(difference: &Difference<'_>) -> bool {
    has_extension(&difference.case.evidence, &["2.5.29.21"])
}

/// A CRL of a part, such as of some reasons, has the leaf revoked to us.
pub(crate) fn revoked_in_a_part(difference: &Difference<'_>) -> bool {
    read_as_revoked(difference) && has_partition(difference)
}
