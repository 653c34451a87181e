// Package aws signs requests by AWS Signature Version 4, with the signer of the AWS SDK: for
// services and API gateways that are spoken to without their SDK.
//
//	auth, err := aws.New(credentials, "execute-api", "eu-central-1")
//	r, err := s.Get(ctx, url, requests.Authenticate(auth))
//
// Credentials are any of the SDK's providers: config.LoadDefaultConfig finds those of the environment,
// and its Credentials field is one. A signature holds for one URL: a redirect is refused by AWS.
package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/mountable/requests"
)

// Option configures an Auth.
type Option func(*Auth)

// UnsignedPayload leaves bodies out of the signature where they cannot be read twice. It is
// for https only, and few services but S3 take it.
func UnsignedPayload() Option { return func(a *Auth) { a.unsigned = true } }

// Clock says what time it is; time.Now by default.
func Clock(now func() time.Time) Option { return func(a *Auth) { a.now = now } }

// Auth signs requests. It is safe for concurrent use.
type Auth struct {
	credentials     aws.CredentialsProvider
	service, region string
	unsigned        bool
	now             func() time.Time
	signer          *v4.Signer
}

// New returns an Auth for a service, by the name that its signatures have ("s3", "execute-api"),
// in a region. No credentials, service or region is [requests.ErrInvalidArgument].
func New(credentials aws.CredentialsProvider, service, region string, options ...Option) (*Auth, error) {
	if credentials == nil || service == "" || region == "" {
		return nil, fail(requests.ErrInvalidArgument, nil, "expected credentials, a service and a region, got %q in %q", service, region)
	}
	a := &Auth{credentials: credentials, service: service, region: region, now: time.Now}
	for _, o := range options {
		o(a)
	}
	a.signer = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = a.isS3() })
	return a, nil
}

func fail(kind requests.Kind, cause error, format string, args ...any) error {
	return &requests.Error{Kind: kind, Err: cause, Detail: "aws: " + fmt.Sprintf(format, args...)}
}

// isS3 reports whether the service signs paths as they are, and wants to be told the digest of
// the body.
func (a *Auth) isS3() bool { return a.service == "s3" || strings.HasPrefix(a.service, "s3-") }

// Format writes the service and the region.
func (a Auth) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.shown()) }

// LogValue returns what Format writes.
func (a Auth) LogValue() slog.Value { return slog.StringValue(a.shown()) }

func (a Auth) shown() string { return "<aws.Auth [" + a.service + " in " + a.region + "]>" }

// Authenticate implements [requests.Auth]. Credentials that cannot be had are
// [requests.ErrRequest], with the provider's error; a body that cannot be read twice is
// [requests.ErrUnrewindableBody], unless UnsignedPayload leaves it out. A Host field of the caller's
// loses the default port, which AWS has no signature for.
func (a *Auth) Authenticate(p *requests.PreparedRequest) error {
	ctx := context.Background() // an Auth is not given the call's
	credentials, err := a.credentials.Retrieve(ctx)
	if err != nil {
		return fail(requests.ErrRequest, err, "the credentials cannot be had")
	}
	payload, err := a.payload(p)
	if err != nil {
		return err
	}
	if a.isS3() {
		p.Headers.Set("X-Amz-Content-Sha256", payload)
	}
	req, err := a.signable(p)
	if err != nil {
		return err
	}
	if err := a.signer.SignHTTP(ctx, credentials, req, payload, a.service, a.region, a.now().UTC()); err != nil {
		return fail(requests.ErrInvalidArgument, err, "the request cannot be signed")
	}
	for _, name := range []string{"X-Amz-Date", "X-Amz-Security-Token", "Authorization"} {
		if value := req.Header.Get(name); value != "" {
			p.Headers.Set(name, value)
		}
	}
	return nil
}

// payload is the digest of the body.
func (a *Auth) payload(p *requests.PreparedRequest) (string, error) {
	body, inMemory := p.Body()
	switch {
	case inMemory:
		sum := sha256.Sum256(body)
		return hex.EncodeToString(sum[:]), nil
	case p.Replayable():
		return digest(p)
	case !a.unsigned:
		return "", fail(requests.ErrUnrewindableBody, nil, "the body cannot be read to be signed and then be sent: see UnsignedPayload")
	case !strings.HasPrefix(p.URL, "https:"):
		return "", fail(requests.ErrInvalidArgument, nil, "UnsignedPayload is for https, and this is %s", p.Origin())
	}
	return "UNSIGNED-PAYLOAD", nil
}

// digest reads a stream and brings it back to its beginning.
func digest(p *requests.PreparedRequest) (string, error) {
	h, r := sha256.New(), p.OpenBody()
	_, err := io.Copy(h, r)
	_ = r.Close()
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), p.Rewind()
}
