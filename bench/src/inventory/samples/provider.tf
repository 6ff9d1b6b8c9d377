terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

variable "access_key" {}

variable "secret_key" {
  sensitive = true
}

provider "aws" {
  region     = "eu-west-1"
  access_key = var.access_key
  secret_key = var.secret_key
}

resource "aws_ecs_service" "service" {
  name            = "service-__N__"
  cluster         = "main"
  task_definition = "service-__N__"
  desired_count   = 3
}
