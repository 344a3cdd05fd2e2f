package lambdaevent

import (
	"strings"

	"serverless-websocket/domain"
)

// The members that address a message.
const (
	toMember   = "to"
	roomMember = "room"
)

// known are the members of a frame for sendMessage.
var known = map[string]bool{
	"action": true, "content": true, "ref": true, "again": true, toMember: true, roomMember: true,
}

// addressing are names, in lower case, that a client that wants to address a message may
// write by mistake. Without this list the message of an anonymous client would go to
// everyone. It has no names that older clients may send with a broadcast, such as user.
var addressing = map[string]bool{
	toMember: true, "touser": true, "to_user": true, roomMember: true, "rooms": true, "roomid": true, "room_id": true,
	"toroom": true, "to_room": true, "channel": true, "channels": true, "recipient": true, "recipients": true,
}

// recipients returns whom the frame of a principal is for: a user or a room that it names,
// or everyone if nothing in it could be meant to name any. Users, of whom no older clients
// are known, have no members but those of sendMessage. The error is InvalidRecipient.
func (f frame) recipients(who domain.Principal) (domain.Recipients, error) {
	addressed, unknown := false, false
	for name := range f.members {
		addressed = addressed || addressing[strings.ToLower(strings.TrimSpace(name))]
		unknown = unknown || !known[name]
	}
	if !addressed && !(unknown && who.SignedIn()) {
		return domain.ToEveryone(), nil
	}
	user, toUser := f.text(toMember)
	room, toRoom := f.text(roomMember)
	_, hasTo := f.members[toMember]
	_, hasRoom := f.members[roomMember]
	r := domain.Recipients{}
	switch {
	case unknown, hasTo == hasRoom:
	case toUser:
		r = domain.ToUser(user)
	case toRoom:
		r = domain.ToRoom(room)
	}
	if !r.Valid() {
		return domain.Recipients{}, domain.NewError(domain.InvalidRecipient)
	}
	return r, nil
}
