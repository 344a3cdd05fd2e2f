package session

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	// maxChannels is how many channels a request to resume can name.
	maxChannels = 102
	// maxReading is how many logs one request reads at once.
	maxReading = 10
)

// Loss is why an answer does not have the messages after a position.
type Loss string

// The losses.
const (
	Reset   Loss = "reset"   // the log has started over
	Expired Loss = "expired" // some may have been dropped
)

// Resumed is what a client that resumes gets of a channel.
type Resumed struct {
	To      domain.Recipients // not Valid for the channel of a user who has not signed in
	Refused *domain.Error     // why there is nothing; nil otherwise
	// Asked says that the client named a position. Without one it gets the newest alone.
	Asked bool
	Lost  Loss // empty: the messages are those after the client's position, without holes
	// Position is where to resume next: after the messages.
	Position domain.Position
	Messages []domain.Message
	More     bool            // there are messages after these, up to End
	End      domain.Position // with More

	from  domain.Position // that the client named
	epoch domain.Epoch    // of the messages
}

// Resume returns what the principal's connection has missed: for each channel that
// positions names, as clients call them, the messages after the position. Of its other
// channels it returns the newest positions. They come in a fixed order: everyone, the
// user, rooms by name.
//
// The rows by which messages reach the connection are read, or written, before the logs
// are: what comes after the answer reaches it. The answer is cut when it is long; channels
// with messages take turns, and repeated calls with the new positions return all.
//
// The errors are *domain.Error: InvalidPosition, NoHistory, Unauthenticated when the
// connection's row is missing or has expired, and Unavailable, also when the Limiter does
// not let it read now. A channel that the
// connection may not read is Refused: Unauthenticated, Forbidden or NotAMember.
func (h *History) Resume(ctx context.Context, id domain.ConnectionID, who domain.Principal, positions map[string]domain.Position) (all []Resumed, err error) {
	asked, err := parse(positions, who)
	switch {
	case err != nil:
		return nil, err
	case h.Log == nil:
		return nil, domain.NewError(domain.NoHistory)
	}
	done, err := h.Limiter.begin(id)
	if err != nil {
		return nil, err
	}
	cost := 0
	defer func() { done(cost) }()
	c, subscribed, err := h.Registry.attend(ctx, id, who)
	if err != nil {
		return nil, err
	}
	all = channels(subscribed, asked)
	err = each(ctx, all, func(ctx context.Context, one *Resumed) error { return h.resume(ctx, c, one) })
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.Refused == nil {
			cost += units(one.Messages)
		}
	}
	all = slices.DeleteFunc(all, func(one Resumed) bool { return one.Refused != nil && !one.Asked }) // left meanwhile
	cut(all)
	return all, each(ctx, all, h.lookAhead)
}

func parse(positions map[string]domain.Position, who domain.Principal) (map[domain.Recipients]domain.Position, error) {
	if len(positions) > maxChannels {
		return nil, domain.NewError(domain.InvalidPosition)
	}
	asked := make(map[domain.Recipients]domain.Position, len(positions))
	for name, position := range positions {
		to, err := domain.ParseChannel(name, who.User)
		if err != nil {
			return nil, err
		}
		asked[to] = position
	}
	return asked, nil
}

// channels returns those that a connection gets and those that are asked for.
func channels(subscribed []domain.Recipients, asked map[domain.Recipients]domain.Position) []Resumed {
	list := append(slices.Collect(maps.Keys(asked)), subscribed...)
	list = append(list, domain.ToEveryone())
	slices.SortFunc(list, func(a, b domain.Recipients) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	var all []Resumed
	for _, to := range slices.Compact(list) {
		position, ok := asked[to]
		all = append(all, Resumed{To: to, Asked: ok, Position: position})
	}
	return all
}

// each calls do for all channels, some at once, until one fails.
func each(ctx context.Context, all []Resumed, do func(context.Context, *Resumed) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxReading)
	for i := range all {
		group.Go(func() error { return do(ctx, &all[i]) })
	}
	return group.Wait()
}

// resume looks whether the connection may read the channel, and reads its log.
func (h *History) resume(ctx context.Context, c domain.Connection, one *Resumed) error {
	err := h.mayRead(ctx, c, one.To)
	if refused := new(domain.Error); errors.As(err, &refused) && refused.Code != domain.Unavailable {
		one.Refused = refused
		return nil
	}
	if err != nil {
		return err
	}
	if one.Asked {
		err = h.read(ctx, one)
	}
	if err == nil && (!one.Asked || one.Lost != "") {
		one.Position, err = h.Log.End(ctx, one.To)
	}
	return unavailable(err)
}

// read reads what follows the client's position.
func (h *History) read(ctx context.Context, one *Resumed) error {
	found, err := h.Log.After(ctx, one.To, one.Position, maxAnswer)
	switch {
	case errors.Is(err, ports.ErrExpired):
		one.Lost = Expired
		return nil
	case errors.Is(err, ports.ErrReset):
		one.Lost = Reset
		return nil
	case err != nil:
		return err
	}
	one.from, one.Position = one.Position, found.Position
	one.Messages, one.More, one.epoch = found.Messages, found.More, found.Epoch
	return nil
}

// cut leaves as many messages as fit into an answer.
func cut(all []Resumed) {
	limit := maxAnswer - aboutAnswer
	lists := make([][]domain.Message, len(all))
	for i, one := range all {
		lists[i] = one.Messages
		limit -= aboutChannel + len(domain.ChannelName(one.To))
	}
	for i, taken := range domain.Turns(lists, limit) {
		one := &all[i]
		one.More = one.More || taken < len(one.Messages)
		if taken == len(one.Messages) {
			continue
		}
		one.Messages, one.Position = one.Messages[:taken], one.from
		if taken > 0 {
			one.Position = domain.Position{Epoch: one.epoch, Seq: one.Messages[taken-1].Seq}
		}
	}
}

// lookAhead finds the end of a log of which more is to come.
func (h *History) lookAhead(ctx context.Context, one *Resumed) (err error) {
	if one.More {
		one.End, err = h.Log.End(ctx, one.To)
	}
	return unavailable(err)
}
