terraform {
  source = "git::https://example.com/modules.git//site?ref=v3"
}

generate "provider" {
  path      = "provider.tf"
  if_exists = "overwrite"
  contents  = <<EOF
provider "google" {
  credentials = file("sa.json")
}
EOF
}
