//! One construct each: what the inventory says of it.

use std::collections::BTreeMap;

use daypass_pipelines::NoTree;
use daypass_pipelines::inventory::{Confidence, inventory};

fn found(path: &str, text: &str) -> Vec<String> {
    let line = |one: daypass_pipelines::inventory::Credential| {
        let sure = if one.confidence == Confidence::Certain { "" } else { "?" };
        format!("{}{sure} {} <- {}", one.kind, one.sink, one.source)
    };
    let found = inventory(path, text.as_bytes(), &NoTree).unwrap_or_else(|error| panic!("{error}\n{text}"));
    found.into_iter().map(line).collect()
}

fn check(path: &str, frame: impl Fn(&str) -> String, cases: &[(&str, &[&str])]) {
    for (text, wanted) in cases {
        assert_eq!(found(path, &frame(text)), *wanted, "{text}");
    }
}

fn workflow(job: &str) -> String {
    format!("on: push\njobs:\n  j:\n    runs-on: ubuntu-24.04\n{}\n", indented(job, 4))
}

fn steps(step: &str) -> String {
    workflow(&format!("steps:\n{}", indented(&format!("- {}", step.replace('\n', "\n  ")), 2)))
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}

#[test]
fn actions_by_their_inputs() {
    check(
        ".github/workflows/w.yml",
        steps,
        &[
            (
                "uses: google-github-actions/auth@v2\nwith: {credentials_json: '${{ secrets.SA }}'}",
                &["gcp-service-account-key google-github-actions/auth: credentials_json <- secrets.SA"],
            ),
            ("uses: google-github-actions/auth@v2\nwith: {workload_identity_provider: x}", &[]),
            (
                "uses: azure/login@v2\nwith: {creds: '${{ secrets.AZ }}'}",
                &["azure-client-secret azure/login: creds <- secrets.AZ"],
            ),
            (
                "uses: Azure/login@v2\nwith: {client-id: '${{ secrets.ID }}', tenant-id: '${{ secrets.T }}'}",
                &[],
            ),
            (
                "uses: hashicorp/vault-action@v3\nwith: {method: approle, roleId: '${{ secrets.R }}', secretId: '${{ secrets.S }}'}",
                &["vault-token hashicorp/vault-action: roleId, secretId <- secrets.R, secrets.S"],
            ),
            (
                "uses: docker/login-action@v3\nwith: {username: u, password: '${{ secrets.HUB }}'}",
                &["docker-hub-password docker/login-action: password <- secrets.HUB"],
            ),
            (
                "uses: docker/login-action@v3\nwith: {registry: ghcr.io, username: u, password: '${{ secrets.GITHUB_TOKEN }}'}",
                &[],
            ),
            (
                "uses: docker/login-action@v3\nwith: {registry: ghcr.io, username: u, password: '${{ secrets.PAT }}'}",
                &["github-token docker/login-action: password <- secrets.PAT"],
            ),
            (
                "uses: docker/login-action@v3\nwith: {registry: acme.azurecr.io, password: '${{ secrets.ACR }}'}",
                &["registry-password docker/login-action: password <- secrets.ACR"],
            ),
            (
                "uses: docker/login-action@v3\nwith: {registry: eu-docker.pkg.dev, username: _json_key, password: '${{ secrets.K }}'}",
                &["gcp-service-account-key docker/login-action: password <- secrets.K"],
            ),
            (
                "uses: webfactory/ssh-agent@v0.9\nwith: {ssh-private-key: '${{ secrets.SSH }}'}",
                &["ssh-key webfactory/ssh-agent: ssh-private-key <- secrets.SSH"],
            ),
            (
                "uses: pypa/gh-action-pypi-publish@release/v1\nwith: {password: '${{ secrets.P }}'}",
                &["pypi-token pypa/gh-action-pypi-publish: password <- secrets.P"],
            ),
            ("uses: pypa/gh-action-pypi-publish@release/v1", &[]),
            (
                "uses: azure/webapps-deploy@v3\nwith: {publish-profile: '${{ secrets.PP }}'}",
                &["azure-publish-profile azure/webapps-deploy: publish-profile <- secrets.PP"],
            ),
            (
                "uses: someone/deploy@v1\nwith: {aws-secret-access-key: '${{ secrets.X }}'}",
                &["aws-access-key? aws-secret-access-key <- secrets.X"],
            ),
            (
                "uses: someone/deploy@v1\nwith: {all: '${{ toJSON(secrets) }}'}",
                &["all-secrets all <- every secret"],
            ),
            (
                "uses: aws-actions/configure-aws-credentials@v4\nwith: {aws-access-key-id: '${{ steps.x.outputs.id }}', aws-secret-access-key: '${{ steps.x.outputs.key }}'}",
                &[],
            ),
            ("uses: actions/checkout@v4\nwith: {token: '${{ github.token }}'}", &[]),
        ],
    );
}

#[test]
fn variables_by_what_reads_them() {
    check(
        ".github/workflows/w.yml",
        |env| steps(&format!("run: make\nenv:\n{}", indented(env, 2))),
        &[
            (
                "AWS_ACCESS_KEY_ID: ${{ vars.ID }}\nAWS_SECRET_ACCESS_KEY: ${{ secrets.K }}",
                &["aws-access-key AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY <- vars.ID, secrets.K"],
            ),
            ("AWS_ACCESS_KEY_ID: ${{ vars.ID }}", &[]),
            (
                "AWS_SECRET_ACCESS_KEY: ${{ secrets[matrix.key] }}",
                &["aws-access-key AWS_SECRET_ACCESS_KEY <- secrets[matrix.key] (by the matrix)"],
            ),
            ("AWS_ACCESS_KEY_ID: test\nAWS_SECRET_ACCESS_KEY: test", &[]),
            (
                "AWS_ACCESS_KEY_ID: ${{ secrets.A }}\nAWS_SECRET_ACCESS_KEY: ${{ secrets.B }}\nAWS_SESSION_TOKEN: ${{ secrets.C }}",
                &[
                    "aws-access-key? AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN <- secrets.A, secrets.B, secrets.C",
                ],
            ),
            ("NODE_AUTH_TOKEN: ${{ secrets.NPM }}", &["npm-token NODE_AUTH_TOKEN <- secrets.NPM"]),
            ("GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}\nGH_TOKEN: ${{ github.token }}", &[]),
            ("GH_TOKEN: ${{ secrets.BOT_PAT }}", &["github-token GH_TOKEN <- secrets.BOT_PAT"]),
            ("CARGO_REGISTRY_TOKEN: ${{ steps.auth.outputs.token }}", &[]),
            ("KUBECONFIG: /tmp/kubeconfig", &[]),
            ("GOOGLE_APPLICATION_CREDENTIALS: ./key.json", &[]),
            (
                "TF_TOKEN_app_terraform_io: ${{ secrets.TFC }}",
                &["terraform-cloud-token TF_TOKEN_app_terraform_io <- secrets.TFC"],
            ),
            (
                "SOMETHING: npm_q3Zt0Yw8LrV5mXcB1nHd7KfGs2PjUe9TaQ4o",
                &["npm-token SOMETHING <- literal npm_… (40 characters)"],
            ),
            ("DB_PASSWORD: postgres", &[]),
            ("TEST_KEY: ${{ secrets.UNRELATED }}", &[]),
        ],
    );
}

#[test]
fn scripts_by_their_commands() {
    let run = |script: &str| steps(&format!("run: |\n{}", indented(script, 2)));
    check(
        ".github/workflows/w.yml",
        run,
        &[
            (
                "echo \"${{ secrets.P }}\" | docker login -u me --password-stdin",
                &["docker-hub-password docker login <- secrets.P"],
            ),
            (
                "aws ecr get-login-password | docker login --username AWS --password-stdin 1.dkr.ecr.eu-west-1.amazonaws.com",
                &[],
            ),
            ("echo ${{ secrets.GITHUB_TOKEN }} | docker login ghcr.io -u x --password-stdin", &[]),
            (
                "az login --service-principal \\\n  -u ${{ vars.ID }} \\\n  -p ${{ secrets.PW }}",
                &["azure-client-secret az login <- secrets.PW"],
            ),
            ("az login --service-principal -u x --federated-token $T", &[]),
            ("az login --identity", &[]),
            (
                "cat > ~/.kube/config <<EOF\n${{ secrets.KC }}\nEOF",
                &["kubeconfig .kube/config <- secrets.KC"],
            ),
            ("aws eks update-kubeconfig --kubeconfig ~/.kube/config > log", &[]),
            (
                "vault write auth/approle/login role_id=x secret_id=${{ secrets.SID }}",
                &["vault-token auth/approle/login <- secrets.SID"],
            ),
            (
                "echo '//registry.npmjs.org/:_authToken=${{ secrets.N }}' > .npmrc",
                &["npm-token _authToken= <- secrets.N"],
            ),
            (
                "export AWS_ACCESS_KEY_ID=${{ secrets.A }}\nexport AWS_SECRET_ACCESS_KEY='${{ secrets.B }}'",
                &["aws-access-key AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY <- secrets.A, secrets.B"],
            ),
            ("echo \"NPM_TOKEN=${{ secrets.N }}\" >> $GITHUB_ENV", &["npm-token NPM_TOKEN <- secrets.N"]),
            ("# docker login -p ${{ secrets.P }}", &[]),
            (
                "echo \"${{ secrets.SA }}\" > key.json\ngcloud auth activate-service-account --key-file key.json",
                &["gcp-service-account-key gcloud auth activate-service-account <- secrets.SA"],
            ),
            (
                "gcloud auth activate-service-account --key-file /mounted/key.json",
                &["gcp-service-account-key? gcloud auth activate-service-account <- not in the file"],
            ),
            (
                "mkdir -p ~/.ssh\necho \"${{ secrets.DEPLOY }}\" > ~/.ssh/id_ed25519",
                &["ssh-key .ssh/id_ <- secrets.DEPLOY"],
            ),
            ("ssh-keygen -f ~/.ssh/id_rsa > log", &[]),
        ],
    );
}

#[test]
fn jobs_containers_and_calls() {
    check(
        ".github/workflows/w.yml",
        workflow,
        &[
            (
                "container: {image: acme/x, credentials: {username: u, password: '${{ secrets.HUB }}'}}",
                &["docker-hub-password image: password <- secrets.HUB"],
            ),
            (
                "container: {image: ghcr.io/x/y, credentials: {username: u, password: '${{ secrets.GITHUB_TOKEN }}'}}",
                &[],
            ),
            (
                "services: {s: {image: quay.io/x/y, credentials: {password: '${{ secrets.Q }}'}}}",
                &["registry-password image: password <- secrets.Q"],
            ),
            (
                "uses: acme/ci/.github/workflows/d.yml@v1\nsecrets: {NPM_TOKEN: '${{ secrets.N }}'}",
                &["npm-token? acme/ci/.github/workflows/d.yml: NPM_TOKEN <- secrets.N"],
            ),
            (
                "uses: acme/ci/.github/workflows/d.yml@v1\nsecrets: inherit",
                &["all-secrets acme/ci/.github/workflows/d.yml: secrets <- every secret"],
            ),
            (
                "env: {P: '${{ secrets.HUB }}'}\nsteps: [{run: 'echo $P | docker login -u x --password-stdin'}]",
                &["docker-hub-password docker login <- secrets.HUB"],
            ),
            (
                "env: {DOCKER_PASSWORD: '${{ secrets.HUB }}'}\nsteps: [{run: 'echo $DOCKER_PASSWORD | docker login -u x --password-stdin'}]",
                &["docker-hub-password DOCKER_PASSWORD, docker login <- secrets.HUB"],
            ),
            (
                "env: {REGISTRY_PASSWORD: '${{ secrets.HUB }}'}\nsteps: [{run: 'echo $REGISTRY_PASSWORD | docker login -u x --password-stdin'}]",
                &["docker-hub-password docker login <- secrets.HUB"],
            ),
        ],
    );
}

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
        ],
    );
}

#[test]
fn circleci() {
    let job = |steps: &str| {
        format!(
            "version: 2.1\norbs: {{aws-cli: circleci/aws-cli@3.1.4, new: circleci/aws-cli@5.1, ecr: circleci/aws-ecr@8.2, gcp: circleci/gcp-cli@3.1}}\njobs: {{d: {{docker: [{{image: x}}], steps: [{steps}]}}}}\nworkflows: {{w: {{jobs: [{{d: {{context: [prod]}}}}]}}}}\n"
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
            ("new/setup", &[]),
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
                &["docker-hub-password docker login <- HUB"],
            ),
            (
                "bash: make, env: {AZURE_CLIENT_SECRET: $(SP)}",
                &["azure-client-secret AZURE_CLIENT_SECRET <- SP"],
            ),
            ("bash: make, env: {AZURE_CLIENT_SECRET: plain}", &[]),
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
                    "azure-client-secret withcredentials/azureserviceprincipal: credentialsId <- connection sp",
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
            ("resource \"aws_s3_bucket\" \"b\" {}\n", &[]),
        ],
    );
}

#[test]
fn local_actions_pass_what_they_are_given() {
    let files = BTreeMap::from([
        (
            ".github/workflows/w.yml".to_owned(),
            b"on: push\njobs:\n  j:\n    steps:\n      - uses: ./.github/actions/a\n        with: {key: '${{ secrets.K }}'}\n".to_vec(),
        ),
        (
            ".github/actions/a/action.yml".to_owned(),
            b"name: a\ninputs: {key: {}}\nruns:\n  using: composite\n  steps:\n    - run: npm publish\n      env: {NPM_TOKEN: '${{ inputs.key }}'}\n".to_vec(),
        ),
    ]);
    let of = |path: &str| inventory(path, &files[path], &files).unwrap();
    let used = of(".github/workflows/w.yml");
    assert_eq!((used.len(), used[0].kind, used[0].line), (1, "npm-token", 6));
    assert_eq!(of(".github/actions/a/action.yml"), []);
}

#[test]
fn output_is_as_scripts_may_rely_on_and_ids_stay() {
    let text = steps("run: make\nenv: {NPM_TOKEN: '${{ secrets.N }}'}");
    let found = inventory(".github/workflows/w.yml", text.as_bytes(), &NoTree).unwrap();
    let moved =
        inventory(".github/workflows/w.yml", format!("# moved\n\n{text}").as_bytes(), &NoTree).unwrap();
    assert_eq!(found[0].id, moved[0].id);
    assert_ne!(found[0].line, moved[0].line);
    let json = serde_json::to_value(&found[0]).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    for key in [
        "id",
        "kind",
        "cloud",
        "platform",
        "file",
        "line",
        "job",
        "sink",
        "source",
        "confidence",
        "replacement",
    ] {
        assert!(keys.contains(&key), "{key}");
    }
    assert_eq!(
        (json["platform"].as_str(), json["confidence"].as_str()),
        (Some("github-actions"), Some("certain"))
    );
}

#[test]
fn no_secret_is_in_any_output() {
    let secret = "q3Zt0Yw8LrV5mXcB1nHd7KfGs2PjUe9TaQ4oRi6M";
    let text = steps(&format!(
        "run: aws configure set aws_secret_access_key {secret}\nenv: {{AWS_SECRET_ACCESS_KEY: {secret}}}"
    ));
    let found = inventory(".github/workflows/w.yml", text.as_bytes(), &NoTree).unwrap();
    assert!(!found.is_empty());
    let pipeline = daypass_pipelines::read(".github/workflows/w.yml", text.as_bytes(), &NoTree).unwrap();
    let output = format!("{found:?} {} {pipeline:?}", serde_json::to_string(&found).unwrap());
    assert!(!output.contains(secret));
}
