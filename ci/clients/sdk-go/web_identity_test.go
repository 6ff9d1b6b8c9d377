package clients

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// provider exchanges the job's token as programs do that name the role themselves.
func (j *job) provider(session string) *stscreds.WebIdentityRoleProvider {
	client := sts.NewFromConfig(j.config())
	file := stscreds.IdentityTokenFile(j.tokenFile)
	return stscreds.NewWebIdentityRoleProvider(client, role("deploy-staging"), file, func(o *stscreds.WebIdentityRoleOptions) {
		o.RoleSessionName = session
	})
}

// arn is who a configuration is, as the service sees it.
func arn(t *testing.T, cfg aws.Config) string {
	t.Helper()
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(identity.Arn)
}

func TestWebIdentity(t *testing.T) {
	ctx := context.Background()

	t.Run("a token file becomes a session", func(t *testing.T) {
		j := enter(t, mint(t))
		credentials, err := j.provider("run-1").Retrieve(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(credentials.AccessKeyID, "ASIA") || credentials.SessionToken == "" {
			t.Errorf("these are no keys of a session: %s", credentials.AccessKeyID)
		}
		if left := time.Until(credentials.Expires); !credentials.CanExpire || left <= 59*time.Minute || left > time.Hour {
			t.Errorf("the session lasts %s", left)
		}
		if credentials.AccountID != "123456789012" {
			t.Errorf("the account is %q", credentials.AccountID)
		}
	})

	t.Run("the session is who it says", func(t *testing.T) {
		j := enter(t, mint(t))
		cfg := j.config()
		cfg.Credentials = aws.NewCredentialsCache(j.provider("run-2"))
		if got := arn(t, cfg); got != "arn:aws:sts::123456789012:assumed-role/deploy-staging/run-2" {
			t.Errorf("it is %s", got)
		}
	})

	t.Run("the environment alone is enough", func(t *testing.T) {
		j := enter(t, mint(t))
		t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", j.tokenFile)
		t.Setenv("AWS_ROLE_ARN", role("deploy-staging"))
		t.Setenv("AWS_ROLE_SESSION_NAME", "run-3")
		if got := arn(t, j.config()); !strings.HasSuffix(got, ":assumed-role/deploy-staging/run-3") {
			t.Errorf("it is %s", got)
		}
	})

	t.Run("a session name of the client's own is taken", func(t *testing.T) {
		j := enter(t, mint(t))
		cfg := j.config()
		cfg.Credentials = aws.NewCredentialsCache(j.provider(""))
		if got := arn(t, cfg); !strings.Contains(got, ":assumed-role/deploy-staging/") {
			t.Errorf("it is %s", got)
		}
	})

	t.Run("a session that is about to end is refreshed with the token that lies there then", func(t *testing.T) {
		j := enter(t, mint(t, "--claim", "run_id=1"))
		// With a window as long as the session, every look at the cache is one too late.
		cache := aws.NewCredentialsCache(j.provider("run-4"), func(o *aws.CredentialsCacheOptions) {
			o.ExpiryWindow = time.Hour
		})
		first, err := cache.Retrieve(ctx)
		if err != nil {
			t.Fatal(err)
		}
		j.rewrite(mint(t, "--claim", "run_id=2"))
		second, err := cache.Retrieve(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if first.AccessKeyID == second.AccessKeyID {
			t.Error("the session was not refreshed")
		}
	})

	t.Run("a session is kept while it is good", func(t *testing.T) {
		j := enter(t, mint(t))
		cache := aws.NewCredentialsCache(j.provider("run-5"))
		first, err := cache.Retrieve(ctx)
		if err != nil {
			t.Fatal(err)
		}
		j.rewrite("no token any more")
		second, err := cache.Retrieve(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if first.AccessKeyID != second.AccessKeyID {
			t.Error("the session was not kept")
		}
	})
}
