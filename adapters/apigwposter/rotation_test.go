package apigwposter_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// rotating returns different keys at each call, valid for a millisecond.
type rotating struct{ calls atomic.Int64 }

func (r *rotating) Retrieve(context.Context) (aws.Credentials, error) {
	n := r.calls.Add(1)
	return aws.Credentials{
		AccessKeyID: fmt.Sprintf("AKID%d", n), SecretAccessKey: "SECRET", SessionToken: fmt.Sprintf("SESSION%d", n),
		CanExpire: true, Expires: time.Now().Add(time.Millisecond),
	}, nil
}

// TestCredentialsRotate while posts are in flight. None may combine the key of one set
// with the token of another.
func TestCredentialsRotate(t *testing.T) {
	s := newServer(t, false, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, after, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=AKID")
		number, _, _ := strings.Cut(after, "/")
		if token := r.Header.Get("X-Amz-Security-Token"); number == "" || token != "SESSION"+number {
			t.Errorf("key %q with token %q", number, token)
		}
	})
	keys := new(rotating)
	poster := apigwposter.New(aws.Config{Region: "ap-northeast-2", Credentials: keys, HTTPClient: s.client},
		s.endpoint, apigwposter.Options{Timeout: 20 * time.Second})
	var posts errgroup.Group
	posts.SetLimit(8)
	for range 1000 {
		posts.Go(func() error { return post(t.Context(), t, poster) })
	}
	if err := posts.Wait(); err != nil {
		t.Error(err)
	}
	if keys.calls.Load() < 2 {
		t.Error("the keys never changed")
	}
}

// TestEachPostGetsItsOwnAnswer posts over few connections to many ids, every other one of
// which is gone.
func TestEachPostGetsItsOwnAnswer(t *testing.T) {
	s := newServer(t, false, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		w.Header().Set("X-Amzn-RequestId", "of-"+id+".")
		if strings.HasPrefix(id, "gone") {
			w.WriteHeader(http.StatusGone)
		}
	})
	send, err := s.poster(apigwposter.Options{Timeout: 20 * time.Second, InFlight: 8}).Prepare([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	var posts errgroup.Group
	posts.SetLimit(32)
	for i := range 1000 {
		posts.Go(func() error {
			if err := send(t.Context(), domain.ConnectionID(fmt.Sprint("here", i))); err != nil {
				return err
			}
			err := send(t.Context(), domain.ConnectionID(fmt.Sprint("gone", i)))
			if !errors.Is(err, ports.ErrGone) || !strings.Contains(err.Error(), fmt.Sprintf("of-gone%d.", i)) {
				return fmt.Errorf("gone%d got %w", i, err)
			}
			return nil
		})
	}
	if err := posts.Wait(); err != nil {
		t.Error(err)
	}
}
