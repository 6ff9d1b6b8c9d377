// Package clients holds the AWS SDK for Go v2 against daypass.
package clients

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// job is a CI job of one test: a home of its own, and a token in a file.
type job struct {
	t         *testing.T
	tokenFile string
}

// enter makes the test a job: nothing is set of what the SDK reads but what a job sets.
func enter(t *testing.T, token string) *job {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	home := t.TempDir()
	j := &job{t: t, tokenFile: filepath.Join(home, "token")}
	j.rewrite(token)
	t.Setenv("HOME", home)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ENDPOINT_URL_STS", os.Getenv("DAYPASS_SERVER"))
	return j
}

// rewrite puts another token into the file, as a platform does that renews it.
func (j *job) rewrite(token string) {
	j.t.Helper()
	if err := os.WriteFile(j.tokenFile, []byte(token), 0o600); err != nil {
		j.t.Fatal(err)
	}
}

// config is what the SDK makes of the environment, with one attempt for each request.
func (j *job) config() aws.Config {
	j.t.Helper()
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRetryMaxAttempts(1))
	if err != nil {
		j.t.Fatal(err)
	}
	return cfg
}

// role is the ARN of a role.
func role(name string) string {
	return "arn:aws:iam::" + os.Getenv("DAYPASS_ACCOUNT") + ":role/" + name
}

// mint makes a token of a job; without arguments that of acme/app's push to main.
func mint(t *testing.T, more ...string) string {
	t.Helper()
	arguments := append([]string{"token", "mint", "--platform", "github-actions"}, more...)
	token, err := exec.Command(os.Getenv("DAYPASS_BIN"), arguments...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(token))
}
