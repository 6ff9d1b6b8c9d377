package clients

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

// assume presents a token.
func (j *job) assume(token string, change func(*sts.AssumeRoleWithWebIdentityInput)) error {
	input := &sts.AssumeRoleWithWebIdentityInput{
		RoleArn:          aws.String(role("deploy-staging")),
		RoleSessionName:  aws.String("run-1"),
		WebIdentityToken: aws.String(token),
	}
	if change != nil {
		change(input)
	}
	_, err := sts.NewFromConfig(j.config()).AssumeRoleWithWebIdentity(context.Background(), input)
	return err
}

// is tells whether an error is of a type of the SDK.
func is[T error](err error) bool {
	var typed T
	return errors.As(err, &typed)
}

func TestRefusals(t *testing.T) {
	refusals := []struct {
		what   string
		minted []string
		change func(*sts.AssumeRoleWithWebIdentityInput)
		is     func(error) bool
	}{
		{what: "an expired token", minted: []string{"--lifetime", "-10m"}, is: is[*types.ExpiredTokenException]},
		{what: "a forged signature", minted: []string{"--key", "rogue"}, is: is[*types.InvalidIdentityTokenException]},
		{
			what:   "another audience",
			minted: []string{"--audience", "https://elsewhere.example"},
			is:     is[*types.InvalidIdentityTokenException],
		},
		{
			what:   "a policy that is none",
			change: func(input *sts.AssumeRoleWithWebIdentityInput) { input.Policy = aws.String("{x") },
			is:     is[*types.MalformedPolicyDocumentException],
		},
		{
			what:   "policies that are too large",
			change: func(input *sts.AssumeRoleWithWebIdentityInput) { input.PolicyArns = manyPolicies() },
			is:     is[*types.PackedPolicyTooLargeException],
		},
		{what: "another branch", minted: []string{"--claim", "ref=refs/heads/dev"}, is: code("AccessDenied")},
		{
			what:   "a session too long",
			change: func(input *sts.AssumeRoleWithWebIdentityInput) { input.DurationSeconds = aws.Int32(7200) },
			is:     code("ValidationError"),
		},
	}
	for _, refusal := range refusals {
		t.Run(refusal.what, func(t *testing.T) {
			token := mint(t, refusal.minted...)
			err := enter(t, token).assume(token, refusal.change)
			if !refusal.is(err) {
				t.Fatalf("it is %v", err)
			}
			if strings.Contains(err.Error(), token) {
				t.Error("the token stands in the error")
			}
		})
	}
}

func TestProvider(t *testing.T) {
	t.Run("the provider passes the reason on", func(t *testing.T) {
		j := enter(t, mint(t, "--lifetime", "-10m"))
		_, err := j.provider("run-1").Retrieve(context.Background())
		if !is[*types.ExpiredTokenException](err) {
			t.Fatalf("it is %v", err)
		}
	})
}

// code tells whether an error has a code for which the SDK has no type.
func code(wanted string) func(error) bool {
	return func(err error) bool {
		var api smithy.APIError
		return errors.As(err, &api) && api.ErrorCode() == wanted && api.ErrorFault() == smithy.FaultUnknown
	}
}

func manyPolicies() []types.PolicyDescriptorType {
	policies := make([]types.PolicyDescriptorType, 7)
	for i := range policies {
		name := strings.Repeat("p", 300) + string(rune('a'+i))
		policies[i].Arn = aws.String("arn:aws:iam::123456789012:policy/" + name)
	}
	return policies
}
