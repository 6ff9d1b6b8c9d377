//! GitHub Actions.

use super::{check, indented, steps, workflow};

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
            (
                "uses: docker/build-push-action@v6\nwith:\n  push: true\n  build-args: |\n    A=b\n    NPM_TOKEN=${{ secrets.N }}",
                &["npm-token? build-args: NPM_TOKEN <- secrets.N"],
            ),
            ("uses: codecov/codecov-action@v5\nwith: {use_oidc: true}", &[]),
            (
                "uses: docker/login-action@v3\nwith: {registry: '${{ env.R }}', password: '${{ secrets.P }}'}\nenv: {R: ghcr.io}",
                &["github-token docker/login-action: password <- secrets.P"],
            ),
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
            (
                "AWS_ACCESS_KEY_ID: ${{ fromJSON(secrets.AWS).id }}\nAWS_SECRET_ACCESS_KEY: ${{ fromJSON(secrets.AWS)['key'] }}",
                &["aws-access-key AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY <- secrets.AWS"],
            ),
            ("SNYK_TOKEN: ${{ (fromJSON(secrets.ALL)).snyk }}", &["snyk-token SNYK_TOKEN <- secrets.ALL"]),
            (
                "NPM_TOKEN: ${{ secrets.A ? secrets.B }}",
                &["npm-token NPM_TOKEN <- secrets.A ? secrets.B (by the matrix)"],
            ),
            ("GH_TOKEN: ${{ secrets.github_token }}", &[]),
            ("GH_TOKEN: ${{ secrets.gh_pat }}", &["github-token GH_TOKEN <- secrets.gh_pat"]),
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
            (
                "terraform plan -var=\"aws_secret_key=${{ secrets.T }}\"",
                &["aws-access-key aws_secret_key <- secrets.T"],
            ),
            (
                "echo ${{ secrets.P }} | docker login $REGISTRY -u x --password-stdin",
                &["registry-password docker login <- secrets.P"],
            ),
            ("T=$(vault write -field=t auth/jwt/login)\nVAULT_TOKEN=$T vault kv get x", &[]),
        ],
    );
}

#[test]
fn scripts_that_hand_over_what_is_stored() {
    let run = |script: &str| steps(&format!("run: |\n{}", indented(script, 2)));
    check(
        ".github/workflows/w.yml",
        run,
        &[
            (
                "$env:AWS_ACCESS_KEY_ID = \"${{ secrets.A }}\"\n$Env:AWS_SECRET_ACCESS_KEY = '${{ secrets.B }}'",
                &["aws-access-key AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY <- secrets.A, secrets.B"],
            ),
            (
                "Set-AWSCredential -AccessKey ${{ secrets.A }} -SecretKey ${{ secrets.B }}",
                &["aws-access-key Set-AWSCredential <- secrets.A, secrets.B"],
            ),
            (
                "Connect-AzAccount -ServicePrincipal -Credential $c -Tenant x",
                &["azure-client-secret? Connect-AzAccount <- not in the file"],
            ),
            ("Connect-AzAccount -ServicePrincipal -ApplicationId a -FederatedToken $t", &[]),
            (
                "npm config set '//registry.npmjs.org/:_authToken' '${{ secrets.N }}'",
                &["npm-token npm config set <- secrets.N"],
            ),
            ("npm config set registry https://npm.acme.example --${{ secrets.X }}", &[]),
            ("poetry config pypi-token.pypi ${{ secrets.P }}", &["pypi-token poetry config <- secrets.P"]),
            ("poetry publish -u __token__ -p ${{ secrets.P }}", &["pypi-token poetry publish <- secrets.P"]),
            (
                "terraform init -backend-config=\"access_key=${{ secrets.A }}\" -backend-config=\"secret_key=${{ secrets.B }}\"",
                &["aws-access-key -backend-config <- secrets.A, secrets.B"],
            ),
            ("terraform init -backend-config=\"key=x\" -backend-config=backend.hcl", &[]),
            (
                "echo '${{ secrets.SA }}' > \"$GOOGLE_APPLICATION_CREDENTIALS\"",
                &["gcp-service-account-key GOOGLE_APPLICATION_CREDENTIALS <- secrets.SA"],
            ),
            (
                "curl -H \"X-Vault-Token: ${{ secrets.V }}\" https://vault.example/v1/x",
                &["vault-token X-Vault-Token: <- secrets.V"],
            ),
            ("curl -H 'X-Vault-Token: root' http://localhost:8200/v1/x", &[]),
            (
                "git clone \"https://${{ secrets.U }}:${{ secrets.BOT }}@github.com/acme/x\"",
                &["github-token @github.com <- secrets.BOT, secrets.U"],
            ),
            ("git clone https://x:${{ secrets.GITHUB_TOKEN }}@github.com/acme/x", &[]),
            ("git config user.email ci@github.com && ./tool https://x ${{ secrets.OTHER }}", &[]),
            (
                "cat > ~/.terraformrc <<EOF\ntoken = \"${{ secrets.T }}\"\nEOF",
                &["terraform-cloud-token .terraformrc <- secrets.T"],
            ),
            ("echo \"${{ inputs.password }}\" | docker login -u x --password-stdin", &[]),
        ],
    );
}

#[test]
fn dummies_and_words_about_commands_are_no_credentials() {
    let run = |script: &str| steps(&format!("run: |\n{}", indented(script, 2)));
    check(
        ".github/workflows/w.yml",
        run,
        &[
            ("aws configure set aws_access_key_id dummy\naws configure set aws_secret_access_key dummy", &[]),
            ("docker login -u test -p test localhost:5000", &[]),
            ("docker login -u test --password=test localhost:5000", &[]),
            ("vault login root", &[]),
            ("kubectl config set-credentials admin --token=faketoken", &[]),
            ("docker login --help", &[]),
            ("grep -r \"docker login\" docs/ || true", &[]),
            (
                "docker login -u acme -p dckr_pat_q3Zt0Yw8LrV5mXcB1nHd7KfGs2P",
                &["docker-hub-password docker login <- literal dckr_pat_… (36 characters)"],
            ),
            (
                "ssh host \"docker login -u x -p $PASS\"",
                &["docker-hub-password? docker login <- not in the file"],
            ),
            ("docker login registry.acme.example", &["registry-password? docker login <- not in the file"]),
        ],
    );
}

#[test]
fn a_registry_of_aws_takes_a_key_for_user_and_password() {
    let login = |registry: &str| {
        format!(
            "uses: docker/login-action@v3\nwith: {{registry: {registry}, username: '${{{{ secrets.U }}}}', password: '${{{{ secrets.P }}}}'}}"
        )
    };
    check(
        ".github/workflows/w.yml",
        |registry| steps(&login(registry)),
        &[
            (
                "1.dkr.ecr.eu-west-1.amazonaws.com",
                &["aws-access-key docker/login-action: password, username <- secrets.P, secrets.U"],
            ),
            ("quay.io", &["registry-password docker/login-action: password <- secrets.P"]),
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
