package session

import (
	"context"
	"slices"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	// MaxPage is the most messages that Load returns.
	MaxPage = 100
	// maxAnswer is how many bytes of JSON an answer has, so that it fits a frame, unless one
	// message alone needs more.
	maxAnswer = 32 << 10
	// aboutAnswer and aboutChannel are the most that an answer says besides messages: once,
	// and of each channel besides its name.
	aboutAnswer  = 1 << 10
	aboutChannel = 160
)

// History is the use case of clients that look back: it returns messages from the logs of
// the channels that they can read. It may be used concurrently.
type History struct {
	Registry *Registry
	// Log and Conversations have the messages; nil: they are not kept.
	Log           ports.MessageLog
	Conversations ports.Conversations
	Limiter       *ReadLimiter // of all reads; nil: as many as come
}

// Page is a part of a channel's log without holes, or of a conversation.
type Page struct {
	Messages []domain.Message // oldest first
	Position domain.Position  // of the newest of them, or where there are none; zero in a conversation
	More     bool             // there are older messages
}

// Load returns at most limit messages, 1 to MaxPage, of everyone or of a room that the
// principal's connection is in: the nearest before a position, or the newest if that is
// zero. There are fewer when they are large.
//
// The errors are *domain.Error: InvalidRoom, InvalidPage, NoHistory, Unauthenticated,
// Forbidden, NotAMember and Unavailable, also when the Limiter does not let it read now.
func (h *History) Load(ctx context.Context, id domain.ConnectionID, who domain.Principal, to domain.Recipients, before domain.Position, limit int) (
	page Page, err error) {
	switch {
	case !to.Valid() || to.Kind == domain.User:
		return Page{}, domain.NewError(domain.InvalidRoom)
	case limit < 1 || limit > MaxPage:
		return Page{}, domain.NewError(domain.InvalidPage)
	case h.Log == nil:
		return Page{}, domain.NewError(domain.NoHistory)
	}
	done, err := h.Limiter.begin(id)
	if err != nil {
		return Page{}, err
	}
	defer func() { done(units(page.Messages)) }()
	c, err := h.Registry.Caller(ctx, id, who)
	if err == nil {
		err = h.mayRead(ctx, c, to)
	}
	if err != nil {
		return Page{}, err
	}
	page, err = h.before(ctx, to, before, limit)
	return page, unavailable(err)
}

// mayRead returns nil if the connection gets what is for the recipients. The errors are
// those of member.
func (h *History) mayRead(ctx context.Context, c domain.Connection, to domain.Recipients) error {
	switch {
	case to.Kind == domain.Room:
		return h.Registry.member(ctx, c, to.Name)
	case !to.Valid():
		return domain.NewError(domain.Unauthenticated)
	}
	return nil
}

// before reads a page, and keeps as many of its newest messages as fit.
func (h *History) before(ctx context.Context, to domain.Recipients, before domain.Position, limit int) (Page, error) {
	if _, _, nothing := before.Nothing(); nothing {
		return Page{Position: before}, nil
	}
	found, err := h.Log.Before(ctx, to, before, limit, maxAnswer)
	switch {
	case err != nil:
		return Page{}, err
	case len(found.Messages) == 0 && before == domain.Position{}:
		end, err := h.Log.End(ctx, to)
		return Page{Position: end}, err
	case len(found.Messages) == 0:
		return Page{Position: before}, nil
	}
	page := fitting(found.Messages, found.More)
	page.Position = domain.Position{Epoch: found.Epoch, Seq: page.Messages[len(page.Messages)-1].Seq}
	return page, nil
}

// fitting returns a page of the newest messages that fit an answer.
func fitting(messages []domain.Message, more bool) Page {
	newestFirst := slices.Clone(messages)
	slices.Reverse(newestFirst)
	left := len(messages) - domain.Turns([][]domain.Message{newestFirst}, maxAnswer-aboutAnswer)[0]
	return Page{Messages: messages[left:], More: more || left > 0}
}

// End returns the newest position in a channel's log; zero if messages are not kept. The
// error is a *domain.Error: Unavailable.
func (h *History) End(ctx context.Context, to domain.Recipients) (domain.Position, error) {
	if h.Log == nil {
		return domain.Position{}, nil
	}
	p, err := h.Log.End(ctx, to)
	return p, unavailable(err)
}
