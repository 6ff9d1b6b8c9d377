//! Terraform configurations, with modules and files that they read.

/// Modules and files that a configuration may call and read, all of which are the input once more.
const FILES: [&str; 4] = ["main.tf", "modules/m/main.tf", "trust.json", "terraform.tfvars"];

pub fn run(data: &[u8]) {
    super::sources::found(&FILES, data);
}
