package session

import (
	"context"

	"serverless-websocket/domain"
)

// LoadConversation returns at most limit messages, 1 to MaxPage, between the principal and
// another user: the nearest before the message with an id, or the newest if that is empty.
// There are fewer when they are large. Whether the other user exists makes no difference.
//
// The errors are *domain.Error: InvalidRecipient, InvalidPosition, InvalidPage, NoHistory,
// Unauthenticated and Unavailable, also when the Limiter does not let it read now.
func (h *History) LoadConversation(ctx context.Context, id domain.ConnectionID, who domain.Principal, with string, before domain.MessageID, limit int) (
	page Page, err error) {
	switch {
	case !domain.ValidUser(with):
		return Page{}, domain.NewError(domain.InvalidRecipient)
	case before != "" && !before.Valid():
		return Page{}, domain.NewError(domain.InvalidPosition)
	case limit < 1 || limit > MaxPage:
		return Page{}, domain.NewError(domain.InvalidPage)
	case h.Conversations == nil:
		return Page{}, domain.NewError(domain.NoHistory)
	case !who.SignedIn():
		return Page{}, domain.NewError(domain.Unauthenticated)
	}
	done, err := h.Limiter.begin(id)
	if err != nil {
		return Page{}, err
	}
	defer func() { done(units(page.Messages)) }()
	c, err := h.Registry.Caller(ctx, id, who)
	if err != nil {
		return Page{}, err
	}
	messages, more, err := h.Conversations.Before(ctx, domain.ConversationOf(c.User, with), before, limit, maxAnswer)
	if err != nil {
		return Page{}, unavailable(err)
	}
	return fitting(messages, more), nil
}
