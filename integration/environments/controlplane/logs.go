package controlplane

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// stream is a stream of a log group.
type stream struct {
	name   string
	events []logEvent
}

type logEvent struct {
	LogStreamName string `json:"logStreamName"`
	Timestamp     int64  `json:"timestamp"` // in milliseconds
	Message       string `json:"message"`
}

// Log writes a line to a stream of a log group, like a running function.
func (s *Server) Log(region, group, streamName, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	streams := s.streams[key{region, group}]
	i := slices.IndexFunc(streams, func(st stream) bool { return st.name == streamName })
	if i < 0 {
		i = len(streams)
		streams = append(streams, stream{name: streamName})
	}
	streams[i].events = append(streams[i].events, logEvent{streamName, now().UnixMilli(), message})
	s.streams[key{region, group}] = streams
}

func (s *Server) logs(c call) (any, error) {
	var request struct {
		LogGroupName   string
		LogStreamNames []string
		StartTime      int64
	}
	if err := json.Unmarshal(c.body, &request); err != nil {
		return nil, apiError{http.StatusBadRequest, "InvalidParameterException", err.Error()}
	}
	streams, ok := s.streams[key{c.region, request.LogGroupName}]
	if !ok {
		return nil, apiError{http.StatusBadRequest, "ResourceNotFoundException", "The specified log group does not exist."}
	}
	switch operation := strings.TrimPrefix(c.Header.Get("X-Amz-Target"), "Logs_20140328."); operation {
	case "DescribeLogStreams":
		names := []map[string]string{}
		for _, st := range streams {
			names = append(names, map[string]string{"logStreamName": st.name})
		}
		return map[string]any{"logStreams": names}, nil
	case "FilterLogEvents":
		return map[string]any{"events": eventsOf(streams, request.LogStreamNames, request.StartTime)}, nil
	default:
		return nil, s.doesNotKnow(c, operation)
	}
}

func eventsOf(streams []stream, names []string, since int64) []logEvent {
	found := []logEvent{}
	for _, st := range streams {
		for _, e := range st.events {
			if slices.Contains(names, st.name) && e.Timestamp >= since {
				found = append(found, e)
			}
		}
	}
	return found
}

// ecr has no repositories: the functions are zips.
func (s *Server) ecr(c call) (any, error) {
	_, operation, _ := strings.Cut(c.Header.Get("X-Amz-Target"), ".")
	if operation != "DescribeRepositories" {
		return nil, s.doesNotKnow(c, operation)
	}
	return nil, apiError{http.StatusBadRequest, "RepositoryNotFoundException", "The repository does not exist in the registry."}
}
