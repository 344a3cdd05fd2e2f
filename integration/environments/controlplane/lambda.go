package controlplane

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"
)

// function is a Lambda function of a stack.
type function struct {
	name       string
	code       []byte
	properties map[string]any // from the template, with later changes
	modified   time.Time
}

// Code returns the zip that a function would run, and whether there is one.
func (s *Server) Code(region, name string) (zip []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.functions[key{region, name}]
	if !ok {
		return nil, false
	}
	return f.code, true
}

func (s *Server) lambda(c call) (any, error) {
	name, operation, _ := strings.Cut(strings.TrimPrefix(c.URL.Path, "/2015-03-31/functions/"), "/")
	f, ok := s.functions[key{c.region, name}]
	if !ok {
		return nil, apiError{http.StatusNotFound, "ResourceNotFoundException", "Function not found: " + name}
	}
	switch c.Method + " " + operation {
	case "GET ":
		return map[string]any{"Configuration": f.configuration()}, nil
	case "PUT code":
		return f.updateCode(c.body)
	case "PUT configuration":
		return f.updateConfiguration(c.body)
	}
	return nil, s.doesNotKnow(c, operation)
}

// configuration is Lambda's description of the function.
func (f *function) configuration() map[string]any {
	configuration := maps.Clone(f.properties)
	for _, other := range []string{"Code", "Tags", "RecursiveLoop"} {
		delete(configuration, other)
	}
	sum := sha256.Sum256(f.code)
	maps.Copy(configuration, map[string]any{
		"FunctionName": f.name, "PackageType": "Zip",
		"State": "Active", "LastUpdateStatus": "Successful",
		"LastModified": f.modified.Format("2006-01-02T15:04:05.000+0000"),
		"CodeSha256":   base64.StdEncoding.EncodeToString(sum[:]), "CodeSize": len(f.code),
	})
	return configuration
}

func (f *function) updateCode(body []byte) (any, error) {
	var request struct{ ZipFile []byte }
	if err := json.Unmarshal(body, &request); err != nil || len(request.ZipFile) == 0 {
		return nil, apiError{http.StatusBadRequest, "InvalidParameterValueException", "Please provide a source for function code."}
	}
	f.code, f.modified = request.ZipFile, now()
	return f.configuration(), nil
}

func (f *function) updateConfiguration(body []byte) (any, error) {
	var request map[string]any
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, apiError{http.StatusBadRequest, "InvalidParameterValueException", err.Error()}
	}
	f.properties = maps.Clone(f.properties)
	maps.Copy(f.properties, request)
	f.modified = now()
	return f.configuration(), nil
}
