//! Records as CloudTrail writes them.

use super::Dice;
use super::actor::Actor;
use crate::moment::Moment;
use daypass_claims::Timestamp;

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Call<'c> {
    pub(super) source: &'c str,
    pub(super) name: &'c str,
    /// `requestParameters` and `responseElements`, as JSON.
    pub(super) request: String,
    pub(super) response: String,
    pub(super) error: Option<&'c str>,
    pub(super) data: bool,
}

impl<'c> Call<'c> {
    pub(super) fn new(source: &'c str, name: &'c str) -> Self {
        Self {
            source,
            name,
            request: "null".to_owned(),
            response: "null".to_owned(),
            error: None,
            data: false,
        }
    }
}

/// The record of a call.
pub(super) fn record(actor: &Actor, at: Moment, call: &Call<'_>, dice: &mut Dice) -> String {
    let Actor { account, region, identity, address, agent } = actor;
    let Call { source, name, request, response, error, data } = call;
    let time = Timestamp::from(at).to_rfc3339();
    let (category, management) = if *data { ("Data", false) } else { ("Management", true) };
    let error = error.map_or_else(String::new, |code| {
        format!(r#""errorCode":"{code}","errorMessage":"An unknown error occurred","#)
    });
    let (first, second, third) = (dice.next(), dice.next(), dice.next());
    let read_only = name.starts_with("Get") || name.starts_with("Describe") || name.starts_with("List");
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{identity},"eventTime":"{time}","eventSource":"{source}.amazonaws.com","eventName":"{name}","awsRegion":"{region}","sourceIPAddress":"{address}","userAgent":"{agent}",{error}"requestParameters":{request},"responseElements":{response},"requestID":"{first:016X}","eventID":"{}","readOnly":{read_only},"eventType":"AwsApiCall","managementEvent":{management},"recipientAccountId":"{account}","eventCategory":"{category}","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{source}.{region}.amazonaws.com"}}}}"#,
        uuid(second, third)
    )
}

fn uuid(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}
