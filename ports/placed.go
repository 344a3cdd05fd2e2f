package ports

import "context"

type placedKey struct{}

// WithPlaced returns a context by which a call tells its caller that it has its place in
// an order and now only waits, for a disk say, see Placed. The caller may begin the next call
// then, which comes later in that order.
func WithPlaced(ctx context.Context, placed func()) context.Context {
	return context.WithValue(ctx, placedKey{}, placed)
}

// Placed is called by an adapter that stores things in the order of its calls, as soon as
// the call of ctx has its place there. It may be called more than once, and does nothing if
// nobody waits for it.
func Placed(ctx context.Context) {
	if placed, ok := ctx.Value(placedKey{}).(func()); ok {
		placed()
	}
}
