//! Templates of AWS `CloudFormation`, in YAML and in JSON.

pub fn run(data: &[u8]) {
    super::sources::found(&["template.yaml"], data);
    super::sources::found(&["template.json"], data);
}
