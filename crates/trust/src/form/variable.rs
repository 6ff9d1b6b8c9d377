use std::fmt;

use daypass_claims::ClaimName;

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    /// A claim of the token, or a part of one.
    Claim(ClaimPath),
    /// Something about the request rather than the token.
    Request(RequestKey),
    /// A name that no request ever carries, and why: the claim exists in no token, or the cloud does not show it.
    Never {
        /// As it was written.
        name: String,
        /// Why it is always absent.
        why: String,
    },
    /// A text that is put together from other texts and claims; absent where one of the claims is absent or no string.
    Joined(Vec<JoinPart>),
    /// A claim that the cloud may or may not show: absent where the token lacks it, else unknown.
    Unverified {
        /// The claim.
        claim: ClaimPath,
        /// Why it is not known whether it is shown.
        why: String,
    },
}

/// A part of a text that is put together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JoinPart {
    /// This text.
    Text(String),
    /// The text of a claim.
    Claim(ClaimPath),
}

/// A claim, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimPath {
    /// The claim.
    pub claim: ClaimName,
    /// Steps into its value; usually none.
    pub steps: Vec<Step>,
    /// Set when only tokens of one issuer carry it under this name: the issuer without scheme, lower case.
    pub of_issuer: Option<String>,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A member of an object.
    Member(String),
    /// A member of an object, its name compared without regard to ASCII case.
    MemberIgnoreCase(String),
    /// An item of a list, from 0.
    Item(usize),
    /// The item of a one-item list; a string stands for itself.
    OnlyItem,
    /// The names of an object's members, as a list.
    Names,
    /// The part of a string behind the first `before` and in front of the next `after`; to the end if `after` is empty. The
    /// empty string where there is none (`extract` of GCP).
    Extract {
        /// What comes before it.
        before: String,
        /// What comes after it.
        after: String,
    },
    /// The string with ASCII letters in lower case.
    Lower,
    /// The string with ASCII letters in upper case.
    Upper,
}

/// Something about the request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestKey {
    /// `sts:RoleSessionName`
    SessionName,
    /// `sts:SourceIdentity`
    SourceIdentity,
    /// `aws:RequestTag/K`, by tag key.
    Tag(String),
    /// `aws:TagKeys`, a list.
    TagKeys,
    /// `sts:TransitiveTagKeys`, a list.
    TransitiveTagKeys,
    /// `sts:RoleAuthorizedByIdp`
    RoleAuthorizedByIdp,
    /// `sts:ExternalId`
    ExternalId,
    /// `aws:SourceIp`
    SourceIp,
    /// `aws:CurrentTime`
    CurrentTime,
    /// `aws:EpochTime`
    EpochTime,
    /// `aws:SecureTransport`
    SecureTransport,
    /// `aws:UserAgent`
    UserAgent,
    /// `aws:FederatedProvider`, a list.
    FederatedProvider,
    /// `aws:PrincipalArn`
    PrincipalArn,
    /// `aws:PrincipalAccount`
    PrincipalAccount,
    /// Any other key, as it was written.
    Other(String),
}

impl RequestKey {
    /// The key of that name; names are compared without regard to case.
    pub fn from_name(name: &str) -> Self {
        const PLAIN: [RequestKey; 13] = [
            RequestKey::SessionName,
            RequestKey::SourceIdentity,
            RequestKey::TagKeys,
            RequestKey::TransitiveTagKeys,
            RequestKey::RoleAuthorizedByIdp,
            RequestKey::ExternalId,
            RequestKey::SourceIp,
            RequestKey::CurrentTime,
            RequestKey::EpochTime,
            RequestKey::SecureTransport,
            RequestKey::UserAgent,
            RequestKey::FederatedProvider,
            RequestKey::PrincipalArn,
        ];
        const TAG: &str = "aws:RequestTag/";
        if let Some((prefix, tag)) = name.split_at_checked(TAG.len())
            && prefix.eq_ignore_ascii_case(TAG)
        {
            return Self::Tag(tag.to_owned());
        }
        let known = PLAIN
            .into_iter()
            .chain([Self::PrincipalAccount])
            .find(|key| key.name().eq_ignore_ascii_case(name));
        known.unwrap_or_else(|| Self::Other(name.to_owned()))
    }

    /// Whether it holds several values; such a key needs a set qualifier in AWS.
    pub const fn is_multi_valued(&self) -> bool {
        matches!(self, Self::TagKeys | Self::TransitiveTagKeys | Self::FederatedProvider)
    }

    /// The key as AWS documents spell it.
    pub fn name(&self) -> String {
        match self {
            Self::SessionName => "sts:RoleSessionName".to_owned(),
            Self::SourceIdentity => "sts:SourceIdentity".to_owned(),
            Self::Tag(key) => format!("aws:RequestTag/{key}"),
            Self::TagKeys => "aws:TagKeys".to_owned(),
            Self::TransitiveTagKeys => "sts:TransitiveTagKeys".to_owned(),
            Self::RoleAuthorizedByIdp => "sts:RoleAuthorizedByIdp".to_owned(),
            Self::ExternalId => "sts:ExternalId".to_owned(),
            Self::SourceIp => "aws:SourceIp".to_owned(),
            Self::CurrentTime => "aws:CurrentTime".to_owned(),
            Self::EpochTime => "aws:EpochTime".to_owned(),
            Self::SecureTransport => "aws:SecureTransport".to_owned(),
            Self::UserAgent => "aws:UserAgent".to_owned(),
            Self::FederatedProvider => "aws:FederatedProvider".to_owned(),
            Self::PrincipalArn => "aws:PrincipalArn".to_owned(),
            Self::PrincipalAccount => "aws:PrincipalAccount".to_owned(),
            Self::Other(name) => name.clone(),
        }
    }
}

/// How a dialect reads the value it finds in a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// As it is: a string is a string, a list is a list, and nothing becomes anything else.
    Strict,
    /// As an AWS condition key with one value: a string; what becomes of anything else is not documented.
    AwsSingle,
    /// As the AWS key `aud`: a string, or a list of one.
    AwsAudience,
    /// As an AWS condition key with several values; one string counts as a list of one.
    AwsMulti,
    /// As AWS reads a value of the request: booleans, numbers and times in their text form.
    AwsRequest,
    /// As Vault reads a bound claim: a list matches where one of its items does, numbers lose their fractions, and nothing
    /// else becomes anything else.
    Vault,
}

impl ClaimPath {
    /// A whole claim.
    pub fn claim(name: impl Into<ClaimName>) -> Self {
        Self { claim: name.into(), steps: Vec::new(), of_issuer: None }
    }
}

impl From<ClaimPath> for Variable {
    fn from(path: ClaimPath) -> Self {
        Self::Claim(path)
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.claim.as_str())?;
        for step in &self.steps {
            match step {
                Step::Member(name) | Step::MemberIgnoreCase(name) => write!(f, "/{name}")?,
                Step::Item(index) => write!(f, "/{index}")?,
                Step::OnlyItem => f.write_str("/0")?,
                Step::Names => f.write_str("/*")?,
                Step::Extract { before, after } => write!(f, ".extract({before}{{}}{after})")?,
                Step::Lower => f.write_str(".lower()")?,
                Step::Upper => f.write_str(".upper()")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(path) | Self::Unverified { claim: path, .. } => path.fmt(f),
            Self::Request(key) => f.write_str(&key.name()),
            Self::Never { name, .. } => f.write_str(name),
            Self::Joined(parts) => {
                let parts = parts.iter().map(|part| match part {
                    JoinPart::Text(text) => format!("{text:?}"),
                    JoinPart::Claim(path) => path.to_string(),
                });
                f.write_str(&parts.collect::<Vec<_>>().join(" + "))
            }
        }
    }
}
