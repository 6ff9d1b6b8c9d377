//! Templates of CloudFormation and of what compiles to it (SAM, CDK), in JSON and YAML.
//!
//! Reference: AWS CloudFormation User Guide, "Intrinsic function reference" and "Pseudo parameters".

mod intrinsic;

use daypass_trust::document::{Member, Node, Source, Value};

use self::intrinsic::Template;
use super::yaml;
use crate::found::{Found, Origin, Unresolved};
use crate::terraform::{PlainResource, read_plain};

/// Reads a template; whether it was one about trust.
pub(super) fn read(source: &Source, node: &Node, found: &mut Found) -> bool {
    let Some(resources) = node.get("Resources").and_then(Node::as_table) else { return false };
    let known = |member: &&Member| kind(&member.node).is_some();
    let loops = resources.iter().filter(|member| member.name.starts_with("Fn::ForEach"));
    if !resources.iter().any(|member| known(&member)) && loops.clone().next().is_none() {
        return false;
    }
    for member in loops.filter(|it| it.node.strings().iter().any(|(text, _)| text.starts_with("AWS::IAM::")))
    {
        found.unresolved.push(Unresolved {
            location: source.at(member.name_span),
            construct: member.name.clone(),
            why: "loops of the language extensions are not modelled".to_owned(),
        });
    }
    read_plain(source, Origin::CloudFormation, found, |marks| {
        let template = Template::of(source, node, marks);
        resources.iter().filter(known).filter_map(|member| resource(&template, member)).collect()
    });
    true
}

/// Reads a template in YAML. A file that is no template is nothing, whatever is wrong with it.
pub(super) fn read_yaml(source: &Source, named: bool, found: &mut Found) -> bool {
    let text = source.text();
    let looks_like_it = text.contains("Resources:") && text.contains("AWS::");
    if !named && !looks_like_it {
        return false;
    }
    match yaml::parse(source) {
        Ok(node) => read(source, &node, found),
        Err(problem) => {
            found.problems.push(problem);
            false
        }
    }
}

/// What a resource is in the words of Terraform's provider, if it is about trust.
fn kind(resource: &Node) -> Option<&'static str> {
    match resource.get("Type")?.as_str()? {
        "AWS::IAM::Role" => Some("aws_iam_role"),
        "AWS::IAM::OIDCProvider" => Some("aws_iam_openid_connect_provider"),
        "AWS::Serverless::Function" | "AWS::Serverless::StateMachine" => {
            let properties = resource.get("Properties")?;
            properties.get("AssumeRolePolicyDocument").map(|_| "aws_iam_role")
        }
        _ => None,
    }
}

/// Properties with the names of Terraform's arguments.
const ARGUMENTS: [(&str, &str); 7] = [
    ("RoleName", "name"),
    ("AssumeRolePolicyDocument", "assume_role_policy"),
    ("MaxSessionDuration", "max_session_duration"),
    ("ManagedPolicyArns", "managed_policy_arns"),
    ("Tags", "tags"),
    ("Url", "url"),
    ("ClientIdList", "client_id_list"),
];

fn resource(template: &Template<'_, '_, '_>, member: &Member) -> Option<PlainResource> {
    let kind = kind(&member.node)?;
    if template.is_left_out(&member.node) {
        return None;
    }
    let properties = member.node.get("Properties").and_then(Node::as_table).unwrap_or_default();
    let mut values = Vec::new();
    for property in properties {
        let Some((_, name)) = ARGUMENTS.iter().find(|(name, _)| *name == property.name) else { continue };
        let mut node = template.resolve(&property.node);
        if *name == "tags" {
            node = tags(&node);
        }
        values.push(Member { name: (*name).to_owned(), name_span: property.name_span, node });
    }
    Some(PlainResource {
        kind: kind.to_owned(),
        address: member.name.clone(),
        module: None,
        values: Node { span: member.name_span, value: Value::Table(values) },
    })
}

/// `[{Key, Value}]` as a table.
fn tags(node: &Node) -> Node {
    let pairs = node.as_array().unwrap_or_default().iter().filter_map(|tag| {
        let name = tag.get("Key")?.as_str()?.to_owned();
        Some(Member { name, name_span: tag.span, node: tag.get("Value")?.clone() })
    });
    Node { span: node.span, value: Value::Table(pairs.collect()) }
}
