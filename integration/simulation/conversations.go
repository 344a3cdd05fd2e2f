package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"serverless-websocket/adapters/memlog"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// conversations are the embedded ones, with the timing and faults of the table.
type conversations struct {
	*store
	rows memlog.Conversations
}

func (c *conversations) Put(ctx context.Context, messages []domain.Message) error {
	before, after := c.begin(ctx, fmt.Sprint("put into conversations ", messages[0].ID, len(messages)))
	if before != nil {
		return before
	}
	return errors.Join(c.rows.Put(ctx, messages), after)
}

func (c *conversations) Before(ctx context.Context, of domain.Conversation, id domain.MessageID, limit, size int) ([]domain.Message, bool, error) {
	if err := errors.Join(c.begin(ctx, fmt.Sprint("conversation ", of, id))); err != nil {
		return nil, false, err
	}
	return c.rows.Before(ctx, of, id, limit, size)
}

var _ ports.Conversations = (*conversations)(nil)

// checkConversations checks that each accepted message to a user is in its conversation,
// unless the log forgets.
func (w *world) checkConversations() {
	if w.history == nil || w.plan.forgetful {
		return
	}
	for _, m := range w.messages {
		if m.acceptedAt.IsZero() || m.sender == "" || m.to.Kind != domain.User {
			continue
		}
		w.checked("a message to a user is in the conversation", 1)
		all, _, err := w.conversations.rows.Before(context.Background(), domain.ConversationOf(m.sender, m.to.Name), "", 1<<20, 1<<30)
		times := 0
		for _, one := range all {
			if slices.Contains(m.ids, one.ID) && one.Sender == m.sender && string(one.Content) == m.content {
				times++
			}
		}
		if err != nil || times != 1 {
			w.broken("%s is in its conversation %d times, %v", m.id, times, err)
		}
	}
}
