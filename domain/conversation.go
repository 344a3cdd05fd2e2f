package domain

import "fmt"

// Conversation is what two users write to each other, or a user to themselves.
// Conversations can be compared with ==: the order of the two makes no difference.
type Conversation struct{ first, second string }

// ConversationOf returns the conversation of two users.
func ConversationOf(one, other string) Conversation {
	return Conversation{min(one, other), max(one, other)}
}

// Conversation returns the conversation that a message from one user to another is in. It
// is not Valid for any other message.
func (m Message) Conversation() Conversation { return ConversationOf(m.Sender, m.To) }

// Valid reports whether both are a ValidUser.
func (c Conversation) Valid() bool { return ValidUser(c.first) && ValidUser(c.second) }

// String returns a text that no other conversation has. It is at most 2*MaxRecipient+5
// bytes long.
func (c Conversation) String() string {
	return fmt.Sprintf("%d:%s,%s", len(c.first), c.first, c.second)
}
