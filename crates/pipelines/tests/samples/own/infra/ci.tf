provider "aws" {
  region = "eu-west-1"
}

provider "cloudflare" {
  api_token = var.cloudflare_token
}

resource "aws_iam_user" "ci" {
  name = "github-ci"
}

resource "aws_iam_access_key" "ci" {
  user = aws_iam_user.ci.name
}

resource "github_actions_secret" "id" {
  repository      = "site"
  secret_name     = "DEPLOY_KEY_ID"
  plaintext_value = aws_iam_access_key.ci.id
}

resource "github_actions_secret" "key" {
  repository      = "site"
  secret_name     = "DEPLOY_KEY"
  plaintext_value = aws_iam_access_key.ci.secret
}
