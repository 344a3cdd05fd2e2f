package controlplane

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"time"
)

// bucket is a bucket of a stack.
type bucket struct {
	region  string
	objects map[string]object
}

type object struct {
	content  []byte
	metadata http.Header // X-Amz-Meta-… and Content-Type
	modified time.Time
}

// Objects returns the contents of the objects in a bucket, by their keys.
func (s *Server) Objects(bucketName string) map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string][]byte{}
	if b, ok := s.buckets[bucketName]; ok {
		for name, o := range b.objects {
			found[name] = o.content
		}
	}
	return found
}

var (
	noSuchBucket = apiError{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"}
	noSuchKey    = apiError{http.StatusNotFound, "NoSuchKey", "The specified key does not exist."}
)

func (s *Server) s3(w http.ResponseWriter, c call) {
	name, objectKey, _ := strings.Cut(strings.TrimPrefix(c.URL.Path, "/"), "/")
	err := error(noSuchBucket)
	if b, ok := s.buckets[name]; ok {
		w.Header().Set("X-Amz-Bucket-Region", b.region)
		if objectKey == "" {
			err = s.onBucket(w, c, name, b)
		} else {
			err = s.onObject(w, c, b, objectKey)
		}
	}
	if err != nil {
		failed := asAPIError(err)
		writeXML(w, failed.status, s3Error{Code: failed.code, Message: failed.message})
	}
}

type s3Error struct {
	XMLName       xml.Name `xml:"Error"`
	Code, Message string
}

func (s *Server) onBucket(w http.ResponseWriter, c call, name string, b *bucket) error {
	query := c.URL.Query()
	switch {
	case c.Method == http.MethodHead:
		return nil
	case c.Method == http.MethodGet && query.Get("list-type") == "2":
		writeXML(w, http.StatusOK, b.list(name, query.Get("prefix")))
		return nil
	case c.Method == http.MethodPost && query.Has("delete"):
		return b.remove(w, c.body)
	}
	return s.doesNotKnow(c, "")
}

func (s *Server) onObject(w http.ResponseWriter, c call, b *bucket, name string) error {
	switch {
	case c.Method == http.MethodPut && c.URL.Query().Get("x-id") == "PutObject":
		return b.put(c, name)
	case c.Method == http.MethodGet, c.Method == http.MethodHead:
		return b.get(w, name)
	}
	return s.doesNotKnow(c, "")
}

func (b *bucket) put(c call, name string) error {
	content := c.body
	if strings.HasPrefix(c.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		var err error
		// A checksum follows the last chunk; TCP makes it unnecessary here.
		if content, err = io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(c.body))); err != nil {
			return apiError{http.StatusBadRequest, "IncompleteBody", err.Error()}
		}
		if want := c.Header.Get("X-Amz-Decoded-Content-Length"); want != fmt.Sprint(len(content)) {
			return apiError{http.StatusBadRequest, "IncompleteBody", fmt.Sprintf("%d bytes, not %s", len(content), want)}
		}
	}
	metadata := http.Header{}
	for name, values := range c.Header {
		if strings.HasPrefix(name, "X-Amz-Meta-") || name == "Content-Type" {
			metadata[name] = values
		}
	}
	b.objects[name] = object{content, metadata, now()}
	return nil
}

func (b *bucket) get(w http.ResponseWriter, name string) error {
	o, ok := b.objects[name]
	if !ok {
		return noSuchKey
	}
	maps.Copy(w.Header(), o.metadata)
	w.Header().Set("Last-Modified", o.modified.Format(http.TimeFormat))
	w.Header().Set("Content-Length", fmt.Sprint(len(o.content)))
	_, _ = w.Write(o.content)
	return nil
}

type listing struct {
	XMLName      xml.Name `xml:"ListBucketResult"`
	Name, Prefix string
	KeyCount     int
	IsTruncated  bool
	Contents     []listed
}

type listed struct {
	Key          string
	LastModified time.Time
	Size         int
}

func (b *bucket) list(name, prefix string) listing {
	l := listing{Name: name, Prefix: prefix}
	for _, objectKey := range slices.Sorted(maps.Keys(b.objects)) {
		if o := b.objects[objectKey]; strings.HasPrefix(objectKey, prefix) {
			l.Contents = append(l.Contents, listed{objectKey, o.modified, len(o.content)})
		}
	}
	l.KeyCount = len(l.Contents)
	return l
}

// remove is DeleteObjects. An object that does not exist counts as deleted.
func (b *bucket) remove(w http.ResponseWriter, body []byte) error {
	var request struct{ Object []struct{ Key string } }
	if err := xml.Unmarshal(body, &request); err != nil {
		return apiError{http.StatusBadRequest, "MalformedXML", err.Error()}
	}
	type deleted struct {
		XMLName xml.Name `xml:"DeleteResult"`
		Deleted []struct{ Key string }
	}
	var result deleted
	for _, o := range request.Object {
		delete(b.objects, o.Key)
		result.Deleted = append(result.Deleted, o)
	}
	writeXML(w, http.StatusOK, result)
	return nil
}
