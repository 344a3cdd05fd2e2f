package main

import (
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"time"

	"serverless-websocket/adapters/diskstore"
	"serverless-websocket/adapters/memlog"
	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/domain"
	"serverless-websocket/functions/app"
)

// spareDays is for how many days more than it keeps messages the store can have files.
const spareDays = 3

// retention is how long messages are kept.
func (s settings) retention() time.Duration { return time.Duration(s.historyDays) * 24 * time.Hour }

// dataFiles is how many files the store has open.
func (s settings) dataFiles() int {
	if s.data == "" {
		return 0
	}
	return s.historyDays + spareDays
}

// directory is -data as a path that is the same wherever it is read.
func (s settings) directory() string {
	if path, err := filepath.Abs(s.data); err == nil {
		return path
	}
	return s.data
}

// unusable says what to do when the directory cannot be used.
func (s settings) unusable(err error) error {
	memory := "-data=''"
	if s.underMake {
		memory = underMake(memory)
	}
	return fmt.Errorf("%w; choose another directory with -data or %s, or keep messages in memory alone, with %s",
		err, envName("data"), memory)
}

// openDisk opens the store of -data, if it is set.
func (v *service) openDisk() error {
	s := v.settings
	if s.left != "" {
		v.leave(s.left)
	}
	if s.data == "" {
		return nil
	}
	if s.historyDays == 0 {
		return errors.New("-data needs -history-days above 0: what is on disk is for clients that resume")
	}
	var err error
	if v.disk, err = diskstore.Open(s.directory(), diskstore.Options{Retention: s.retention(), Log: v.log}); err != nil {
		return s.unusable(err)
	}
	return nil
}

// leave ends the log of the directory, if there is one: it will not have the messages that
// this run does not keep. One that another service uses is not this service's.
func (v *service) leave(dir string) {
	switch left, err := diskstore.Leave(dir); {
	case left:
		v.log.Info("history is off: the log on disk will go on under a new name", "directory", dir)
	case err != nil && !errors.Is(err, diskstore.ErrInUse):
		v.log.Warn("history is off, and the log on disk cannot be told", "directory", dir, "error", err)
	}
}

// tellFound logs what was on disk at the start, and for how many days messages are kept.
func (v *service) tellFound() {
	if v.disk == nil {
		return
	}
	found := v.disk.Found()
	attributes := []any{"directory", v.settings.directory(), "messages", found.Messages, "jobs", found.Jobs, "days", v.settings.historyDays}
	if found.Messages > 0 {
		attributes = append(attributes, "since", found.Since.UTC().Format(time.RFC3339))
	}
	v.log.Info("messages are kept on disk", attributes...)
}

// closeDisk comes after all else.
func (v *service) closeDisk() error {
	if v.disk == nil {
		return nil
	}
	return v.disk.Close()
}

// keepHistory gives the service the log of messages. What a broadcast leaves untried goes
// to the jobs if these are on disk: some of it may not be in the log yet.
func (v *service) keepHistory(service *app.Service) {
	if v.disk != nil {
		service.History, service.Conversations, service.Parts = v.disk, v.disk.Conversations(), v.jobs
	} else if s := v.settings; s.historyDays > 0 {
		log := memlog.New(memlog.Options{Retention: s.retention(), MaxBytes: s.historyBytes})
		service.History, service.Conversations = log, log.Conversations()
	}
}

// readableJobs is a journal that leaves jobs on disk that this version cannot read, such as
// those of a later one. That one finds them when it is started again.
type readableJobs struct {
	diskstore.Journal
	queue string
	log   *slog.Logger
}

// Kept has the jobs that can be read. The others are logged, at each start.
func (j readableJobs) Kept() iter.Seq2[uint64, string] {
	return func(yield func(uint64, string) bool) {
		unread, reason := 0, error(nil)
		for key, body := range j.Journal.Kept() {
			if _, err := domain.DecodeJob(body); err != nil {
				unread, reason = unread+1, err
			} else if !yield(key, body) {
				return
			}
		}
		if unread > 0 {
			j.log.Error("jobs on disk cannot be read by this version; they stay there for one that can",
				"queue", j.queue, "jobs", unread, "error", reason)
		}
	}
}

// newJobs returns a queue of what was accepted. One on disk gives up on no job: dead
// letters are lost at the end, and while the disk is full no job can be done.
func (v *service) newJobs(name string) *memqueue.Queue {
	config := v.queueConfig(v.settings.queueBytes)
	if v.disk != nil {
		config.Journal, config.DeadLetters = readableJobs{v.disk.Journal(name), name, v.log}, nil
	}
	return memqueue.New(config)
}
