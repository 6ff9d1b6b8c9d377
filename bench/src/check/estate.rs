//! An organisation's roles, as Terraform has them: most narrow, some not, a few open to all.

use daypass_sources::MemoryTree;

/// Roles in one file.
const IN_A_FILE: usize = 50;

/// So many roles of a few hundred repositories.
pub(super) fn tree(roles: usize) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for first in (0..roles).step_by(IN_A_FILE) {
        let last = roles.min(first + IN_A_FILE);
        let text: String = (first..last).map(role).collect();
        tree = tree.with(&format!("team-{:03}/roles.tf", first / IN_A_FILE), text);
    }
    tree
}

fn role(number: usize) -> String {
    let repository = format!("service-{}", number / 3);
    let environment = if number.is_multiple_of(3) { "staging" } else { "production" };
    let subject = match number % 40 {
        37 => "repo:acme/*".to_owned(),
        38 => format!("repo:acme/{repository}:*"),
        39 => "repo:acme*".to_owned(),
        other if other % 3 == 2 => format!("repo:acme/{repository}:ref:refs/heads/release-*"),
        other if other % 3 == 1 => format!("repo:acme/{repository}:ref:refs/heads/main"),
        _ => format!("repo:acme/{repository}:environment:{environment}"),
    };
    format!(
        r#"resource "aws_iam_role" "deploy_{number}" {{
  name = "deploy-{environment}-{number}"
  tags = {{ Environment = "{environment}" }}
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }}
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {{
        StringEquals = {{ "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }}
        StringLike   = {{ "token.actions.githubusercontent.com:sub" = "{subject}" }}
      }}
    }}]
  }})
}}
"#
    )
}
