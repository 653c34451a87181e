package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// bucket is a corner of S3: objects, ranges, lists and uploads in parts.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	failed  bool // one request has been refused, to be tried again
}

func newBucket() http.Handler { return &bucket{objects: map[string][]byte{}} }

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := content(r)
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	name, query := strings.TrimPrefix(r.URL.Path, "/box/"), r.URL.Query()
	switch {
	case r.Method == "GET" && query.Has("location"):
		io.WriteString(w, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`)
	case r.Method == "GET" && query.Has("list-type"):
		b.list(w)
	case r.Method == "POST" && query.Has("uploads"):
		fmt.Fprintf(w, "<InitiateMultipartUploadResult><Bucket>box</Bucket><Key>%s</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>", name)
	case r.Method == "PUT" && !b.failed:
		b.failed = true
		w.WriteHeader(503)
		io.WriteString(w, "<Error><Code>SlowDown</Code></Error>")
	case r.Method == "PUT" && query.Has("partNumber"):
		b.put(w, fmt.Sprintf("%s#%05s", name, query.Get("partNumber")), body)
	case r.Method == "POST" && query.Has("uploadId"):
		b.join(w, name)
	case r.Method == "PUT":
		b.put(w, name, body)
	case r.Method == "DELETE":
		delete(b.objects, name)
		w.WriteHeader(204)
	default:
		b.get(w, r, name)
	}
}

func (b *bucket) put(w http.ResponseWriter, name string, body []byte) {
	sum := md5.Sum(body)
	b.objects[name] = body
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
}

func (b *bucket) join(w http.ResponseWriter, name string) {
	var parts []string
	for key := range b.objects {
		if strings.HasPrefix(key, name+"#") {
			parts = append(parts, key)
		}
	}
	slices.Sort(parts)
	var whole []byte
	for _, key := range parts {
		whole = append(whole, b.objects[key]...)
		delete(b.objects, key)
	}
	b.objects[name] = whole
	fmt.Fprintf(w, `<CompleteMultipartUploadResult><Bucket>box</Bucket><Key>%s</Key><ETag>"x-2"</ETag></CompleteMultipartUploadResult>`, name)
}

func (b *bucket) list(w http.ResponseWriter) {
	type entry struct {
		Key  string
		Size int
	}
	out := struct {
		XMLName     xml.Name `xml:"ListBucketResult"`
		Name        string
		IsTruncated bool
		Contents    []entry
	}{Name: "box"}
	for name, data := range b.objects {
		out.Contents = append(out.Contents, entry{name, len(data)})
	}
	slices.SortFunc(out.Contents, func(a, b entry) int { return strings.Compare(a.Key, b.Key) })
	_ = xml.NewEncoder(w).Encode(out)
}

func (b *bucket) get(w http.ResponseWriter, r *http.Request, name string) {
	data, ok := b.objects[name]
	if !ok {
		w.WriteHeader(404)
		if r.Method != "HEAD" {
			io.WriteString(w, "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
		}
		return
	}
	w.Header().Set("ETag", `"etag"`)
	http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(data))
}

// content is the body, out of the chunks in which SDKs sign it.
func content(r *http.Request) ([]byte, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return io.ReadAll(r.Body)
	}
	var whole []byte
	in := bufio.NewReader(r.Body)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(size, 16, 64)
		if err != nil || n == 0 {
			_, _ = io.Copy(io.Discard, in)
			return whole, err
		}
		part := make([]byte, n+2)
		if _, err := io.ReadFull(in, part); err != nil {
			return nil, err
		}
		whole = append(whole, part[:n]...)
	}
}

const objectSize = 300 << 10

// TestMinio puts, gets, lists and removes objects, in one piece, in parts, and from a
// reader of unknown length.
func TestMinio(t *testing.T) {
	for _, protocol := range []string{"h1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			sameOver(t, protocol, newBucket, func(t *testing.T, rt http.RoundTripper, base string) any {
				u := must(url.Parse(base))(t)
				client := must(minio.New(u.Host, &minio.Options{
					Creds: credentials.NewStaticV4("key", "secret", ""), Secure: u.Scheme == "https", Transport: rt, Region: "us-east-1", BucketLookup: minio.BucketLookupPath,
				}))(t)
				ctx, data := limited(t), bytes.Repeat([]byte("0123456789"), objectSize/10)
				info, err := client.PutObject(ctx, "box", "parts", bytes.NewReader(make([]byte, 11<<20)), 11<<20, minio.PutObjectOptions{PartSize: 5 << 20})
				out := []string{fmt.Sprint("parts", info.Size, err)} // after one try in vain
				info, err = client.PutObject(ctx, "box", "known", io.MultiReader(bytes.NewReader(data)), int64(len(data)), minio.PutObjectOptions{})
				out = append(out, fmt.Sprint("known", info.Size, err))
				info, err = client.PutObject(ctx, "box", "unknown", io.MultiReader(bytes.NewReader(data)), -1, minio.PutObjectOptions{PartSize: 5 << 20})
				out = append(out, fmt.Sprint("unknown", info.Size, err))
				stat, err := client.StatObject(ctx, "box", "parts", minio.StatObjectOptions{})
				out = append(out, fmt.Sprint("stat", stat.Size, stat.ETag, err))
				object := must(client.GetObject(ctx, "box", "known", minio.GetObjectOptions{}))(t)
				_, err = object.Seek(10, io.SeekStart)
				piece := make([]byte, 20)
				n, err2 := io.ReadFull(object, piece)
				out = append(out, fmt.Sprintf("range %s %d %v %v", piece, n, err, err2))
				object.Close()
				for listed := range client.ListObjects(ctx, "box", minio.ListObjectsOptions{Recursive: true}) {
					out = append(out, fmt.Sprint("listed ", listed.Key, listed.Size, listed.Err))
				}
				err = client.RemoveObject(ctx, "box", "known", minio.RemoveObjectOptions{})
				_, missing := client.StatObject(ctx, "box", "known", minio.StatObjectOptions{})
				return append(out, fmt.Sprint(err, minio.ToErrorResponse(missing).Code))
			})
		})
	}
}

// TestS3 is the same with the SDK of AWS.
func TestS3(t *testing.T) {
	for _, protocol := range []string{"h1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			sameOver(t, protocol, newBucket, func(t *testing.T, rt http.RoundTripper, base string) any {
				client := s3.New(s3.Options{
					Region: "us-east-1", BaseEndpoint: aws.String(base), UsePathStyle: true, HTTPClient: &http.Client{Transport: rt},
					Credentials: awscredentials.NewStaticCredentialsProvider("key", "secret", ""),
					Retryer:     retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond }),
				})
				ctx, data := limited(t), bytes.Repeat([]byte("0123456789"), objectSize/10)
				box, name := aws.String("box"), aws.String("a b+ü.txt")
				_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: box, Key: name, Body: bytes.NewReader(data)})
				out := []string{fmt.Sprint("put ", err)}
				head := must(client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: box, Key: name}))(t)
				out = append(out, fmt.Sprint("head ", aws.ToInt64(head.ContentLength), aws.ToString(head.ETag)))
				part := must(client.GetObject(ctx, &s3.GetObjectInput{Bucket: box, Key: name, Range: aws.String("bytes=5-14")}))(t)
				text, err := io.ReadAll(part.Body)
				part.Body.Close()
				out = append(out, fmt.Sprintf("part %s %v", text, err))
				list := must(client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: box}))(t)
				for _, o := range list.Contents {
					out = append(out, fmt.Sprint("listed ", aws.ToString(o.Key), aws.ToInt64(o.Size)))
				}
				_, err = client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: box, Key: name})
				_, missing := client.GetObject(ctx, &s3.GetObjectInput{Bucket: box, Key: name})
				_, isMissing := errors.AsType[*types.NoSuchKey](missing)
				canceled, cancel := context.WithCancel(ctx)
				cancel()
				_, err2 := client.GetObject(canceled, &s3.GetObjectInput{Bucket: box, Key: name})
				return append(out, fmt.Sprint("deleted ", err, isMissing, errors.Is(err2, context.Canceled)))
			})
		})
	}
}
