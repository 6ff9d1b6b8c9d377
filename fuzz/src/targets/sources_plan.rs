//! Terraform plans and states, and whatever else is JSON: a reader of documents tells by the content.

pub fn run(data: &[u8]) {
    super::sources::found(&["plan.json"], data);
    super::sources::found(&["terraform.tfstate"], data);
}
