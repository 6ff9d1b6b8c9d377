//! The other platforms, and Terraform.

use super::check;

#[test]
fn gitlab() {
    check(
        ".gitlab-ci.yml",
        str::to_owned,
        &[
            ("d: {script: [aws s3 ls]}", &["aws-access-key? environment of `aws` <- not in the file"]),
            ("d: {script: [aws s3 ls], id_tokens: {T: {aud: x}}}", &[]),
            ("d: {script: [pip install awscli, echo aws]}", &[]),
            (
                "d: {script: [terraform apply]}",
                &["cloud-credential? environment of `terraform` <- not in the file"],
            ),
            (
                "d: {script: [az account show, terraform apply]}",
                &["azure-client-secret? environment of `az` <- not in the file"],
            ),
            ("d: {script: ['docker login -u $CI_REGISTRY_USER -p $CI_REGISTRY_PASSWORD $CI_REGISTRY']}", &[]),
            (
                "d: {script: ['docker login -u me -p $HUB_PASS']}",
                &["docker-hub-password docker login <- HUB_PASS"],
            ),
            (
                ".keys: &keys {AWS_ACCESS_KEY_ID: $A, AWS_SECRET_ACCESS_KEY: $B}\nd: {script: [x], variables: {<<: *keys}}",
                &["aws-access-key AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY <- A, B"],
            ),
            (
                ".base: {variables: {VAULT_TOKEN: $VT}}\nd: {extends: .base, script: [vault kv get x]}",
                &["vault-token VAULT_TOKEN <- VT"],
            ),
            (
                ".login: {script: ['echo $KEY | gcloud auth activate-service-account --key-file=-']}\nd: {script: [!reference [.login, script]]}",
                &["gcp-service-account-key gcloud auth activate-service-account <- KEY"],
            ),
            ("d: {script: ['twine upload -p $PYPI dist/*']}", &["pypi-token twine upload <- PYPI"]),
            (
                "d: {script: ['./release --token \"$NPM_TOKEN\"']}",
                &["npm-token? a script reads NPM_TOKEN <- NPM_TOKEN"],
            ),
            (
                "d: {script: ['TOKEN=$(vault write -field=x auth/jwt/login)', 'docker login -u x -p $TOKEN r.io']}",
                &[],
            ),
            (
                "d: {script: ['docker login -u x -p $PW $REGISTRY']}",
                &["registry-password docker login <- PW"],
            ),
            ("d: {script: ['echo \"export K=~/.ssh/id_rsa\" >> $BASH_ENV']}", &[]),
            (
                "d: {script: [npm publish], rules: [{if: $CI_COMMIT_TAG, variables: {NPM_TOKEN: $N}}]}",
                &["npm-token NPM_TOKEN <- N"],
            ),
            (
                "d: {variables: {AWS_ACCESS_KEY_ID: test, AWS_SECRET_ACCESS_KEY: test}, script: [aws s3 ls]}",
                &[],
            ),
            ("d: {script: [export AWS_ACCESS_KEY_ID=dummy, aws s3 ls]}", &[]),
            (
                "d: {variables: {GOOGLE_APPLICATION_CREDENTIALS: key.json}, script: [gcloud run deploy]}",
                &["gcp-service-account-key? environment of `gcloud` <- not in the file"],
            ),
            (
                "d: {variables: {POSTGRES_PASSWORD: postgres}, script: [terraform apply]}",
                &["cloud-credential? environment of `terraform` <- not in the file"],
            ),
            (
                "d: {script: ['git push https://b:${P}@${CI_SERVER_HOST}/x.git']}",
                &["gitlab-token @${CI_SERVER_HOST} <- P"],
            ),
            ("d: {script: ['git clone https://gitlab-ci-token:${CI_JOB_TOKEN}@gitlab.com/x.git']}", &[]),
            (
                "d: {script: ['docker login -u $CI_DEPLOY_USER -p $CI_DEPLOY_PASSWORD $CI_REGISTRY']}",
                &["registry-password docker login <- CI_DEPLOY_PASSWORD"],
            ),
            // No platform but GitHub has a token of its own under that name.
            (
                "d: {script: ['./release --token $GITHUB_TOKEN']}",
                &["github-token? a script reads GITHUB_TOKEN <- GITHUB_TOKEN"],
            ),
        ],
    );
}

#[test]
fn circleci() {
    let job = |steps: &str| {
        format!(
            "version: 2.1\norbs: {{aws-cli: circleci/aws-cli@3.1.4, new: circleci/aws-cli@5.1, ecr: circleci/aws-ecr@8.2, ecr9: circleci/aws-ecr@9.3, gcp: circleci/gcp-cli@3.1}}\njobs: {{d: {{docker: [{{image: x}}], steps: [{steps}]}}}}\nworkflows: {{w: {{jobs: [{{d: {{context: [prod]}}}}]}}}}\n"
        )
    };
    check(
        ".circleci/config.yml",
        job,
        &[
            (
                "aws-cli/setup",
                &[
                    "aws-access-key? circleci/aws-cli/setup <- AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (context prod)",
                ],
            ),
            ("{aws-cli/setup: {role-arn: x}}", &[]),
            (
                "new/setup",
                &[
                    "aws-access-key? circleci/aws-cli/setup <- AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (context prod)",
                ],
            ),
            ("{new/setup: {role_arn: x}}", &[]),
            ("{ecr9/build_and_push_image: {auth: [{new/setup: {role_arn: x}}]}}", &[]),
            (
                "{new/setup: {aws_access_key_id: MY_ID, aws_secret_access_key: MY_KEY}}",
                &[
                    "aws-access-key circleci/aws-cli/setup: aws_access_key_id, aws_secret_access_key <- MY_ID, MY_KEY (context prod)",
                ],
            ),
            (
                "{ecr/build-and-push-image: {repo: x}}",
                &[
                    "aws-access-key? circleci/aws-ecr/build-and-push-image <- AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (context prod)",
                ],
            ),
            (
                "gcp/setup",
                &["gcp-service-account-key? circleci/gcp-cli/setup <- GCLOUD_SERVICE_KEY (context prod)"],
            ),
            (
                "{run: 'npm config set //registry.npmjs.org/:_authToken=$NPM_TOKEN'}",
                &["npm-token _authToken= <- NPM_TOKEN (context prod)"],
            ),
            ("{run: aws s3 ls}", &["aws-access-key? environment of `aws` <- not in the file"]),
            ("{run: npx cdk deploy}", &["aws-access-key? environment of `cdk` <- not in the file"]),
            (
                "{deploy: {command: 'docker login -u x -p $HUB'}}",
                &["docker-hub-password docker login <- HUB (context prod)"],
            ),
        ],
    );
}

#[test]
fn bitbucket_azure_and_buildkite() {
    let step = |step: &str| format!("pipelines: {{default: [{{step: {{{step}}}}}]}}\n");
    check(
        "bitbucket-pipelines.yml",
        step,
        &[
            ("script: [aws s3 ls]", &["aws-access-key? environment of `aws` <- not in the file"]),
            ("oidc: true, script: [aws s3 ls]", &[]),
            (
                "image: {name: x, aws: {access-key: $A, secret-key: $B}}, script: [x]",
                &["aws-access-key image: access-key, secret-key <- A, B"],
            ),
            // What pulls the image is not what the commands in it use.
            (
                "image: {name: x, aws: {access-key: $A, secret-key: $B}}, script: [aws s3 ls]",
                &[
                    "aws-access-key image: access-key, secret-key <- A, B",
                    "aws-access-key? environment of `aws` <- not in the file",
                ],
            ),
            (
                "script: [{pipe: 'atlassian/ssh-run:0.8.1', variables: {SSH_KEY: $K}}]",
                &["ssh-key atlassian/ssh-run: SSH_KEY <- K"],
            ),
            (
                "script: [{pipe: 'atlassian/slack-notify:2.3.0', variables: {WEBHOOK_URL: $W}}]",
                &["slack-token atlassian/slack-notify: WEBHOOK_URL <- W"],
            ),
            (
                "script: [{pipe: 'atlassian/google-gke-kubectl-run:2', variables: {KEY_FILE: $K}}]",
                &["gcp-service-account-key atlassian/google-gke-kubectl-run: KEY_FILE <- K"],
            ),
            (
                "script: [{pipe: 'docker://acme/x:1', variables: {NPM_TOKEN: $N}}]",
                &["npm-token? NPM_TOKEN <- N"],
            ),
        ],
    );
    let steps = |step: &str| format!("trigger: [main]\nsteps: [{{{step}}}]\n");
    check(
        "azure-pipelines.yml",
        steps,
        &[
            (
                "task: AzureCLI@2, inputs: {azureSubscription: sc, inlineScript: az x}",
                &["azure-client-secret? azurecli: azureSubscription <- connection sc"],
            ),
            (
                "task: Docker@2, inputs: {containerRegistry: hub}",
                &["docker-hub-password? docker: containerRegistry <- connection hub"],
            ),
            (
                "bash: 'echo $(HUB) | docker login -u x --password-stdin'",
                &["docker-hub-password? docker login <- HUB"],
            ),
            (
                "bash: make, env: {AZURE_CLIENT_SECRET: $(SP)}",
                &["azure-client-secret? AZURE_CLIENT_SECRET <- SP"],
            ),
            (
                "bash: 'echo \"##vso[task.setvariable variable=GH;issecret=true]$x\"'}, {bash: make, env: {GH_TOKEN: $(GH)}",
                &[],
            ),
            (
                "bash: 'docker login -u x -p $(az acr token) r.azurecr.io'",
                &["registry-password? docker login <- not in the file"],
            ),
            ("bash: \"t=$(az acr token)\\ndocker login -u x -p $t r.azurecr.io\"", &[]),
            ("bash: make, env: {AZURE_CLIENT_SECRET: plain}", &[]),
            (
                "task: NuGetCommand@2, inputs: {command: push, publishFeedCredentials: sc}",
                &["nuget-token? nugetcommand: publishFeedCredentials <- connection sc"],
            ),
            (
                "task: TwineAuthenticate@1, inputs: {pythonUploadServiceConnection: sc}",
                &["pypi-token? twineauthenticate: pythonUploadServiceConnection <- connection sc"],
            ),
            (
                "task: Npm@1, inputs: {command: publish, publishEndpoint: sc}",
                &["npm-token? npm: publishEndpoint <- connection sc"],
            ),
            (
                "task: KubernetesManifest@1, inputs: {kubernetesServiceConnection: sc}",
                &["kubeconfig? kubernetesmanifest: kubernetesServiceConnection <- connection sc"],
            ),
        ],
    );
    // A template's parameter is found where a pipeline passes it.
    check(
        "templates/steps.yml",
        |connection| {
            format!(
                "parameters: [{{name: c, type: string}}]\nsteps: [{{task: AzureCLI@2, inputs: {{azureSubscription: {connection}}}}}]\n"
            )
        },
        &[
            ("'${{ parameters.c }}'", &[]),
            ("sc", &["azure-client-secret? azurecli: azureSubscription <- connection sc"]),
        ],
    );
    let step = |step: &str| format!("steps: [{{{step}}}]\n");
    check(
        ".buildkite/pipeline.yml",
        step,
        &[
            (
                "command: make, env: {NPM_TOKEN: npm_q3Zt0Yw8LrV5mXcB1nHd7KfGs2PjUe9TaQ4o}",
                &["npm-token NPM_TOKEN <- literal npm_… (40 characters)"],
            ),
            (
                "command: make, plugins: [{'docker-login#v3': {username: me, password-env: HUB_PW}}]",
                &["docker-hub-password buildkite-plugins/docker-login: password-env <- HUB_PW"],
            ),
            ("command: 'vault login $$VT'", &["vault-token vault login <- VT"]),
            (
                "command: make, plugins: [{'vault-secrets#v2': {server: x, auth: {method: approle, secret-env: SID}}}]",
                &["vault-token buildkite-plugins/vault-secrets: auth.secret-env <- SID"],
            ),
        ],
    );
}

#[test]
fn jenkins() {
    let stage = |steps: &str| {
        format!(
            "pipeline {{\n  agent any\n  stages {{\n    stage('d') {{\n      steps {{\n{steps}\n      }}\n    }}\n  }}\n}}\n"
        )
    };
    check(
        "Jenkinsfile",
        stage,
        &[
            (
                "withAWS(credentials: 'aws-prod') { sh 'aws s3 ls' }",
                &["aws-access-key withaws: credentials <- connection aws-prod"],
            ),
            ("withAWS(roleAccount: '1', role: 'x', credentials: 'aws-prod') { sh 'aws s3 ls' }", &[]),
            (
                "withCredentials([[$class: 'AmazonWebServicesCredentialsBinding', credentialsId: 'aws']]) { sh 'x' }",
                &[
                    "aws-access-key withcredentials/amazonwebservicescredentialsbinding: credentialsId <- connection aws",
                ],
            ),
            (
                "withCredentials([string(credentialsId: 'npm', variable: 'NPM_TOKEN')]) { sh 'npm publish' }",
                &["npm-token NPM_TOKEN <- connection npm"],
            ),
            (
                "withCredentials([usernamePassword(credentialsId: 'hub', usernameVariable: 'U', passwordVariable: 'P')]) { sh 'docker login -u $U -p $P' }",
                &["docker-hub-password docker login <- connection hub"],
            ),
            (
                "sshagent(credentials: ['deploy']) { sh 'ssh x' }",
                &["ssh-key sshagent: credentials <- connection deploy"],
            ),
            (
                "sshagent(['deploy']) { sh 'ssh x' }",
                &["ssh-key sshagent: credentialsId <- connection deploy"],
            ),
            (
                "docker.withRegistry('https://index.docker.io/v1/', 'hub') { sh 'x' }",
                &["docker-hub-password docker.withregistry: credentialsId <- connection hub"],
            ),
            (
                "withCredentials([azureServicePrincipal('sp')]) { sh 'az x' }",
                &[
                    "azure-client-secret withcredentials/azureserviceprincipal: credentialsId, AZURE_CLIENT_SECRET <- connection sp",
                ],
            ),
            (
                "withCredentials([file(credentialsId: 'sa', variable: 'GOOGLE_APPLICATION_CREDENTIALS')]) { sh 'x' }",
                &["gcp-service-account-key GOOGLE_APPLICATION_CREDENTIALS <- connection sa"],
            ),
            ("sh 'make'", &[]),
        ],
    );
    check(
        "Jenkinsfile",
        |env| {
            format!(
                "pipeline {{\n  agent any\n  environment {{\n    {env}\n  }}\n  stages {{ stage('d') {{ steps {{\n    sh 'docker login -u $HUB_USR -p $HUB_PSW'\n  }} }} }}\n}}\n"
            )
        },
        &[
            ("HUB = credentials('hub')", &["docker-hub-password docker login <- connection hub"]),
            ("OTHER = credentials('hub')", &["docker-hub-password? docker login <- not in the file"]),
        ],
    );
    let env = |env: &str| {
        format!(
            "pipeline {{\n  agent any\n  environment {{\n    {env}\n  }}\n  stages {{ stage('d') {{ steps {{ sh 'x' }} }} }}\n}}\n"
        )
    };
    check(
        "Jenkinsfile",
        env,
        &[
            (
                "AWS_SECRET_ACCESS_KEY = credentials('aws-secret')",
                &["aws-access-key AWS_SECRET_ACCESS_KEY <- connection aws-secret"],
            ),
            ("REGION = 'eu-west-1'", &[]),
        ],
    );
}

#[test]
fn terraform() {
    check(
        "main.tf",
        str::to_owned,
        &[
            (
                "provider \"aws\" {\n  region = \"eu\"\n  access_key = var.key\n  secret_key = var.secret # here\n}\n",
                &["aws-access-key provider.aws.access_key, provider.aws.secret_key <- var.key, var.secret"],
            ),
            (
                "provider \"aws\" {\n  access_key = \"mock_access_key\"\n  secret_key = \"mock_secret_key\"\n}\n",
                &[],
            ),
            (
                "provider \"google\" {\n  credentials = file(\"key.json\")\n}\n",
                &["gcp-service-account-key provider.google.credentials <- file key.json"],
            ),
            ("provider \"azurerm\" {\n  use_oidc = true\n  features {}\n}\n", &[]),
            (
                "provider \"vault\" { token = \"${var.token}\" }\n",
                &["vault-token provider.vault.token <- var.token"],
            ),
            (
                "resource \"aws_iam_access_key\" \"ci\" {\n  user = \"ci\"\n}\nresource \"github_actions_secret\" \"key\" {\n  secret_name     = \"AWS_SECRET_ACCESS_KEY\"\n  plaintext_value = aws_iam_access_key.ci.secret\n}\n",
                &[
                    "aws-access-key aws_iam_access_key.ci, github_actions_secret.key (AWS_SECRET_ACCESS_KEY) <- aws_iam_access_key.ci",
                ],
            ),
            (
                "resource \"google_service_account_key\" \"k\" {}\n",
                &["gcp-service-account-key google_service_account_key.k <- google_service_account_key.k"],
            ),
            (
                "variable \"x\" {\n  default = \"AKIAX7QJ4TDN2WMV5KPA\"\n}\n",
                &["aws-access-key variable.x <- literal AKIA… (20 characters)"],
            ),
            (
                "locals {\n  token = data.vault_generic_secret.ci.data[\"token\"]\n}\nprovider \"tfe\" {\n  token = local.token\n}\n",
                &["terraform-cloud-token provider.tfe.token <- local.token"],
            ),
            (
                "provider \"tfe\" {\n  token = local.token\n}\n",
                &["terraform-cloud-token? provider.tfe.token <- local.token"],
            ),
            (
                "locals {\n  key = data.vault_aws_access_credentials.x.secret_key\n}\nprovider \"aws\" {\n  secret_key = local.key\n}\n",
                &[],
            ),
            (
                "provider \"cloudflare\" {\n  api_token = data.aws_ssm_parameter.cf.value\n}\n",
                &["cloudflare-token provider.cloudflare.api_token <- data.aws_ssm_parameter.cf"],
            ),
            ("resource \"aws_s3_bucket\" \"b\" {}\n", &[]),
            (
                "terraform {\n  backend \"s3\" {\n    bucket = \"state\"\n    access_key = \"AKIAX7QJ4TDN2WMV5KPA\"\n    secret_key = \"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\"\n  }\n}\n",
                &[
                    "aws-access-key backend.s3.access_key, backend.s3.secret_key <- literal AKIA… (20 characters), literal … (40 characters)",
                ],
            ),
            ("terraform {\n  backend \"s3\" {\n    bucket = \"state\"\n  }\n}\n", &[]),
            (
                "provider \"github\" {\n  token = var.gh\n}\n",
                &["github-token provider.github.token <- var.gh"],
            ),
        ],
    );
}
