package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// store is the connection table: the embedded one, with the timing and faults of a real
// one. Like that, it tells of users' rows whose tokens have expired, and keeps them.
type store struct {
	*world
	rows    *memstore.Store // as Scan finds them
	written *memstore.Store // as Get does
}

var errStore = errors.New("throughput exceeded")

// begin takes the time of a request and says whether and how it fails: before it had an
// effect, or after.
func (s *store) begin(ctx context.Context, what string) (before, after error) {
	d := s.seed.of("store", callerOf(ctx).call(what))
	most := max(40*time.Millisecond, s.hazards().storeTakes)
	if err := travel(ctx, d.between("takes", 2*time.Millisecond, most)); err != nil {
		return err, nil
	}
	s.event("store", callerOf(ctx).name, what)
	switch h := s.hazards(); {
	case d.happens("fails", h.storeFails/2):
		s.fault("store failed")
		return errStore, nil
	case d.happens("fails late", h.storeFails/2):
		s.fault("store failed late")
		return nil, errStore
	}
	return nil, nil
}

// slack is how much longer than its connection a row lives. A clock that is further
// behind lets rows of live connections expire, which nothing promises to prevent.
const slack = 15 * time.Minute

func (s *store) Put(ctx context.Context, c domain.Connection) error {
	before, after := s.begin(ctx, "put "+string(c.ID))
	if before != nil {
		return before
	}
	ahead := callerOf(ctx).clock
	c.RegisteredAt = c.RegisteredAt.Add(ahead)
	return errors.Join(s.put(ctx, c, ahead), after)
}

func (s *store) Replace(ctx context.Context, c domain.Connection) error {
	before, after := s.begin(ctx, "replace "+string(c.ID))
	if before != nil {
		return before
	}
	if _, err := s.written.Get(ctx, c.ID); err != nil {
		return errors.Join(err, after)
	}
	return errors.Join(s.put(ctx, c, callerOf(ctx).clock), after)
}

// put stores a row whose writer's clock is ahead. That of a token stays for Scan.
func (s *store) put(ctx context.Context, c domain.Connection, ahead time.Duration) error {
	found := c
	if token := s.gateway.tokenOf(c.ID); token.IsZero() {
		c.ExpiresAt = c.ExpiresAt.Add(max(ahead, -slack))
		found.ExpiresAt = c.ExpiresAt
	} else {
		s.checked("a row expires with its token", 1)
		if !c.ExpiresAt.Equal(token) {
			s.broken("the row of %s expires at %v, its token at %v", c.ID, c.ExpiresAt, token)
		}
		found.ExpiresAt = endOfTime
	}
	return errors.Join(s.written.Put(ctx, c), s.rows.Put(ctx, found))
}

func (s *store) Get(ctx context.Context, id domain.ConnectionID) (domain.Connection, error) {
	before, after := s.begin(ctx, "get "+string(id))
	if err := errors.Join(before, after); err != nil {
		return domain.Connection{}, err
	}
	return s.written.Get(ctx, id)
}

func (s *store) Delete(ctx context.Context, ids ...domain.ConnectionID) error {
	from := callerOf(ctx)
	before, after := s.begin(ctx, fmt.Sprint("delete ", ids))
	if before != nil {
		return before
	}
	s.checked("no row is deleted that is live or unconfirmed", len(ids))
	for _, id := range ids {
		if s.gateway.expired(id) {
			continue
		}
		if s.gateway.live(id) {
			s.broken("%s deletes the row of %s, which is live", from.name, id)
		}
		if !strings.HasPrefix(from.name, "disconnect") && !s.gateway.confirmed(id) {
			s.broken("%s deletes the row of %s, which was not found gone twice", from.name, id)
		}
	}
	return errors.Join(s.written.Delete(ctx, ids...), s.rows.Delete(ctx, ids...), after)
}

func (s *store) Scan(ctx context.Context, segment domain.Segment, from domain.Cursor) (ports.Page, error) {
	what := fmt.Sprint("scan ", segment, from)
	before, after := s.begin(ctx, what)
	if err := errors.Join(before, after); err != nil {
		return ports.Page{}, err
	}
	empty := s.seed.of("empty page", callerOf(ctx).call(what)).happens("", s.hazards().emptyPages)
	if empty && from != "" {
		s.fault("empty page")
		return ports.Page{Next: from}, nil
	}
	page, err := s.rows.Scan(ctx, segment, from)
	s.checkListed(page.Connections)
	page.Connections = slices.DeleteFunc(page.Connections, func(c domain.Connection) bool {
		expired := s.gateway.expired(c.ID)
		if expired {
			page.Expired = append(page.Expired, c.ID)
		}
		return expired
	})
	for i, c := range page.Connections {
		page.Connections[i].RegisteredAt = seen(c.RegisteredAt, callerOf(ctx).clock)
	}
	return page, err
}

// checkListed checks a page of the embedded table, whose rows of strays expire.
func (s *store) checkListed(rows []domain.Connection) {
	s.checked("no scan lists a row that has expired", len(rows))
	for _, c := range rows {
		if c.Expired(time.Now()) {
			s.broken("a scan lists the row of %s, which has expired", c.ID)
		}
	}
}

// ids returns all rows that have not expired.
func (s *store) ids() map[domain.ConnectionID]bool {
	ids := make(map[domain.ConnectionID]bool)
	for from := domain.Cursor(""); ; {
		page, err := s.rows.Scan(context.Background(), domain.Segment{}, from)
		if err != nil {
			panic(err) // an embedded store does not fail
		}
		for _, c := range page.Connections {
			ids[c.ID] = true
		}
		if from = page.Next; from == "" {
			return ids
		}
	}
}

var _ ports.ConnectionStore = (*store)(nil)
